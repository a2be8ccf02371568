"""Words as models, people and folder names spell them: one key for all spellings of one word.

Nothing here cuts endings off a word it does not know. A stemmer turns "luxurious" into
"luxuriou"; we only ever build the plural of a word that the taxonomy holds, and look it up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "_": " ",
        "-": " ",
        "\u2010": " ",
        "\u2011": " ",
        "\u2013": " ",
        "'": None,
        "\u2019": None,
        "\u02bc": None,
    }
)
_PLAIN = str.maketrans({"_": " ", "-": " ", "'": None})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@lru_cache(maxsize=1 << 14)
def word_key(text: str) -> str:
    """Return what all spellings of a word or phrase share.

    Case, accents, apostrophes and the choice between blank, hyphen and underscore make no
    difference: `No-Trespassing`, `no_trespassing`; `hôpital`, `Hopital`; `child's`, `childs`.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_PLAIN).split())
    lowered = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char)
    )
    return " ".join(bare.split())


def word_keys(text: str) -> tuple[str, ...]:
    """Return the keys under which `text` is found: a German umlaut is also written out."""
    key = word_key(text)
    if text.isascii():
        return (key,)
    written_out = unicodedata.normalize("NFKC", text).casefold().translate(_UMLAUTS)
    spelled = word_key(written_out)
    return (key,) if spelled == key else (key, spelled)


def plural_key(key: str, lexicon: Mapping[str, str]) -> str | None:
    """Return the English plural of a word key; None where it has none.

    Only the last word changes. `lexicon` holds irregular words (`shelf`: `shelves`) and, as
    their own plural, those that have none (`glass`: `glass`, because "glasses" are spectacles).
    A word in a single `s` is taken for a plural already.
    """
    head, _, last = key.rpartition(" ")
    known = lexicon.get(last)
    if known is not None:
        if known == last:
            return None
        plural = known
    elif last.endswith(("ss", "x", "ch", "sh")):
        plural = last + "es"
    elif last.endswith("s") or not last[-1:].isalpha():
        return None
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        plural = last[:-1] + "ies"
    else:
        plural = last + "s"
    return f"{head} {plural}" if head else plural
