"""What a person saw and did about one photo, and what that promises them."""

from __future__ import annotations

from laws.world import (
    NAMES,
    Books,
    Packet,
    World,
    words_of,
)
from urbexmp.model.change import NOTHING, Change
from urbexmp.model.keyword import Keyword, fold
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords


class Remembered:
    """The plain model that the merge is held against."""

    world: World
    profiles: tuple[Profile, Profile]
    history: dict[str, list[Packet | None]]
    """Every packet that each carrier has held, oldest first."""
    theirs: frozenset[Keyword]
    """Keywords that are provably a person's: never to be removed."""
    refused: frozenset[Keyword]
    """Keywords that a person took away, having seen them, or refused: never to come back."""
    elsewhere: frozenset[Keyword]
    """Refused while another ledger was in use; its blocks may tell of it."""
    other_books: tuple[Books, frozenset[Keyword]]

    # the model

    def _name(self, name: str) -> str:
        return name if name in self.world.packets else NAMES[0]

    def _lift(self, keyword: Keyword) -> None:
        self.refused -= {keyword}
        self.elsewhere -= {keyword}
        self.other_books = (self.other_books[0], self.other_books[1] - {keyword})

    def _remember(self) -> None:
        for name, packet in self.world.packets.items():
            if self.history[name][-1] != packet:
                self.history[name].append(packet)

    def _standing(self) -> frozenset[Keyword]:
        return NOTHING.union(*map(self._reads, self.world.packets.values()))

    def _reads(self, packet: Packet | None) -> frozenset[Keyword]:
        """What a packet holds for one who knows what was there before a field was dropped."""
        if packet is None:
            return NOTHING
        expected = self.world.base.agreed | self.world.base.ours
        if packet.block is not None:
            expected |= frozenset(entry.keyword for entry in packet.block.written)
            expected |= self.world.books.told(packet.block.mark) or NOTHING
        # A flat keyword that was taken out may have left its word to a path.
        expected -= frozenset(k for k in self.world.base.vetoed if len(k.path) == 1)
        return found_keywords(packet.fields, expected)

    def _everywhere(self) -> frozenset[Keyword]:
        held = [self._reads(packet) for packet in self.world.packets.values()]
        return held[0].intersection(*held)

    def _seen_and_removed(self, *, emptied_too: bool = False) -> frozenset[Keyword]:
        """What a person took out of a packet that told them of it."""
        seen = NOTHING
        for packet in self.world.packets.values():
            if packet is None or packet.block is None:
                continue
            listed = frozenset(entry.keyword for entry in packet.block.written)
            told = self.world.books.told(packet.block.mark)
            told = listed if told is None else told
            words = {fold(word) for word in packet.fields.flat or ()}
            put_there = {fold(word) for word in packet.block.flats}
            both_absent = packet.fields.flat is None and packet.fields.hierarchical is None
            gone = set()
            for keyword in told - self._reads(packet):
                # An absent field says nothing, unless a word of ours is gone from the other.
                if len(keyword.path) == 1 and packet.fields.flat is None and not both_absent:
                    continue
                word_went = fold(keyword.leaf) in put_there - words
                said = packet.fields.hierarchical is not None or both_absent or word_went
                if len(keyword.path) > 1 and not said:
                    continue
                gone.add(keyword)
            if not packet.keywords and len(gone) >= 2 and not emptied_too:
                continue
            seen |= gone
        return seen

    def _before(self, *, emptied_too: bool = False) -> None:
        self.theirs &= self._standing() | NOTHING.union(
            *(words_of(packet) for packet in self.world.packets.values())
        )
        for packet in self.world.packets.values():
            block = packet.block if packet is not None else None
            if block is not None and self.world.books.told(block.mark) is None:
                self.refused |= self.elsewhere & frozenset(block.vetoed)
        self.refused -= self._everywhere()

    def _learn(self, *, emptied_too: bool = False) -> None:
        seen = self._seen_and_removed(emptied_too=emptied_too)
        self.refused |= seen
        self.theirs -= seen

    def _learn_for_command(self) -> None:
        seen = self._seen_and_removed()
        self.theirs -= seen

    def _in_doubt(self, change: Change) -> bool:
        return any("at once" in n or "again" in n or "added to" in n for n in change.notes)

    def _carry_out(self, change: Change, proposed: frozenset[Keyword]) -> None:
        before = self.world.packets.copy()
        self.world.apply(change)
        self._check_between(before, self.world.packets, change, proposed, NOTHING)
        self._remember()

    def _check(self, change: Change, proposed: frozenset[Keyword]) -> None:
        before = {name: past[-1] for name, past in self.history.items()}
        self._check_between(before, self.world.packets, change, proposed, NOTHING)

    def _gone(
        self, before: dict[str, Packet | None], after: dict[str, Packet | None]
    ) -> frozenset[Keyword]:
        gone = NOTHING
        for name, former in before.items():
            if former is not None:
                now = after[name]
                stands = self._reads(now) | words_of(now)
                gone |= self._reads(former) - stands
        return gone

    def _check_between(
        self,
        before: dict[str, Packet | None],
        after: dict[str, Packet | None],
        change: Change,
        proposed: frozenset[Keyword],
        named: frozenset[Keyword],
    ) -> None:
        gone = self._gone(before, after)
        assert not gone & self.theirs - named, f"a person's keyword was removed: {gone}"
        stood = NOTHING.union(
            *(self._reads(packet) | words_of(packet) for packet in before.values())
        )
        for name, packet in after.items():
            former = before[name]
            came = self._reads(packet) - self._reads(former) - words_of(former)
            assert came <= stood | proposed, f"out of nowhere: {came}"
            back = came & self.refused - named
            assert not back, f"what a person removed came back: {back}"

    # what must hold

    def _converged(self) -> None:
        held = {
            found_keywords(packet.fields, self.world.base.agreed)
            for packet in self.world.packets.values()
            if packet is not None
        }
        assert len(held) <= 1, held

    def _packets_tell(self) -> None:
        """Should the ledger be lost now, the blocks say what is ours and what is vetoed."""
        blocks = [
            (packet, packet.block)
            for packet in self.world.packets.values()
            if packet is not None and packet.block is not None
        ]
        if not blocks:
            return
        known, listed = NOTHING, NOTHING
        for packet, block in blocks:
            mine = frozenset(entry.keyword for entry in block.written)
            stands = found_keywords(packet.fields, self.world.base.agreed)
            known |= frozenset(block.vetoed) | (mine - stands)
            listed |= mine & stands
        assert self.world.base.vetoed & self.world.vocabulary <= known
        assert listed <= self.world.base.ours
