"""The promises of the merge where keywords also stand in a file that is only read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from laws.effort import effort
from laws.world import PLAIN, Books, Packet, World, by_lightroom, kw, kws
from urbexmp.model.change import NOTHING, Change, EditKind
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Carrier, CarrierKind, CarrierState, Snapshot

SIDECAR, PLACE = "IMG_1.xmp", "IMG_1.jpg"
VOCABULARY = kws("Urbex|Building|Hospital", "Urbex|Decay", "Urbex|View|Interior")
OTHERS = kws("Places|Wales|Newport", "Dad", "Newport")
ANY = st.sampled_from(sorted(VOCABULARY | OTHERS))
PROPOSED = st.frozensets(st.sampled_from(sorted(VOCABULARY)), max_size=3)


@dataclass
class Beside(World):
    """One carrier, and one place that we only read: an image file, or another program's list."""

    place: Packet = field(default_factory=Packet)
    kind: CarrierKind = CarrierKind.EMBEDDED

    def snapshot(self) -> Snapshot:
        carrier = Carrier(self.kind, Path(PLACE))
        state = CarrierState(carrier, self.place.fingerprint, self.place.fields, self.place.block)
        return replace(super().snapshot(), elsewhere=(state,))


def beside(
    place: Iterable[Keyword], sidecar: Iterable[Keyword] | None = None, *, inside: bool = True
) -> Beside:
    kind = CarrierKind.EMBEDDED if inside else CarrierKind.SIDECAR
    held = None if sidecar is None else by_lightroom(sidecar)
    return Beside({SIDECAR: held}, vocabulary=VOCABULARY, place=by_lightroom(place), kind=kind)


def adds(change: Change) -> set[str]:
    return {str(edit.keyword) for edit in change.edits if edit.kind is EditKind.ADD}


HOSPITAL, DECAY, DAD = kw("Urbex|Building|Hospital"), kw("Urbex|Decay"), kw("Dad")


def test_what_stands_in_the_image_is_found_and_spelled_as_there() -> None:
    world = beside(kws("URBEX|Building|hospital"))
    change = world.sync([HOSPITAL, DECAY])
    assert adds(change) == {"URBEX|Decay"}
    assert world.shown() == {"URBEX|Building|hospital", "URBEX|Decay"}
    assert world.base.ours == kws("Urbex|Decay")


def test_a_copy_of_what_stands_in_the_image_is_no_reason_for_a_sidecar() -> None:
    world = beside(kws("Dad", "Urbex|Building|Hospital"))
    assert world.sync([HOSPITAL]).writes == ()
    assert world.packets[SIDECAR] is None


def test_another_programs_list_counts_as_found_and_is_not_copied() -> None:
    world = beside(kws("darktable|format|cr2", "Urbex|Decay"), inside=False)
    assert adds(world.sync([HOSPITAL, DECAY])) == {"Urbex|Building|Hospital"}
    assert world.shown() == {"Urbex|Building|Hospital"}


def test_taken_out_of_the_image_it_goes_from_the_sidecar_and_stays_away() -> None:
    world = beside(kws("Dad", "Urbex|Building|Hospital"))
    world.sync([DECAY])
    world.place = by_lightroom(kws("Dad"))
    change = world.sync([HOSPITAL, DECAY])
    assert world.shown() == {"Dad", "Urbex|Decay"}
    assert change.learned == (HOSPITAL,)
    assert world.sync([HOSPITAL, DECAY]).is_noop


def test_taken_out_of_the_sidecar_it_stays_away_though_the_image_keeps_it() -> None:
    world = beside(kws("Dad", "Urbex|Building|Hospital"))
    world.sync([DECAY])
    world.lightroom(SIDECAR, remove=[HOSPITAL])
    world.sync([HOSPITAL, DECAY])
    assert world.shown() == {"Dad", "Urbex|Decay"}
    assert world.sync([HOSPITAL, DECAY]).is_noop
    world.place = by_lightroom(kws("Dad", "Urbex|Building|Hospital", "Urbex|View|Interior"))
    world.sync([HOSPITAL, DECAY])
    assert world.shown() == {"Dad", "Urbex|Decay", "Urbex|View|Interior"}


def test_a_command_that_removes_says_where_it_still_stands() -> None:
    world = beside(kws("Dad"))
    world.sync([DECAY])
    change = world.person(remove=(DAD,))
    assert world.shown() == {"Urbex|Decay"}
    assert "Dad still stands in IMG_1.jpg, which is only read" in change.notes


def test_a_file_that_loses_all_its_keywords_at_once_is_asked_about() -> None:
    world = beside(kws("Dad", "Urbex|Building|Hospital"))
    world.sync([DECAY])
    world.place = Packet()
    change = world.sync([DECAY])
    assert change.writes == ()
    assert change.learned == ()
    assert any("went away at once" in note for note in change.notes)
    assert world.shown() == {"Dad", "Urbex|Building|Hospital", "Urbex|Decay"}


