"""The laws of the merge, one property each, named after it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from laws.drawing import (
    KEEPING,
    PERSONS,
    TIDY,
    VOCABULARY,
    profiles,
    proposals,
    read_at_all,
    some,
    standing,
    worlds,
)
from laws.effort import effort
from laws.world import NAMES, Books, MovedOnError, World, by_lightroom, kws, words_of
from urbexmp.model.change import NOTHING, EditKind
from urbexmp.model.keyword import Keyword, KeywordFields, fold
from urbexmp.model.profile import Profile


@effort(40)
@given(worlds(), st.lists(st.tuples(proposals, profiles), min_size=1, max_size=4))
def test_a_persons_keyword_is_never_removed(
    world: World, runs: list[tuple[frozenset[Keyword], Profile]]
) -> None:
    before = {name: world.keywords(name) for name in world.packets}
    for proposed, profile in runs:
        world.sync(proposed, profile)
        for name, held in before.items():
            assert held <= world.keywords(name)


@effort(40)
@given(worlds(), proposals, st.data(), st.lists(st.tuples(proposals, profiles), max_size=4))
def test_a_removed_keyword_never_comes_back_whichever_profile_proposes_it(
    world: World,
    proposed: frozenset[Keyword],
    data: st.DataObject,
    later: list[tuple[frozenset[Keyword], Profile]],
) -> None:
    world.sync(proposed, KEEPING)
    name = data.draw(st.sampled_from(list(world.packets)))
    packet = world.packets[name]
    assume(packet is not None and packet.block is not None and world.keywords(name))
    gone = data.draw(st.sampled_from(sorted(world.keywords(name))))
    world.lightroom(name, remove=[gone])
    # The last keyword of a field may leave the field absent, which says nothing.
    packet = world.packets[name]
    assume(packet is not None and packet.fields.flat and packet.fields.hierarchical)
    for again, profile in ((VOCABULARY, KEEPING), *later, (VOCABULARY, TIDY)):
        world.sync(again, profile)
        for each in world.packets.values():
            if each is not None and fold(gone.leaf) not in {fold(w) for w in each.protected}:
                assert gone not in each.keywords


@effort(30)
@given(worlds(), st.sampled_from(sorted(VOCABULARY)), profiles, st.lists(proposals, max_size=3))
def test_a_refused_keyword_never_comes_back(
    world: World, refused: Keyword, profile: Profile, later: list[frozenset[Keyword]]
) -> None:
    assume(refused not in standing(world))
    world.person(refuse=(refused,))
    for proposed in later:
        world.sync(proposed | {refused}, profile)
        assert refused not in standing(world)


@effort(40)
@given(worlds(), proposals, proposals, st.sampled_from(("restore-once", "ask", "never")))
def test_what_they_were_not_told_they_cannot_have_refused(
    world: World, first: frozenset[Keyword], second: frozenset[Keyword], missing: str
) -> None:
    for packet in world.packets.values():
        # Words alone may look like what a program leaves that dropped the paths: then we ask.
        assume(packet is None or not packet.fields.flat or packet.fields.hierarchical)
    profile = replace(KEEPING, missing=missing)
    world.sync(first, profile)
    older = dict(world.packets)
    vetoed = world.base.vetoed
    added = {edit.keyword for edit in world.sync(second, profile).edits}
    world.packets.update(older)
    change = world.sync(second, profile)
    assert world.base.vetoed == vetoed
    returned = {edit.keyword for edit in change.edits}
    asked = {edit.keyword for edit in change.held}
    assert returned == (added if missing == "restore-once" else set())
    assert asked == (added if missing == "ask" else set())
    world.packets.update(older)
    change = world.sync(second, profile)
    assert not change.edits
    assert world.base.vetoed == vetoed
    for keyword in sorted(added):
        world.person(confirm=(keyword,))
        assert keyword in standing(world)


@effort(40)
@given(worlds(), st.lists(st.tuples(proposals, profiles), min_size=1, max_size=4))
def test_nothing_comes_from_nowhere(
    world: World, runs: list[tuple[frozenset[Keyword], Profile]]
) -> None:
    known = read_at_all(world)
    for proposed, profile in runs:
        # A packet that lists ancestors gets those of ours listed too.
        known |= proposed.union(*(keyword.ancestors() for keyword in proposed))
        world.sync(proposed, profile)
        assert standing(world) <= known


@effort(40)
@given(worlds(), proposals, proposals, profiles)
def test_a_second_pass_is_a_no_op(
    world: World, proposed: frozenset[Keyword], unsure: frozenset[Keyword], profile: Profile
) -> None:
    world.sync(proposed, profile, unsure=unsure)
    digest = world.base.digest
    again = world.plan(proposed, profile, unsure=unsure)
    assert again.is_noop
    world.apply(again)
    assert world.base.digest == digest


@effort(30)
@given(worlds(), proposals)
def test_all_carriers_end_with_the_same_keywords(
    world: World, proposed: frozenset[Keyword]
) -> None:
    world.sync(proposed)
    assert len({world.keywords(n) for n, packet in world.packets.items() if packet}) <= 1


@effort(30)
@given(worlds(), proposals, profiles)
def test_without_a_base_it_only_adds(
    world: World, proposed: frozenset[Keyword], profile: Profile
) -> None:
    change = world.plan(proposed, profile)
    assert all(edit.kind is EditKind.ADD for edit in change.edits)
    for write in change.writes:
        assert write.edit is not None
        assert not write.edit.flat_remove
        assert not write.edit.hierarchical_remove


@effort(30)
@given(worlds(), proposals, some, proposals, profiles)
def test_written_and_vetoed_are_disjoint(
    world: World,
    first: frozenset[Keyword],
    removed: frozenset[Keyword],
    second: frozenset[Keyword],
    profile: Profile,
) -> None:
    world.sync(first, profile)
    for name, packet in world.packets.items():
        if packet is not None:
            world.lightroom(name, remove=removed)
            break
    world.sync(second, profile)
    assert not world.base.ours & world.base.vetoed
    assert world.base.ours <= world.base.agreed


@effort(50)
@given(worlds(), proposals, proposals, proposals, proposals, st.booleans(), st.booleans())
def test_two_profiles_commute(
    world: World,
    before_one: frozenset[Keyword],
    before_two: frozenset[Keyword],
    one: frozenset[Keyword],
    two: frozenset[Keyword],
    retract_one: bool,
    retract_two: bool,
) -> None:
    first = Profile(name="one", retract=retract_one)
    second = Profile(name="two", retract=retract_two)
    world.sync(before_one, first)
    world.sync(before_two, second)
    start, books = dict(world.packets), replace(world.books)
    results = []
    for order in (((one, first), (two, second)), ((two, second), (one, first))):
        world.packets, world.books = dict(start), replace(books, marks=dict(books.marks))
        for proposed, profile in order:
            world.sync(proposed, profile)
        # Once more, because the first may have kept what only the second then let go.
        for proposed, profile in order:
            world.sync(proposed, profile)
        results.append((standing(world), {k: v for k, v in world.base.written.items() if v}))
    assert results[0] == results[1]


@effort(30)
@given(worlds(), proposals, st.sampled_from(sorted(PERSONS | VOCABULARY)))
def test_undo_takes_back_ours_and_leaves_later_work(
    world: World, proposed: frozenset[Keyword], later: Keyword
) -> None:
    assume(world.packets[NAMES[0]] is not None)
    before = {name: world.keywords(name) for name in world.packets}
    change = world.sync(proposed)
    assume(change.writes)
    receipt = world.books.receipts[-1]
    ours = world.base.ours
    assume(later not in ours and not world.keywords(NAMES[0]) & {later})
    assume(later not in words_of(world.packets[NAMES[0]]))
    packet = world.packets[NAMES[0]]
    assert packet is not None
    fields = packet.fields
    world.packets[NAMES[0]] = replace(
        packet, fields=replace(fields, hierarchical=(*(fields.hierarchical or ()), str(later)))
    )
    world.undo(receipt)
    assert not world.keywords(NAMES[0]) & {k for k in ours if len(k.path) > 1} - {later}
    for name, held in before.items():
        assert held <= world.keywords(name) | words_of(world.packets[name]) or held == NOTHING
    assert later in world.keywords(NAMES[0])


@effort(30)
@given(worlds(), proposals.filter(len), st.data())
def test_undo_spares_what_a_person_took_over(
    world: World, proposed: frozenset[Keyword], data: st.DataObject
) -> None:
    world.sync(proposed)
    assume(world.base.ours)
    receipt = world.books.receipts[-1]
    mine = data.draw(st.sampled_from(sorted(world.base.ours)))
    world.person(confirm=(mine,))
    world.undo(receipt)
    assert mine in standing(world)
    assert mine not in world.base.vetoed


@effort(40)
@given(worlds(), proposals, proposals, profiles)
def test_undo_gives_the_bytes_back_and_the_merge_after_it_is_sound(
    world: World, first: frozenset[Keyword], second: frozenset[Keyword], profile: Profile
) -> None:
    world.sync(first, profile)
    before, vetoed = dict(world.packets), world.base.vetoed
    change = world.sync(second, profile)
    assume(change.writes)
    after = {name: world.keywords(name) for name in world.packets}
    world.undo()
    assert world.packets == before
    assert world.base.vetoed == vetoed
    world.sync(second, profile)
    assert {name: world.keywords(name) for name in world.packets} == after


@effort(30)
@given(worlds(), proposals, st.data())
def test_a_held_edit_returns_and_a_refused_one_does_not(
    world: World, unsure: frozenset[Keyword], data: st.DataObject
) -> None:
    held = {edit.keyword for edit in world.sync(unsure=unsure).held}
    assert {edit.keyword for edit in world.sync(unsure=unsure).held} == held
    assume(held)
    refused = data.draw(st.sampled_from(sorted(held)))
    world.person(refuse=(refused,))
    assert {edit.keyword for edit in world.sync(unsure=unsure).held} == held - {refused}


@effort(20)
@given(worlds(), proposals, st.data())
def test_a_carrier_that_moved_on_is_refused(
    world: World, proposed: frozenset[Keyword], data: st.DataObject
) -> None:
    change = world.plan(proposed)
    assume(change.writes)
    name = data.draw(st.sampled_from([write.carrier.path.name for write in change.writes]))
    world.lightroom(name, add=kws("Family|Mum"))
    moved = dict(world.packets)
    with pytest.raises(MovedOnError):
        world.apply(change)
    assert world.packets == moved


@effort(20)
@given(worlds(), proposals.filter(len), st.data())
def test_an_old_plan_cannot_override_a_later_refusal(
    world: World, proposed: frozenset[Keyword], data: st.DataObject
) -> None:
    change = world.plan(proposed)
    assume(change.edits)
    refused = data.draw(st.sampled_from(sorted(edit.keyword for edit in change.edits)))
    world.person(refuse=(refused,))
    assert change.base.digest != world.base.digest
    with pytest.raises(MovedOnError):
        world.apply(change)


def respelled(keyword: Keyword, how: str) -> Keyword:
    return Keyword(
        tuple(
            {
                "upper": name.upper(),
                "lower": name.lower(),
                "NFD": unicodedata.normalize("NFD", name),
            }[how]
            for name in keyword.path
        )
    )


@effort(30)
@given(some, proposals, st.sampled_from(("upper", "lower", "NFD")), profiles)
def test_the_files_spelling_wins_and_no_two_spellings_stand_together(
    held: frozenset[Keyword], proposed: frozenset[Keyword], how: str, profile: Profile
) -> None:
    theirs = frozenset(respelled(keyword, how) for keyword in held)
    packet = by_lightroom(theirs)
    # Lightroom itself would not let both stand.
    names = [name for keyword in theirs for name in keyword.path]
    assume(len({fold(name) for name in names}) == len(set(names)))
    world = World({NAMES[0]: packet}, vocabulary=VOCABULARY)
    world.sync(proposed, profile)
    after = world.packets[NAMES[0]]
    assert after is not None
    assert {str(keyword) for keyword in packet.keywords} <= world.shown()
    flat = after.fields.flat or ()
    assert len({fold(word) for word in flat}) == len(flat)
    nodes: dict[tuple[str, ...], set[str]] = {}
    for keyword in world.keywords():
        for node in (*keyword.ancestors(), keyword):
            nodes.setdefault(node.key, set()).add(node.leaf)
    assert all(len(spellings) == 1 for spellings in nodes.values())


@effort(30)
@given(worlds(), proposals, proposals)
def test_a_word_goes_only_when_no_keyword_needs_it_and_we_had_added_it(
    world: World, first: frozenset[Keyword], second: frozenset[Keyword]
) -> None:
    had = {name: set(world.flat(name)) for name in world.packets}
    world.sync(first, TIDY)
    world.sync(second, TIDY)
    for name, packet in world.packets.items():
        assert had[name] <= set(world.flat(name))
        assert not any("|" in word for word in set(world.flat(name)) - had[name])
        if packet is None or packet.block is None:
            continue
        present = {fold(word) for word in world.flat(name)}
        for keyword in world.base.ours:
            for node in (*keyword.ancestors(), keyword):
                assert fold(node.leaf) in present or node in world.unlisted


@effort(30)
@given(worlds(), proposals, st.booleans())
def test_all_keywords_of_a_carrier_gone_at_once_is_held_for_a_person(
    world: World, proposed: frozenset[Keyword], accept: bool
) -> None:
    world.sync(proposed)
    packet = world.packets[NAMES[0]]
    assume(packet is not None and packet.block is not None and not packet.protected)
    lost = world.keywords(NAMES[0])
    assume(len(lost) > 1)
    assert packet is not None
    world.packets[NAMES[0]] = replace(packet, fields=KeywordFields())
    before, packets_before = world.base, dict(world.packets)
    change = world.sync(VOCABULARY, accept_emptied=accept)
    if accept:
        assert lost <= world.base.vetoed
        assert not lost & world.keywords(NAMES[0])
    else:
        assert world.base.digest == before.digest
        assert world.packets == packets_before
        assert {edit.keyword for edit in change.held} >= VOCABULARY - standing(world)


@effort(30)
@given(worlds(), proposals, proposals)
def test_should_the_ledger_be_lost_the_blocks_give_back_ours_and_the_vetoes(
    world: World, proposed: frozenset[Keyword], refused: frozenset[Keyword]
) -> None:
    world.sync(proposed)
    assume(all(packet and packet.block for packet in world.packets.values()))
    world.person(refuse=tuple(refused))
    ours, vetoed = world.base.ours, world.base.vetoed
    world.books = Books()
    assert world.plan(proposed).is_noop or world.plan(proposed).after.vetoed == vetoed
    world.sync(proposed)
    assert world.base.ours == ours
    assert world.base.vetoed == vetoed
    assert not world.base.vetoed & standing(world)
