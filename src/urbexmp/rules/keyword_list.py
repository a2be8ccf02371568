"""Lightroom's keyword lists, text and CSV: written from a vocabulary, and read back.

Text: one keyword a line, a tab for each level, synonyms as `{name}` one tab deeper, `[name]` for
a keyword that is not exported; UTF-8 without BOM, LF, sorted without regard to case, every path
once. Reading is tolerant where Lightroom and people are not strict: BOMs, UTF-16, cp1252, any
line ends, trailing commas, levels that jump. What had to be guessed is told as a warning.

CSV: the newer list with a header and Y/N columns; the tree stands as tabs in its last column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.rules.terms import Taxonomy

CSV_COLUMNS = (
    "Include On Export",
    "Export Containing Keywords",
    "Export Synonyms",
    "Person Type Keyword",
    "Keyword",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One keyword of a list. The last three flags exist in the CSV form only."""

    keyword: Keyword
    synonyms: tuple[str, ...] = ()
    export: bool = True
    containing: bool = True
    """Keywords above it are exported with it."""
    export_synonyms: bool = True
    person: bool = False


@dataclass(frozen=True, slots=True)
class KeywordList:
    """A keyword list, sorted, every path once and after the one above it."""

    entries: tuple[Listed, ...]
    warnings: tuple[str, ...] = ()
    """What was odd in the file that it was read from, with lines."""


def taxonomy_list(taxonomy: Taxonomy) -> KeywordList:
    """Return a taxonomy as a keyword list."""
    return _sorted(
        Listed(term.keyword, term.synonyms, term.export) for term in taxonomy.terms.values()
    )


def export_text(source: Taxonomy | KeywordList) -> str:
    """Return the text form, for Lightroom's Metadata > Import Keywords."""
    lines: list[str] = []
    for entry in _entries(source):
        indent = "\t" * (len(entry.keyword.path) - 1)
        lines.append(f"{indent}{_marked(entry)}")
        lines += [f"{indent}\t{{{synonym}}}" for synonym in entry.synonyms]
    return "".join(f"{line}\n" for line in lines)


def export_csv(source: Taxonomy | KeywordList) -> str:
    """Return the CSV form, with LF line ends; the flags belong to keywords, synonyms have none."""
    text = io.StringIO()
    text.write(",".join(CSV_COLUMNS) + "\n")
    for entry in _entries(source):
        indent = "\t" * (len(entry.keyword.path) - 1)
        flags = (entry.export, entry.containing, entry.export_synonyms, entry.person)
        told = ",".join("Y" if flag else "N" for flag in flags)
        _row(text, told, f"{indent}{entry.keyword.leaf}")
        for synonym in entry.synonyms:
            _row(text, ",,,", f"{indent}\t{{{synonym}}}")
    return text.getvalue()


def decode_list(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a keyword list file, and a warning where its encoding was guessed."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), ()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        return text, ("the file is not UTF-8; it was read as Windows-1252",)


def import_list(text: str) -> KeywordList:
    """Read a keyword list in either form; the CSV form is known by its header."""
    first = text.lstrip("\ufeff\r\n").split("\n", 1)[0]
    is_csv = first.replace('"', "").strip().lower().startswith(CSV_COLUMNS[0].lower())
    return import_csv(text) if is_csv else import_text(text)


def import_text(text: str) -> KeywordList:
    """Read the text form."""
    lines = _lines(text)
    return _build((number, line, Listed(_ANY)) for number, line in lines)


def import_csv(text: str) -> KeywordList:
    """Read the CSV form."""
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    given: list[tuple[int, str, Listed]] = []
    warnings: list[str] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(field.strip() for field in row):
            continue
        if len(row) < len(CSV_COLUMNS):
            warnings.append(f"line {number}: has {len(row)} columns instead of 5, left out")
            continue
        flags = [_yes(field) for field in row[:4]]
        given.append((number, row[4], Listed(_ANY, (), *flags)))
    read = _build(given)
    return replace(read, warnings=(*warnings, *read.warnings))


_ANY = Keyword(("-",))
"""Stands in an entry until its path is known."""


def _build(given: Iterable[tuple[int, str, Listed]]) -> KeywordList:
    """Turn indented lines into entries. `given`: line number, line, flags."""
    found: dict[Keyword, Listed] = {}
    warnings: list[str] = []
    trail: list[str] = []
    owner: Keyword | None = None
    for number, line, flags in given:
        name = line.strip().rstrip(",;").strip()
        depth = len(line) - len(line.lstrip("\t"))
        if not name:
            continue
        if name.startswith("{") and name.endswith("}"):
            _synonym(name[1:-1].strip(), number, owner, found, warnings)
            continue
        export = flags.export
        if name.startswith("[") and name.endswith("]"):
            name, export = name[1:-1].strip(), False
        if name.startswith("~"):
            warnings.append(f"line {number}: {name!r} begins with ~, taken as part of the name")
        fault = name_fault(name)
        if fault:
            warnings.append(f"line {number}: {name!r} {fault}, left out")
            owner = None
            continue
        if depth > len(trail):
            warnings.append(f"line {number}: {name!r} is {depth} levels deep, {len(trail)} used")
        trail = [*trail[:depth], name]
        owner = Keyword(tuple(trail))
        known = found.get(owner)
        if known is not None:
            warnings.append(f"line {number}: {owner} stands a second time")
            trail = list(known.keyword.path)
        else:
            found[owner] = replace(flags, keyword=owner, export=export)
    return replace(_sorted(found.values()), warnings=tuple(warnings))


def _synonym(
    name: str,
    number: int,
    owner: Keyword | None,
    found: dict[Keyword, Listed],
    warnings: list[str],
) -> None:
    fault = name_fault(name)
    if fault:
        warnings.append(f"line {number}: synonym {name!r} {fault}, left out")
    elif owner is None:
        warnings.append(f"line {number}: synonym {name!r} belongs to no keyword, left out")
    elif name not in found[owner].synonyms:
        entry = found[owner]
        found[owner] = replace(entry, synonyms=(*entry.synonyms, name))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    plain = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return ((number, line) for number, line in enumerate(plain.split("\n"), 1) if line.strip())


def _sorted(entries: Iterable[Listed]) -> KeywordList:
    ordered = sorted(entries, key=lambda entry: entry.keyword)
    return KeywordList(
        tuple(
            replace(entry, synonyms=tuple(sorted(entry.synonyms, key=lambda s: (s.casefold(), s))))
            for entry in ordered
        )
    )


def _entries(source: Taxonomy | KeywordList) -> Sequence[Listed]:
    listed = _sorted(source.entries) if isinstance(source, KeywordList) else taxonomy_list(source)
    return listed.entries


def _marked(entry: Listed) -> str:
    return entry.keyword.leaf if entry.export else f"[{entry.keyword.leaf}]"


def _row(text: io.StringIO, flags: str, shown: str) -> None:
    # Quoted even where it need not be: some programs strip the tabs of a bare field.
    quoted = shown.replace('"', '""')
    text.write(f'{flags},"{quoted}"\n')


def _yes(field: str) -> bool:
    return field.strip().upper() in ("Y", "YES", "TRUE", "1")
