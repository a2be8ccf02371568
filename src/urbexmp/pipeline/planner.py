"""Make the change for one photo. Holds readers only, so a dry run cannot write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from urbexmp.model.change import Change, MergeBase, Receipt
from urbexmp.model.errors import SidecarOfAnother
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.ledger import Ledger
from urbexmp.model.photo import (
    ABSENT,
    Carrier,
    CarrierKind,
    CarrierState,
    FileKind,
    Photo,
    PhotoId,
    Snapshot,
    fingerprint_of,
)
from urbexmp.model.ports import CarrierReader, Clock, Codec
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal
from urbexmp.pipeline.look import Examined
from urbexmp.rules.plan import Policy, person_edit, plan
from urbexmp.rules.propose import propose
from urbexmp.rules.taxonomy import Taxonomy
from urbexmp.rules.undo import undo


@dataclass(frozen=True, slots=True)
class Planned:
    """A change and what it was made from."""

    change: Change
    snapshot: Snapshot
    proposal: Proposal
    moved_from: Path | None = None
    """Where the photo was when it was last dealt with, if it has moved since."""


class Planner:
    """Makes changes from what was seen, what was found and what was last agreed."""

    def __init__(
        self,
        store: CarrierReader,
        codec: Codec,
        ledger: Ledger,
        clock: Clock,
        taxonomy: Taxonomy,
        profile: Profile,
        exists: Callable[[Path], bool],
    ) -> None:
        self._store = store
        self._codec = codec
        self._ledger = ledger
        self._clock = clock
        self._taxonomy = taxonomy
        self._profile = profile
        self._exists = exists
        self._spellings: frozenset[Keyword] | None = None

    def plan(self, examined: Examined, *, accept_emptied: bool = False) -> Planned:
        """The change that brings the photo to what the stages suggest. Raises `Problem`."""
        snapshot = self.snapshot(examined.photo, examined.photo_id)
        base, moved_from = self.base(examined.photo_id, examined.photo.path)
        proposal = propose(examined.looks, self._taxonomy, self._profile)
        policy = self._policy(accept_emptied=accept_emptied)
        change = plan(snapshot, base, self._ledger.told, proposal, policy)
        return Planned(change, snapshot, proposal, moved_from)

    def person(
        self,
        photo: Photo,
        photo_id: PhotoId,
        *,
        add: tuple[Keyword, ...] = (),
        remove: tuple[Keyword, ...] = (),
        confirm: tuple[Keyword, ...] = (),
        refuse: tuple[Keyword, ...] = (),
        unveto: tuple[Keyword, ...] = (),
    ) -> Planned:
        """The change that a person asks for in so many words."""
        snapshot = self.snapshot(photo, photo_id)
        base, moved_from = self.base(photo_id, photo.path)
        change = person_edit(
            snapshot,
            base,
            self._ledger.told,
            self._policy(),
            add=add,
            remove=remove,
            confirm=confirm,
            refuse=refuse,
            unveto=unveto,
            held=frozenset(edit.keyword for _, edit in self._ledger.held(photo.path)),
        )
        return Planned(change, snapshot, Proposal(), moved_from)

    def undo(self, receipt: Receipt) -> Planned:
        """The change that takes a receipt back. Raises `Problem`."""
        photo, photo_id = receipt.change.photo, receipt.change.photo_id
        snapshot = self.snapshot(photo, photo_id)
        base = self._ledger.base(photo_id, photo.path)
        change = undo(receipt, snapshot, base, self._ledger.told, self._policy())
        return Planned(change, snapshot, Proposal())

    def snapshot(self, photo: Photo, photo_id: PhotoId) -> Snapshot:
        """What the photo's carriers hold now. Raises `Problem`: then nothing may be written."""
        states = tuple(self._state(photo, carrier) for carrier in photo.carriers)
        elsewhere: list[KeywordFields] = []
        for path in photo.also_read:
            packet = self._store.read(Carrier(CarrierKind.SIDECAR, path))
            if packet is not None:
                elsewhere.append(self._codec.read(packet, path).fields)
        return Snapshot(photo, photo_id, states, tuple(elsewhere))

    def packet(self, carrier: Carrier) -> bytes | None:
        """A carrier's packet as it stands, None when there is none. Raises `FileUnreadable`."""
        return self._store.read(carrier)

    def base(self, photo_id: PhotoId, path: Path) -> tuple[MergeBase | None, Path | None]:
        """The merge base of a photo, and where it was before when it has moved."""
        base = self._ledger.base(photo_id, path)
        if base is not None:
            return base, None
        for former, kept in self._ledger.bases_elsewhere(photo_id, path):
            # A copy has its original still in place, and begins with a base of its own.
            if not self._exists(former):
                return kept, former
        return None, None

    def _state(self, photo: Photo, carrier: Carrier) -> CarrierState:
        packet = self.packet(carrier)
        if packet is None:
            return CarrierState(carrier, ABSENT, KeywordFields(), None)
        reading = self._codec.read(packet, carrier.path)
        own = photo.path.suffix.lstrip(".").upper()
        if photo.kind is FileKind.RAW and reading.sidecar_for not in (None, own):
            raise SidecarOfAnother(
                photo.path, sidecar=carrier.path.name, owner=f"a {reading.sidecar_for} file"
            )
        return CarrierState(
            carrier,
            fingerprint_of(packet),
            reading.fields,
            reading.block,
            reading.protected,
            reading.notes,
        )

    def _policy(self, *, accept_emptied: bool = False) -> Policy:
        if self._spellings is None:
            # The left side of a union keeps its spelling: the library's before the taxonomy's.
            self._spellings = self._ledger.keywords() | self._taxonomy.spellings
        return Policy(
            profile=self._profile,
            mark=self._clock.fresh("w"),
            at=self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            unlisted=self._taxonomy.unlisted,
            spellings=self._spellings,
            vocabulary=self._taxonomy.spellings,
            accept_emptied=accept_emptied,
        )
