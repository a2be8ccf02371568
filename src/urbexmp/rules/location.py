"""What is known of a place: where each word of it comes from, and what may be added. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from urbexmp.model.observation import CaptureFacts
from urbexmp.rules.place import Location, places_in
from urbexmp.rules.terms import Taxonomy
from urbexmp.rules.when import OF_A_PLACE

KEYS = ("name", "type", "era", "city", "county", "state", "country", "when", "keywords")
"""Keys of a `location.toml`, in the order in which they are shown."""

AGREEING = 2 / 3
"""Share of the photos that say something which must say the same, before it is suggested."""

_DATE = re.compile(r"^\W*(?:19|20)\d\d(?:[-_. ]?[01]\d(?:[-_. ]?[0-3]\d)?)?[-_. ]*(?=\D|$)")


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that is known of a place."""

    key: str
    value: str
    origin: str
    """`location.toml`'s path, or `folder name '...'`."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """One thing that could be written into a `location.toml`."""

    key: str
    value: str
    reason: str


def known_of(
    files: Sequence[tuple[str, Location]], folders: Sequence[str], taxonomy: Taxonomy
) -> tuple[Known, ...]:
    """What `files` (from the root down, each with its path) and folder names say.

    The nearest file that says something wins; keywords add up; every folder name that names a
    sort of place counts.
    """
    found: list[Known] = []
    for key in KEYS[:-1]:
        said = [(path, getattr(location, key)) for path, location in files]
        nearest = next(((path, value) for path, value in reversed(said) if value), None)
        if nearest is not None:
            found.append(Known(key, nearest[1], nearest[0]))
    for path, location in files:
        found += [Known("keywords", keyword, path) for keyword in location.keywords]
    for folder in folders:
        for words, keyword in places_in(folder, taxonomy):
            found.append(Known("type", words, f"folder name {folder!r} ({keyword})"))
    return tuple(found)


def suggested(
    folder: str, facts: Iterable[CaptureFacts], known: Sequence[Known], taxonomy: Taxonomy
) -> tuple[Suggested, ...]:
    """What folder name and photos say that no file says yet. Nothing is guessed from GPS."""
    written = {each.key for each in known if not each.origin.startswith("folder name ")}
    found: list[Suggested] = []
    bare = _DATE.sub("", folder).strip(" -_")
    kinds = places_in(bare, taxonomy)
    if kinds:
        reason = f"folder name {folder!r}"
        found.append(Suggested("type", kinds[0][0], reason))
        found.append(Suggested("name", bare, reason))
    facts = list(facts)
    for key, field in (
        ("name", "sublocation"),
        ("city", "city"),
        ("state", "state"),
        ("country", "country"),
    ):
        said = [value for one in facts if (value := getattr(one, field))]
        if not said:
            continue
        value, times = Counter(said).most_common(1)[0]
        if times >= AGREEING * len(said):
            reason = f"{times} of the {len(facts)} photos looked at say so"
            found.append(Suggested(key, value, reason))
    chosen: dict[str, Suggested] = {}
    for each in found:
        if each.key not in written:
            chosen[each.key] = each  # what a person wrote into photos goes before a folder name
    return tuple(chosen[key] for key in KEYS if key in chosen)


def assigned(text: str) -> tuple[str, str | list[str] | None]:
    """A key and its value, of `KEY=VALUE`; None takes it out. Raises `ValueError`."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals:
        raise ValueError("write KEY=VALUE")
    if key not in KEYS:
        raise ValueError(f"no such key; known are {', '.join(KEYS)}")
    if not value.strip():
        return key, None
    if key == "when" and value.strip() not in OF_A_PLACE:
        raise ValueError(f"when must be one of {', '.join(OF_A_PLACE)}")
    if key == "keywords":
        return key, [part.strip() for part in value.split(",") if part.strip()]
    return key, value.strip()


def edited(
    text: str,
    changes: Mapping[str, str | list[str] | None],
    set_value: Callable[[str, tuple[str, ...], Any], str],
    drop_value: Callable[..., str],
    section: tuple[str, ...] = (),
) -> str:
    """The text of a `location.toml` with `changes` made, and all else as it was; of a
    `locations.toml` those of one section."""
    for key, value in changes.items():
        keys = (*section, key)
        text = drop_value(text, *keys) if value is None else set_value(text, keys, value)
    return text
