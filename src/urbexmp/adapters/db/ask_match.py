"""When a word, a name or a folder is what a term asks for; and terms as full-text expressions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from urbexmp.adapters.db.posting_codes import plain_words, start_code
from urbexmp.model.folding import fold
from urbexmp.rules.query import KeywordTerm, WordTerm


def full_text(words: Sequence[str], *, prefix: bool) -> str:
    """Words as an FTS5 expression: all of them, quoted, so that none is an operator."""
    quoted = [f'"{word}"' for word in words]
    if prefix:
        quoted[-1] += " *"
    return " AND ".join(quoted)


def spans(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Different codes, sorted, as spans of neighbours."""
    if codes and codes[-1] - codes[0] == len(codes) - 1:
        return [(codes[0], codes[-1])]
    found: list[tuple[int, int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def begun_by_two(term: KeywordTerm) -> int | None:
    """The number of the set of all photos with a keyword that begins so; None: there is none."""
    if not term.prefix or not term.below or term.scored or term.vetoed or len(term.names) > 1:
        return None
    begun = fold(term.names[0])
    return start_code(begun) if len(begun) == 2 else None


def text_end(start: str) -> str:
    """The first text behind all that begin with `start`."""
    return start + "\U0010ffff"


def begins(name: str, begun: str, words: Sequence[str]) -> bool:
    """Whether a folded name has a word that begins so; `words` are those of `begun`.

    Several words must all be there, the last one begun. What has no letters begins the name.
    """
    if not words:
        return name.startswith(begun)
    have = plain_words(name)
    whole = words if not begun[-1].isalnum() else words[:-1]
    return all(word in have for word in whole) and (
        len(whole) == len(words) or any(word.startswith(words[-1]) for word in have)
    )


def spelling(column: str | bytes) -> str:
    """The name of a file or folder: a column holds bytes where they are no text."""
    return os.fsdecode(column) if isinstance(column, bytes) else column


def is_word(word: str, term: WordTerm) -> bool:
    """Whether a word is what a term asks for."""
    have, want = fold(word), fold(term.text)
    if not have:
        return False
    if term.starts_open:
        return want in have if term.ends_open else have.endswith(want)
    return have.startswith(want) if term.ends_open else have == want


def name_test(term: WordTerm) -> Callable[[str], bool]:
    """Whether a file has the name that a term asks for, with or without its extension."""
    want = fold(term.text)

    def fits(name: str) -> bool:
        have = fold(name)
        if term.starts_open:
            return want in have if term.ends_open else have.endswith(want) or stem(have)
        return have.startswith(want) if term.ends_open else have == want or stem(have)

    def stem(have: str) -> bool:
        dot = have.rfind(".")
        if not 0 < dot < len(have) - 1:
            return False
        return have[:dot].endswith(want) if term.starts_open else have[:dot] == want

    return fits


def in_folder(path: str, term: WordTerm) -> bool:
    """Whether a folder is the one that a term asks for, or lies below it."""
    if not term.text:
        return True
    whole, wanted = path + "/", term.text if term.ends_open else term.text + "/"
    return wanted in whole if term.starts_open else whole.startswith(wanted)
