"""What `stats` prints: counts, what people did with our keywords, and runs compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile
from typing import Any

from urbexmp.model.stats import LibraryCounts, Named
from urbexmp.rules.history import PastRun, ProfileSum, by_model, by_profile
from urbexmp.rules.metrics import QUANTILES, Latencies
from urbexmp.rules.precision import ALL, Agreement
from urbexmp.rules.render import Line, Span, Style, counted, printable, width
from urbexmp.rules.render_list import columns
from urbexmp.rules.render_report import latency
from urbexmp.rules.reply_metrics import HEARD, Replies, replies_data

NOT_KNOWN = "(not known)"
BAR = 24
"""Columns of the longest bar."""

Head = Mapping[str, str]

TITLES: Head = {
    "view": "Views",
    "condition": "Condition",
    "quality": "Quality",
    "camera": "Cameras",
    "month": "Months",
    "kind": "Kinds of files",
    "status": "Status",
    "stage": "Keywords by the stage that wrote them",
    "source": "Keywords by who wrote them",
}
SOURCES: Head = {
    "ai": "written by us",
    "person": "yours",
    "both": "yours, and suggested too",
}


# --- Counts -----------------------------------------------------------------------------------


def counts_lines(counts: LibraryCounts, top: int) -> Iterator[Line]:
    """All counts as tables with bars."""
    with_some = counts.photos - counts.untagged
    yield (
        Span(counted(counts.photos, "photo"), Style.PATH),
        Span(
            f": {with_some:,} with keywords, {counts.untagged:,} without."
            f" {counted(counts.links, 'keyword')} on them, {counts.different:,} different."
        ),
    )
    if counts.vetoes:
        yield (
            Span(
                f"{counted(counts.vetoes, 'veto', 'vetoes')} in"
                f" {counted(counts.vetoed_photos, 'photo')}: not suggested there again.",
                Style.LEARNED,
            ),
        )
    if not counts.photos:
        return
    yield from _section(
        _top("Most frequent keywords", counts.keyword, top), counts.keyword, counts.photos
    )
    yield from _section(_top("Branches", counts.branch, top), counts.branch, counts.photos)
    for name, title in TITLES.items():
        of = counts.links if name in ("stage", "source") else counts.photos
        rows = counts.by.get(name, ())
        if name == "source":
            rows = tuple((SOURCES.get(source or "", source), number) for source, number in rows)
        if name == "month":
            rows = _newest(rows, top)
        if name == "quality":
            rows = tuple(dropwhile(lambda row: not row[1], rows))
        yield from _section(title, rows, of)
    yield from _section(_top("Most often vetoed", counts.veto, top), counts.veto, counts.photos)


def _top(title: str, rows: Named, top: int) -> str:
    """The title, which says so where the list may be cut."""
    return f"{title} (top {top})" if len(rows) == top else title


def _newest(months: Named, top: int) -> Named:
    """The newest months, and all before them in one row."""
    known = [row for row in months if row[0] is not None]
    earlier, newest = known[:-top], known[-top:]
    if not earlier:
        return months
    before = (f"before {newest[0][0]}", sum(photos for _, photos in earlier))
    return (before, *newest, *(row for row in months if row[0] is None))


def _section(title: str, rows: Named, of: int) -> Iterator[Line]:
    if not rows or all(name is None for name, _ in rows):
        return
    named = [(NOT_KNOWN if name is None else printable(name), number) for name, number in rows]
    wide = max(width(name) for name, _ in named)
    most = max(number for _, number in named) or 1
    digits = max(len(f"{number:,}") for _, number in named)
    yield ()
    yield (Span(title, Style.GOOD),)
    for name, number in named:
        bar = "#" * max(round(number / most * BAR), 1 if number else 0)
        count = f"{number:>{digits},}"
        share = f"{percent(number / of):>5}" if of else " " * 5
        yield (
            Span(f"  {name}{' ' * (wide - width(name))}  {count}  {share}"),
            Span(f"  {bar}" if bar else "", Style.DIM),
        )


def percent(share: float) -> str:
    """`89%`; never `0%` or `100%` of what is not quite that."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def counts_data(counts: LibraryCounts) -> Iterator[dict[str, Any]]:
    """All counts for a program: a line of totals, and one for each count."""
    yield {
        "event": "counts",
        "photos": counts.photos,
        "untagged": counts.untagged,
        "keywords": counts.links,
        "different": counts.different,
        "vetoes": counts.vetoes,
        "vetoed_photos": counts.vetoed_photos,
    }
    groups = {"keyword": counts.keyword, "branch": counts.branch, "veto": counts.veto, **counts.by}
    for by, rows in groups.items():
        for name, number in rows:
            yield {"event": "count", "by": by, "name": name, "count": number}


