"""From what stages say to what the taxonomy knows: observations become evidence for terms.

Nothing is decided here. A word that no term knows is listed, never guessed at; a word that a
guard holds back (people, camera words) is dropped; an ambiguous word waits until its company is
known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.rules.captions import spoken
from urbexmp.rules.signs import read_signs
from urbexmp.rules.stage_ids import PLACE_KEYWORD, PLACE_STAGE
from urbexmp.rules.terms import Meaning, Sense, Taxonomy

_FROM_FACTS = frozenset({"aerial", "detail"})


def stage_name(stage_id: str) -> str:
    """Return the name of a stage: `pixels` of `pixels@1f2e3d4c`."""
    return stage_id.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement in favour of one keyword."""

    keyword: Keyword
    stage: str
    """Stage id."""
    label: str
    score: float | None
    """As the stage gave it; None where it gave none."""
    note: str = ""
    own_words: bool = False
    """A person wrote the keyword itself; it need not be a term."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An ambiguous word, and what it may mean."""

    stage: str
    label: str
    score: float | None
    source: str
    senses: tuple[Sense, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """All that the looks at one photo said, in the words of the taxonomy."""

    evidence: tuple[Evidence, ...] = ()
    pending: tuple[Pending, ...] = ()
    unknown: tuple[tuple[str, str, float | None], ...] = ()
    """(stage id, label, score) that no term knows."""
    view: str | None = None
    view_score: float | None = None
    measures: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))
    """The last word of the stages on each number: `quality`, `condition`, `era`."""


def normalise(looks: Sequence[StageLook], taxonomy: Taxonomy) -> Heard:
    """Return what `looks`, in the order of the profile's stages, say in terms of `taxonomy`.

    Of several views the last stage's counts (see `_view`): each knows what those before it said.
    Priors stay out, they are for other stages only. Captions are kept for search; where one rests
    on the picture alone, the taxonomy's own words in it count as labels. Texts read are kept for
    search too, and mean what the taxonomy says of signs.
    """
    evidence: list[Evidence] = []
    pending: list[Pending] = []
    unknown: list[tuple[str, str, float | None]] = []
    measures: dict[str, str | float] = {}
    decided = _view(looks)
    for look in looks:
        for said in spoken(look.observations, taxonomy):
            if said.kind is ObservationKind.LABEL:
                _hear(look.stage, said, taxonomy, evidence, pending, unknown)
            elif said.kind is ObservationKind.FACT:
                score = 1.0 if said.score is None else said.score
                for meaning in taxonomy.lookup(said.label):
                    evidence.append(_evidence(look.stage, said, meaning, score))
            elif said.kind is ObservationKind.TEXT and isinstance(said.value, str):
                for sign in read_signs(said.value, said.score, taxonomy):
                    evidence.append(
                        Evidence(sign.keyword, look.stage, sign.words, sign.score, sign.note)
                    )
            elif said.kind is ObservationKind.MEASURE and said.value is not None:
                measures[said.label] = said.value
    view, view_score = None, None
    if decided is not None:
        stage, said = decided
        view, view_score = said.label, _sure(said)
        evidence = _agreeing(evidence, view, taxonomy)
        for meaning in taxonomy.lookup(view):
            evidence.append(_evidence(stage, said, meaning, view_score))
    return Heard(
        evidence=tuple(evidence),
        pending=tuple(pending),
        unknown=tuple(unknown),
        view=view,
        view_score=view_score,
        measures=MappingProxyType(measures),
    )


def settle_senses(pending: Pending, found: frozenset[Keyword]) -> Sense | None:
    """Return the sense of an ambiguous word that `found` supports; None for none or several."""
    fitting = [
        sense
        for sense in pending.senses
        if any(one.is_under(beside) for one in found for beside in sense.company)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _hear(
    stage: str,
    said: Observation,
    taxonomy: Taxonomy,
    evidence: list[Evidence],
    pending: list[Pending],
    unknown: list[tuple[str, str, float | None]],
) -> None:
    if stage_name(stage) == PLACE_STAGE and said.source == PLACE_KEYWORD:
        own = _own_keyword(said.label, taxonomy)
        if own is not None:
            evidence.append(
                Evidence(own, stage, said.label, said.score, PLACE_KEYWORD, own_words=True)
            )
        return
    place = taxonomy.place(said.label) if stage_name(stage) == PLACE_STAGE else None
    meanings = (Meaning(place, "place"),) if place else taxonomy.lookup(said.label)
    for meaning in meanings:
        evidence.append(_evidence(stage, said, meaning, said.score))
    senses = () if place else taxonomy.lookup_senses(said.label)
    if senses:
        pending.append(Pending(stage, said.label, said.score, said.source, senses))
    elif not meanings and taxonomy.guard(said.label) is None:
        unknown.append((stage, said.label, said.score))


def _evidence(stage: str, said: Observation, meaning: Meaning, score: float | None) -> Evidence:
    return Evidence(meaning.keyword, stage, said.label, score, said.source)


def _own_keyword(text: str, taxonomy: Taxonomy) -> Keyword | None:
    names = text.split("|")
    if any(name_fault(name) for name in names):
        return None
    keyword = Keyword(tuple(names))
    term = taxonomy.terms.get(keyword)
    return term.keyword if term else keyword


def _view(looks: Sequence[StageLook]) -> tuple[str, Observation] | None:
    """The view that the stages decided, as a stage id and what it said; None: undecided.

    A later stage replaces what an earlier one said. But `camera` and `pixels` only ever ask
    "inside or outside?": their answer does not touch a view from the air or of a detail, which
    rests on facts of its own, and another stage takes those back only where it is surer.
    """
    decided: tuple[str, Observation] | None = None
    for look in looks:
        said: dict[str, Observation] = {}
        for one in look.observations:
            known = said.get(one.label)
            if one.kind is ObservationKind.VIEW and (known is None or _sure(one) > _sure(known)):
                said[one.label] = one
        inside_or_out = stage_name(look.stage) in ("camera", "pixels")
        special = {label: one for label, one in said.items() if label in _FROM_FACTS}
        said = special if inside_or_out and special else said
        if not said:
            continue
        best = max(_sure(one) for one in said.values())
        stands = decided is not None and decided[1].label in _FROM_FACTS and not special
        if stands and decided and (inside_or_out or best <= _sure(decided[1])):
            continue
        surest = [one for one in said.values() if _sure(one) == best]
        if len(surest) == 1:
            decided = (look.stage, surest[0])
        elif not inside_or_out:
            decided = None  # a tie decides nothing
    return decided


def _sure(said: Observation) -> float:
    return 1.0 if said.score is None else said.score


def _agreeing(evidence: list[Evidence], view: str, taxonomy: Taxonomy) -> list[Evidence]:
    """Drop labels that name another view than the one decided: a tagger's "indoor" is weaker."""
    decided = {meaning.keyword for meaning in taxonomy.lookup(view)}
    groups = {taxonomy.groups[one] for one in decided if one in taxonomy.groups}
    return [
        one
        for one in evidence
        if taxonomy.groups.get(one.keyword) not in groups
        or any(one.keyword.is_under(node) or node.is_under(one.keyword) for node in decided)
    ]
