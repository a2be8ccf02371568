"""What is asked about one photo: from what earlier stages said to a question. Pure."""

from __future__ import annotations

from collections import Counter
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


def question(
    context: Context, earlier: Sequence[StageLook], taxonomy: Taxonomy, offering: Offering
) -> Question:
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
    terms = offering.terms(view, seen, placed=bool(context.place_type))
    return Question(context, view, seen, read, terms)


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


class Offering:
    """The taxonomy's words for prompts. What depends on view and place alone is worked out once."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._usual: dict[tuple[str | None, bool], dict[Keyword, str]] = {}

    def terms(
        self, view: str | None, seen: Iterable[str] = (), *, placed: bool = False
    ) -> tuple[str, ...]:
        """Names of terms that fit: what can be seen in this view, and, where the place is known
        (`placed`), is no sort of place.

        What earlier stages saw comes first, then what stands beside that, then general terms
        before special ones, of each branch in turn; at most `MOST_TERMS`. Other words that a
        model finds are understood as well: what is offered only saves it from inventing some.
        """
        lookup = self._taxonomy.lookup
        near = dict.fromkeys(meaning.keyword for label in seen for meaning in lookup(label))
        above = {one.path[:-1] for one in near if len(one.path) > 1}
        usual = self._usual.get((view, placed))
        if usual is None:
            usual = self._usual[view, placed] = self._fitting(view, placed=placed)
        first = [usual[one] for one in near if one in usual]
        beside = [name for keyword, name in usual.items() if above and keyword.path[:-1] in above]
        names = (*first, *beside, *usual.values())
        return tuple(dict.fromkeys(names))[:MOST_TERMS]

    def _fitting(self, view: str | None, *, placed: bool) -> dict[Keyword, str]:
        taxonomy = self._taxonomy
        ranked: list[tuple[int, int, str, Keyword]] = []
        turns: Counter[tuple[int, tuple[str, ...]]] = Counter()
        for keyword, term in taxonomy.terms.items():
            depth = len(keyword.path)
            if not term.export or depth == 1:
                continue
            if view is not None and view in taxonomy.blind_views.get(keyword, ()):
                continue
            if term.place is not None and placed:
                continue
            if term.era is not None or _is_view(keyword, taxonomy):
                continue  # the first has a field of its own, the second was decided before
            name = keyword.path[-1]
            if taxonomy.guard(name) or [one.keyword for one in taxonomy.lookup(name)] != [keyword]:
                continue
            branch = (depth, keyword.path[:2])
            ranked.append((depth, turns[branch], name.lower(), keyword))
            turns[branch] += 1
        ranked.sort(key=lambda one: one[:3])
        return {keyword: name for _, _, name, keyword in ranked}


_VIEWS = ("interior", "exterior", "aerial", "detail")


def _is_view(keyword: Keyword, taxonomy: Taxonomy) -> bool:
    return any(keyword == one.keyword for view in _VIEWS for one in taxonomy.lookup(view))


def _said(earlier: Sequence[StageLook], kind: ObservationKind) -> Iterable[tuple[str, Observation]]:
    for look in earlier:
        for one in look.observations:
            if one.kind is kind:
                yield stage_name(look.stage), one
