"""IPTC blocks: every byte that is not a keyword comes out as it went in."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from embed_files import PHOTOSHOP, dataset, photoshop, resource
from embed_files import iim as block_of
from urbexmp.adapters.embedded import iim
from urbexmp.adapters.embedded import photoshop as resources

WORDS = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=1, max_size=90
).filter(lambda word: not word.endswith("\0"))
VALUES = st.binary(max_size=40)
DATASETS = st.tuples(st.sampled_from([1, 2, 3, 8]), st.integers(0, 255), VALUES)


@given(st.binary(max_size=300))
def test_any_bytes_come_back(data: bytes) -> None:
    assert bytes(iim.parse(data)) == data
    assert bytes(resources.parse(data)) == data


@given(st.lists(DATASETS, max_size=12), st.binary(max_size=3))
def test_any_block_comes_back(sets: list[tuple[int, int, bytes]], tail: bytes) -> None:
    block = b"".join(dataset(*each) for each in sets) + tail
    parsed = iim.parse(block)
    assert bytes(parsed) == block
    if not tail.startswith(b"\x1c"):
        assert [(each.record, each.number, each.value) for each in parsed.sets] == sets


@given(
    st.lists(
        st.tuples(st.sampled_from([0x0404, 0x0425, 0x03ED]), VALUES, st.binary(max_size=9)),
        max_size=6,
    ),
    st.sampled_from([b"", b"\0", b"8BIM", b"junk behind"]),
)
def test_any_resources_come_back(items: list[tuple[int, bytes, bytes]], tail: bytes) -> None:
    data = b"".join(resource(*each) for each in items) + tail
    parsed = resources.parse(data)
    assert bytes(parsed) == data
    assert [(each.id, each.data) for each in parsed.items] == [each[:2] for each in items]


@settings(max_examples=200)
@given(st.lists(DATASETS, max_size=8), st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_only_keywords_change(
    sets: list[tuple[int, int, bytes]], old: list[str], new: list[str]
) -> None:
    others = [each for each in sets if each[:2] not in {(2, 25), (1, 90)}]
    middle = len(others) // 2
    block = b"".join(
        (
            dataset(1, 90, b"\x1b%G"),
            *(dataset(*each) for each in others[:middle]),
            *(dataset(2, 25, iim.cut(word).encode()) for word in old),
            *(dataset(*each) for each in others[middle:]),
        )
    )
    after = iim.with_keywords(iim.parse(block), new)
    again = iim.parse(bytes(after))
    assert again == after
    assert [
        (each.record, each.number, each.value)
        for each in again.sets
        if (each.record, each.number) not in {(2, 25), (1, 90)}
    ] == others
    assert set(again.keywords) == {iim.cut(word) for word in new}
    assert bytes(iim.with_keywords(again, new)) == bytes(after)


@given(WORDS)
def test_a_word_is_cut_at_a_character(word: str) -> None:
    cut = iim.cut(word)
    assert word.startswith(cut)
    assert len(cut.encode()) <= 64
    assert cut == word or len(word[: len(cut) + 1].encode()) > 64


def test_keywords_that_stay_stay_where_they_are() -> None:
    words = [b"Owl", b"Lake", b"Owl", "Bäume".encode(), b"x" * 70]
    block = block_of(words)
    kept = iim.with_keywords(iim.parse(block), ["x" * 70, "Bäume", "Owl", "New"])
    values = [each.value for each in kept.sets if (each.record, each.number) == (2, 25)]
    assert values == [b"Owl", b"Owl", "Bäume".encode(), b"x" * 70, b"New"]


def test_two_words_that_are_cut_to_one_are_one() -> None:
    long = "x" * 64
    after = iim.with_keywords(iim.parse(block_of([])), [long + "a", long + "b"])
    assert after.keywords == (long,)


def test_the_encoding_is_the_declared_one_else_a_guess_that_is_said() -> None:
    greek = "Ζώα".encode("iso8859-7")
    cases: list[tuple[bytes | None, bytes, str, bool]] = [
        (b"\x1b%G", "Bäume".encode(), "Bäume", False),
        (b"\x1b.A", "Bäume".encode("latin-1"), "Bäume", False),
        (b"\x1b-F", greek, "Ζώα", False),
        (None, b"Owl", "Owl", False),
        (None, "Bäume".encode(), "Bäume", True),
        (None, "Bäume “x”".encode("cp1252"), "Bäume “x”", True),
        (b"??", "Bäume".encode("latin-1"), "Bäume", True),
        (None, b"\x81\x8d", "\x81\x8d", True),
    ]
    for charset, raw, word, guessed in cases:
        block = iim.parse(block_of([raw], charset))
        assert block.keywords == (word,)
        assert bool(iim.notes(block)) is guessed
        assert block.is_utf8 is (charset == b"\x1b%G")


def test_the_digest_says_which_is_newer() -> None:
    block = block_of([b"Owl"])
    digest = hashlib.md5(block, usedforsecurity=False).digest()
    assert iim.state(None, digest) == "none"
    assert iim.state(b"", digest) == "none"
    assert iim.state(block, None) == "missing"
    assert iim.state(block, b"short") == "missing"
    assert iim.state(block, digest) == "matches"
    assert iim.state(block, bytes(16)) == "differs"


def test_only_block_and_digest_of_the_resources_change() -> None:
    data = photoshop(block_of([b"Owl"]))[4 + len(PHOTOSHOP) :]
    before = resources.parse(data)
    after = resources.parse(bytes(before.with_iptc_keywords(("Owl", "Bäume"))))
    assert after.iptc_state == "matches"
    assert [each.id for each in after.items] == [each.id for each in before.items]
    for old, new in zip(before.items, after.items, strict=True):
        if old.id not in (resources.IPTC, resources.DIGEST):
            assert bytes(new) == bytes(old)
    assert before.with_iptc_keywords(("Owl",)) == before


def test_a_block_that_is_not_utf8_keeps_every_byte() -> None:
    block = block_of(["Brücke".encode("latin-1")], None)
    before = resources.parse(photoshop(block, bytes(16))[4 + len(PHOTOSHOP) :])
    after = before.with_iptc_keywords(("Owl",))
    assert after.data(resources.IPTC) == block
    assert after.iptc_state == "matches"


def test_nothing_is_created_where_nothing_was() -> None:
    before = resources.parse(resource(0x03ED, b"resolution"))
    assert before.with_iptc_keywords(("Owl",)) == before
    without_digest = resources.parse(photoshop(block_of([b"Owl"]), None)[4 + len(PHOTOSHOP) :])
    assert without_digest.with_iptc_keywords(("Owl", "Lake")).count(resources.DIGEST) == 0
