"""Make the change for one photo. Holds readers only, so a dry run cannot write.

A sidecar that cannot be edited is the photo's problem. An image file that cannot is *spared*: the
photo keeps its other carriers, the file is only read where it can be, and the change says why. So
is one whose edit turns out to be impossible when it is tried, as when a packet would not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from urbexmp.model.change import CarrierWrite, Change, MergeBase, Receipt
from urbexmp.model.errors import PacketRefused, SidecarOfAnother
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
    Spared,
    fingerprint_of,
)
from urbexmp.model.ports import CarrierReader, Clock, Codec
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal
from urbexmp.model.text import TextAnswer
from urbexmp.pipeline.look import Examined
from urbexmp.rules.answer_texts import answer_texts
from urbexmp.rules.plan import Policy, person_edit, plan, said_texts
from urbexmp.rules.propose import propose
from urbexmp.rules.taxonomy import Taxonomy
from urbexmp.rules.undo import put_back, undo


@dataclass(frozen=True, slots=True)
class Planned:
    """A change and what it was made from."""

    change: Change
    snapshot: Snapshot
    proposal: Proposal
    moved_from: Path | None = None
    """Where the photo was when it was last dealt with, if it has moved since."""


_UNREAD = frozenset({FileKind.HEIC, FileKind.OTHER})
"""Formats whose own packet is none of the photo's."""

Sparing = Callable[[Carrier, bytes], Spared | None]
"""Why an image file must not be written into, from the carrier and its bytes; None: it may."""


def _no_own_texts(_path: Path) -> bool:
    return False


def _no_caption(_path: Path) -> str | None:
    return None


