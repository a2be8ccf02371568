"""Changes, problems and reports as JSON data, one object a line, with stable fields.

Every object has `event`: `begin`, `change`, `problem`, `note` or `end`. Fields are only ever
added. What is said of a library has its `root`, so that the lines of several can be told apart.
A path below the library's root is told from there, with `/`; bytes of a name that are no UTF-8
stand as lone surrogates, as Python spells them. Keywords are `A|B|C`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from urbexmp.rules.render import action, relative

if TYPE_CHECKING:
    from urbexmp.model.change import Change, Edit
    from urbexmp.model.errors import Problem
    from urbexmp.model.report import Report
    from urbexmp.model.text import TextChange

Root = Path | PurePath


def line(data: Mapping[str, Any]) -> str:
    """One JSON object on one line, in ASCII, so that no terminal or pipe can garble it."""
    return json.dumps(data, ensure_ascii=True, separators=(", ", ": "))


def of_library(data: Mapping[str, Any], root: Root) -> dict[str, Any]:
    """`data` with the library that it is about."""
    return {**data, "root": root.as_posix()}


def change_data(change: Change, root: Root, *, applied: bool) -> dict[str, Any]:
    """One change."""
    return {
        "event": "change",
        "path": relative(change.photo.path, root),
        "photo_id": change.photo_id,
        "profile": change.profile,
        "applied": applied,
        "mark": change.mark,
        "carriers": [
            {
                "path": relative(write.carrier.path, root),
                "kind": write.carrier.kind.value,
                "action": action(write),
            }
            for write in change.writes
        ],
        "edits": [edit_data(edit) for edit in change.edits],
        "texts": [text_data(text) for text in change.texts],
        "held": [edit_data(edit) | {"why": edit.hold or ""} for edit in change.held],
        "keep": [str(keyword) for keyword in change.keeps],
        "learned": [str(keyword) for keyword in change.learned],
        "notes": list(change.notes),
        "spared": [
            {
                "path": relative(spared.path, root),
                "reason": spared.reason,
                "detail": spared.detail,
            }
            for spared in change.photo.spared
        ],
    }


def edit_data(edit: Edit) -> dict[str, Any]:
    """One edit: `kind` is `add` or `remove`."""
    return {
        "kind": edit.kind.value,
        "keyword": str(edit.keyword),
        "confidence": None if edit.confidence is None else round(edit.confidence, 4),
        "author": edit.author.value,
        "again": edit.again,
        "reasons": [
            {
                "stage": reason.stage,
                "label": reason.label,
                "score": None if reason.score is None else round(reason.score, 4),
                "note": reason.note,
            }
            for reason in edit.reasons
        ],
    }


def text_data(text: TextChange) -> dict[str, Any]:
    """One text: `field` is `description` or `altText`; null for no text. `why` is empty unless it
    is not written and waits for a person."""
    return {
        "field": text.field.value,
        "before": text.before,
        "after": text.after,
        "stage": text.stage,
        "why": text.hold or "",
    }


def problem_data(problem: Problem, root: Root) -> dict[str, Any]:
    """One problem: `slug` is a stable word for its kind, `reason` a finer one where there is
    one (why a packet is refused), `code` the exit code it would have alone."""
    what, done, advice = problem.sentences
    return {
        "event": "problem",
        "path": relative(PurePath(problem.subject), root),
        "slug": problem.slug,
        "reason": getattr(problem, "reason", ""),
        "code": problem.code,
        "what": what,
        "done": done,
        "advice": advice,
    }


def begin_data(report: Report, root: Root, total: int | None) -> dict[str, Any]:
    """The run begins."""
    return {
        "event": "begin",
        "run": report.run,
        "command": report.command,
        "root": root.as_posix(),
        "dry_run": report.dry,
        "total": total,
    }


def end_data(report: Report, root: Root, *, check: bool = False) -> dict[str, Any]:
    """The run is over: all counters."""
    return {
        "event": "end",
        "run": report.run,
        "command": report.command,
        "root": root.as_posix(),
        "dry_run": report.dry,
        "photos": report.photos,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "held": report.held,
        "failed": report.failed,
        "added": report.added,
        "removed": report.removed,
        "texts": report.texts,
        "texts_held": report.texts_held,
        "learned": report.learned,
        "skipped": dict(sorted(report.skipped.items())),
        "stage_looks": dict(sorted(report.stage_looks.items())),
        "cached_looks": dict(sorted(report.cached_looks.items())),
        "absent": dict(sorted(report.absent.items())),
        "fallen": dict(sorted(report.fallen.items())),
        "unmapped": sum(report.unmapped.values()),
        "lightroom_blind": report.lightroom_blind,
        "blind": dict(sorted(report.blind.items())),
        "spared": dict(sorted(report.spared.items())),
        "by_keywords": report.by_keywords,
        "undecided": report.undecided,
        "seconds": round(report.seconds, 3),
        "interrupted": report.interrupted,
        "exit_code": report.exit_code(check=check),
    }


def note_data(sentence: str) -> dict[str, Any]:
    """Something worth knowing that is no problem."""
    return {"event": "note", "text": sentence}
