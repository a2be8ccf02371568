"""What a container (JPEG, TIFF, DNG) says about a file, and what is to be done to its bytes.

A container never writes and never sees a path. It looks at a `Source` and describes it as a
`Layout`; from that it makes `Splice`s, which `rewrite` carries out.

A source is an image file, or an envelope (`envelope.py`): the few parts of the file that
`layout` looked at, kept for planning and for undo. So a container must be able to make the same
layout from those parts alone. What it looks at with `Source.at` becomes part of the envelope, and
so of the carrier's fingerprint: which bytes those are must not change from one version of urbexmp
to the next, and they must be few. What is only checked, and is large (strip offsets, ExtendedXMP),
is looked at with `Source.glance`; of that only the verdict is kept: `Layout.refusal` and
`Layout.signed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

IptcState = Literal["none", "matches", "missing", "differs"]
"""What the Photoshop digest says about the IPTC block (XMP.md R31): there is no block; the digest
fits it (the packet wins); there is no digest (the block fills gaps); it does not fit (the block
wins)."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes put in place of others. With `remove == len(insert)` nothing behind them moves."""

    offset: int
    """In the file as it stands. A list of splices is ascending and does not overlap."""
    remove: int
    insert: bytes

    @property
    def end(self) -> int:
        """Offset behind the bytes that go."""
        return self.offset + self.remove

    @property
    def growth(self) -> int:
        """By how much everything behind it moves."""
        return len(self.insert) - self.remove


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file must not be written into."""

    reason: str
    """Stable word: `two-packets`, `xmp-after-frame`, `broken-segments`, `extended-keywords`,
    `packet-too-large`, `iptc-newer`, `signed`, `broken-offsets`, ..."""
    detail: str
    """Fits into `cannot be edited safely (...)`."""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """One image file, as far as its packet is concerned."""

    size: int
    """Of the file in bytes."""
    packet: bytes | None
    """The packet as it stands, padding included; None: there is none."""
    refusal: Refusal | None = None
    """Why it must not be written into, whatever the profile says. It may still be read."""
    signed: bool = False
    """Whether it carries Content Credentials, which any write makes invalid (R36)."""
    iptc_keywords: tuple[str, ...] = ()
    """IIM 2:25, decoded."""
    iptc_caption: str | None = None
    """IIM 2:120, decoded; None for a blank."""
    iptc_state: IptcState = "none"
    iptc_writable: bool = False
    """Whether 2:25 can be set: there is a block, in UTF-8, in one piece."""
    notes: tuple[str, ...] = ()
    """What a person should know, one sentence each."""
    private: object = None
    """What the container itself needs to make splices."""


class Source(Protocol):
    """An image file or an envelope of one."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        ...

    def at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, which become part of the envelope; fewer at the end of the file.

        Raises `FileUnreadable`, and `InternalProblem` for bytes that an envelope does not hold.
        """
        ...

    def view(self, offset: int, length: int) -> bytes:
        """The same without keeping them. An envelope puts zeros for what it does not hold."""
        ...

    def keep(self, offset: int, length: int) -> None:
        """Make bytes part of the envelope."""
        ...

    def glance(self, offset: int, length: int) -> bytes | None:
        """Bytes for a check only. None: this is an envelope, and the check was made."""
        ...


class Container(Protocol):
    """One file format. Keeps no state."""

    @property
    def name(self) -> str:
        """As an envelope names it: `jpeg`, `tiff`."""
        ...

    @property
    def begins(self) -> tuple[bytes, ...]:
        """First bytes of files of this format."""
        ...

    def usual(self, head: bytes, size: int) -> bytes | int:
        """The envelope of a file of `size` bytes that begins with `head`, where that tells all:
        the same bytes that are sealed of its layout, or none.

        A number: how many bytes `head` needs at least, so that one may be made. 0: it is not one
        of those files.
        """
        ...

    def layout(self, source: Source, subject: Path) -> Layout:
        """Look at headers and the packet. Raises `PacketRefused` where even that is impossible."""
        ...

    def pad(self, layout: Layout, packet: bytes, words: tuple[str, ...] | None) -> bytes:
        """The packet with blanks before its trailer added or taken: so that it fits the old place
        where possible, else with fresh padding."""
        ...

    def splices(
        self, layout: Layout, packet: bytes, words: tuple[str, ...] | None, subject: Path
    ) -> tuple[Splice, ...]:
        """What puts `packet` (already padded) into the file.

        `words`: what IIM 2:25 will hold, and the digest will be made to fit; None leaves both.
        Where `Layout.iptc_writable` is False, words only make the digest fit the block as it
        stands. Raises `PacketRefused` (`packet-too-large`, ...).
        """
        ...

    def towards(self, now: Source, target: Source, subject: Path) -> tuple[Splice, ...]:
        """What turns the file that `now` describes into the one that `target` (an envelope)
        describes; both are the same file before and after a write of ours, in either order.

        Raises `PacketRefused` (`not-the-same-file`).
        """
        ...

    def check(self, before: Source, after: Source, splices: tuple[Splice, ...]) -> str | None:
        """After a rewrite, before it takes effect: what is wrong with it, None when nothing is.

        For what lies outside the splices and yet depends on them, as the targets of offsets.
        """
        ...
