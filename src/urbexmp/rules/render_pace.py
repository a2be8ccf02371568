"""How much was done at a time in a run: as sentences, as a table of the report, and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from urbexmp.model.pacing import PROCESSES, PaceFigures
from urbexmp.model.report import Report

Paces = Mapping[tuple[str, str], PaceFigures]


def pace_sentences(report: Report) -> Iterator[str]:
    """A sentence for each stage that looks in processes of its own, and each server."""
    for (who, what), its in sorted(report.paces.items()):
        span = f"{its.most}" if its.least == its.most else f"{its.least} to {its.most}"
        unit = what if its.most != 1 else what.removesuffix("es" if what == PROCESSES else "s")
        place = f"{who} looked in" if what == PROCESSES else f"{who} was asked with"
        said = f"{place} {span} {unit} at a time"
        if its.least != its.most:
            said += f", in the end {its.last}"
        changes = [*_reasons("more", its.raised), *_reasons("fewer", its.lowered)]
        yield ": ".join(filter(None, (said, "; ".join(changes))))


def _reasons(word: str, reasons: Counter[str]) -> Iterator[str]:
    for why, number in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        times = "once" if number == 1 else f"{number:,} times"
        yield f"{times} {word} ({why})"


def pace_data(report: Report) -> list[dict[str, Any]]:
    """The same for programs. Fields are only ever added."""
    return [
        {
            "who": who,
            "what": what,
            "first": its.first,
            "least": its.least,
            "most": its.most,
            "last": its.last,
            "raised": dict(sorted(its.raised.items())),
            "lowered": dict(sorted(its.lowered.items())),
        }
        for (who, what), its in sorted(report.paces.items())
    ]
