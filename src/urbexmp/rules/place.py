"""What the name of a place says, and what a `location.toml` may say. Pure; no file is read here.

Folder names are written by people for themselves, so a wrong guess is worse than none. A sort of
place is recognised only as a whole phrase, and only where the name's head stands: at its end
(Buffalo State Hospital), before a preposition (Hospital of St John), at the end of a compound
(Porzellanfabrik), or in front where the language puts it there and the taxonomy says so (Hotel
Astoria). `Hospital Road cafe` is a café; `Near the hospital` and `Church Street` are nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.keyword import SEPARATOR, Keyword, name_fault
from urbexmp.model.observation import Context, Observation, ObservationKind
from urbexmp.rules.spelling import word_key
from urbexmp.rules.stage_ids import PLACE_KEYWORD
from urbexmp.rules.terms import Taxonomy
from urbexmp.rules.when import OF_A_PLACE

TOLD = 1.0
"""Score of what `location.toml` says outright."""
NAMED = 0.95
"""Score of what the place's name in `location.toml` says."""
FOLDER_SCORES = (0.9, 0.75, 0.6)
"""Score of a folder name by its distance from the photo; those further up get the last."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTS = re.compile(r"\s+[-–—]+\s+|[,;:/()\[\]{}&+|#]+|\.(?=\s|$)")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])")
_NUMBER = re.compile(r"(?:\d+[a-z]?|[ivx]+|no|nr|part|teil)$")
_LETTER = re.compile(r"[b-eg-z]$")  # Power Station B
_PREPOSITIONS = _words(
    "of in at near by on from to for with without behind beside opposite next before after above"
    " below under inside outside around between past via am im an bei von vom zu zum zur der"
    " hinter neben de du des di da del della dei w we na przy van het te"
)
_STREETS = _words(
    "road street lane avenue way drive close crescent hill park gardens square grove walk trip"
    " tour visit day party view trail bay creek town city wood woods farm green common field"
    " strasse weg gasse platz allee straat laan"
)
"""Words after which a sort of place in front is only part of an address or an outing."""
_STREETS_FIRST = _words("rue via calle ulica ul avenue place piazza rua ruta route")


@dataclass(frozen=True, slots=True)
class Location:
    """What one `location.toml` says. None: it does not say."""

    name: str | None = None
    type: str | None = None
    era: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    when: str | None = None
    """When `vlm` and its like look at photos of this place; None: as the profile says."""
    keywords: tuple[str, ...] = ()


def read_location(
    values: Mapping[str, Any], line_of: Callable[..., int], subject: object
) -> Location:
    """Check the values of one `location.toml`. Raises `ConfigProblem` with every mistake."""
    known = [one.name for one in fields(Location)]
    mistakes: list[str] = []
    for key in values:
        if key not in known:
            mistakes.append(f"line {line_of(key)}: unknown key `{key}`{_hint(key, known)}")
    texts: dict[str, str | None] = {}
    for key in known[:-1]:
        found = values.get(key)
        if found is not None and (not isinstance(found, str) or not found.strip()):
            mistakes.append(f"line {line_of(key)}: `{key}` must be a text, found {found!r}")
        else:
            texts[key] = found.strip() if found is not None else None
    when = texts.get("when")
    if when is not None and when not in OF_A_PLACE:
        mistakes.append(f"line {line_of('when')}: `when` must be one of {', '.join(OF_A_PLACE)}")
    keywords = values.get("keywords", [])
    if not isinstance(keywords, list) or not all(isinstance(one, str) for one in keywords):
        mistakes.append(f'line {line_of("keywords")}: `keywords` must be a list, ["A|B", "C"]')
        keywords = []
    for path in keywords:
        for name in path.split(SEPARATOR):
            fault = name_fault(name)
            if fault:
                said = f"keyword {path!r}: {name!r} {fault}"
                mistakes.append(f"line {line_of('keywords')}: {said}: Lightroom would not take it")
    if mistakes:
        raise ConfigProblem(subject, tuple(mistakes))
    return Location(**texts, keywords=tuple(dict.fromkeys(keywords)))


def merge_locations(locations: Sequence[Location]) -> Location:
    """Merge down a folder tree, from the root to the photo: the nearest that says something wins.

    Keywords add up: those of the folders above hold for what is in them, too.
    """
    merged: dict[str, Any] = {}
    keywords: list[str] = []
    for location in locations:
        for one in fields(Location):
            found = getattr(location, one.name)
            if one.name == "keywords":
                keywords += found
            elif found is not None:
                merged[one.name] = found
    return Location(**merged, keywords=tuple(dict.fromkeys(keywords)))


def unknown_type(location: Location, taxonomy: Taxonomy) -> str | None:
    """Say what is odd about the type of a place that no term knows, or return None."""
    if location.type is None or taxonomy.place(location.type):
        return None
    near = taxonomy.near(location.type, limit=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"no term of the taxonomy is a place called {location.type!r}{hint}"


def places_in(name: str, taxonomy: Taxonomy) -> tuple[tuple[str, Keyword], ...]:
    """Return the sorts of places that `name` (of a folder, of a place) speaks of.

    Pairs of the taxonomy's own word that was found and its term, in the order of the name.
    """
    found: dict[Keyword, str] = {}
    for part in _PARTS.split(_CAMEL.sub(" ", name.replace("_", " "))):
        matched = _place_in_part(part, taxonomy)
        if matched:
            found.setdefault(matched[1], matched[0])
    return tuple((words, keyword) for keyword, words in found.items())


def place_observations(context: Context, taxonomy: Taxonomy) -> tuple[Observation, ...]:
    """Return what the context of a photo says, as observations.

    Cities, states and countries never become keywords: only a person knows which they want.
    """
    label = ObservationKind.LABEL
    said: list[Observation] = []
    for path in context.keywords:
        said.append(Observation(label, path, TOLD, source=PLACE_KEYWORD))
    if context.place_type:
        said.append(Observation(label, context.place_type, TOLD, source="location.toml type"))
    if context.name:
        for words, _ in places_in(context.name, taxonomy):
            source = f"location.toml name {context.name!r}"
            said.append(Observation(label, words, NAMED, source=source))
    if context.sublocation and context.sublocation != context.name:
        for words, _ in places_in(context.sublocation, taxonomy):
            source = f"location in the metadata {context.sublocation!r}"
            said.append(Observation(label, words, NAMED, source=source))
    if context.era:
        era = ObservationKind.MEASURE
        said.append(Observation(era, "era", value=context.era, source="location.toml era"))
        if taxonomy.lookup(context.era):
            said.append(Observation(label, context.era, TOLD, source="location.toml era"))
    for distance, folder in enumerate(reversed(context.folders)):
        score = FOLDER_SCORES[min(distance, len(FOLDER_SCORES) - 1)]
        for words, _ in places_in(folder, taxonomy):
            said.append(Observation(label, words, score, source=f"folder name {folder!r}"))
    return tuple(said)


def _place_in_part(part: str, taxonomy: Taxonomy) -> tuple[str, Keyword] | None:
    tokens = word_key(part).split()
    while len(tokens) > 1 and (_NUMBER.match(tokens[-1]) or _LETTER.match(tokens[-1])):
        tokens.pop()
    while tokens and _NUMBER.match(tokens[0]):
        tokens.pop(0)
    if not tokens or tokens[0] in _STREETS_FIRST:
        return None
    words = taxonomy.place_words
    # Phrases that hold a preposition themselves ("palais de justice") come before the cut.
    for size in range(len(tokens), 0, -1):
        opening = " ".join(tokens[:size])
        if size > 1 and opening in words.last and _preposition(tokens[:size]):
            return opening, words.last[opening]
    cut = next((n for n, token in enumerate(tokens) if token in _PREPOSITIONS), len(tokens))
    head = tokens[:cut]
    if not head:
        return None
    for size in range(len(head), 0, -1):
        closing = " ".join(head[-size:])
        if closing in words.last:
            return closing, words.last[closing]
    compound = _compound(head[-1], words.ending)
    if compound:
        return compound
    if tokens[-1] not in _STREETS:
        for size in range(len(tokens) - 1, 0, -1):
            opening = " ".join(tokens[:size])
            if opening in words.first:
                return opening, words.first[opening]
    return None


def _preposition(tokens: Sequence[str]) -> bool:
    return any(token in _PREPOSITIONS for token in tokens)


def _compound(word: str, endings: Mapping[str, Keyword]) -> tuple[str, Keyword] | None:
    """The term of the longest ending of a compound; something must stand before it."""
    for start in range(3, len(word) - 2):
        if word[start:] in endings:
            return word[start:], endings[word[start:]]
    return None


def _hint(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # only needed once something is wrong

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean `{near[0]}`?)" if near else ""
