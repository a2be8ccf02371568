"""The mirror's storage: whatever is put and removed, it is as if built anew from what stands."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_examples import dump, make_row, rows
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.db.mirror_file import holds
from urbexmp.adapters.db.mirror_schema import VERSION
from urbexmp.model.errors import StateUnwritable, UsageProblem
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import PERSON, MirrorKeyword, MirrorRow
from urbexmp.rules.mirrored import differences

LEAST = 2
"""Photos of a keyword with a posting, in these tests."""


def person(*paths: str) -> list[MirrorKeyword]:
    return [one(path) for path in paths]


@cache
def one(path: str) -> MirrorKeyword:
    return MirrorKeyword(Keyword.parse(path), PERSON)


@given(
    st.lists(
        st.one_of(
            st.lists(rows(), max_size=5),
            st.lists(rows().map(lambda row: row.path), min_size=1, max_size=3),
        ),
        max_size=6,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_history_ends_as_if_built_anew(steps: list[list[MirrorRow] | list[Path]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        standing: dict[Path, MirrorRow] = {}
        with SqliteMirror(folder / "lived", posting_least=LEAST, leaf_least=LEAST) as lived:
            for step in steps:
                puts = [each for each in step if isinstance(each, MirrorRow)]
                gone = [each for each in step if isinstance(each, Path)]
                lived.put(puts)
                lived.remove(gone)
                standing.update((row.path, row) for row in puts)
                for path in gone:
                    standing.pop(path, None)
                assert lived.faults() == ()
            assert lived.put(list(standing.values())) == 0
            for place in {path.parent for path in standing}:
                for row in lived.rows(place):
                    wanted = standing[row.path]
                    assert differences(row, wanted) == ()
                    assert (row.status, row.held) == (wanted.status, wanted.held)
            assert lived.count() == len(standing)
        with SqliteMirror(folder / "anew", posting_least=LEAST, leaf_least=LEAST) as anew:
            with anew.anew() as built:
                for row in reversed(standing.values()):
                    built.put([row])
            assert anew.faults() == ()
        assert dump(folder / "lived") == dump(folder / "anew")
    finally:
        shutil.rmtree(folder)


def test_counts_name_distinct_photos_of_the_subtree(tmp_path: Path) -> None:
    with SqliteMirror(tmp_path / "m", posting_least=LEAST, leaf_least=LEAST) as mirror:
        mirror.put(
            [
                make_row(Path("1.JPG"), keywords=person("A|B", "A|C")),
                make_row(Path("2.JPG"), keywords=person("A|B")),
                make_row(Path("3.JPG")),
            ]
        )
        counts = {row[0]: row[4:6] for row in dump(mirror.path)["keyword"]}
        assert counts == {"A": (0, 2), "A|B": (2, 2), "A|C": (1, 1)}


def test_most_photos_decide_how_a_keyword_is_spelled(tmp_path: Path) -> None:
    with SqliteMirror(tmp_path / "m") as mirror:
        mirror.put([make_row(Path("1.JPG"), keywords=person("urbex|mill"))])
        mirror.put(
            [
                make_row(Path("2.JPG"), keywords=person("Urbex|Mill")),
                make_row(Path("3.JPG"), keywords=person("Urbex|Hall")),
            ]
        )
        shown = {row[0] for row in dump(mirror.path)["keyword"]}
        assert shown == {"Urbex", "Urbex|Mill", "Urbex|Hall"}
        assert [str(each.keyword) for each in next(mirror.rows(Path())).keywords] == ["urbex|mill"]


def test_only_a_commit_that_changes_something_raises_the_generation(tmp_path: Path) -> None:
    row = make_row(Path("1.JPG"), keywords=person("A|B"))
    with SqliteMirror(tmp_path / "m") as mirror:
        assert mirror.put([row]) == 1
        first = mirror.generation()
        assert mirror.put([row]) == 0
        assert mirror.generation() == first
        mirror.status([row.path], "failed")
        assert mirror.generation() == first + 1


def test_a_row_of_the_version_that_stands_there_is_taken_for_the_same(tmp_path: Path) -> None:
    path, keywords = Path("1.JPG"), person("A|B")
    with SqliteMirror(tmp_path / "m") as mirror:
        assert mirror.put([make_row(path, keywords=keywords, version="1")]) == 1
        assert mirror.put([make_row(path, keywords=keywords, version="1")]) == 0
        assert mirror.put([make_row(path, version="1", held=[Keyword.parse("C")])]) == 1
        assert mirror.put([make_row(path, version="1", status="failed")]) == 1
        assert mirror.put([make_row(path, version="2", keywords=person("C"))]) == 1
        assert mirror.faults() == ()


def test_a_failure_leaves_the_old_mirror_whole(tmp_path: Path) -> None:
    with SqliteMirror(tmp_path / "m") as mirror:
        mirror.put([make_row(Path("1.JPG"), keywords=person("A"))])
        before = dump(mirror.path)
        with suppress(KeyboardInterrupt), mirror.anew() as half:
            half.put([make_row(Path("2.JPG"))])
            raise KeyboardInterrupt
        assert dump(mirror.path) == before
        assert [path.name for path in tmp_path.iterdir() if "half" in path.name] == []


@pytest.mark.parametrize("harm", ["garbage", "middle", "cut", "newer", "foreign"])
def test_what_is_no_mirror_is_made_anew_and_said(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "m"
    with SqliteMirror(path) as mirror:
        mirror.put([make_row(Path(f"{n}.JPG"), keywords=person(f"A|K{n}")) for n in range(300)])
        mirror.complete()
    if harm == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif harm == "middle":
        content = bytearray(path.read_bytes())
        content[4096:-4096] = b"\xff" * (len(content) - 8192)
        path.write_bytes(content)
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif harm == "newer":
        sqlite3.connect(path).execute(f"PRAGMA user_version = {VERSION + 1}").connection.close()
    else:
        path.unlink()
        foreign = sqlite3.connect(path)
        foreign.execute("CREATE TABLE theirs (x)")
        foreign.close()
    with SqliteMirror(path) as mirror:
        assert mirror.remade
        assert not mirror.whole
        assert mirror.count() == 0
        assert mirror.put([make_row(Path("1.JPG"))]) == 1
        assert mirror.faults() == ()


def test_a_backup_is_whole_and_by_itself_while_the_mirror_is_in_use(tmp_path: Path) -> None:
    target = tmp_path / "other" / "copy.sqlite3"
    with SqliteMirror(tmp_path / "m") as mirror:
        mirror.put([make_row(Path("1.JPG"), keywords=person("A|B"))])
        mirror.backup(target)
        mirror.put([make_row(Path("2.JPG"))])
        mirror.backup(target)
        assert dump(target) == dump(mirror.path)
        with pytest.raises(UsageProblem):
            mirror.backup(mirror.path)
    assert [path.name for path in target.parent.iterdir()] == ["copy.sqlite3"]


def test_a_backup_that_cannot_be_written_leaves_the_older_one(tmp_path: Path) -> None:
    with SqliteMirror(tmp_path / "m") as mirror:
        mirror.put([make_row(Path("1.JPG"))])
        (tmp_path / "file").write_text("")
        with pytest.raises(StateUnwritable):
            mirror.backup(tmp_path / "file" / "copy.sqlite3")


def test_readers_never_see_half_a_batch(tmp_path: Path) -> None:
    """Each commit gives every photo the same one keyword: a reader that sees two saw a half."""
    photos = [Path(f"{number}.JPG") for number in range(40)]
    path = tmp_path / "m"
    stop = threading.Event()
    wrong: list[object] = []
    reads = [0] * 10

    def read(number: int) -> None:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0)
        try:
            while not stop.is_set() or not reads[number]:
                seen = connection.execute(
                    "SELECT keyword.path, count(*), min(photos), min(below), count(DISTINCT photo)"
                    " FROM link JOIN keyword ON keyword.id = keyword GROUP BY keyword"
                ).fetchall()
                reads[number] += 1
                if [row[1:] for row in seen] != [(40, 40, 40, 40)]:
                    wrong.append(seen)
        except sqlite3.Error as failure:
            wrong.append(failure)
        finally:
            connection.close()

    with SqliteMirror(path, posting_least=LEAST, leaf_least=LEAST) as mirror:
        mirror.put([make_row(photo, keywords=person("A|0")) for photo in photos])
        readers = [threading.Thread(target=read, args=(number,)) for number in range(10)]
        for reader in readers:
            reader.start()
        for turn in range(1, 30):
            mirror.put([make_row(photo, keywords=person(f"A|{turn}")) for photo in photos])
            if turn % 10 == 0:
                with mirror.anew() as built:
                    built.put([make_row(photo, keywords=person("A|new")) for photo in photos])
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert min(reads) > 0


def test_fifty_thousand_rows_are_put_and_counted(tmp_path: Path) -> None:
    def row(number: int) -> MirrorRow:
        named = [f"Urbex|Kind {number % 50}|Part {number % 7}", f"Place|Town {number % 900}"]
        return make_row(Path(f"f{number // 1000}") / f"{number}.NEF", keywords=person(*named))

    with SqliteMirror(tmp_path / "m") as mirror:
        with mirror.anew() as built:
            for start in range(0, 50_000, 1000):
                built.put([row(number) for number in range(start, start + 1000)])
        assert mirror.whole
        assert mirror.count() == 50_000
        assert mirror.faults() == ()
        mirror.put([make_row(Path("f0/0.NEF"))])
        found = {row[0]: row[5] for row in dump(mirror.path)["keyword"] if row[3] == 1}
        assert found == {"Urbex": 49_999, "Place": 49_999}


def test_a_look_at_the_mirror_sees_a_photo_that_a_killed_run_left_under_way(tmp_path: Path) -> None:
    path = tmp_path / "m"
    with SqliteMirror(path) as mirror:
        mirror.put([make_row(Path("1.JPG")), make_row(Path("2.JPG"))])
        assert not holds(path, 2)
        mirror.complete()
        assert holds(path, 2)
        assert not holds(path, 3)
        mirror.status([Path("2.JPG")], "processing")
        assert not holds(path, 2)
        mirror.reset("processing", "pending")
        assert holds(path, 2)
