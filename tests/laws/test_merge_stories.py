"""The promises of the merge as stories: one person, one photo, and what they would say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laws.world import NAMES, Books, MovedOnError, Packet, World, by_lightroom, kw, kws
from urbexmp.model.change import Author
from urbexmp.model.keyword import KeywordFields
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
