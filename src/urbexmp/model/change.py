"""Decisions as data: edits, changes, receipts. Nothing here carries itself out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, Carrier, Fingerprint, Photo, PhotoId
from urbexmp.model.proposal import Reason
from urbexmp.model.report import (
    RunRecord as RunRecord,
)  # its home: reports are made without changes
from urbexmp.model.text import TextBase, TextChange, TextEdit

NOTHING: frozenset[Keyword] = frozenset()


@dataclass(frozen=True, slots=True)
class MergeBase:
    """What was last agreed about one photo: the ancestor of the three-way merge."""

    agreed: frozenset[Keyword] = NOTHING
    """All keywords, a person's and ours, after our last apply."""
    written: Mapping[str, frozenset[Keyword]] = field(default_factory=lambda: MappingProxyType({}))
    """Ours, by the profile that wrote them."""
    vetoed: frozenset[Keyword] = NOTHING
    """Ours, taken away or refused by a person: never written again."""
    missing: frozenset[Keyword] = NOTHING
    """Agreed once, gone for an unknown reason."""
    restored: frozenset[Keyword] = NOTHING
    """Put back once after they went missing; the next time a person is asked."""
    unseen: frozenset[Keyword] = NOTHING
    """Missing ones of ours that went away together with our block, as when an older packet is
    saved: put back once, when they are suggested."""
    flats: frozenset[str] = frozenset()
    """Words of `dc:subject` that we added."""
    mark: str = ""
    """Name of our last write: a packet whose block carries another was saved from an older one."""
    beside: Mapping[str, frozenset[Keyword]] = field(default_factory=lambda: MappingProxyType({}))
    """What stood in each place that we only read, by file name; what is no longer there a person
    took out."""
    texts: Mapping[str, TextBase] = field(default_factory=lambda: MappingProxyType({}))
    """What was agreed about each text, by the value of its `TextField`."""

    _digest: str = field(default="", init=False, repr=False, compare=False)
    """Worked out when it is first asked for."""

    @property
    def ours(self) -> frozenset[Keyword]:
        """Keywords that any profile wrote."""
        return NOTHING.union(*self.written.values())

    @property
    def digest(self) -> str:
        """Hex digest: a saved plan names the base it was made from by this."""
        if not self._digest:
            object.__setattr__(self, "_digest", self._digested())
        return self._digest

    def _digested(self) -> str:
        def spelled(keywords: frozenset[Keyword]) -> list[str]:
            return sorted("|".join(keyword.key) for keyword in keywords)

        beside = {name: spelled(found) for name, found in sorted(self.beside.items())}
        texts = {
            name: [
                each.written,
                each.vetoed,
                sorted(each.places),
                # Only where it is: bases from before it was known stay the same.
                *(["kept"] if each.kept else []),
            ]
            for name, each in sorted(self.texts.items())
        }
        text = json.dumps(
            {
                # Only where there is such a place: bases from before it was known stay the same.
                **({"beside": beside} if beside else {}),
                **({"texts": texts} if texts else {}),
                "agreed": spelled(self.agreed),
                "written": {
                    name: spelled(mine) for name, mine in sorted(self.written.items()) if mine
                },
                "vetoed": spelled(self.vetoed),
                "missing": spelled(self.missing),
                "restored": spelled(self.restored),
                "unseen": spelled(self.unseen),
                "flats": sorted(self.flats),
                "mark": self.mark,
            },
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).hexdigest()


class EditKind(Enum):
    """The two things that can be done to a keyword."""

    ADD = "add"
    REMOVE = "remove"


class Author(Enum):
    """Who wants an edit."""

    MODEL = "model"
    PERSON = "person"
    RESTORE = "restore"
    """Put back: it went away together with our block, as when an older packet was saved."""
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Edit:
    """Add or remove one keyword of one photo."""

    kind: EditKind
    keyword: Keyword
    author: Author = Author.MODEL
    confidence: float | None = None
    reasons: tuple[Reason, ...] = ()
    again: bool = False
    """It was agreed before and went missing; a person should say whether it returns."""
    hold: str | None = None
    """Why a person is asked first; None: may be carried out."""


@dataclass(frozen=True, slots=True)
class PacketEdit:
    """What the editor does to one packet, item by item, and all that it may do."""

    flat_add: tuple[str, ...] = ()
    """Items to append to `dc:subject`, in this order; none of them stands there yet."""
    flat_remove: tuple[str, ...] = ()
    """Items to take out of `dc:subject`, every occurrence, spelled as in the file."""
    hierarchical_add: tuple[str, ...] = ()
    """Items `A|B|C` to append to `lr:hierarchicalSubject`."""
    hierarchical_remove: tuple[str, ...] = ()
    block: Block | None = None
    """Our block as it will be; None leaves it as it stands."""
    metadata_date: str | None = None
    """New value of `xmp:MetadataDate` where the packet has one; None leaves it. ISO 8601."""
    sidecar_for: str | None = None
    """For a packet that does not exist yet: `photoshop:SidecarForExtension`, `CR3`."""
    texts: tuple[TextEdit, ...] = ()
    """Texts to set, each field once."""

    @property
    def empty(self) -> bool:
        """Whether no keyword item, text or block changes (a date alone is no reason to write)."""
        return not (
            self.flat_add
            or self.flat_remove
            or self.hierarchical_add
            or self.hierarchical_remove
            or self.texts
            or self.block is not None
        )


@dataclass(frozen=True, slots=True)
class CarrierWrite:
    """What will be done to one carrier: an edit, or the return of backed-up bytes."""

    carrier: Carrier
    assumes: Fingerprint
    """The version that this was planned for; any other version is refused."""
    edit: PacketEdit | None = None
    restore: Fingerprint | None = None
    """Fingerprint of the bytes to put back from the backups; `ABSENT` removes the sidecar."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that is to be done about one photo, and everything it was decided from."""

    photo: Photo
    photo_id: PhotoId
    profile: str
    base: MergeBase
    """The merge base that the decision was made from."""
    after: MergeBase
    """The merge base once the change is carried out."""
    edits: tuple[Edit, ...] = ()
    """Carried out together."""
    held: tuple[Edit, ...] = ()
    """Waiting for a person; not part of `writes`."""
    keeps: tuple[Keyword, ...] = ()
    """Keywords that stand in the photo and stay."""
    writes: tuple[CarrierWrite, ...] = ()
    """Empty when nothing has to be written; the base may change all the same."""
    mark: str = ""
    """Name of this write; our block carries it."""
    learned: tuple[Keyword, ...] = ()
    """Vetoes learned from what a person took away since the last write."""
    notes: tuple[str, ...] = ()
    """What a person should know, one sentence each."""
    texts: tuple[TextChange, ...] = ()
    """Texts that are set, and those that would be and wait for a person."""

    @property
    def waits(self) -> bool:
        """Whether something of it waits for a person."""
        return bool(self.held) or any(text.hold is not None for text in self.texts)

    @property
    def is_noop(self) -> bool:
        """Whether nothing is written and nothing was learned."""
        return not self.writes and self.base.digest == self.after.digest


@dataclass(frozen=True, slots=True)
class CarrierReceipt:
    """What was done to one carrier."""

    carrier: Carrier
    before: Fingerprint
    after: Fingerprint


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record of one change that was carried out."""

    run: str
    at: str
    """ISO 8601, UTC."""
    change: Change
    carriers: tuple[CarrierReceipt, ...]
