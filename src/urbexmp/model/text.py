"""Single texts of a photo beside its keywords: the description, and the alternative text.

Each is one value in the language `x-default` of a list of languages; what other languages say is
never ours.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from enum import Enum


class TextField(Enum):
    """The texts that a photo can have; the value is the word in the block and in reports."""

    DESCRIPTION = "description"
    """`dc:description`, which Lightroom calls Caption."""
    ALT_TEXT = "altText"
    """`Iptc4xmpCore:AltTextAccessibility` (IPTC 2021.1): what a person who cannot see is told."""


def text_digest(text: str) -> str:
    """What our block keeps of a text that we wrote: 16 hex digits of SHA-256, of its NFC form."""
    whole = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class TextState:
    """What one text of a packet is."""

    field: TextField
    value: str | None
    """The text in `x-default`, else the first in any language; None: there is no text at all."""
    fixed: str = ""
    """Why it cannot be set safely, to stand after the field's name; empty: it can."""
    unknown: bool = False
    """There may be a text in a place that is not read; it counts as a person's."""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Set, or take out, the `x-default` of one text of a packet."""

    field: TextField
    before: str | None
    """What stands there, None for no text; a packet that says something else is refused."""
    after: str | None
    """None takes the text out."""


@dataclass(frozen=True, slots=True)
class TextBase:
    """What was last agreed about one text of a photo."""

    written: str = ""
    """What we wrote last; empty: nothing, or only a block in a packet knows."""
    vetoed: bool = False
    """A person took out what we had written: it is never written again."""
    gone: bool = False
    """It went away, and nobody was seen taking it out: a person is asked before it returns."""
    restored: bool = False
    """Put back once after an older packet was saved over it; the next time a person is asked."""
    places: frozenset[str] = frozenset()
    """Names of the files whose packets we wrote it into."""
    kept: bool = False
    """A person said that what stands there stays, as it is or empty: it is not asked again."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """What becomes of one text of a photo."""

    field: TextField
    before: str | None
    after: str | None
    stage: str = ""
    """Id of the stage that says it; empty for a text that is taken back."""
    hold: str | None = None
    """Why it is not written; None: it is."""
    said: str = ""
    """What the stage says, where `after` is not that."""
    taken: bool = False
    """A person asked for it, over whatever stood there."""


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """What a person says about texts of a photo."""

    take: bool
    """Whether the stage's text is written; else what stands there stays."""
    fields: tuple[TextField, ...] = tuple(TextField)
    named: bool = False
    """The photo itself was named: what does not wait is answered too."""
