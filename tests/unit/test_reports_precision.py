"""From judgements to the table that `stats` shows."""

from __future__ import annotations

from urbexmp.model.feedback import Judged, Judgement, Tally
from urbexmp.model.keyword import Keyword
from urbexmp.model.stats import Standing
from urbexmp.rules.precision import ALL, Agreement, agreements
from urbexmp.rules.render import plain
from urbexmp.rules.render_stats import agreement_data, agreement_lines

PLACE, CAMERA = "place@11111111", "camera@22222222"
HOSPITAL = Keyword.parse("Urbex|Building|Healthcare|Hospital")
SCHOOL = Keyword.parse("Urbex|Building|Education|School")
INTERIOR = Keyword.parse("Urbex|View|Interior")


def tally(kind: Judged, keyword: Keyword, photos: int, stage: str = "", *missed: str) -> Tally:
    return Tally(Judgement(kind, keyword, stage, "offline", missed), photos)


def by_stage(lines: tuple[Agreement, ...]) -> dict[str, Agreement]:
    return {its.stage: its for its in lines}


TALLIES = (
    tally(Judged.KEPT, HOSPITAL, 6, PLACE),
    tally(Judged.CONFIRMED, HOSPITAL, 2, PLACE),
    tally(Judged.REMOVED, HOSPITAL, 1, PLACE),
    tally(Judged.REMOVED, INTERIOR, 3, CAMERA),
    tally(Judged.REMOVED, INTERIOR, 5),
    tally(Judged.DECLINED, INTERIOR, 4, CAMERA),
    tally(Judged.ADDED, SCHOOL, 7, "", PLACE, CAMERA),
    tally(Judged.OTHER, SCHOOL, 9),
)
STANDING = (Standing(PLACE, HOSPITAL, 16), Standing(CAMERA, INTERIOR, 20))


def test_precision_counts_only_what_somebody_judged() -> None:
    place = by_stage(agreements(TALLIES, STANDING))[PLACE]
    assert (place.right, place.judged, place.unseen) == (8, 9, 10)
    assert place.precision == 8 / 9
    assert place.at_most == 18 / 19
    low, high = place.interval or (0, 0)
    assert low < 8 / 9 < high


def test_a_stage_misses_only_what_it_writes_about() -> None:
    lines = by_stage(agreements(TALLIES, STANDING))
    assert lines[PLACE].missed == 7
    assert lines[CAMERA].missed == 0, "the camera stage says nothing of buildings"
    assert lines[ALL].missed == 7, "counted once, whoever missed it"


def test_what_nobody_knows_the_stage_of_is_told_last_and_is_in_the_sum() -> None:
    lines = agreements(TALLIES, STANDING)
    assert [its.stage for its in lines] == [CAMERA, PLACE, "", ALL]
    total = lines[-1]
    assert (total.kept, total.confirmed, total.removed) == (6, 2, 9)
    assert (total.declined, total.standing) == (4, 36)


def test_by_branch_every_line_has_its_own_figures() -> None:
    lines = agreements(TALLIES, STANDING, by_branch=True)
    told = {(its.stage, str(its.branch)): (its.judged, its.missed) for its in lines}
    assert told[PLACE, "Urbex|Building"] == (9, 7)
    assert told[CAMERA, "Urbex|View"] == (3, 0)


def test_without_a_mirror_nothing_is_said_of_what_stands() -> None:
    place = by_stage(agreements(TALLIES, None))[PLACE]
    assert (place.unseen, place.at_most) == (None, None)
    assert place.precision == 8 / 9


def test_a_library_that_nobody_judged_has_no_table() -> None:
    assert agreements((), ()) == ()
    assert list(agreement_lines((), by_branch=False)) == []


def test_the_table_reads_well_and_says_what_right_means() -> None:
    lines = [
        plain(line) for line in agreement_lines(agreements(TALLIES, STANDING), by_branch=False)
    ]
    place = next(line for line in lines if PLACE in line)
    assert "89%" in place
    assert "57% and 98%" in place
    assert any(line.lstrip().startswith("(not known)") for line in lines)
    assert any(
        "kept or confirmed, of those you kept, confirmed or removed" in line for line in lines
    )


def test_nothing_judged_has_no_share() -> None:
    (only, _) = agreements((), STANDING[:1])
    data = agreement_data(only)
    assert (data["precision"], data["low"], data["not_looked_at"]) == (None, None, 16)
