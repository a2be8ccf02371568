"""All promises of the merge at once, against a plain model of what a person saw and did."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from laws.effort import effort
from laws.memory_of_a_person import Remembered
from laws.world import (
    NAMES,
    Books,
    World,
    by_lightroom,
    kw,
    kws,
    version,
)
from urbexmp.model.change import NOTHING, Author, Change, EditKind
from urbexmp.model.keyword import Keyword
from urbexmp.model.profile import Profile

HOSPITAL = kw("Urbex|Building|Hospital")
VOCABULARY = kws(
    "Urbex|Building|Hospital",
    "Urbex|Building|Church",
    "Urbex|Decay",
    "Urbex|Newport",
)
OTHERS = kws("Places|Wales|Newport", "Hospital", "Dad", "Newport")
ANY = st.sampled_from(sorted(VOCABULARY | OTHERS))
PROPOSED = st.frozensets(st.sampled_from(sorted(VOCABULARY)), max_size=4)
CARRIER = st.sampled_from(NAMES)


class PhotoLife(Remembered, RuleBasedStateMachine):
    """One photo with one or two carriers, and everybody who writes to them."""

    @initialize(
        starts=st.lists(
            st.none() | st.frozensets(st.sampled_from(sorted(VOCABULARY | OTHERS)), max_size=3),
            min_size=1,
            max_size=2,
        ),
        flat=st.sampled_from(("leaf+ancestors", "leaf", "none")),
        missing=st.sampled_from(("restore-once", "ask", "never")),
        unlisted=st.booleans(),
    )
    def begin(
        self,
        starts: list[frozenset[Keyword] | None],
        flat: str,
        missing: str,
        unlisted: bool,
    ) -> None:
        self.world = World(
            packets={
                name: None if held is None else by_lightroom(held)
                for name, held in zip(NAMES, starts, strict=False)
            },
            vocabulary=VOCABULARY,
            unlisted=kws("Urbex|Building") if unlisted else NOTHING,
        )
        keeping = Profile(name="keeping", flat=flat, missing=missing)
        self.profiles = (keeping, replace(keeping, name="tidy", retract=True))
        self.history = {name: [packet] for name, packet in self.world.packets.items()}
        self.theirs = self._standing()
        self.refused = NOTHING
        self.elsewhere = NOTHING
        self.other_books = (Books(), NOTHING)

    # what a person and other programs do

    @rule(name=CARRIER, keyword=ANY)
    def types_in_lightroom(self, name: str, keyword: Keyword) -> None:
        name = self._name(name)
        packet = self.world.packets[name]
        if keyword in self.world.keywords(name):
            return
        block = packet.block if packet is not None else None
        listed = frozenset(e.keyword for e in block.written) if block else NOTHING
        self.world.lightroom(name, add=[keyword])
        self._remember()
        self._lift(keyword)
        # Typed where our block was lost, or taken out and typed again before anybody looked, one
        # of ours cannot be told from what we wrote.
        ours = keyword in self.world.base.ours
        if block is not None:
            known = self.world.books.told(block.mark) is not None
            ours = keyword in listed and (ours or not known)
        if not ours:
            self.theirs |= {keyword}

    @rule(name=CARRIER, keyword=ANY)
    def removes_in_lightroom(self, name: str, keyword: Keyword) -> None:
        name = self._name(name)
        if keyword in self.world.keywords(name):
            self.world.lightroom(name, remove=[keyword])
            self._remember()

    @rule(name=CARRIER)
    def empties_in_lightroom(self, name: str) -> None:
        name = self._name(name)
        self.world.lightroom(name, remove=self.world.keywords(name))
        self._remember()

    @rule(name=CARRIER, back=st.integers(1, 6))
    def lightroom_saves_an_older_packet(self, name: str, back: int) -> None:
        name = self._name(name)
        past = self.history[name]
        self.world.packets[name] = past[max(0, len(past) - 1 - back)]
        self._remember()

    @rule(name=CARRIER)
    def a_program_drops_our_block(self, name: str) -> None:
        name = self._name(name)
        if self.world.packets[name] is not None:
            self.world.drop_block(name)
            self._remember()

    @rule(name=CARRIER, which=st.sampled_from(("flat", "hierarchical")))
    def a_program_drops_a_field(self, name: str, which: str) -> None:
        name = self._name(name)
        if self.world.packets[name] is not None:
            if which == "hierarchical":
                # What nobody had synced cannot be told from the words that are left.
                paths = {n for k in self.world.keywords(name) if len(k.path) > 1 for n in k.key}
                flats = {k for k in self.theirs if len(k.path) == 1 and k.key[0] in paths}
                deep = {k for k in self.theirs if len(k.path) > 1}
                self.theirs -= (flats | deep) - self.world.base.agreed
            self.world.drop_field(which, name)
            self._remember()

    # what we do

    @rule(proposed=PROPOSED, which=st.sampled_from((0, 1)), accept=st.sampled_from((0, 0, 0, 1)))
    def sync(self, proposed: frozenset[Keyword], which: int, accept: int) -> None:
        profile = self.profiles[which]
        self._before(emptied_too=bool(accept))
        change = self.world.plan(proposed, profile, accept_emptied=bool(accept))
        doubt = self._in_doubt(change)
        if not doubt:
            self._learn(emptied_too=bool(accept))
        self._carry_out(change, proposed)
        again = self.world.plan(proposed, profile, accept_emptied=bool(accept))
        assert again.is_noop, again
        if not doubt:
            self._converged()
            self._packets_tell()

    @rule(proposed=PROPOSED, name=CARRIER, what=st.sampled_from(("nothing", "type", "stale")))
    def killed_before_the_record(self, proposed: frozenset[Keyword], name: str, what: str) -> None:
        self._before()
        change = self.world.plan(proposed, self.profiles[0])
        if not self._in_doubt(change):
            self._learn()
        receipt = self.world.write(change)
        self._check(change, proposed)
        if receipt is None:
            self.world.apply(change)
            return
        self._remember()
        if what == "type":
            self.types_in_lightroom(name, kw("Dad"))
        elif what == "stale":
            self.lightroom_saves_an_older_packet(name, 1)
        self.world.books.record(receipt)
        self.world.books.held = change.held

    @rule(verb=st.sampled_from(("add", "remove", "confirm", "refuse", "unveto")), keyword=ANY)
    def person_commands(self, verb: str, keyword: Keyword) -> None:
        self._before()
        before = self.world.packets.copy()
        stood, ours = self._standing(), self.world.base.ours
        change = self._commanded(verb, keyword)
        assert not (self._in_doubt(change) and change.writes)
        if self._in_doubt(change):
            assert self.world.packets == before
            if verb == "refuse" and keyword not in stood:
                self.refused |= {keyword}
            if verb == "unveto":
                self._lift(keyword)
            return
        if verb in ("remove", "refuse"):
            gone = keyword in stood and keyword not in self._standing()
            if gone or (verb == "refuse" and keyword not in stood):
                self.refused |= {keyword}
        elif verb != "confirm" or keyword in self._standing():
            self._lift(keyword)
        if verb == "add" or (verb == "confirm" and keyword in ours & self._standing()):
            self.theirs |= {keyword}
        if verb == "add":
            assert keyword in self._standing()
        if verb == "remove" and keyword in stood:
            assert keyword not in self._standing()
        self._converged()

    def _commanded(self, verb: str, keyword: Keyword) -> Change:
        snapshot = self.world.packets.copy()
        self._learn_for_command()
        change = self.world.person(self.profiles[0], **{verb: (keyword,)})
        after, self.world.packets = self.world.packets, snapshot
        named = frozenset({keyword})
        self.world.packets = after
        self._check_between(snapshot, after, change, named, named)
        self._remember()
        return change

    @precondition(lambda self: self.world.books.receipts)
    @rule(which=st.integers(0, 2))
    def undoes(self, which: int) -> None:
        receipts = self.world.books.receipts
        receipt = receipts[max(0, len(receipts) - 1 - which)]
        exact = all(
            version(self.world.packets[done.carrier.path.name]) == done.after
            for done in receipt.carriers
        )
        self._before()
        before = self.world.packets.copy()
        by_person = frozenset(
            edit.keyword
            for edit in receipt.change.edits
            # To take an undo back is to do again what a person had done.
            if edit.author in (Author.PERSON, Author.UNDO)
        )
        taken = frozenset(
            edit.keyword for edit in receipt.change.edits if edit.kind is EditKind.REMOVE
        )
        if not exact:
            self._learn_for_command()
        change = self.world.undo(receipt, self.profiles[0])
        if any(write.restore is not None for write in change.writes):
            for done in receipt.carriers:
                assert version(self.world.packets[done.carrier.path.name]) == done.before
            stood = NOTHING.union(*map(self._reads, before.values()))
            assert not (stood - self._standing()) & (self.theirs - by_person)
            # What they had taken over by that command is ours again.
            blocks = [packet.block for packet in self.world.packets.values() if packet]
            listed = {e.keyword for block in blocks if block for e in block.written}
            self.theirs -= self.world.base.ours | listed
        else:
            self._check_between(before, self.world.packets, change, taken, by_person)
        for keyword in by_person & taken & self._standing():
            self._lift(keyword)
        self._remember()

    @rule()
    def the_ledger_is_lost(self) -> None:
        self._swap((Books(), NOTHING))

    @rule()
    def another_state_directory_is_used(self) -> None:
        mine = (self.world.books, self.refused)
        theirs = self.other_books
        self._swap(theirs)
        self.other_books = mine

    def _swap(self, to: tuple[Books, frozenset[Keyword]]) -> None:
        listed_there, unlisted = NOTHING, NOTHING
        for packet in self.world.packets.values():
            if packet is not None and packet.block is not None:
                listed = frozenset(entry.keyword for entry in packet.block.written)
                listed_there |= listed
                unlisted |= packet.keywords - listed
        self.elsewhere |= self.refused
        self.world.books, self.refused = to
        ours = self.world.base.ours | listed_there
        self.theirs = frozenset(k for k in self.theirs if k not in ours or k in unlisted)

    @invariant()
    def the_base_is_sound(self) -> None:
        if not hasattr(self, "world"):
            return
        base = self.world.base
        assert not base.ours & base.vetoed
        assert base.ours <= base.agreed
        assert not base.missing & base.agreed
        assert not base.missing & base.vetoed
        assert base.unseen <= base.missing


TestPhotoLife = PhotoLife.TestCase
TestPhotoLife.settings = effort(examples=250, steps=25)
