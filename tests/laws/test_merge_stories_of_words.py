"""More stories of the merge: words and spellings, undo, and a second computer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laws.world import NAMES, Books, Packet, World, by_lightroom, kw, kws, words_of
from urbexmp.model.change import EditKind
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.profile import Profile

HOSPITAL = kw("Urbex|Building|Hospital")
CHURCH = kw("Urbex|Building|Church")
DECAY = kw("Urbex|Decay")
VOCABULARY = frozenset({HOSPITAL, CHURCH, DECAY, kw("Urbex|Newport")})
SIDECAR, EMBEDDED = NAMES
TIDY = Profile(name="tidy", retract=True)


def one(*keywords: str) -> World:
    """A photo with a sidecar that holds these keywords, as Lightroom saved it."""
    return World({SIDECAR: by_lightroom(kws(*keywords))}, vocabulary=VOCABULARY)


def two(*keywords: str) -> World:
    """The same with an embedded packet that holds them too."""
    packet = by_lightroom(kws(*keywords))
    return World({SIDECAR: packet, EMBEDDED: packet}, vocabulary=VOCABULARY)


# "These are my words."


def test_my_flat_keyword_stays_mine_beside_a_path_that_contains_it() -> None:
    world = one("Hospital")
    world.packets[SIDECAR] = Packet(KeywordFields(("Hospital",), None))
    world.sync([HOSPITAL], TIDY)
    assert world.shown() == {"Hospital", "Urbex|Building|Hospital"}
    world.sync([], TIDY)
    assert world.shown() == {"Hospital"}
    assert set(world.flat()) == {"Hospital"}


def test_a_word_that_i_typed_in_one_file_is_not_taken_for_ours_in_the_other() -> None:
    world = World(
        {SIDECAR: None, EMBEDDED: Packet(KeywordFields(("Hospital",), None))},
        vocabulary=VOCABULARY,
    )
    world.sync([HOSPITAL], TIDY)
    world.sync([], TIDY)
    assert world.shown(SIDECAR) == world.shown(EMBEDDED) == {"Hospital"}


def test_newport_stays_while_another_path_needs_it() -> None:
    world = one("Places|Wales|Newport")
    newport = kw("Urbex|Newport")
    world.sync([newport, DECAY], TIDY)
    world.sync([DECAY], TIDY)
    assert {"Newport", "Wales", "Places"} <= set(world.flat())
    assert newport not in world.keywords()
    world.sync([newport, DECAY], TIDY)
    world.person(remove=kws_tuple("Places|Wales|Newport"))
    assert "Newport" in world.flat()
    assert "Wales" not in world.flat()


def kws_tuple(*texts: str) -> tuple[Keyword, ...]:
    return tuple(map(kw, texts))


def test_a_word_that_names_a_face_is_never_taken_away() -> None:
    world = one("Urbex|Decay")
    packet = world.packets[SIDECAR]
    assert packet is not None
    world.packets[SIDECAR] = replace(packet, protected=frozenset({"Church"}))
    world.sync([CHURCH], TIDY)
    world.sync([], TIDY)
    assert "Church" in world.flat()
    assert CHURCH not in world.keywords()
    assert world.plan([], TIDY).is_noop


def test_i_capitalised_it_otherwise_and_it_is_mine_from_then_on() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL], TIDY)
    packet = world.packets[SIDECAR]
    world.packets[SIDECAR] = by_lightroom(kws("Family|Dad", "Urbex|Building|HOSPITAL"), packet)
    world.sync([HOSPITAL], TIDY)
    world.sync([], TIDY)
    assert "Urbex|Building|HOSPITAL" in world.shown()


def test_a_tree_of_mine_gives_the_spelling() -> None:
    world = one("urbex|building|Mill")
    world.sync([HOSPITAL])
    assert "urbex|building|Hospital" in world.shown()
    assert sorted(world.flat()) == ["Hospital", "Mill", "building", "urbex"]


def test_a_decomposed_name_is_the_same_keyword() -> None:
    world = one("Urbex|Cafe\u0301")
    assert not world.sync([kw("Urbex|Caf\u00e9")]).edits
    assert world.shown() == {"Urbex|Cafe\u0301"}


def test_each_file_keeps_its_own_spelling() -> None:
    world = World(
        {SIDECAR: by_lightroom(kws("urbex|Mill")), EMBEDDED: by_lightroom(kws("Urbex|Mill"))},
        vocabulary=VOCABULARY,
    )
    world.sync([DECAY], TIDY)
    assert world.shown(SIDECAR) == {"urbex|Mill", "urbex|Decay"}
    assert world.shown(EMBEDDED) == {"Urbex|Mill", "Urbex|Decay"}
    # Neither spelling was a person's doing: it is still ours to take back.
    world.sync([], TIDY)
    assert world.shown(SIDECAR) == {"urbex|Mill"}


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ("leaf+ancestors", {"Urbex", "Hospital"}),
        ("leaf", {"Hospital"}),
        ("none", set()),
    ],
)
def test_which_words_stand_in_dc_subject(flat: str, words: set[str]) -> None:
    world = World(vocabulary=VOCABULARY, unlisted=kws("Urbex|Building"))
    profile = Profile(flat=flat, retract=True)
    world.sync([HOSPITAL], profile)
    assert set(world.flat()) == words
    assert world.shown() == {"Urbex|Building|Hospital"}
    world.sync([], profile)
    assert world.shown() == set()
    assert world.flat() == ()


def test_a_file_that_lists_ancestors_gets_ours_listed_too() -> None:
    listed = ("Animal", "Animal|Mammal", "Animal|Mammal|Bear")
    world = World({SIDECAR: Packet(KeywordFields(("Bear",), listed))}, vocabulary=VOCABULARY)
    world.sync([HOSPITAL])
    assert world.shown() == {*listed, "Urbex", "Urbex|Building", "Urbex|Building|Hospital"}
    world.lightroom(remove=kws("Urbex|Building"))
    world.sync([HOSPITAL], TIDY)
    assert world.plan([HOSPITAL], TIDY).is_noop
    assert "Urbex|Building" not in world.shown()


def test_my_flat_root_beside_one_of_its_children_is_no_custom() -> None:
    world = one("Urbex", "Urbex|Decay")
    world.sync([HOSPITAL])
    assert "Urbex|Building" not in world.shown()


# "Take it back."


def test_undo_gives_back_the_very_bytes_and_the_next_sync_may_suggest_it_again() -> None:
    world = two("Family|Dad")
    before = dict(world.packets)
    world.sync([HOSPITAL])
    world.undo()
    assert world.packets == before
    assert not world.base.vetoed
    assert [edit.keyword for edit in world.sync([HOSPITAL]).edits] == [HOSPITAL]


def test_undo_removes_a_sidecar_that_we_created() -> None:
    world = World(vocabulary=VOCABULARY)
    world.sync([HOSPITAL])
    world.undo()
    assert world.packets == {SIDECAR: None}


def test_undo_leaves_what_i_did_since() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL, CHURCH])
    receipt = world.books.receipts[-1]
    world.lightroom(add=kws("Family|Mum"))
    world.person(confirm=(CHURCH,))
    world.undo(receipt)
    assert world.shown() == {"Family|Dad", "Family|Mum", "Urbex|Building|Church"}
    assert {str(word) for word in words_of(world.packets[SIDECAR])} == {
        "Family",
        "Dad",
        "Mum",
        "Urbex",
        "Building",
        "Church",
    }


def test_undo_of_my_own_command_gives_back_what_i_took_out() -> None:
    world = one("Family|Dad", "Urbex|Building|Hospital")
    world.sync([CHURCH])
    world.person(remove=(HOSPITAL,))
    receipt = world.books.receipts[-1]
    world.lightroom(add=kws("Family|Mum"))
    world.undo(receipt)
    assert "Urbex|Building|Hospital" in world.shown()
    assert HOSPITAL not in world.base.vetoed
    assert HOSPITAL not in world.base.ours


def test_undo_does_not_bring_back_what_i_refused_since() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL, CHURCH], TIDY)
    change = world.sync([CHURCH], TIDY)
    assert [edit.kind for edit in change.edits] == [EditKind.REMOVE]
    receipt = world.books.receipts[-1]
    world.person(refuse=(HOSPITAL,))
    world.undo(receipt)
    assert "Urbex|Building|Hospital" not in world.shown()


def test_a_second_undo_of_a_restore_leaves_the_question_open() -> None:
    world = one("Family|Dad")
    before = world.packets[SIDECAR]
    world.sync([HOSPITAL])
    world.packets[SIDECAR] = before
    world.sync([HOSPITAL])
    world.undo()
    change = world.sync([HOSPITAL])
    assert not change.writes
    assert [edit.keyword for edit in change.held] == [HOSPITAL]


# "I use two computers."


def test_what_i_took_over_on_one_computer_is_mine_on_the_other() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL], TIDY)
    here, there = world.books, Books()
    world.books = there
    world.sync([HOSPITAL], TIDY)
    world.person(confirm=(HOSPITAL,))
    world.books = here
    world.sync([], TIDY)
    assert "Urbex|Building|Hospital" in world.shown()


def test_what_i_refused_on_one_computer_is_refused_on_the_other() -> None:
    world = one("Family|Dad")
    world.sync([CHURCH])
    here, there = world.books, Books()
    world.books = there
    world.person(refuse=(HOSPITAL,))
    world.books = here
    world.sync([CHURCH, HOSPITAL])
    assert "Urbex|Building|Hospital" not in world.shown()


def test_the_ledger_was_lost_and_the_packets_tell_all() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL, CHURCH], TIDY)
    world.person(refuse=(DECAY,))
    world.lightroom(remove=[HOSPITAL])
    world.books = Books()
    world.sync([HOSPITAL, DECAY], TIDY)
    assert world.shown() == {"Family|Dad"}
