"""From evidence to a proposal: which keywords we would like to see in a photo, and how sure we are.

Agreement. Of one stage only its strongest statement on a term counts: two labels of one model are
one opinion. Statements of stages of different names are combined as independent witnesses,

    confidence = 1 - (1 - s1)(1 - s2)...        (noisy-or), at most 0.98,

because they are not quite independent: they look at the same pixels. Statements that rest on EXIF
are one witness, whichever stages make them. A single statement keeps its
own score, and the result is never lower than the strongest of them. What is so weak that it would
not even be asked about takes no part, or thirty stages' noise would add up to a certainty.

Thresholds. A stage's threshold for a term is the term's own, else the profile's for that stage,
else the profile's. A keyword is written when one stage reaches its threshold, or when several
together reach the highest of theirs. From `ask_from` up a person is asked; where a stage has a
threshold of its own, the zone moves with it in proportion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from urbexmp.model.change import NOTHING
from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import StageLook
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal, Reason, Suggestion
from urbexmp.rules.normalise import (
    Evidence,
    Heard,
    normalise,
    settle_senses,
    stage_name,
)
from urbexmp.rules.said_texts import text_read, texts_said
from urbexmp.rules.stage_ids import PLACE_STAGE
from urbexmp.rules.terms import Taxonomy

AGREEMENT_CAP = 0.98
"""No number of agreeing stages makes a keyword surer than this."""

UNSCORED = 0.5
"""What a statement without a score counts as; `[stage.NAME] unscored` in the profile overrides."""


@dataclass(slots=True)
class _Candidate:
    """A keyword on its way to being suggested."""

    confidence: float
    reasons: tuple[Reason, ...]
    sure: bool
    placed: bool
    """The place stage says so, too: guards against hallucination do not apply."""
    own_words: bool = False


def propose(looks: Sequence[StageLook], taxonomy: Taxonomy, profile: Profile) -> Proposal:
    """Return the proposal that follows from `looks` (in the profile's order of stages).

    Pure and deterministic; runs no model, so a changed taxonomy or threshold costs only this.
    """
    heard = normalise(looks, taxonomy)
    weighing = _Weighing(taxonomy, profile)
    found = weighing.candidates(heard.evidence)
    resolved, unresolved = _resolve(heard, frozenset(found))
    if resolved:
        found = weighing.candidates((*heard.evidence, *resolved))
    _hold_back(found, heard.view, taxonomy)
    _imply(found, taxonomy)
    _exclude(found, taxonomy)
    _close(found, taxonomy)
    written = {keyword: one for keyword, one in found.items() if one.sure}
    told = _without_ancestors(written)
    suggestions = _most_confident(told, taxonomy, profile.max_keywords)
    asked = _asked(found, written, taxonomy)
    unknown = [*heard.unknown, *unresolved]
    return Proposal(
        suggestions=suggestions,
        unsure=asked[: max(0, profile.max_keywords - len(suggestions))],
        view=heard.view,
        view_score=heard.view_score,
        quality=_percent(heard.measures.get("quality")),
        condition=_condition(heard, told, taxonomy),
        era=_era(heard, written, taxonomy),
        unmapped=tuple(
            sorted(
                {
                    (stage, label)
                    for stage, label, score in unknown
                    if score is None or score >= weighing.ask(stage_name(stage), None)
                }
            )
        ),
        text=text_read(looks),
        texts=texts_said(looks),
    )


class _Weighing:
    """Scores against thresholds, for one profile."""

    def __init__(self, taxonomy: Taxonomy, profile: Profile) -> None:
        self._terms = taxonomy.terms
        self._profile = profile
        # Share of the threshold from which a person is asked.
        self._zone = (
            min(1.0, profile.ask_from / profile.threshold) if profile.threshold > 0 else 1.0
        )

    def threshold(self, stage: str, keyword: Keyword | None) -> float:
        """Least score of a stage (by name) for a term; for labels at large with None."""
        term = self._terms.get(keyword) if keyword is not None else None
        if term is not None and stage in term.thresholds:
            return term.thresholds[stage]
        return self._profile.thresholds.get(stage, self._profile.threshold)

    def ask(self, stage: str, keyword: Keyword | None) -> float:
        """Least score of a stage that is worth a question."""
        return self.threshold(stage, keyword) * self._zone

    def score(self, one: Evidence) -> float:
        """Score of a statement, 0..1; an unscored one counts as the profile says."""
        if one.score is not None:
            return min(1.0, max(0.0, one.score))
        settings = self._profile.stage_settings.get(stage_name(one.stage), {})
        return float(settings.get("unscored", UNSCORED))

    def candidates(self, evidence: Iterable[Evidence]) -> dict[Keyword, _Candidate]:
        """Combine all statements, keyword by keyword."""
        by_keyword: dict[Keyword, list[Evidence]] = {}
        for one in evidence:
            stage = stage_name(one.stage)
            if one.own_words or self.score(one) >= self.ask(stage, one.keyword):
                by_keyword.setdefault(one.keyword, []).append(one)
        return {keyword: self._combine(keyword, all_) for keyword, all_ in by_keyword.items()}

    def _combine(self, keyword: Keyword, evidence: list[Evidence]) -> _Candidate:
        best: dict[str, float] = {}
        for one in evidence:
            stage = stage_name(one.stage)
            best[stage] = max(best.get(stage, 0.0), self.score(one))
        limits = {stage: self.threshold(stage, keyword) for stage in best}
        witnesses: dict[str, float] = {}
        for one in evidence:
            witness = "EXIF" if one.note.startswith("EXIF") else stage_name(one.stage)
            witnesses[witness] = max(witnesses.get(witness, 0.0), self.score(one))
        confidence = max(best.values())
        if len(witnesses) > 1:
            doubt = 1.0
            for witness in sorted(witnesses):
                doubt *= 1.0 - witnesses[witness]
            confidence = max(confidence, min(AGREEMENT_CAP, 1.0 - doubt))
        alone = any(score >= limits[stage] for stage, score in best.items())
        together = len(witnesses) > 1 and confidence >= max(limits.values())
        own_words = any(one.own_words for one in evidence)
        ordered = sorted(
            evidence,
            key=lambda one: (
                *(-self.score(one), one.stage, one.label),
                *(one.score is None, one.note),
            ),
        )
        reasons = dict.fromkeys(
            Reason(one.stage, one.label, one.score, one.note) for one in ordered
        )
        return _Candidate(
            confidence=confidence,
            reasons=tuple(reasons),
            sure=alone or together or own_words,
            placed=PLACE_STAGE in best,
            own_words=own_words,
        )


def _resolve(
    heard: Heard, found: frozenset[Keyword]
) -> tuple[list[Evidence], list[tuple[str, str, float | None]]]:
    """Give ambiguous words the meaning that the rest of the photo supports, or none."""
    resolved: list[Evidence] = []
    unresolved: list[tuple[str, str, float | None]] = []
    for pending in heard.pending:
        sense = settle_senses(pending, found)
        if sense is None:
            unresolved.append((pending.stage, pending.label, pending.score))
        else:
            note = "; ".join(filter(None, (pending.source, "by what else is in the photo")))
            resolved.append(
                Evidence(sense.keyword, pending.stage, pending.label, pending.score, note)
            )
    return resolved, unresolved


def _hold_back(found: dict[Keyword, _Candidate], view: str | None, taxonomy: Taxonomy) -> None:
    """Turn likely hallucinations into questions.

    A sort of building that is not the one the place is known to be, and things that the view
    cannot show: a corridor seen from a drone.
    """
    for root in taxonomy.deciding:
        known = [
            node for node, one in found.items() if one.placed and one.sure and node.is_under(root)
        ]
        if not known:
            continue
        related = NOTHING.union(*(taxonomy.closure(place) for place in known))
        for node, one in found.items():
            if one.placed or not one.sure or not node.is_under(root) or node in related:
                continue
            if not any(node.is_under(place) or place.is_under(node) for place in known):
                one.sure = False
    if view is not None:
        for node, one in found.items():
            if view in taxonomy.blind_views.get(node, ()) and not one.placed:
                one.sure = False


def _imply(found: dict[Keyword, _Candidate], taxonomy: Taxonomy) -> None:
    """Add what the sure ones imply, as sure as the surest that implies it."""
    for keyword in sorted(node for node, one in found.items() if one.sure):
        source = found[keyword]
        for other in sorted(taxonomy.implied.get(keyword, ())):
            implied = _implied_reason(source, keyword)
            held = found.get(other)
            if held is None:
                found[other] = _Candidate(source.confidence, (implied,), sure=True, placed=False)
                continue
            surer = source.confidence > held.confidence
            reasons = (implied, *held.reasons) if surer else (*held.reasons, implied)
            held.reasons = tuple(dict.fromkeys(reasons))
            held.confidence = max(held.confidence, source.confidence)
            held.sure = True


def _implied_reason(source: _Candidate, keyword: Keyword) -> Reason:
    strongest = source.reasons[0]
    return Reason(strongest.stage, strongest.label, source.confidence, f"implied by {keyword}")


def _exclude(found: dict[Keyword, _Candidate], taxonomy: Taxonomy) -> None:
    """Leave one member of each exclusive group: the most confident. A tie decides nothing."""
    members: dict[str, dict[Keyword, list[Keyword]]] = {}
    for node in found:
        group = taxonomy.groups.get(node)
        if group is not None:
            head = _head(node, group, taxonomy)
            members.setdefault(group, {}).setdefault(head, []).append(node)
    for rivals in members.values():
        sure = {
            head: max(found[node].confidence for node in nodes if found[node].sure)
            for head, nodes in rivals.items()
            if any(found[node].sure for node in nodes)
        }
        if not sure:
            continue
        best = max(sure.values())
        winners = [head for head, confidence in sure.items() if confidence == best]
        for head, nodes in rivals.items():
            for node in nodes:
                if head not in winners:
                    del found[node]
                elif len(winners) > 1:
                    found[node].sure = False


def _head(node: Keyword, group: str, taxonomy: Taxonomy) -> Keyword:
    """The member of the group that `node` is or lies below."""
    for above in node.ancestors():
        term = taxonomy.terms.get(above)
        if term is not None and term.exclusive == group:
            return term.keyword
    return node


def _close(found: dict[Keyword, _Candidate], taxonomy: Taxonomy) -> None:
    """Ask about what lost something it implies: both cannot be true."""
    sure = {node for node, one in found.items() if one.sure}
    while True:
        shaky = {node for node in sure if not taxonomy.implied.get(node, frozenset()) <= sure}
        if not shaky:
            return
        sure -= shaky
        for node in shaky:
            found[node].sure = False


def _without_ancestors(written: dict[Keyword, _Candidate]) -> dict[Keyword, _Candidate]:
    """Leave out what stands above another one: the longer path says it already."""
    above = {key for node in written for key in node.ancestors()}
    return {node: one for node, one in written.items() if node not in above or one.own_words}


def _most_confident(
    told: dict[Keyword, _Candidate], taxonomy: Taxonomy, limit: int
) -> tuple[Suggestion, ...]:
    """The surest, in that order, each with all it implies; stops at the first that is too many."""
    chosen: dict[Keyword, _Candidate] = {}
    for node in _ordered(told):
        needs = {node}
        for other in taxonomy.implied.get(node, ()):
            # Where the implied term was left out for a longer path, that one says it.
            saying = {key: one for key, one in told.items() if key.is_under(other)}
            needs.update([other] if other in told else _ordered(saying)[:1])
        if len(chosen.keys() | needs) > limit:
            break
        chosen.update({other: told[other] for other in needs})
    return tuple(_suggestion(node, chosen[node]) for node in _ordered(chosen))


def _asked(
    found: dict[Keyword, _Candidate], written: dict[Keyword, _Candidate], taxonomy: Taxonomy
) -> tuple[Suggestion, ...]:
    said = {node for keyword in written for node in taxonomy.closure(keyword)}.union(written)
    asked = {node: one for node, one in found.items() if not one.sure and node not in said}
    return tuple(_suggestion(node, asked[node]) for node in _ordered(asked))


def _ordered(candidates: dict[Keyword, _Candidate]) -> list[Keyword]:
    return sorted(candidates, key=lambda node: (-candidates[node].confidence, node))


def _suggestion(keyword: Keyword, one: _Candidate) -> Suggestion:
    return Suggestion(keyword, round(one.confidence, 4), one.reasons)


def _condition(heard: Heard, told: dict[Keyword, _Candidate], taxonomy: Taxonomy) -> float | None:
    """Condition 0 (ruined) .. 100 (sound); a stage's own estimate goes before ours.

    Each kind of damage takes its share of what the others left, weighted by how sure we are of
    it: 100 * product of (1 - confidence * weight / 100). None when nothing seen says anything.
    """
    measured = _percent(heard.measures.get("condition"))
    if measured is not None:
        return measured
    sound, seen = 100.0, False
    for node in sorted(told):
        term = taxonomy.terms.get(node)
        if term is not None and term.condition is not None:
            seen = True
            sound *= 1.0 - told[node].confidence * term.condition / 100.0
    return round(sound, 1) if seen else None


def _era(heard: Heard, written: dict[Keyword, _Candidate], taxonomy: Taxonomy) -> str | None:
    """The era that a person wrote, else the surest hint; hints that tie say nothing."""
    known = heard.measures.get("era")
    if isinstance(known, str) and known:
        return known
    hints: dict[str, float] = {}
    for node, one in written.items():
        term = taxonomy.terms.get(node)
        if term is not None and term.era:
            hints[term.era] = max(hints.get(term.era, 0.0), one.confidence)
    if not hints:
        return None
    best = [era for era, confidence in hints.items() if confidence == max(hints.values())]
    return best[0] if len(best) == 1 else None


def _percent(value: str | float | None) -> float | None:
    if isinstance(value, str) or value is None:
        return None
    return min(100.0, max(0.0, float(value)))
