"""What is asked about one photo: from what earlier stages said to a question. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from urbexmp.model.asking import Question
from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.rules.normalise import stage_name
from urbexmp.rules.stage_ids import PLACE_STAGE
from urbexmp.rules.terms import Taxonomy

MOST_TERMS = 250
"""Words of the taxonomy that are offered; `vlm_schema` refuses an enumeration of 300."""

SURE = 0.5
"""A label of an earlier stage that is as sure needs no second opinion, where none is asked for."""


def question(context: Context, earlier: Sequence[StageLook], taxonomy: Taxonomy) -> Question:
    """What is known of a photo."""
    view = view_of(earlier)
    labels = [
        (stage, one)
        for stage, one in _said(earlier, ObservationKind.LABEL)
        if stage != PLACE_STAGE and taxonomy.lookup(one.label)
    ]
    labels.sort(key=lambda pair: -(pair[1].score or 0.0))
    seen = tuple(dict.fromkeys(one.label for _, one in labels))
    read = tuple(
        dict.fromkeys(
            str(one.value) for _, one in _said(earlier, ObservationKind.TEXT) if one.value
        )
    )
    return Question(context, view, seen, read, offered(context, view, seen, taxonomy))


def view_of(earlier: Sequence[StageLook]) -> str | None:
    """The view that earlier stages decided on; the last one knew most."""
    views = [one.label for _, one in _said(earlier, ObservationKind.VIEW)]
    return views[-1] if views else None


def unsure(earlier: Sequence[StageLook], taxonomy: Taxonomy) -> bool:
    """Whether the stages before left a question open: no view, or nothing seen for sure."""
    if view_of(earlier) is None:
        return True
    return not any(
        stage != PLACE_STAGE and (one.score or 0.0) >= SURE and taxonomy.lookup(one.label)
        for stage, one in _said(earlier, ObservationKind.LABEL)
    )


def offered(
    context: Context, view: str | None, seen: Iterable[str], taxonomy: Taxonomy
) -> tuple[str, ...]:
    """Names of terms that fit: what can be seen in this view, and is no sort of place where the
    place is known. What earlier stages saw comes first, then what stands beside that, then what
    can be put into a picture's words; at most `MOST_TERMS`."""
    near: set[Keyword] = {meaning.keyword for label in seen for meaning in taxonomy.lookup(label)}
    beside = {above for one in near for above in one.ancestors()[-1:]}
    ranked: list[tuple[int, int, str]] = []
    for place, (keyword, term) in enumerate(taxonomy.terms.items()):
        if not term.export or len(keyword.path) == 1:
            continue
        if view is not None and view in taxonomy.blind_views.get(keyword, ()):
            continue
        if term.place is not None and context.place_type and keyword not in near:
            continue
        if _is_view(keyword, taxonomy):
            continue  # decided by other stages, and better
        name = keyword.path[-1]
        if taxonomy.guard(name) or [one.keyword for one in taxonomy.lookup(name)] != [keyword]:
            continue
        rank = 3 if not term.prompts else 2 if term.place is not None else 1
        if keyword in near:
            rank = -1
        elif set(keyword.ancestors()[-1:]) & beside:
            rank = 0
        ranked.append((rank, place, name.lower()))
    return tuple(dict.fromkeys(name for _, _, name in sorted(ranked)))[:MOST_TERMS]


_VIEWS = ("interior", "exterior", "aerial", "detail")


def _is_view(keyword: Keyword, taxonomy: Taxonomy) -> bool:
    return any(keyword == one.keyword for view in _VIEWS for one in taxonomy.lookup(view))


def _said(earlier: Sequence[StageLook], kind: ObservationKind) -> Iterable[tuple[str, Observation]]:
    for look in earlier:
        for one in look.observations:
            if one.kind is kind:
                yield stage_name(look.stage), one
