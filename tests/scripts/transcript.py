"""Transcripts: text files that hold files, commands and what the commands must print.

    # What this transcript shows.

    -- copy samples/photos photos
    -- write photos/note.txt
    a line
    -- end

    $ urbexmp sync photos
    ...
    1 changed, ... in <seconds> s
    $ cat missing.txt
    ...
    [1]

A command runs in bash, in an empty folder of its own, with a home of its own; lines that begin
with `> ` continue it. What follows is what it prints (standard output and standard error as they
come), and `[N]` its exit code where that is not 0. A line `...` stands for any number of lines,
`...` within a line for anything in that line; `<run>`, `<time>`, `<seconds>`, `<digest>` for what
they name, `<re:...>` for a regular expression, `<tmp>` for the transcript's own folder,
`<project>` for the checkout. A line of output that would read as something else begins with a
backslash.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HOLES = {
    "<run>": r"r\d{8}-\d{6}-[0-9a-f]+",
    "<time>": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d| UTC)?",
    "<seconds>": r"\d+(?:\.\d+)?",
    "<digest>": r"[0-9a-f]{8,64}",
}
"""What a placeholder stands for."""

_TOKEN = re.compile(r"\.\.\.|<(?:run|time|seconds|digest)>|<re:.+?>(?!>)")
_SPECIAL = re.compile(r"^(?:\$ |-- |# |\[\d+\]$|\\)")
_TIMEOUT = 120


class TranscriptError(Exception):
    """A transcript file that cannot be understood."""


@dataclass
class Copy:
    """Copy a folder or file of the project."""

    source: str
    target: str


@dataclass
class Write:
    """Write a file."""

    target: str
    lines: list[str]


@dataclass
class Step:
    """Run a command."""

    line: int
    command: list[str]
    expected: list[str] = field(default_factory=list)
    code: int = 0


@dataclass
class Prose:
    """Lines for the reader."""

    lines: list[str]


Part = Copy | Write | Step | Prose


def parse(text: str) -> list[Part]:
    """Read a transcript. Raises `TranscriptError` with the line."""
    parts: list[Part] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("$ "):
            step = Step(at, [line[2:]])
            while at < len(lines) and lines[at].startswith("> "):
                step.command.append(lines[at][2:])
                at += 1
            while at < len(lines) and not lines[at].startswith(("$ ", "-- ", "# ")):
                step.expected.append(lines[at])
                at += 1
            trailing = _take_blank_end(step.expected)
            if step.expected and (code := re.fullmatch(r"\[(\d+)\]", step.expected[-1])):
                step.code = int(code[1])
                step.expected.pop()
            parts.append(step)
            if trailing:
                parts.append(Prose(trailing))
        elif line.startswith("-- copy "):
            words = line.split(maxsplit=2)[2].rsplit(maxsplit=1)
            if len(words) != 2:
                raise TranscriptError(f"line {at}: `-- copy SOURCE TARGET`")
            parts.append(Copy(*words))
        elif line.startswith("-- write "):
            end = next((n for n in range(at, len(lines)) if lines[n] == "-- end"), None)
            if end is None:
                raise TranscriptError(f"line {at}: `-- write` without `-- end`")
            parts.append(Write(line.removeprefix("-- write "), lines[at:end]))
            at = end + 1
        elif not line or line.startswith("#"):
            parts.append(Prose([line]))
        else:
            raise TranscriptError(f"line {at}: neither a command nor a directive: {line}")
    return parts


def _take_blank_end(lines: list[str]) -> list[str]:
    taken: list[str] = []
    while lines and not lines[-1].strip():
        taken.append(lines.pop())
    return taken


def render(parts: list[Part]) -> str:
    """Write a transcript; the inverse of `parse`."""
    lines: list[str] = []
    for part in parts:
        match part:
            case Prose():
                lines += part.lines
            case Copy():
                lines.append(f"-- copy {part.source} {part.target}")
            case Write():
                lines += [f"-- write {part.target}", *part.lines, "-- end"]
            case Step():
                lines.append(f"$ {part.command[0]}")
                lines += [f"> {line}" for line in part.command[1:]]
                lines += part.expected
                lines += [f"[{part.code}]"] if part.code else []
    return "\n".join(lines)


def pattern(expected: list[str], folder: Path | None = None) -> re.Pattern[str]:
    """Return a regular expression for output that is as expected, line ends included."""
    said = ""
    for line in expected:
        if line == "...":
            said += r"(?:.*\n)*?"
            continue
        plain = line[1:] if line.startswith("\\") else line
        if folder is not None:
            plain = plain.replace("<tmp>", str(folder)).replace("<project>", str(ROOT))
        at = 0
        for token in _TOKEN.finditer(plain):
            said += re.escape(plain[at : token.start()])
            at = token.end()
            word = token[0]
            if word == "...":
                said += ".*"
            else:
                said += f"(?:{HOLES.get(word, word[4:-1])})"
        said += re.escape(plain[at:]) + r"\n"
    return re.compile(said)


def matches(expected: list[str], actual: list[str], folder: Path | None = None) -> bool:
    """Whether the printed lines are as expected."""
    return bool(pattern(expected, folder).fullmatch("".join(line + "\n" for line in actual)))


def generalise(actual: list[str], folder: Path) -> list[str]:
    """Return printed lines as expectations: what differs on every run becomes a placeholder."""
    expected = []
    for line in actual:
        said = line.replace(str(folder), "<tmp>").replace(str(ROOT), "<project>")
        said = re.sub(HOLES["<run>"], "<run>", said)
        said = re.sub(HOLES["<time>"], "<time>", said)
        said = re.sub(r"\b\d+(?:\.\d+)? s\b", "<seconds> s", said)
        expected.append("\\" + said if _SPECIAL.match(said) else said)
    return expected


def isolated_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user's is read or written."""
    home = folder / "home"
    programs = folder / "programs"
    for made in (home, programs, folder / "here"):
        made.mkdir(parents=True, exist_ok=True)
    for name, arguments in (("urbexmp", " -m urbexmp"), ("python", "")):
        command = programs / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        command.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key in ("SYSTEMROOT", "LANG")}
    return kept | {
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(folder),
        # What is printed must not depend on how long a model takes to load.
        "URBEXMP_STAGES": "camera,pixels,place",
        "COLUMNS": "100",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


@dataclass(frozen=True)
class Outcome:
    """What one command printed."""

    step: Step
    lines: list[str]
    code: int
    as_expected: bool


def run(parts: list[Part], folder: Path) -> Iterator[Outcome]:
    """Carry a transcript out in `folder`, command by command."""
    environment = isolated_environment(folder)
    here = folder / "here"
    for part in parts:
        match part:
            case Copy():
                _copy(ROOT / part.source, here / part.target)
            case Write():
                target = here / part.target
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("".join(line + "\n" for line in part.lines), encoding="utf-8")
            case Step():
                done = subprocess.run(
                    ["bash", "-e", "-o", "pipefail", "-c", "\n".join(part.command)],
                    cwd=here,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=_TIMEOUT,
                    check=False,
                )
                lines = done.stdout.decode("utf-8", "backslashreplace").splitlines()
                _take_blank_end(lines)
                good = done.returncode == part.code and matches(part.expected, lines, folder)
                yield Outcome(part, lines, done.returncode, good)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)
