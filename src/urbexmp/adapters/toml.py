"""TOML files: read with line numbers, and set values without losing a person's comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from urbexmp.model.errors import ConfigProblem, FileUnreadable


def _late(pattern: str) -> Callable[[], re.Pattern[str]]:
    """A pattern compiled when it is first used: only mistakes are looked up by line."""
    return cache(partial(re.compile, pattern))


_HEADER = _late(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = _late(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_STRING = _late(r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]')


@dataclass(frozen=True)
class TomlDocument:
    """A TOML file: its values, and where each stands."""

    path: Path
    values: Mapping[str, Any]
    text: str

    @cached_property
    def lines(self) -> Mapping[tuple[str | int, ...], int]:
        """Key paths to lines, found when the first is asked for: a sound file is never asked."""
        return _line_index(self.text)

    def line_of(self, *keys: str | int) -> int:
        """Line (from 1) of a key, as in `line_of("term", 3, "path")`; of its nearest parent
        when the key itself is absent; 1 when that is absent too."""
        while keys:
            if keys in self.lines:
                return self.lines[keys]
            keys = keys[:-1]
        return 1


def read_toml(path: Path) -> TomlDocument:
    """Read a TOML file. Raises `FileUnreadable`, `ConfigProblem` (not TOML)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise ConfigProblem(path, (f"byte {failure.start}: not UTF-8",)) from failure
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
    return parse_toml(text, path)


def parse_toml(text: str, path: Path) -> TomlDocument:
    """Parse the text of a TOML file. Raises `ConfigProblem`."""
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise ConfigProblem(path, (str(failure),)) from failure
    return TomlDocument(path, values, text)


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(
        part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted)
    )


def _line_index(text: str) -> dict[tuple[str | int, ...], int]:
    """Map key paths to lines. tomllib has no positions, and tomlkit (which has none either)
    takes a hundred times longer to read a taxonomy."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[tuple[str | int, ...], int] = {}
    here: tuple[str | int, ...] = ()
    depth, quote = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if depth == 0 and not quote:
            header = _HEADER().match(line)
            if header:
                here = _resolve(_split(header[2]), counts, new_item=header[1] == "[[")
                lines.setdefault(here, number)
                continue
            key = _KEY().match(line)
            if key:
                lines.setdefault((*here, *_split(key[1])), number)
        depth, quote = _after(line, depth, quote)
    return lines


def _resolve(
    names: tuple[str, ...], counts: dict[tuple[str | int, ...], int], *, new_item: bool
) -> tuple[str | int, ...]:
    path: tuple[str | int, ...] = ()
    for place, name in enumerate(names):
        path = (*path, name)
        last = place == len(names) - 1
        if last and new_item:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Bracket depth and open multi-line quote after `line`."""
    place = 0
    while place < len(line):
        if quote:
            end = line.find(quote, place)
            if end < 0:
                return depth, quote
            place, quote = end + 3, ""
            continue
        token = _STRING().search(line, place)
        if not token:
            break
        place = token.end()
        if token[0] in ('"""', "'''"):
            quote = token[0]
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
    return depth, quote


def set_value(text: str, keys: tuple[str, ...], value: Any) -> str:
    """Return the TOML `text` with one value set; comments, order and layout stay.

    A key that is not there yet goes below the comment that shows it (`# workers = 0`), where
    there is one. Raises `ConfigProblem` when one of the `keys` above the last holds no table.
    """
    import tomlkit

    if len(keys) == 1 and keys[0] not in tomllib.loads(text.replace("\r\n", "\n")):
        below = _below_its_comment(text, keys[0], tomlkit.item(value).as_string())
        if below is not None:
            return below
    document = tomlkit.parse(text)
    table: Any = document
    for key in keys[:-1]:
        if key not in table:
            table[key] = tomlkit.table()
        table = table[key]
        if not isinstance(table, Mapping):
            raise ConfigProblem(".".join(keys), (f"{key} is no table",))
    table[keys[-1]] = value
    return tomlkit.dumps(document)


def _below_its_comment(text: str, key: str, value: str) -> str | None:
    """`text` with `key = value` below the line `# key = ...`; None when there is no such line,
    or when the line stands where it would mean something else (in a table, in a string)."""
    shown = re.search(rf"^#[ \t]*{re.escape(key)}[ \t]*=.*?(\r?\n|\Z)", text, re.MULTILINE)
    if shown is None:
        return None
    ending = shown[1] or "\n"
    gap = "" if shown[1] else ending
    changed = f"{text[: shown.end()]}{gap}{key} = {value}{ending}{text[shown.end() :]}"
    try:
        before, after = (tomllib.loads(t.replace("\r\n", "\n")) for t in (text, changed))
    except tomllib.TOMLDecodeError:
        return None
    return changed if {name: v for name, v in after.items() if name != key} == before else None


def drop_value(text: str, *keys: str) -> str:
    """Return the TOML `text` without one value; comments, order and layout stay."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for key in keys[:-1]:
        table = table.get(key, {})
    if keys[-1] in table:
        table.remove(keys[-1])
    return tomlkit.dumps(document)