# --- What people did --------------------------------------------------------------------------


def agreement_lines(lines: Sequence[Agreement], *, by_branch: bool) -> Iterator[Line]:
    """What people did with our keywords, as a table with its reading below."""
    if not lines:
        return
    yield ()
    yield (Span("What you did with our keywords", Style.GOOD),)
    head = ["stage", *(["branch"] if by_branch else ())]
    head += ["kept", "confirmed", "removed", "right", "95 % between", "not looked at", "missed"]
    head += ["asked: yes", "no"]
    table = []
    for its in lines:
        name = its.stage or NOT_KNOWN
        between = its.interval
        cells = [name, *([str(its.branch or "")] if by_branch else ())]
        cells += [f"{its.kept:,}", f"{its.confirmed:,}", f"{its.removed:,}"]
        cells += [
            "-" if its.precision is None else percent(its.precision),
            "-" if between is None else f"{percent(between[0])} and {percent(between[1])}",
            "?" if its.unseen is None else f"{its.unseen:,}",
            f"{its.missed:,}",
            f"{its.accepted:,}",
            f"{its.declined:,}",
        ]
        table.append(cells)
    first = 2 if by_branch else 1
    for line in columns(head, table, right=tuple(range(first, len(head)))):
        yield (Span("  "), *line)
    for sentence in _reading(lines):
        yield (Span(f"  {sentence}", Style.DIM),)


def _reading(lines: Sequence[Agreement]) -> Iterator[str]:
    yield "right: kept or confirmed, of those you kept, confirmed or removed. Kept counts only in"
    yield "photos where you worked on other keywords since; the rest nobody may have looked at."
    total = lines[-1]
    if total.stage == ALL and total.at_most is not None and total.unseen:
        yield f"If all that is not looked at were right: {percent(total.at_most)}."
    if any(its.missed for its in lines):
        yield "missed: you added it yourself and we had not suggested it, of the vocabulary."