def _nothing_spared(_carrier: Carrier, _packet: bytes) -> Spared | None:
    return None


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
        sparing: Sparing = _nothing_spared,
        own_texts: Callable[[Path], bool] = _no_own_texts,
        caption_of: Callable[[Path], str | None] = _no_caption,
    ) -> None:
        """`own_texts`: whether a file whose packet is not read may hold texts; `caption_of`: the
        description that a picture beside the photo has in its EXIF."""
        self._store = store
        self._codec = codec
        self._ledger = ledger
        self._clock = clock
        self._taxonomy = taxonomy
        self._profile = profile
        self._exists = exists
        self._sparing = sparing
        self._own_texts = own_texts
        self._caption_of = caption_of
        self._spellings: frozenset[Keyword] | None = None
        self._vocabulary = taxonomy.spellings

    def plan(self, examined: Examined, *, accept_emptied: bool = False) -> Planned:
        """The change that brings the photo to what the stages suggest. Raises `Problem`."""
        policy = self._policy(accept_emptied=accept_emptied)

        def made(seen: Snapshot, base: MergeBase | None, proposal: Proposal) -> Change:
            return plan(seen, base, self._ledger.told, proposal, policy)

        return self._of_stages(examined, made)

    def answer(self, examined: Examined, answer: TextAnswer) -> Planned:
        """The change that a person's answer about the photo's texts makes. Raises `Problem`."""
        policy = self._policy()
        held = self._ledger.held_at(examined.photo_id, examined.photo.path)

        def made(seen: Snapshot, base: MergeBase | None, proposal: Proposal) -> Change:
            wanted = said_texts(proposal, self._profile)
            return answer_texts(seen, base, self._ledger.told, wanted, answer, policy, held=held)

        return self._of_stages(examined, made)

    def _of_stages(
        self,
        examined: Examined,
        change_of: Callable[[Snapshot, MergeBase | None, Proposal], Change],
    ) -> Planned:
        """A change that depends on what the stages say of the photo."""
        base, moved_from = self.base(examined.photo_id, examined.photo.path)
        proposal = propose(examined.looks, self._taxonomy, self._profile)
        photo = examined.photo
        caption = examined.facts.image_description if examined.facts is not None else None
        says = bool(said_texts(proposal, self._profile))
        if says and caption is None:
            # Of a pair a person may have described the JPEG alone: that is one of both.
            captions = (self._caption_of(file.path) for file in photo.companions)
            caption = next((each for each in captions if each is not None), None)
        own_texts = says and photo.kind in _UNREAD and self._own_texts(photo.path)

        def made(snapshot: Snapshot) -> Change:
            seen = replace(snapshot, caption=caption, own_texts=own_texts)
            return change_of(seen, base, proposal)

        change, snapshot = self._possible(examined.photo, examined.photo_id, made)
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
        base, moved_from = self.base(photo_id, photo.path)
        policy = self._policy()
        held = frozenset(edit.keyword for _, edit in self._ledger.held(photo.path))

        def made(snapshot: Snapshot) -> Change:
            return person_edit(
                snapshot,
                base,
                self._ledger.told,
                policy,
                add=add,
                remove=remove,
                confirm=confirm,
                refuse=refuse,
                unveto=unveto,
                held=held,
            )

        change, snapshot = self._possible(photo, photo_id, made)
        return Planned(change, snapshot, Proposal(), moved_from)

    def undo(self, receipt: Receipt, *, bytes_kept: bool = True) -> Planned:
        """The change that takes a receipt back. Raises `Problem`.

        `bytes_kept`: whether the backups still have all that it replaced.
        """
        photo, photo_id = receipt.change.photo, receipt.change.photo_id
        base = self._ledger.base(photo_id, photo.path)
        policy = self._policy()

        def made(snapshot: Snapshot) -> Change:
            return undo(receipt, snapshot, base, self._ledger.told, policy, bytes_kept=bytes_kept)

        # What the receipt wrote is put back or refused; nothing of it is spared.
        snapshot = self.snapshot(photo, photo_id, sparing=_nothing_spared)
        return Planned(made(snapshot), snapshot, Proposal())

    def put_back(self, receipt: Receipt) -> Planned:
        """The change that gives a photo's carriers what they held before a receipt, whatever was
        done since. Raises `Problem`."""
        photo, photo_id = receipt.change.photo, receipt.change.photo_id
        snapshot = self.snapshot(photo, photo_id, sparing=_nothing_spared)
        base = self._ledger.base(photo_id, photo.path)
        return Planned(put_back(receipt, snapshot, base), snapshot, Proposal())

    def snapshot(
        self,
        photo: Photo,
        photo_id: PhotoId,
        *,
        refused: Mapping[Path, Spared] | None = None,
        sparing: Sparing | None = None,
    ) -> Snapshot:
        """What the photo's carriers hold now. Raises `Problem`: then nothing may be written.

        An image file that must not be written into is read like other programs' sidecars, and
        the snapshot's photo names it among the `spared`. `refused` names more of them.
        """
        states: list[CarrierState] = []
        elsewhere: list[CarrierState] = []
        spared: list[Spared] = []
        for carrier in photo.carriers:
            if carrier.kind is CarrierKind.SIDECAR:
                states.append(self._state(photo, carrier, self.packet(carrier)))
                continue
            state, why = self._image(photo, carrier, sparing or self._sparing)
            why = why or (refused or {}).get(carrier.path)
            if why is None and state is not None:
                states.append(state)
            elif why is not None:
                spared.append(why)
                elsewhere += [state] if state is not None else []
        for path in photo.also_read:
            carrier = Carrier(
                CarrierKind.EMBEDDED if path in photo.images else CarrierKind.SIDECAR, path
            )
            if carrier.kind is CarrierKind.EMBEDDED:
                state, _ = self._image(photo, carrier, _nothing_spared)
                elsewhere += [state] if state is not None else []
            elif (packet := self.packet(carrier)) is not None:
                elsewhere.append(self._state(photo, carrier, packet))
        if spared:
            photo = replace(
                photo,
                carriers=tuple(state.carrier for state in states),
                also_read=(*photo.also_read, *(each.path for each in spared)),
                spared=(*photo.spared, *spared),
            )
        return Snapshot(photo, photo_id, tuple(states), tuple(elsewhere))

    def _image(
        self, photo: Photo, carrier: Carrier, sparing: Sparing
    ) -> tuple[CarrierState | None, Spared | None]:
        """What an image file holds, and why it is spared. Raises `FileUnreadable` and the like."""
        try:
            packet = self.packet(carrier)
            if packet is None:
                return None, Spared(carrier.path, "no-container", "it holds no packet")
            return self._state(photo, carrier, packet), sparing(carrier, packet)
        except PacketRefused as refusal:
            return None, _refused(carrier, refusal)

    def _possible(
        self, photo: Photo, photo_id: PhotoId, made: Callable[[Snapshot], Change]
    ) -> tuple[Change, Snapshot]:
        """The change, without the image files of which the edit shows that it cannot be done."""
        refused: dict[Path, Spared] = {}
        while True:
            snapshot = self.snapshot(photo, photo_id, refused=refused)
            change = made(snapshot)
            before = len(refused)
            for write in change.writes:
                why = self._cannot(write)
                if why is not None:
                    refused[why.path] = why
            if len(refused) == before:
                return change, snapshot

    def _cannot(self, write: CarrierWrite) -> Spared | None:
        if write.carrier.kind is CarrierKind.SIDECAR or write.edit is None:
            return None
        try:
            packet = self.packet(write.carrier)
            if packet is not None:
                self._codec.edit(packet, write.edit, write.carrier.path)
        except PacketRefused as refusal:
            return _refused(write.carrier, refusal)
        return None

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

    def _state(self, photo: Photo, carrier: Carrier, packet: bytes | None) -> CarrierState:
        if packet is None:
            return CarrierState(carrier, ABSENT, KeywordFields(), None)
        reading = self._codec.read(packet, carrier.path)
        own = photo.path.suffix.lstrip(".").upper()
        of_raw = photo.kind is FileKind.RAW and carrier == photo.carriers[0]
        if of_raw and reading.sidecar_for not in (None, own):
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
            reading.texts,
        )

    def _policy(self, *, accept_emptied: bool = False) -> Policy:
        if self._spellings is None:
            # The left side of a union keeps its spelling: the library's before the taxonomy's.
            self._spellings = self._ledger.keywords() | self._vocabulary
        return Policy(
            profile=self._profile,
            mark=self._clock.fresh("w"),
            at=self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            unlisted=self._taxonomy.unlisted,
            spellings=self._spellings,
            vocabulary=self._vocabulary,
            accept_emptied=accept_emptied,
        )


def _refused(carrier: Carrier, refusal: PacketRefused) -> Spared:
    return Spared(carrier.path, refusal.reason, str(refusal.fields["detail"]))
