"""Two reports side by side, for a terminal and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from urbexmp.model.keyword import Keyword
from urbexmp.rules.metrics import QUANTILES
from urbexmp.rules.render import Line, Span, Style, counted, printable
from urbexmp.rules.render_list import columns
from urbexmp.rules.render_report import latency
from urbexmp.rules.render_stats import percent
from urbexmp.rules.reports_apart import Compared, Figures, quantile

MOST = 15
"""Keywords of a list that are shown."""


def compared_lines(found: Compared) -> Iterator[Line]:
    """The comparison as tables, and what they do not say."""
    names = tuple(printable(name) for name in found.names)
    if not found.both:
        yield (Span(f"No photo is in both {names[0]} and {names[1]}.", Style.HELD),)
        return
    yield from columns(("", *names), list(_rows(found)), right=(1, 2))
    if found.other_pictures:
        yield (
            Span(
                f"{counted(found.other_pictures, 'photo')} of the same path"
                " is another picture now, and left out.",
                Style.DIM,
            ),
        )
    yield ()
    yield (Span("Keywords suggested, each counted once a photo", Style.GOOD),)
    yield (Span(f"  both: {found.together:,}"),)
    for name, only in zip(names, found.only, strict=True):
        yield (Span(f"  only {name}: {only.total():,}"),)
        yield from _most(only)
    yield ()
    yield from _kept(found, names)


def _rows(found: Compared) -> Iterator[tuple[str, str, str]]:
    one, other = found.figures

    def row(name: str, *cells: str) -> tuple[str, str, str]:
        return (name, cells[0], cells[1])

    yield row("photos", f"{one.photos:,}", f"{other.photos:,}")
    yield row("- in both", f"{found.both:,}", f"{found.both:,}")
    for outcome in sorted({*one.outcomes, *other.outcomes}):
        yield row(f"- {outcome}", *(f"{its.outcomes.get(outcome, 0):,}" for its in found.figures))
    if one.replies or other.replies:
        yield row("replies of models", f"{one.replies:,}", f"{other.replies:,}")
        for outcome in sorted({*one.reply_outcomes, *other.reply_outcomes}):
            counts = (its.reply_outcomes.get(outcome, 0) for its in found.figures)
            yield row(f"- {printable(outcome)}", *(f"{number:,}" for number in counts))
        for name, share in QUANTILES:
            yield row(f"- {name}", *(latency(quantile(s.seconds, share)) for s in found.figures))
        yield row("- tokens in, a reply", *(_tokens(its.tokens_in) for its in found.figures))
        yield row("- tokens out, a reply", *(_tokens(its.tokens_out) for its in found.figures))
    for stage in sorted({*one.stages, *other.stages}):
        took = tuple(its.stages.get(stage, ()) for its in found.figures)
        yield row(f"{printable(stage)}: looks", *(f"{len(each):,}" for each in took))
        for name, share in QUANTILES:
            yield row(f"- {name}", *(latency(quantile(each, share)) for each in took))
    yield row("keywords suggested", f"{one.suggested:,}", f"{other.suggested:,}")


def _tokens(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:,.0f}"


def _most(counts: Counter[Keyword]) -> Iterator[Line]:
    ordered = _ordered(counts)
    for keyword, number in ordered[:MOST]:
        yield (Span(f"    {number:,} x {printable(str(keyword))}"),)
    if len(ordered) > MOST:
        yield (Span(f"    and {len(ordered) - MOST:,} more", Style.DIM),)


def _ordered(counts: Counter[Keyword]) -> list[tuple[Keyword, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _kept(found: Compared, names: Iterable[str]) -> Iterator[Line]:
    yield (Span("What you kept of it", Style.GOOD),)
    if found.judged is None:
        yield (Span("  Not known: there is no mirror of this library here."),)
        return
    if not found.judged:
        yield (Span("  In none of these photos you added, took over or took away a keyword."),)
        return
    rows = [
        (
            name,
            f"{its.stand:,}",
            f"{its.taken_over:,}",
            f"{its.refused:,}",
            "-" if its.agreement is None else percent(its.agreement),
            f"{its.taken_over:,} of {its.own:,}",
        )
        for name, its in zip(names, found.figures, strict=True)
    ]
    head = ("", "stand", "yours too", "taken away", "right", "of your own it said")
    yield from columns(head, rows, right=tuple(range(1, 6)))
    yield (
        Span(
            f"  In the {counted(found.judged, 'photo')} where your hand shows; in others nobody"
            " may have looked.",
            Style.DIM,
        ),
    )


def compared_data(found: Compared) -> dict[str, Any]:
    """The comparison for a program."""
    sides = zip(found.names, found.figures, found.only, strict=True)
    return {
        "event": "compared",
        "both": found.both,
        "other_pictures": found.other_pictures,
        "together": found.together,
        "judged": found.judged,
        "sides": [
            {
                "name": name,
                "photos": its.photos,
                "outcomes": dict(sorted(its.outcomes.items())),
                "replies": its.replies,
                "heard": its.heard,
                "reply_outcomes": dict(sorted(its.reply_outcomes.items())),
                "seconds": _quantiles(its.seconds),
                "stages": {stage: _quantiles(took) for stage, took in its.stages.items()},
                "tokens_in": its.tokens_in,
                "tokens_out": its.tokens_out,
                "suggested": its.suggested,
                "only": {str(keyword): number for keyword, number in _ordered(only)},
                "kept": None if found.judged is None else _kept_data(its),
            }
            for name, its, only in sides
        ],
    }


def _quantiles(ordered: tuple[float, ...]) -> dict[str, Any]:
    return {"count": len(ordered), **{n: quantile(ordered, share) for n, share in QUANTILES}}


def _kept_data(its: Figures) -> dict[str, Any]:
    return {
        "stand": its.stand,
        "taken_over": its.taken_over,
        "refused": its.refused,
        "own": its.own,
        "agreement": None if its.agreement is None else round(its.agreement, 4),
    }