def agreement_data(its: Agreement) -> dict[str, Any]:
    """One line of it for a program."""
    low, high = its.interval or (None, None)
    return {
        "event": "agreement",
        "stage": its.stage,
        "branch": None if its.branch is None else str(its.branch),
        "kept": its.kept,
        "confirmed": its.confirmed,
        "removed": its.removed,
        "not_looked_at": its.unseen,
        "missed": its.missed,
        "accepted": its.accepted,
        "declined": its.declined,
        "precision": _rounded(its.precision),
        "low": _rounded(low),
        "high": _rounded(high),
        "at_most": _rounded(its.at_most),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


# --- Runs compared ----------------------------------------------------------------------------


def history_lines(runs: Sequence[PastRun], limit: int) -> Iterator[Line]:
    """The newest runs, then all of them added up by profile and by stage."""
    yield (Span("Runs, newest first", Style.GOOD),)
    head = ("started (UTC)", "run", "profile", "photos", "looked at", "a minute", "written")
    more = ("held", "failed", "")
    table = [
        (
            run.started.replace("T", " ").removesuffix("Z"),
            run.run,
            _profile(run.profile, run.profile_digest),
            f"{run.photos:,}",
            f"{run.looked_at:,}",
            _rate(run.photos_a_minute),
            f"{run.written:,}",
            f"{run.held:,}",
            f"{run.failed:,}",
            "dry run" if run.dry_run else "",
        )
        for run in list(reversed(runs))[:limit]
    ]
    yield from _indented(columns((*head, *more), table, right=tuple(range(3, 9))))
    if len(runs) > limit:
        yield (Span(f"  and {len(runs) - limit:,} more (--top)", Style.DIM),)
    sums = by_profile(runs)
    yield ()
    yield (Span("By profile", Style.GOOD),)
    sum_head = (
        "profile",
        "taxonomy",
        "runs",
        "looked at",
        "a minute",
        "written",
        "added",
        "failed",
    )
    sum_table = [
        (
            _profile(its.profile, its.profile_digest),
            its.taxonomy_digest[:8],
            f"{its.runs:,}",
            f"{its.looked_at:,}",
            _rate(its.photos_a_minute),
            f"{its.written:,}",
            f"{its.added:,}",
            f"{its.failed:,}",
        )
        for its in sums
    ]
    yield from _indented(columns(sum_head, sum_table, right=tuple(range(2, 8))))
    yield ()
    yield (Span("By stage", Style.GOOD),)
    yield from _indented(_stage_table(sums))
    if replies := by_model(runs):
        yield ()
        yield (Span("By model and prompt", Style.GOOD),)
        yield from _indented(_model_table(replies))


def _stage_table(sums: Sequence[ProfileSum]) -> tuple[Line, ...]:
    rows = [
        (stage, _profile(its.profile, its.profile_digest), cached, latencies)
        for its in sums
        for stage, (cached, latencies) in its.stages.items()
    ]
    rows.sort(key=lambda row: (row[0].partition("@")[0], row[0], row[1]))
    head = ("stage", "profile", "looked", "known before", "p50", "p90", "p99", "longest")
    table = [
        (
            stage,
            profile,
            f"{latencies.count:,}",
            percent(cached / (cached + latencies.count)) if cached + latencies.count else "-",
            *(latency(latencies.quantile(share)) for _, share in QUANTILES),
            latency(latencies.longest if latencies.count else None),
        )
        for stage, profile, cached, latencies in rows
    ]
    return columns(head, table, right=tuple(range(2, 8)))


def _model_table(replies: Replies) -> tuple[Line, ...]:
    head = ("model", "prompt", "server", "replies", "heard", "p50", "p90", "p99")
    table = [
        (
            asked.model,
            asked.prompt,
            asked.server,
            f"{its.count:,}",
            percent(its.outcomes[HEARD] / its.count) if its.count else "-",
            *(latency(its.latencies.quantile(share)) for _, share in QUANTILES),
            f"{its.tokens_in / its.counted:,.0f}" if its.counted else "-",
            f"{its.tokens_out / its.counted:,.0f}" if its.counted else "-",
        )
        for asked, its in sorted(replies.items())
    ]
    more = ("tokens in", "out, a reply")
    return columns((*head, *more), table, right=tuple(range(3, 10)))


def history_data(runs: Sequence[PastRun]) -> Iterator[dict[str, Any]]:
    """Runs and their sums by profile for a program."""
    for run in runs:
        yield {
            "event": "run",
            "run": run.run,
            "started": run.started,
            "root": run.root,
            "command": run.command,
            "dry_run": run.dry_run,
            "profile": run.profile,
            "profile_digest": run.profile_digest,
            "taxonomy_digest": run.taxonomy_digest,
            "photos": run.photos,
            "looked_at": run.looked_at,
            "written": run.written,
            "held": run.held,
            "failed": run.failed,
            "added": run.added,
            "seconds": run.seconds,
            "photos_a_minute": run.photos_a_minute,
            "stages": {
                stage: _stage_data(past.cached, past.latencies)
                for stage, past in run.stages.items()
            },
            "replies": _replies_data(run.replies),
        }
    for its in by_profile(runs):
        rate = its.photos_a_minute
        yield {
            "event": "profile",
            "profile": its.profile,
            "profile_digest": its.profile_digest,
            "taxonomy_digest": its.taxonomy_digest,
            "runs": its.runs,
            "looked_at": its.looked_at,
            "written": its.written,
            "failed": its.failed,
            "added": its.added,
            "photos_a_minute": None if rate is None else round(rate, 1),
            "stages": {
                stage: _stage_data(cached, latencies)
                for stage, (cached, latencies) in its.stages.items()
            },
        }


def model_data(runs: Sequence[PastRun]) -> Iterator[dict[str, Any]]:
    """The replies of all runs by model and prompt, for a program."""
    for each in _replies_data(by_model(runs)):
        yield {"event": "model", **each}


def _replies_data(replies: Replies) -> list[dict[str, Any]]:
    told = replies_data(replies)
    for each in told:
        del each["buckets"]
    return told


def _stage_data(cached: int, latencies: Latencies) -> dict[str, Any]:
    told = latencies.data()
    del told["buckets"]
    return {"cached": cached, **told}


def _profile(name: str, digest: str) -> str:
    return f"{name} {digest[:8]}"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}"


def _indented(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        yield (Span("  "), *line)
