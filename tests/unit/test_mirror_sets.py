"""The sets of photos that queries are answered from: their forms, and how harm to them shows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_library import Library
from urbexmp.adapters.db.ask import Asker
from urbexmp.adapters.db.ask_find import Finder
from urbexmp.adapters.db.link_codes import Link, packed_links, unpacked_links
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.db.mirror_values import (
    as_bytes,
    as_hex,
    hundredths,
    seconds,
    share,
    shown_time,
)
from urbexmp.adapters.db.plane_codes import CHUNK
from urbexmp.adapters.db.posting_codes import (
    as_numbers,
    as_text,
    ids_of,
    offsets_text,
    packed_set,
    set_bits,
    start_code,
    start_letters,
    text_offsets,
)
from urbexmp.cli.main import run
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import PERSON, MirrorKeyword, MirrorRow
from urbexmp.model.photo import FileKind, FileStat
from urbexmp.rules.query_parse import parse_query

numbers = st.integers(1, 1_100_000) | st.integers(0xD7FE, 0xE002)
offsets = st.sets(st.integers(0, CHUNK - 1), max_size=60)


@given(st.lists(numbers))
def test_numbers_stand_as_text_that_sql_reads(given_numbers: list[int]) -> None:
    text = as_text(given_numbers)
    assert as_numbers(text) == given_numbers
    connection = sqlite3.connect(":memory:")
    read = connection.execute(
        "WITH up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < length(?1))"
        " SELECT unicode(substr(?1, n, 1)) - (unicode(substr(?1, n, 1)) > 57343) * 2048"
        " FROM up WHERE n <= length(?1)",
        (text,),
    ).fetchall()
    connection.close()
    assert [row[0] for row in read] == given_numbers


@given(offsets, st.booleans(), st.tuples(st.integers(0, 4096), st.integers(0, 4096)))
def test_a_set_is_the_same_in_either_form(
    some: set[int], most: bool, span: tuple[int, int]
) -> None:
    wanted = sum(1 << offset for offset in some)
    bits = ((1 << CHUNK) - 1) ^ wanted if most else wanted
    start, stop = sorted(span)
    part = (bits >> start * 8) & ((1 << (stop - start) * 8) - 1)
    packed = packed_set(bits)
    assert bool(len(packed) & 1) is most
    for form in (packed, packed_set(bits, plain=True)):
        assert set_bits(form) == bits
        assert set_bits(form, start, stop) == part
    assert [each - 1 for each in text_offsets(offsets_text(sorted(some)))] == ids_of(wanted)


@given(offsets, st.integers(0, 70), st.none() | st.integers(1, 70), st.booleans())
def test_a_page_of_a_set_is_a_part_of_all_of_it(
    some: set[int], skip: int, limit: int | None, most: bool
) -> None:
    # The first photos stand close together, so that a page may end within a block or behind it.
    some = some | {offset // 64 for offset in some}
    bits = sum(1 << offset for offset in some)
    if most:
        bits |= ((1 << 3000) - 1) << 4000
    every = ids_of(bits, 5)
    assert every == [place + 5 for place in range(CHUNK) if bits >> place & 1]
    end = None if limit is None else skip + limit
    assert ids_of(bits, 5, skip, limit) == every[skip:end]


times = st.sampled_from((None, 1_700_000_000, 1_700_000_001, "yesterday"))
ours = st.tuples(st.integers(2, 300), st.none() | st.integers(0, 100), times, st.none() | numbers)
theirs = st.tuples(st.just(1), st.none(), st.none(), st.none() | numbers)


@given(st.dictionaries(numbers, ours | theirs, max_size=12))
def test_links_read_as_they_were_packed(links: dict[int, Link]) -> None:
    columns, odd = packed_links(links)
    assert unpacked_links(columns, odd) == links


@given(st.text() | st.binary().map(bytes.hex) | st.datetimes().map(lambda at: at.isoformat()))
def test_what_is_kept_short_reads_as_it_was(text: str) -> None:
    plain = text.encode("utf-8", "replace").decode()
    assert as_hex(as_bytes(text)) == plain
    assert shown_time(seconds(text)) == plain


@given(st.floats(0, 1) | st.integers(0, 100).map(lambda whole: whole / 100))
def test_a_score_reads_as_it_was(score: float) -> None:
    assert share(hundredths(score)) == score


@given(st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2))
def test_two_letters_have_a_number_of_their_own(letters: str) -> None:
    code = start_code(letters)
    assert code is not None
    assert code < 0
    assert start_letters(code) == letters


HARM = {
    "UPDATE plane SET bits = zeroblob(4096) WHERE field = 'kind'": "of the plane kind, chunk 0",
    "DELETE FROM plane WHERE field = 'has:keywords'": "of the plane has:keywords, chunk 0",
    "INSERT INTO plane (field, chunk, bit, bits) VALUES ('view', 9, 0, x'01')": "1 plane(s)",
    "UPDATE posting SET photos = char(9) WHERE keyword = (SELECT min(keyword) FROM posting)": (
        "the posting of the keyword"
    ),
    "UPDATE posting SET scores = x'01020304'": "the posting of the keyword",
    "DELETE FROM branch WHERE keyword < 0": "the branch of the letters ",
    "INSERT INTO branch VALUES (77777, 0, x'0100')": "row(s) of branch belong to nothing",
    "UPDATE keyword SET below = below + 1 WHERE depth = 1": "photos below the keyword",
    "UPDATE photo SET keywords = keywords + 1": "keywords of the photo",
}


@pytest.mark.parametrize("harm", HARM)
def test_check_names_what_is_damaged_and_a_rebuild_mends_it(
    harm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(tmp_path, 4)
    library.sync()
    where = [str(library.root), "--state", str(library.state)]
    with SqliteMirror(library.mirror) as mirror:
        assert mirror.faults() == ()
    connection = sqlite3.connect(library.mirror)
    with connection:
        assert connection.execute(harm).rowcount
    connection.close()
    capsys.readouterr()
    assert run(["mirror", "check", *where, "--json"]) == 1
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [str(each) for each in said if HARM[harm] in str(each)]
    assert told, said
    assert run(["mirror", "rebuild", *where, "-q"]) == 0
    assert run(["mirror", "check", *where]) == 0


def test_a_keyword_of_many_photos_has_a_bitmap_though_nothing_is_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Finder, "leaf_least", 300)

    def rows(names: range, *paths: str) -> list[MirrorRow]:
        keywords = tuple(MirrorKeyword(Keyword.parse(path), PERSON) for path in paths)
        stat = FileStat(1, 2, 3)
        return [
            MirrorRow(Path(f"{n}.jpg"), f"{n:x}", FileKind.JPEG, stat, keywords=keywords)
            for n in names
        ]

    path = tmp_path / "mirror.sqlite3"
    query = parse_query('"Rust" AND "Moss"')
    with SqliteMirror(path, leaf_least=300) as mirror:
        mirror.put(rows(range(299), "Rust", "Moss"))
        assert branches(path) == {}
        mirror.put(rows(range(299, 310), "Rust"))
        assert branches(path) == {"Rust": 4096}
        mirror.put(rows(range(300, 320), "Rust", "Moss"))
        assert branches(path) == {"Rust": 4096, "Moss": 4096}
        assert mirror.faults() == ()
        with Asker(path) as asker:
            both = sorted(asker.ids(query, limit=None))
            assert both == sorted({*asker.ids(parse_query('is:"Moss"'), limit=None)})
            assert len(both) == asker.count(query) == 319
        # With a keyword below it that others hold, it is a subtree as any other.
        mirror.put(rows(range(400, 402), "Rust|Flakes"))
        assert branches(path) == {"Rust": 4096, "Moss": 4096} | branches(path, "Rust")
        assert mirror.faults() == ()
        mirror.remove([Path(f"{n}.jpg") for n in range(25)])
        assert "Moss" not in branches(path)
        assert mirror.faults() == ()


def branches(path: Path, only: str = "%") -> dict[str, int]:
    """Keywords with a branch, and the length of its first set."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT path, length(branch.photos) FROM branch JOIN keyword ON keyword.id = keyword"
        " WHERE chunk = 0 AND path LIKE ?",
        (only,),
    ).fetchall()
    connection.close()
    return dict(found)
