"""Plans as files: what `sync --plan` saves and `apply` and `diff --plan` read.

JSON, one object a line: a head, every change, and a foot with their number, so that a plan cut
short is told from a whole one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from urbexmp import __version__
from urbexmp.model.change import Change
from urbexmp.model.errors import FileUnreadable, UsageProblem, WriteFailed
from urbexmp.model.profile import Profile
from urbexmp.model.record import from_plain, to_plain

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes of one library, saved to be carried out later."""

    root: Path
    profile: str
    profile_digest: str
    changes: tuple[Change, ...]


def write_plan(path: Path, root: Path, profile: Profile, changes: Sequence[Change]) -> None:
    """Save a plan, whole or not at all. Raises `WriteFailed`."""
    head = {
        "urbexmp_plan": FORMAT,
        "made_by": __version__,
        "root": root.as_posix(),
        "profile": profile.name,
        "profile_digest": profile.digest,
    }
    with replacing(path) as file:
        for data in (head, *map(to_plain, changes), {"changes": len(changes)}):
            file.write(json.dumps(data, ensure_ascii=True) + "\n")


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises `FileUnreadable`, or `UsageProblem` when it is no whole plan of ours,
    or would touch a file outside its library."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as failure:
        raise UsageProblem(
            path, "is missing", "`urbexmp sync --plan FILE` makes a plan"
        ) from failure
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
    except UnicodeDecodeError as failure:
        raise _no_plan(path, "is no plan of urbexmp") from failure
    head = _loads(lines[0]) if lines else None
    if not isinstance(head, dict) or "urbexmp_plan" not in head:
        raise _no_plan(path, "is no plan of urbexmp")
    if head["urbexmp_plan"] != FORMAT:
        detail = f"has plan format {head['urbexmp_plan']!r}; this urbexmp knows {FORMAT}"
        raise _no_plan(path, detail)
    if len(lines) < 2 or _loads(lines[-1]) != {"changes": len(lines) - 2}:
        raise _no_plan(path, "is damaged: it is not whole")
    try:
        changes = tuple(from_plain(Change, json.loads(text)) for text in lines[1:-1])
        plan = Plan(Path(head["root"]), str(head["profile"]), str(head["profile_digest"]), changes)
    except (ValueError, TypeError, KeyError, AttributeError) as failure:
        raise _no_plan(path, f"is damaged ({failure})") from failure
    _stays_inside(plan, path)
    return plan


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _no_plan(path: Path, detail: str) -> UsageProblem:
    return UsageProblem(path, detail, "Make a new one with `urbexmp sync --plan FILE`")


def _stays_inside(plan: Plan, path: Path) -> None:
    """A plan may come from anywhere; it must not make us write outside the library it names."""
    for file in _files(plan.changes):
        plain = Path(os.path.normpath(file))
        if not file.is_absolute() or not plain.is_relative_to(plan.root):
            raise _no_plan(path, f"names a file outside its library: {file}")


def _files(changes: Iterable[Change]) -> Iterator[Path]:
    for change in changes:
        yield change.photo.path
        yield from (carrier.path for carrier in change.photo.carriers)
        yield from (write.carrier.path for write in change.writes)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place only when all of it was written. Raises `WriteFailed`."""
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            dir=path.absolute().parent,
            prefix=".urbexmp-",
            suffix=".tmp",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
            newline="\n",
        ) as file:
            temporary = Path(file.name)
            yield file  # type: ignore[misc]
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as failure:
        raise WriteFailed(path, failure.strerror or str(failure)) from failure
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
