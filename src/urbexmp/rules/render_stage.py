"""Stages for a person and for a program: what one of them saw, and how two of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.record import to_plain
from urbexmp.rules.captions import WORD_SCORES
from urbexmp.rules.looks_apart import Apart
from urbexmp.rules.render import Line, Span, Style, counted, printable


def look_lines(path: PurePath, look: StageLook, decoding: float) -> Iterator[Line]:
    """What a stage saw in one file, the surest first within each sort.

    The scores of a caption's single words are for the taxonomy, and tell a person nothing.
    """
    times = f"  {look.stage}, {look.seconds:.2f} s, and {decoding:.2f} s to decode"
    yield (Span(printable(str(path)), Style.PATH), Span(times, Style.DIM))
    if not look.observations:
        yield (Span("  nothing", Style.DIM),)
    order = {kind: place for place, kind in enumerate(ObservationKind)}
    shown = [one for one in look.observations if one.label != WORD_SCORES]
    for one in sorted(shown, key=lambda one: (order[one.kind], -(one.score or 0.0))):
        score = "    " if one.score is None else f"{one.score:.2f}"
        rest = "".join(f"  {part}" for part in _beside(one) if part)
        yield (
            Span(f"  {one.kind.value:<9} {score}  {printable(one.label)}"),
            Span(printable(rest), Style.DIM),
        )


def look_data(path: PurePath, look: StageLook, decoding: float) -> dict[str, Any]:
    """The same for a program; of a vector its length alone."""
    return {
        "event": "look",
        "path": path.as_posix(),
        "stage": look.stage,
        "seconds": round(look.seconds, 4),
        "decode_seconds": round(decoding, 4),
        "observations": [_plain(one) for one in look.observations],
    }


def _plain(one: Observation) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(one, slim=True)
    if one.kind is ObservationKind.EMBEDDING:
        plain["value"] = _value(one)
    return plain


def _value(one: Observation) -> str:
    if one.value is None:
        return ""
    if one.kind is ObservationKind.EMBEDDING:
        return f"{len(str(one.value).rstrip('=')) * 3 // 8} numbers"
    return f"{one.value:g}" if isinstance(one.value, float) else repr(one.value)


def _beside(one: Observation) -> tuple[str, ...]:
    return _value(one), _region(one), one.source, f"by {one.model}" if one.model else ""


def _region(one: Observation) -> str:
    return "" if one.region is None else "at " + " ".join(f"{share:.2f}" for share in one.region)


def apart_lines(path: PurePath, apart: Apart) -> Iterator[Line]:
    """How two looks at one photo differ."""
    yield (Span(printable(str(path)), Style.PATH),)
    for label, score in apart.gained:
        yield (Span(f"  + {printable(label)}", Style.ADD), Span(_score(score), Style.DIM))
    for label, score in apart.lost:
        yield (Span(f"  - {printable(label)}", Style.REMOVE), Span(_score(score), Style.DIM))
    for label, before, after in apart.moved:
        yield (
            Span(f"  ~ {printable(label)}"),
            Span(f"  {before:.2f} -> {after:.2f}", Style.DIM),
        )


def apart_data(path: PurePath, apart: Apart) -> dict[str, Any]:
    """The same for a program."""
    return {
        "event": "between",
        "path": path.as_posix(),
        "gained": [{"label": label, "score": score} for label, score in apart.gained],
        "lost": [{"label": label, "score": score} for label, score in apart.lost],
        "moved": [
            {"label": label, "before": before, "after": after}
            for label, before, after in apart.moved
        ],
    }


def apart_summary(
    photos: int, differing: int, gained: Counter[str], lost: Counter[str], most: int = 10
) -> Iterator[Line]:
    """What two stages said of all photos that both looked at."""
    yield (Span(f"{counted(photos, 'photo')} seen by both, {differing:,} differently."),)
    for sign, found, style in (("+", gained, Style.ADD), ("-", lost, Style.REMOVE)):
        told = ", ".join(
            f"{printable(label)} ({number:,})"
            for label, number in sorted(found.items(), key=lambda each: (-each[1], each[0]))[:most]
        )
        if told:
            more = f" and {len(found) - most:,} more" if len(found) > most else ""
            yield (Span(f"  {sign} ", style), Span(told + more))


def _score(score: float | None) -> str:
    return "" if score is None else f"  {score:.2f}"
