"""How often people agreed with our keywords, by stage; what is counted is told in
`docs/reports.md`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from urbexmp.model.feedback import Judged, Tally
from urbexmp.model.keyword import Keyword
from urbexmp.model.stats import Standing
from urbexmp.rules.metrics import wilson

ALL = "all"
"""The stage of the line that sums all up."""

_COLUMNS = {
    Judged.KEPT: "kept",
    Judged.CONFIRMED: "confirmed",
    Judged.REMOVED: "removed",
    Judged.ACCEPTED: "accepted",
    Judged.DECLINED: "declined",
}


@dataclass(slots=True)
class Agreement:
    """What people did with the keywords of one stage, all or those of one branch."""

    stage: str
    """Id of the stage; "" where it is not known; `ALL` for the sum."""
    branch: Keyword | None = None
    """First two names of the keywords; None for all of them."""
    kept: int = 0
    confirmed: int = 0
    removed: int = 0
    accepted: int = 0
    """Waited for an answer, and got a yes."""
    declined: int = 0
    missed: int = 0
    """Added by people, and not suggested by this stage, in branches that it writes."""
    standing: int | None = None
    """Ours that stand in photos now; None: nobody counted."""

    @property
    def right(self) -> int:
        """Kept or confirmed."""
        return self.kept + self.confirmed

    @property
    def judged(self) -> int:
        """Keywords that we wrote and that people showed what they think of."""
        return self.right + self.removed

    @property
    def unseen(self) -> int | None:
        """Ours that stand where nobody showed that they looked."""
        return None if self.standing is None else max(0, self.standing - self.kept)

    @property
    def precision(self) -> float | None:
        """Share (0..1) of the judged keywords that were right."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The precision lies between these with 95 % confidence, as far as chance goes."""
        return wilson(self.right, self.judged)

    @property
    def at_most(self) -> float | None:
        """The precision if all that nobody looked at were right, too."""
        if self.unseen is None:
            return None
        of = self.judged + self.unseen
        return (of - self.removed) / of if of else None


def branch_of(keyword: Keyword) -> Keyword:
    """The first two names of a keyword, or the one that it has."""
    return Keyword(keyword.path[:2])


def agreements(
    tallies: Iterable[Tally], standing: Iterable[Standing] | None, *, by_branch: bool = False
) -> tuple[Agreement, ...]:
    """One line a stage, by name (or one a stage and branch), those of no known stage last, and
    the sum of all at the end; nothing where there is nothing to tell.

    `standing` has to be told by keyword where `by_branch` is wanted or people added keywords.
    A keyword that people added is held against a stage only in branches that it writes: the
    stage that reads the flash did not miss a hospital.
    """
    tallies = tuple(tallies)
    standing = tuple(standing) if standing is not None else None
    lines: dict[tuple[str, Keyword | None], Agreement] = {}
    total = Agreement(ALL, standing=None if standing is None else 0)

    def line(stage: str, keyword: Keyword | None) -> Agreement:
        branch = branch_of(keyword) if by_branch and keyword is not None else None
        counted = None if standing is None else 0
        return lines.setdefault((stage, branch), Agreement(stage, branch, standing=counted))

    writes: set[tuple[str, Keyword]] = set()
    for tally in tallies:
        judgement = tally.judgement
        column = _COLUMNS.get(judgement.kind)
        if column is None:
            continue
        for its in (line(judgement.stage, judgement.keyword), total):
            setattr(its, column, getattr(its, column) + tally.photos)
        writes.add((judgement.stage, branch_of(judgement.keyword)))
    for each in standing or ():
        for its in (line(each.stage, each.keyword), total):
            its.standing = (its.standing or 0) + each.photos
        if each.keyword is not None:
            writes.add((each.stage, branch_of(each.keyword)))
    for tally in tallies:
        judgement = tally.judgement
        if judgement.kind is Judged.ADDED:
            total.missed += tally.photos
            for stage in judgement.missed_by:
                if (stage, branch_of(judgement.keyword)) in writes:
                    line(stage, judgement.keyword).missed += tally.photos
    if not lines and not total.missed:
        return ()
    ordered = sorted(
        lines.values(),
        key=lambda its: (its.stage == "", its.stage, its.branch is not None, str(its.branch)),
    )
    return (*ordered, total)
