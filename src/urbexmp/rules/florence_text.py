"""What Florence-2 writes, taken apart: captions, labels with boxes, lines read. Pure.

The model writes tokens: pieces of words, and `<loc_0>`..`<loc_999>` for places, thousandths of
the picture's width and height in turn. An answer is text followed by its places:

    window<loc_52><loc_332><loc_932><loc_774><loc_10>...     boxes, four numbers each
    NO ENTRY<loc_1><loc_2><loc_3>...                          quadrangles, eight numbers each

It is read token by token, not as one text: lettering may hold `<` itself, and each word must find
back to the probabilities of its tokens. Letters outside ASCII stay as they are.

Scores are the mean probability (geometric) of the tokens of a span, given all before them. They
order one model's statements; they are not calibrated.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Region = tuple[float, float, float, float]

BINS = 1000
"""Places a side: `<loc_0>` to `<loc_999>`."""

MOST_OF_ONE = 20
"""Boxes of one label that are kept. More are a model that goes round in circles."""

_PLACE = re.compile(r"<loc_(\d{1,3})>")
_MARK = re.compile(r"</?[a-z_]+>|<s>|</s>")
_END = "</s>"

_ROUND_AGAIN = 4
"""Times that a run of tokens follows itself before it counts as a loop."""
_LONGEST_LOOP = 24
"""Tokens."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a model wrote for one task."""

    tokens: tuple[str, ...]
    """As the vocabulary spells them, marks included (byte-level pieces: `Ġwindow`); without the
    mark that sets the decoder off."""
    logs: tuple[float, ...] | None = None
    """Natural logarithm of each token's probability; None where the model gives none."""

    @property
    def ended(self) -> bool:
        """Whether the model came to an end by itself, and was not cut off."""
        return _END in self.tokens


@dataclass(frozen=True, slots=True)
class Words:
    """A text, and for each of its characters the token that it came from."""

    text: str
    origin: tuple[int, ...]

    def strip(self) -> Words:
        """Without blanks at its ends."""
        left = len(self.text) - len(self.text.lstrip())
        return self.cut(left, len(self.text.rstrip()))

    def cut(self, start: int, end: int) -> Words:
        """Characters from `start` to `end`."""
        return Words(self.text[start:end], self.origin[start:end])


@dataclass(frozen=True, slots=True)
class Entry:
    """A label, or a line read, and where."""

    words: Words
    regions: tuple[Region, ...]


def _byte_letters() -> dict[str, int]:
    """The letters by which byte-level vocabularies spell bytes.

    Bytes that print stand for themselves; the others, in their order, are letters from U+0100
    (Radford et al., 2019, the encoder of GPT-2, which BART and Florence-2 use).
    """
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(byte): byte for byte in printing}
    others = (byte for byte in range(256) if byte not in printing)
    return letters | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_letters()


