"""What the values of a packet say, whichever way they were read."""

from __future__ import annotations

from urbexmp.model.keyword import SEPARATOR, KeywordFields, fold

_MOST = 1 << 16
_WORDS: set[str] = set()
"""Words without a blank around them and without a separator: photos share a few thousand."""
_LEAVES: dict[str, str] = {}
"""Last names of paths without a blank around them."""


def field_notes(fields: KeywordFields) -> tuple[str, ...]:
    """What is odd about the values themselves."""
    flat, paths = fields.flat or (), fields.hierarchical or ()
    if _WORDS.issuperset(flat):
        leaves = [*map(_LEAVES.get, paths)]
        # A path that is not known has None, which is no word either.
        if frozenset(flat).issuperset(leaves) if fields.flat is not None else None not in leaves:
            return ()
    notes = _looked_at(fields)
    if not notes:
        # Other threads read: each reads a set or a name of its own, and only once.
        if len(_WORDS) + len(_LEAVES) > _MOST:
            _WORDS.clear()
            _LEAVES.clear()
        _WORDS.update(flat)
        _LEAVES.update([(path, path.rpartition(SEPARATOR)[2]) for path in paths])
    return notes


def _looked_at(fields: KeywordFields) -> tuple[str, ...]:
    notes: list[str] = []
    flat = fields.flat or ()
    for called, values in (("dc:subject", flat), ("lr:hierarchicalSubject", fields.hierarchical)):
        if values and tuple(map(str.strip, values)) != values:
            notes += [
                f"{called} has an item that begins or ends with a blank: {value!r}"
                for value in values
                if value != value.strip()
            ]
    if SEPARATOR in "".join(flat):
        notes += [
            f"dc:subject has a path where words belong: {value!r}"
            for value in flat
            if SEPARATOR in value
        ]
    if fields.flat is not None and fields.hierarchical:
        words = frozenset(flat)
        missing = [
            path for path in fields.hierarchical if path.rpartition(SEPARATOR)[2] not in words
        ]
        if missing:  # folding is slow, and mostly not needed
            words = frozenset(fold(word) for word in flat)
            missing = [path for path in missing if fold(path.split(SEPARATOR)[-1]) not in words]
        if missing:
            notes.append(
                f"dc:subject lacks the word of {len(missing)} path(s) of lr:hierarchicalSubject,"
                f" the first is {missing[0]!r}"
            )
    return tuple(notes)


def owner_of(sidecar_for: str | None, raw_file: str | None) -> str | None:
    """`photoshop:SidecarForExtension`, else the extension of `crs:RawFileName`."""
    if sidecar_for and sidecar_for.strip():
        return sidecar_for.strip().lstrip(".").upper()
    name = (raw_file or "").strip().replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return suffix.upper() or None if dot and stem else None
