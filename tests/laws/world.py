"""A tiny world in memory: one photo, its carriers, a ledger, and people who edit the packets.

It carries changes out as the applier does, but on `KeywordFields` and `Block` instead of bytes,
so that the laws of the merge can be tried thousands of times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from urbexmp.model.change import (
    NOTHING,
    CarrierReceipt,
    Change,
    Edit,
    MergeBase,
    PacketEdit,
    Receipt,
)
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.photo import (
    ABSENT,
    Block,
    Carrier,
    CarrierKind,
    CarrierState,
    FileKind,
    FileStat,
    Fingerprint,
    Photo,
    PhotoId,
    Snapshot,
)
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal, Reason, Suggestion
from urbexmp.rules.fields import after_edit, found_keywords, keyword_of
from urbexmp.rules.plan import Policy, person_edit, plan
from urbexmp.rules.undo import undo

PLAIN = Profile()
EMPTY = KeywordFields()


class MovedOnError(Exception):
    """The applier would not carry the change out: a carrier or the base has moved on."""


def kw(text: str) -> Keyword:
    return Keyword.parse(text)


def kws(*texts: str) -> frozenset[Keyword]:
    return frozenset(map(kw, texts))


@dataclass(frozen=True)
class Packet:
    """What one carrier's packet holds."""

    fields: KeywordFields = EMPTY
    block: Block | None = None
    protected: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> Fingerprint:
        text = repr((self.fields, self.block, sorted(self.protected)))
        return Fingerprint(hashlib.sha256(text.encode()).hexdigest())

    @property
    def keywords(self) -> frozenset[Keyword]:
        """As any reader sees them who knows nothing of us."""
        return found_keywords(self.fields)


def version(packet: Packet | None) -> Fingerprint:
    return ABSENT if packet is None else packet.fingerprint


def by_lightroom(keywords: Iterable[Keyword], packet: Packet | None = None) -> Packet:
    """The packet as Lightroom writes it: whole paths, and all their words. It keeps our block."""
    ordered = sorted(keywords)
    words = sorted({name for keyword in ordered for name in keyword.path})
    paths = tuple(str(keyword) for keyword in ordered)
    block = packet.block if packet is not None else None
    protected = packet.protected if packet is not None else frozenset[str]()
    fields = KeywordFields(tuple(words) or None, paths or None)
    return Packet(fields, block, protected)