def without_loops(said: Said) -> Said:
    """Cut what is said over and over to one time, with all that follows: it is no news.

    A run of places alone is no loop: the corners of a box may well be alike.
    """
    tokens = said.tokens
    for start in range(len(tokens)):
        for length in range(1, min(_LONGEST_LOOP, (len(tokens) - start) // _ROUND_AGAIN) + 1):
            run = tokens[start : start + length]
            end = start + length * _ROUND_AGAIN
            if tokens[start:end] != run * _ROUND_AGAIN:
                continue
            if all(_PLACE.fullmatch(token) for token in run):
                continue
            kept = start + length
            logs = None if said.logs is None else said.logs[:kept]
            # It is an end of its own: what is kept is whole.
            return Said((*tokens[:kept], _END), None if logs is None else (*logs, 0.0))
    return said


def read_caption(said: Said) -> Words:
    """The sentences. Of an answer that was cut off, up to the last full stop or whole word."""
    looped = without_loops(said)
    words = _join(item for item in _items(looped) if isinstance(item, Words)).strip()
    if looped.ended or not words.text:
        return words
    stop = max(words.text.rfind(mark) for mark in (". ", "! ", "? "))
    if stop > 0:
        return words.cut(0, stop + 1)
    if words.text.endswith((".", "!", "?")):
        return words
    return words.cut(0, max(0, words.text.rfind(" "))).strip()


def read_entries(said: Said, corners: int) -> tuple[Entry, ...]:
    """Labels with their boxes: of 2 `corners` (left top, right bottom), or 4 (a quadrangle).

    `corners` 0 takes all numbers of a label as one polygon. A box without a label, a label
    without a box, a box without area, and numbers that are left over are dropped, and so is the
    second time that the same is said.
    """
    entries: list[Entry] = []
    known: set[tuple[str, Region]] = set()
    count: dict[str, int] = {}
    for words, places in _labelled(_items(without_loops(said))):
        label = words.strip()
        regions: list[Region] = []
        for region in _regions(places, corners):
            key = (label.text.casefold(), region)
            if key in known or count.get(key[0], 0) >= MOST_OF_ONE:
                continue
            known.add(key)
            count[key[0]] = count.get(key[0], 0) + 1
            regions.append(region)
        if label.text and regions:
            entries.append(Entry(label, tuple(regions)))
    return tuple(entries)


def probability(words: Words, said: Said) -> float | None:
    """Mean probability of the tokens of `words`; None where the model gave none."""
    origins = set(words.origin)
    if said.logs is None or not origins:
        return None
    mean = sum(said.logs[place] for place in origins) / len(origins)
    return round(min(1.0, math.exp(mean)), 4) if math.isfinite(mean) else 0.0


def _items(said: Said) -> Iterator[Words | int]:
    """Runs of text, and places between them; marks of the model are left out."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text: list[str] = []
    origin: list[int] = []

    def spell(pieces: str, token: int) -> None:
        # A letter may be spelled by several tokens; it belongs to the one that completes it.
        # Bytes that are no letters, and control characters, have no place in a caption.
        shown = "".join(" " if one.isspace() else one for one in pieces if _shows(one))
        text.append(shown)
        origin.extend([token] * len(shown))

    def flush(token: int) -> Iterator[Words]:
        spell(decoder.decode(b"", final=True), token)
        if any(text):
            yield Words("".join(text), tuple(origin))
        decoder.reset()
        text.clear()
        origin.clear()

    for index, token in enumerate(said.tokens):
        place = _PLACE.fullmatch(token)
        if place:
            yield from flush(max(0, index - 1))
            yield int(place[1])
        elif _MARK.fullmatch(token):
            if token == _END:
                break
        else:
            spell(decoder.decode(bytes(_spelled(token))), index)
    yield from flush(max(0, len(said.tokens) - 1))


def _shows(letter: str) -> bool:
    return letter.isspace() or (letter.isprintable() and letter != "\ufffd")


def _spelled(token: str) -> Iterator[int]:
    for letter in token:
        known = _BYTES.get(letter)
        if known is None:
            yield from letter.encode()
        else:
            yield known


def _join(parts: Iterable[Words]) -> Words:
    found = list(parts)
    origin = tuple(one for part in found for one in part.origin)
    return Words("".join(part.text for part in found), origin)


def _labelled(items: Iterable[Words | int]) -> Iterator[tuple[Words, tuple[int, ...]]]:
    words = Words("", ())
    places: list[int] = []
    for item in items:
        if isinstance(item, int):
            places.append(item)
            continue
        if places:
            yield words, tuple(places)
            places = []
            words = item
        else:
            words = _join((words, item))
    yield words, tuple(places)


def _regions(places: Sequence[int], corners: int) -> Iterator[Region]:
    step = 2 * corners if corners else len(places) - len(places) % 2
    if step < 4:
        return
    for start in range(0, len(places) - step + 1, step):
        across = places[start : start + step : 2]
        down = places[start + 1 : start + step : 2]
        left, right, top, bottom = min(across), max(across), min(down), max(down)
        if left < right and top < bottom:
            yield _share(left), _share(top), _share(right), _share(bottom)


def _share(place: int) -> float:
    """The middle of a bin, as the model's own reader takes it."""
    return round((place + 0.5) / BINS, 4)
