"""`stats` over random mirrors: every count is the one that counting by hand gives."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.adapters.db.counting import Counting
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.model.errors import MirrorDamaged, UsageProblem
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import STATUSES, MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts
from urbexmp.model.photo import FileKind, FileStat
from urbexmp.model.stats import CONDITION_BANDS, QUALITY_BANDS

NAMES = ("Urbex", "Building", "View", "Hospital", "Interior", "Trips")
FOLDERS = ("", "a", "a/b", "a0", "a b", "A")

KEYWORDS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(lambda n: Keyword(tuple(n)))
ORIGINS = st.sampled_from(
    [
        ("person", "", "", ""),
        ("ai", "camera", "11111111", "offline"),
        ("ai", "camera", "22222222", "offline"),
        ("ai", "place", "33333333", "other"),
        ("both", "place", "33333333", "offline"),
    ]
)
SCORES = st.one_of(st.none(), st.floats(0, 100, allow_nan=False).map(lambda v: round(v, 1)))


def _keywords(found: dict[Keyword, tuple[str, str, str, str]]) -> tuple[MirrorKeyword, ...]:
    return tuple(
        MirrorKeyword(
            keyword,
            source,
            None if source == "person" else 80,
            stage,
            model,
            profile,
            "" if source == "person" else "2026-11-20T09:00:00Z",
        )
        for keyword, (source, stage, model, profile) in sorted(found.items())
    )


ROWS = st.builds(
    MirrorRow,
    path=st.builds(
        PurePath, st.sampled_from(FOLDERS), st.sampled_from(["1.jpg", "2.cr3", "3.tif"])
    ),
    photo_id=st.sampled_from(["aa", "bb"]),
    kind=st.sampled_from(FileKind),
    stat=st.just(FileStat(1, 2, 3)),
    facts=st.builds(
        CaptureFacts,
        make=st.sampled_from([None, "Canon", "NIKON CORPORATION"]),
        model=st.sampled_from([None, "Canon EOS R5", "NIKON Z 6"]),
        taken_at=st.sampled_from(
            [None, "2024-05-11T10:00:00", "2024-05-30T10:00:00", "2026-01-01"]
        ),
    ),
    view=st.sampled_from([None, "interior", "exterior"]),
    quality=SCORES,
    condition=SCORES,
    status=st.sampled_from(STATUSES),
    keywords=st.dictionaries(KEYWORDS, ORIGINS, max_size=5).map(_keywords),
    vetoed=st.sets(KEYWORDS, max_size=3).map(lambda found: tuple(sorted(found))),
    version=st.just("v"),
)
MIRRORS = st.lists(ROWS, max_size=12, unique_by=lambda row: row.path)


def counted(
    rows: Iterable[MirrorRow], name: Callable[[MirrorRow], str | None]
) -> dict[str | None, int]:
    return dict(Counter(name(row) for row in rows))


def camera(row: MirrorRow) -> str | None:
    make, model = row.facts.make or "", row.facts.model or ""
    if model.casefold().startswith(make.split(" ")[0].casefold()):
        return model or None
    return f"{make} {model}".strip()


def band(bands: tuple[str, ...], value: float | None) -> str | None:
    return None if value is None else bands[min(int(value * len(bands) / 100), len(bands) - 1)]


def inside(row: MirrorRow, under: PurePath | None) -> bool:
    return under is None or row.path.is_relative_to(under)


def compare(rows: list[MirrorRow], under: PurePath | None, mirror: Counting) -> None:
    told = mirror.counts(under, top=1000)
    here = [row for row in rows if inside(row, under)]
    links = [each for row in here for each in row.keywords]
    assert told.photos == len(here)
    assert told.untagged == sum(not row.keywords for row in here)
    assert told.links == len(links)
    assert told.different == len({each.keyword for each in links})
    assert told.vetoes == sum(len(row.vetoed) for row in here)
    assert told.vetoed_photos == sum(bool(row.vetoed) for row in here)
    assert dict(told.keyword) == dict(Counter(str(each.keyword) for each in links))
    assert dict(told.branch) == dict(
        Counter(
            branch
            for row in here
            for branch in {"|".join(each.keyword.path[:2]) for each in row.keywords}
        )
    )
    assert dict(told.veto) == dict(Counter(str(each) for row in here for each in row.vetoed))
    expected = {
        "view": counted(here, lambda row: row.view),
        "kind": counted(here, lambda row: row.kind.value),
        "status": counted(here, lambda row: row.status),
        "month": counted(here, lambda row: (row.facts.taken_at or "")[:7] or None),
        "camera": counted(here, camera),
        "quality": counted(here, lambda row: band(QUALITY_BANDS, row.quality)),
        "condition": counted(here, lambda row: band(CONDITION_BANDS, row.condition)),
        "source": dict(Counter(each.source for each in links)),
        "stage": dict(
            Counter(f"{each.stage}@{each.model}" for each in links if each.source != "person")
        ),
    }
    for name, counts in expected.items():
        assert {key: n for key, n in told.by[name] if n} == counts, name
    standing = Counter(
        (f"{each.stage}@{each.model}", each.keyword) for each in links if each.source == "ai"
    )
    found = mirror.standing(under, by_keyword=True)
    assert {(each.stage, each.keyword): each.photos for each in found} == standing
    whole = Counter({each.stage: each.photos for each in mirror.standing(under)})
    assert whole == Counter(f"{each.stage}@{each.model}" for each in links if each.source == "ai")


@given(MIRRORS)
@settings(max_examples=60, deadline=None)
def test_every_count_is_the_one_made_by_hand(rows: list[MirrorRow]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mirror.sqlite3"
        with SqliteMirror(path) as mirror:
            mirror.put(rows)
        with Counting(path) as counting:
            for under in (None, PurePath("a"), PurePath("a/b"), PurePath("a/1.jpg"), PurePath("z")):
                compare(rows, under, counting)


def test_the_most_frequent_come_first_and_the_rest_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite3"
    rows = [
        MirrorRow(
            Path(f"{number}.jpg"),
            "aa",
            FileKind.JPEG,
            FileStat(1, 2, 3),
            keywords=tuple(
                MirrorKeyword(Keyword((f"K{name}",)), "person") for name in range(number)
            ),
        )
        for number in range(5)
    ]
    with SqliteMirror(path) as mirror:
        mirror.put(rows)
    with Counting(path) as counting:
        told = counting.counts(top=2)
        assert told.keyword == (("K0", 4), ("K1", 3))
        assert told.branch == told.keyword
        assert told.different == 4


def test_no_mirror_and_a_foreign_file_are_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="is not there yet"):
        Counting(tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(UsageProblem, match="mirror rebuild"):
        Counting(tmp_path / "empty")
    (tmp_path / "letter").write_bytes(b"Dear Sir or Madam, " * 500)
    with pytest.raises(MirrorDamaged):
        Counting(tmp_path / "letter")


def test_a_reader_sees_one_moment_while_a_writer_works(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite3"

    def row(name: str) -> MirrorRow:
        return MirrorRow(Path(name), "aa", FileKind.JPEG, FileStat(1, 2, 3))

    with SqliteMirror(path) as mirror:
        mirror.put([row("1.jpg")])
        with Counting(path) as counting:
            assert counting.counts().photos == 1
            mirror.put([row("2.jpg")])
            assert counting.counts().photos == 2
