"""The promises of the merge as stories: one person, one photo, and what they would say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laws.world import NAMES, Books, MovedOnError, Packet, World, by_lightroom, kw, kws, words_of
from urbexmp.model.change import Author, EditKind
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


# "I took it out."


def test_i_removed_a_keyword_in_lightroom_and_it_stays_away() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL, CHURCH])
    world.lightroom(remove=[HOSPITAL])
    change = world.sync([HOSPITAL, CHURCH])
    assert change.learned == (HOSPITAL,)
    assert not change.writes
    assert world.shown() == {"Family|Dad", "Urbex|Building|Church"}
    assert world.sync([HOSPITAL, CHURCH], TIDY).edits == ()
    assert "Urbex|Building|Hospital" not in world.shown()


def test_i_removed_my_own_keyword_and_no_profile_brings_it_back() -> None:
    world = one("Urbex|Building|Hospital", "Family|Dad")
    world.sync([CHURCH])
    world.lightroom(remove=[HOSPITAL])
    world.sync([HOSPITAL, CHURCH])
    assert world.shown() == {"Family|Dad", "Urbex|Building|Church"}
    # The block says so now: it holds even when the ledger is gone.
    world.books = Books()
    world.sync([HOSPITAL, CHURCH])
    assert "Urbex|Building|Hospital" not in world.shown()


def test_i_removed_my_own_keyword_that_only_another_profile_could_suggest() -> None:
    world = one("Urbex|Building|Hospital", "Family|Dad")
    world.vocabulary = frozenset({CHURCH})
    world.sync([CHURCH])
    world.lightroom(remove=[HOSPITAL])
    world.sync([CHURCH])
    world.vocabulary = VOCABULARY
    world.sync([CHURCH, HOSPITAL])
    assert "Urbex|Building|Hospital" not in world.shown()


def test_what_i_removed_of_my_own_is_not_told_to_whoever_gets_the_file() -> None:
    world = one("Family|Uncle Bob", "Family|Dad")
    world.sync([CHURCH])
    world.lightroom(remove=kws("Family|Uncle Bob"))
    change = world.sync([CHURCH, DECAY])
    packet = world.packets[SIDECAR]
    assert packet is not None
    assert packet.block is not None
    assert packet.block.vetoed == ()
    assert change.learned == ()
    assert kw("Family|Uncle Bob") in world.base.vetoed


def test_i_removed_it_in_one_file_and_it_goes_from_the_other_with_all_its_words() -> None:
    world = two("Places|Wales|Newport", "Family|Dad")
    world.sync([CHURCH])
    world.lightroom(SIDECAR, remove=kws("Places|Wales|Newport"))
    world.sync([CHURCH])
    assert world.shown(SIDECAR) == world.shown(EMBEDDED)
    assert not {"Places", "Wales", "Newport"} & set(world.flat(EMBEDDED))


def test_i_refused_it_before_it_was_ever_written() -> None:
    world = one("Family|Dad")
    world.person(refuse=(HOSPITAL,))
    world.sync([HOSPITAL])
    assert world.shown() == {"Family|Dad"}
    world.person(unveto=(HOSPITAL,))
    world.sync([HOSPITAL])
    assert "Urbex|Building|Hospital" in world.shown()


def test_i_lifted_the_veto_of_what_i_had_removed_in_lightroom() -> None:
    world = one("Urbex|Building|Hospital", "Family|Dad")
    world.sync([CHURCH])
    world.lightroom(remove=[HOSPITAL])
    world.person(unveto=(HOSPITAL,))
    world.sync([CHURCH, HOSPITAL])
    assert "Urbex|Building|Hospital" in world.shown()


def test_an_old_plan_does_not_override_my_later_refusal() -> None:
    world = one("Family|Dad")
    plan = world.plan([HOSPITAL])
    world.person(refuse=(HOSPITAL,))
    with pytest.raises(MovedOnError, match="base"):
        world.apply(plan)


def test_a_plan_for_a_file_that_moved_on_is_refused() -> None:
    world = one("Family|Dad")
    plan = world.plan([HOSPITAL])
    world.lightroom(add=kws("Family|Mum"))
    with pytest.raises(MovedOnError, match="moved on"):
        world.apply(plan)


# "I never saw it."


def older(world: World) -> Packet | None:
    """What Lightroom holds that has not read our write: the packet before the first sync."""
    return world.packets[SIDECAR]


def test_lightroom_saved_an_older_packet_and_ours_returns_once() -> None:
    world = one("Family|Dad")
    before = older(world)
    world.sync([HOSPITAL, CHURCH])
    world.packets[SIDECAR] = before
    change = world.sync([HOSPITAL, CHURCH])
    assert {edit.author for edit in change.edits} == {Author.RESTORE}
    assert world.shown() >= {"Urbex|Building|Hospital", "Urbex|Building|Church"}
    world.packets[SIDECAR] = before
    change = world.sync([HOSPITAL, CHURCH])
    assert not change.writes
    assert {edit.keyword for edit in change.held} == {HOSPITAL, CHURCH}
    assert all(edit.again for edit in change.held)
    assert not world.base.vetoed


def test_it_returns_even_when_another_profile_ran_in_between() -> None:
    world = one("Family|Dad")
    before = older(world)
    world.sync([HOSPITAL])
    world.packets[SIDECAR] = before
    world.sync([CHURCH], Profile(name="other"))
    world.sync([HOSPITAL])
    assert "Urbex|Building|Hospital" in world.shown()


def test_my_yes_restores_what_is_held() -> None:
    world = one("Family|Dad")
    before = older(world)
    asking = Profile(missing="ask")
    world.sync([HOSPITAL], asking)
    world.packets[SIDECAR] = before
    change = world.sync([HOSPITAL], asking)
    assert [edit.keyword for edit in change.held] == [HOSPITAL]
    world.person(confirm=(HOSPITAL,))
    assert "Urbex|Building|Hospital" in world.shown()
    assert HOSPITAL not in world.base.ours
    assert not world.plan([], replace(TIDY, missing="ask")).edits


def test_my_no_to_what_is_held_is_a_refusal() -> None:
    world = one("Family|Dad")
    before = older(world)
    world.sync([HOSPITAL])
    world.packets[SIDECAR] = before
    world.person(remove=(HOSPITAL,))
    assert not world.sync([HOSPITAL]).edits
    assert HOSPITAL in world.base.vetoed


@pytest.mark.parametrize(
    ("missing", "edits", "held"),
    [("restore-once", 1, 0), ("ask", 0, 1), ("never", 0, 0)],
)
def test_what_the_profile_says_of_missing_keywords(missing: str, edits: int, held: int) -> None:
    world = one("Family|Dad")
    before = older(world)
    profile = Profile(missing=missing)
    world.sync([HOSPITAL], profile)
    world.packets[SIDECAR] = before
    change = world.sync([HOSPITAL], profile)
    assert (len(change.edits), len(change.held)) == (edits, held)
    assert not world.base.vetoed


def test_only_some_of_ours_went_with_the_block_so_i_am_asked() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL, CHURCH])
    world.lightroom(remove=[HOSPITAL])
    world.drop_block()
    change = world.sync([HOSPITAL, CHURCH])
    assert not change.writes
    assert [edit.keyword for edit in change.held] == [HOSPITAL]


def test_a_held_keyword_is_asked_about_again_a_refused_one_is_not() -> None:
    world = one("Family|Dad")
    assert [edit.keyword for edit in world.sync(unsure=[HOSPITAL, CHURCH]).held] == [
        HOSPITAL,
        CHURCH,
    ]
    world.person(refuse=(HOSPITAL,))
    assert [edit.keyword for edit in world.sync(unsure=[HOSPITAL, CHURCH]).held] == [CHURCH]


# "Something took everything."


def test_all_keywords_of_a_file_went_at_once_and_nothing_is_learned() -> None:
    world = two("Family|Dad", "Family|Mum")
    world.sync([HOSPITAL])
    world.lightroom(SIDECAR, remove=world.keywords(SIDECAR))
    before = world.base
    change = world.sync([HOSPITAL, CHURCH])
    assert not change.writes
    assert {edit.keyword for edit in change.held} == {CHURCH}
    assert "at once" in change.notes[0]
    assert world.base.digest == before.digest
    world.sync([HOSPITAL, CHURCH], accept_emptied=True)
    assert HOSPITAL in world.base.vetoed
    assert world.shown(EMBEDDED) == world.shown(SIDECAR) == {"Urbex|Building|Church"}


def test_i_want_back_what_an_emptied_file_lost() -> None:
    world = two("Family|Dad", "Family|Mum")
    world.sync([HOSPITAL])
    world.lightroom(SIDECAR, remove=world.keywords(SIDECAR))
    change = world.person(add=(CHURCH,))
    assert not change.writes
    assert [edit.keyword for edit in change.held] == [CHURCH]
    world.person(confirm=(HOSPITAL,))
    assert world.shown(SIDECAR) == {"Family|Dad", "Family|Mum", "Urbex|Building|Hospital"}


# "My files disagree."


def test_i_removed_it_everywhere_and_lightroom_put_an_older_packet_into_one_file() -> None:
    world = two("Family|Dad")
    world.sync([HOSPITAL])
    with_it = world.packets[EMBEDDED]
    world.person(remove=(HOSPITAL,))
    world.packets[EMBEDDED] = with_it
    change = world.sync([CHURCH])
    assert not change.writes
    assert "taken out before" in change.notes[0]
    assert "Urbex|Building|Hospital" not in world.shown(SIDECAR)
    world.person(remove=(HOSPITAL,))
    world.sync([CHURCH])
    for name in NAMES:
        assert world.shown(name) == {"Family|Dad", "Urbex|Building|Church"}


def test_i_do_want_the_one_that_is_back() -> None:
    world = two("Family|Dad")
    world.sync([HOSPITAL])
    with_it = world.packets[EMBEDDED]
    world.person(remove=(HOSPITAL,))
    world.packets[EMBEDDED] = with_it
    world.person(confirm=(HOSPITAL,))
    assert "Urbex|Building|Hospital" in world.shown(SIDECAR)
    assert HOSPITAL not in world.base.vetoed


def test_i_added_it_in_one_file_and_took_it_out_of_the_other() -> None:
    world = two("Family|Dad")
    first = world.packets[EMBEDDED]
    world.sync([CHURCH])
    stale = replace(first or Packet(), block=(world.packets[EMBEDDED] or Packet()).block)
    world.sync([CHURCH, HOSPITAL])
    world.packets[EMBEDDED] = by_lightroom(kws("Family|Dad") | {CHURCH, HOSPITAL}, stale)
    world.lightroom(SIDECAR, remove=[HOSPITAL])
    change = world.sync([CHURCH, HOSPITAL])
    assert not change.writes
    assert "added to" in change.notes[0]
    assert "Urbex|Building|Hospital" in world.shown(EMBEDDED)
    assert "Urbex|Building|Hospital" not in world.shown(SIDECAR)


def test_i_typed_into_an_older_packet_a_keyword_that_was_ours() -> None:
    world = one("Family|Dad")
    world.sync([CHURCH])
    first = world.packets[SIDECAR]
    world.sync([CHURCH, HOSPITAL])
    world.packets[SIDECAR] = by_lightroom(world.keywords() | {HOSPITAL}, first)
    world.sync([], TIDY)
    assert "Urbex|Building|Hospital" in world.shown()
    assert HOSPITAL not in world.base.ours


# "Another program left half of it."


def test_a_program_dropped_the_paths_and_kept_the_words() -> None:
    world = two("Places|Wales|Newport")
    world.sync([HOSPITAL])
    world.drop_field("hierarchical", SIDECAR)
    assert world.plan([HOSPITAL]).is_noop
    world.sync([HOSPITAL, CHURCH])
    assert world.shown(SIDECAR) == {
        "Places|Wales|Newport",
        "Urbex|Building|Hospital",
        "Urbex|Building|Church",
    }
    assert world.shown(EMBEDDED) == world.shown(SIDECAR)


def test_a_program_dropped_the_flat_words_and_mine_are_not_refused() -> None:
    world = two("Dad")
    packet = Packet(KeywordFields(("Dad",), None))
    world.packets = {SIDECAR: packet, EMBEDDED: packet}
    world.sync([HOSPITAL])
    world.drop_field("flat", SIDECAR)
    world.sync([HOSPITAL])
    assert "Dad" in world.shown(EMBEDDED)
    assert "Dad" in world.shown(SIDECAR)
    assert not world.base.vetoed


def test_the_block_was_dropped_and_returns_with_the_next_write_only() -> None:
    world = one("Family|Dad")
    world.sync([HOSPITAL])
    world.drop_block()
    assert world.plan([HOSPITAL]).is_noop
    world.sync([HOSPITAL, CHURCH])
    packet = world.packets[SIDECAR]
    assert packet is not None
    assert packet.block is not None
    assert {entry.keyword for entry in packet.block.written} == {HOSPITAL, CHURCH}


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
    before = older(world)
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