def test_a_place_that_is_not_there_says_nothing() -> None:
    world = beside(kws("Dad", "Urbex|Building|Hospital"))
    world.sync([DECAY])
    gone = World(world.packets, world.books, VOCABULARY)
    assert gone.sync([DECAY]).writes == ()
    assert gone.shown() == {"Dad", "Urbex|Building|Hospital", "Urbex|Decay"}


def test_what_was_a_carrier_is_followed_when_it_is_only_read_from_now_on() -> None:
    before = World({SIDECAR: None, PLACE: by_lightroom([DAD])}, vocabulary=VOCABULARY)
    before.sync([HOSPITAL])
    image = before.packets[PLACE]
    assert image is not None
    world = Beside({SIDECAR: before.packets[SIDECAR]}, before.books, VOCABULARY, place=image)
    world.place = by_lightroom([DAD], image)
    world.sync([HOSPITAL])
    assert world.shown() == {"Dad"}
    assert HOSPITAL in world.base.vetoed


class BesideLife(RuleBasedStateMachine):
    """A person edits on either side; one side is never written."""

    @initialize(
        place=st.frozensets(ANY, max_size=4),
        sidecar=st.none() | st.frozensets(ANY, max_size=3),
        inside=st.booleans(),
    )
    def begin(
        self, place: frozenset[Keyword], sidecar: frozenset[Keyword] | None, inside: bool
    ) -> None:
        self.world = beside(place, sidecar, inside=inside)
        self.inside = inside
        self.seen: frozenset[Keyword] | None = None
        """In the place at the last sync."""
        self.refused = NOTHING
        self.theirs = (sidecar or NOTHING) | place

    @rule(keyword=ANY)
    def types_in_the_place(self, keyword: Keyword) -> None:
        if keyword in self.world.place.keywords:
            return
        self.world.place = by_lightroom(self.world.place.keywords | {keyword}, self.world.place)
        self.theirs |= {keyword}
        if self.inside:
            self.refused -= {keyword}

    @rule(keyword=ANY)
    def removes_in_the_place(self, keyword: Keyword) -> None:
        stands = self.world.place.keywords - {keyword}
        self.world.place = by_lightroom(stands, self.world.place)
        if keyword in self.world.base.ours | self._listed():
            self.theirs -= {keyword}  # typed there and taken out before we looked

    @rule(keyword=ANY)
    def types_in_the_sidecar(self, keyword: Keyword) -> None:
        if keyword in self.world.keywords():
            return
        self.world.lightroom(SIDECAR, add=[keyword])
        self.refused -= {keyword}
        # Taken out and typed again before we looked, it is as it was: ours.
        if keyword not in self._listed():
            self.theirs |= {keyword}

    @rule(keyword=ANY)
    def removes_in_the_sidecar(self, keyword: Keyword) -> None:
        if self.world.packets[SIDECAR] is not None:
            self.world.lightroom(SIDECAR, remove=[keyword])

    @rule()
    def the_ledger_is_lost(self) -> None:
        self.world.books = Books()
        self.seen = None
        self.refused &= self._told_by_the_block()

    @rule(proposed=PROPOSED, retract=st.booleans())
    def sync(self, proposed: frozenset[Keyword], retract: bool) -> None:
        profile = replace(PLAIN, retract=retract)
        before, place = self.world.keywords(), self.world.place
        self.theirs &= before | place.keywords
        gone = self._gone()
        change = self.world.sync(proposed, profile)
        assert self.world.place is place
        held = place.keywords
        assert not {edit.keyword for edit in change.edits if edit.kind is EditKind.ADD} & held
        assert self.world.plan(proposed, profile).is_noop
        now = self.world.keywords()
        if any("at once" in n or "again" in n or "added to" in n for n in change.notes):
            assert now == before
            return
        self.refused |= gone
        self.theirs -= gone
        assert now - before <= proposed | held, "out of nowhere"
        assert not (now - before) & self.refused, "what a person removed came back"
        assert not (before - now) & self.theirs, "a person's keyword was removed"
        if self.inside and self.world.packets[SIDECAR] is not None and change.writes:
            assert held - self.refused <= now
        self.seen = held

    def _gone(self) -> frozenset[Keyword]:
        """What a person took out since they were told of it."""
        stands, held = self.world.keywords(), self.world.place.keywords
        packet = self.world.packets[SIDECAR]
        gone = NOTHING
        if packet is not None and packet.block is not None:
            told = self.world.books.told(packet.block.mark)
            if told is None:
                told = frozenset(entry.keyword for entry in packet.block.written)
            gone = told - stands
        if self.seen is not None:
            lost = self.seen - held
            if not self.inside:
                lost = lost - stands if held else NOTHING
            gone |= lost
        return gone

    def _listed(self) -> frozenset[Keyword]:
        packet = self.world.packets[SIDECAR]
        listed = packet.block.written if packet is not None and packet.block else ()
        return frozenset(entry.keyword for entry in listed)

    def _told_by_the_block(self) -> frozenset[Keyword]:
        packet = self.world.packets[SIDECAR]
        return frozenset(packet.block.vetoed) if packet is not None and packet.block else NOTHING


TestBesideLife = BesideLife.TestCase
TestBesideLife.settings = effort(examples=120, steps=20)