@dataclass
class Books:
    """The ledger: merge bases, marks, held edits and receipts."""

    base: MergeBase | None = None
    marks: dict[str, frozenset[Keyword]] = field(default_factory=dict)
    held: tuple[Edit, ...] = ()
    receipts: list[Receipt] = field(default_factory=list)

    def told(self, mark: str) -> frozenset[Keyword] | None:
        return self.marks.get(mark)

    def record(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        self.base = receipt.change.after
        if receipt.change.mark:
            self.marks[receipt.change.mark] = receipt.change.after.agreed


NAMES = ("IMG_1.xmp", "IMG_1.jpg")


@dataclass
class World:
    """One photo with its carriers, by name."""

    packets: dict[str, Packet | None] = field(default_factory=lambda: {NAMES[0]: None})
    books: Books = field(default_factory=Books)
    vocabulary: frozenset[Keyword] = NOTHING
    unlisted: frozenset[Keyword] = NOTHING
    marks: int = 0
    backups: dict[Fingerprint, Packet] = field(default_factory=dict)

    @property
    def photo(self) -> Photo:
        carriers = tuple(Carrier(CarrierKind.SIDECAR, Path(name)) for name in self.packets)
        return Photo(Path("IMG_1.CR3"), FileKind.RAW, FileStat(1, 1, 1), (), carriers)

    def snapshot(self) -> Snapshot:
        states = []
        for carrier, packet in zip(self.photo.carriers, self.packets.values(), strict=True):
            held = packet or Packet()
            states.append(
                CarrierState(carrier, version(packet), held.fields, held.block, held.protected)
            )
        return Snapshot(self.photo, PhotoId("p1"), tuple(states))

    def policy(self, profile: Profile = PLAIN, *, accept_emptied: bool = False) -> Policy:
        self.marks += 1
        return Policy(
            profile=profile,
            mark=f"w{self.marks}",
            at=f"2026-11-20T09:00:{self.marks % 60:02}Z",
            unlisted=self.unlisted,
            spellings=self.vocabulary,
            vocabulary=self.vocabulary,
            accept_emptied=accept_emptied,
        )

    # what we do

    def plan(
        self,
        proposed: Iterable[Keyword] = (),
        profile: Profile = PLAIN,
        *,
        unsure: Iterable[Keyword] = (),
        accept_emptied: bool = False,
    ) -> Change:
        return plan(
            self.snapshot(),
            self.books.base,
            self.books.told,
            Proposal(_suggestions(proposed, 0.9), _suggestions(unsure, 0.4)),
            self.policy(profile, accept_emptied=accept_emptied),
        )

    def sync(
        self,
        proposed: Iterable[Keyword] = (),
        profile: Profile = PLAIN,
        *,
        unsure: Iterable[Keyword] = (),
        accept_emptied: bool = False,
    ) -> Change:
        change = self.plan(proposed, profile, unsure=unsure, accept_emptied=accept_emptied)
        self.apply(change)
        return change

    def person(self, profile: Profile = PLAIN, **said: tuple[Keyword, ...]) -> Change:
        """A person uses `keyword add|remove|confirm|refuse|unveto`."""
        change = person_edit(
            self.snapshot(),
            self.books.base,
            self.books.told,
            self.policy(profile),
            held=frozenset(edit.keyword for edit in self.books.held),
            **said,  # type: ignore[arg-type]
        )
        self.apply(change)
        return change

    def undo(self, receipt: Receipt | None = None, profile: Profile = PLAIN) -> Change:
        change = undo(
            receipt or self.books.receipts[-1],
            self.snapshot(),
            self.books.base,
            self.books.told,
            self.policy(profile),
        )
        self.apply(change)
        return change

    def apply(self, change: Change) -> Receipt | None:
        """As the applier: refuse what moved on, write every carrier, record."""
        done = self.write(change)
        if done is None:
            if change.after.digest != (self.books.base or MergeBase()).digest:
                self.books.base = change.after
        else:
            self.books.record(done)
        self.books.held = change.held
        return done

    def write(self, change: Change) -> Receipt | None:
        """The part of an apply that a crash before the record leaves behind."""
        base = self.books.base
        if base is not None and base.digest != change.base.digest:
            raise MovedOnError("the base has moved on")
        receipts = []
        before = {write.carrier: self.packets[write.carrier.path.name] for write in change.writes}
        for write in change.writes:
            if version(before[write.carrier]) != write.assumes:
                raise MovedOnError(f"{write.carrier} has moved on")
        for write in change.writes:
            former = before[write.carrier]
            if former is not None:
                self.backups[former.fingerprint] = former
            after: Packet | None
            if write.restore is not None:
                after = None if write.restore == ABSENT else self.backups[write.restore]
            else:
                assert write.edit is not None
                after = edited(former, write.edit)
            self.packets[write.carrier.path.name] = after
            if after != former:
                receipts.append(CarrierReceipt(write.carrier, write.assumes, version(after)))
        if not receipts:
            return None
        return Receipt("r1", "2026-11-20T09:00:00Z", change, tuple(receipts))

    # what others do

    def lightroom(
        self,
        name: str = NAMES[0],
        *,
        add: Iterable[Keyword] = (),
        remove: Iterable[Keyword] = (),
    ) -> None:
        """A person edits keywords in Lightroom, which has read the packet, and saves."""
        packet = self.packets[name]
        stands = packet.keywords if packet is not None else NOTHING
        self.packets[name] = by_lightroom((stands - frozenset(remove)) | frozenset(add), packet)

    def drop_block(self, name: str = NAMES[0]) -> None:
        packet = self.packets[name]
        assert packet is not None
        self.packets[name] = replace(packet, block=None)

    def drop_field(self, which: str, name: str = NAMES[0]) -> None:
        packet = self.packets[name]
        assert packet is not None
        fields = replace(packet.fields, **{which: None})
        self.packets[name] = replace(packet, fields=fields)

    # what stands

    def keywords(self, name: str = NAMES[0]) -> frozenset[Keyword]:
        packet = self.packets[name]
        return packet.keywords if packet is not None else NOTHING

    def flat(self, name: str = NAMES[0]) -> tuple[str, ...]:
        packet = self.packets[name]
        return packet.fields.flat or () if packet is not None else ()

    def shown(self, name: str = NAMES[0]) -> set[str]:
        return {str(keyword) for keyword in self.keywords(name)}

    @property
    def base(self) -> MergeBase:
        return self.books.base or MergeBase()


def edited(packet: Packet | None, edit: PacketEdit) -> Packet:
    """As the editor does it, after checking that the edit is one it would take."""
    former = packet or Packet()
    fields = former.fields
    for items, added in (
        (fields.flat, edit.flat_add),
        (fields.hierarchical, edit.hierarchical_add),
    ):
        assert not set(items or ()) & set(added), f"{added} stand there already"
        assert len(set(added)) == len(added)
    assert set(edit.flat_remove) <= set(fields.flat or ())
    assert set(edit.hierarchical_remove) <= set(fields.hierarchical or ())
    assert not any("|" in word for word in edit.flat_add)
    return replace(former, fields=after_edit(fields, edit), block=edit.block or former.block)


def words_of(packet: Packet | None) -> frozenset[Keyword]:
    """Every word of `dc:subject` as a flat keyword, whether or not a path contains it."""
    flat = packet.fields.flat or () if packet is not None else ()
    return frozenset(k for k in map(keyword_of, flat) if k is not None)


def _suggestions(keywords: Iterable[Keyword], confidence: float) -> tuple[Suggestion, ...]:
    return tuple(
        Suggestion(keyword, confidence, (Reason("pixels@0", keyword.leaf, confidence),))
        for keyword in keywords
    )
