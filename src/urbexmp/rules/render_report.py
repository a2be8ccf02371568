"""The report on a run: one JSON object for every photo, and a page that a person reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from urbexmp.model.change import Change
from urbexmp.model.errors import Problem
from urbexmp.model.observation import StageLook
from urbexmp.model.proposal import Proposal, Suggestion
from urbexmp.model.report import Report
from urbexmp.rules.render import counted, printable, relative, stage_name
from urbexmp.rules.render_json import change_data, problem_data
from urbexmp.rules.render_pace import pace_sentences
from urbexmp.rules.render_summary import duration, stage_sentences
from urbexmp.rules.reply_metrics import HEARD, Replies
from urbexmp.rules.run_metrics import RunFigures, RunSetting, photos_a_minute, stage_figures

MOST = 20
"""Lines of a list on the page; the rest is counted."""

Looked = tuple[Sequence[StageLook], Collection[str]]
"""The looks at a photo, and the names of the stages that looked now."""


# --- One object a photo -----------------------------------------------------------------------


def photo_data(
    change: Change,
    root: Path | PurePath,
    looked: Looked,
    proposal: Proposal | None = None,
    *,
    applied: bool,
) -> dict[str, Any]:
    """One photo that was dealt with.

    `outcome` is `written`, `planned` (a dry run would write it), `held` (nothing to write, but
    something waits for a person) or `unchanged`.
    """
    outcome = "unchanged"
    if change.writes:
        outcome = "written" if applied else "planned"
    elif change.waits:
        outcome = "held"
    told = change_data(change, root, applied=applied)
    if proposal is not None:
        told["suggested"] = [_suggestion_data(each) for each in proposal.suggestions]
        told["unsure"] = [_suggestion_data(each) for each in proposal.unsure]
    return _line(told["path"], outcome, told, looked)


def _suggestion_data(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "keyword": str(suggestion.keyword),
        "confidence": suggestion.confidence,
        "stages": list(dict.fromkeys(reason.stage for reason in suggestion.reasons)),
    }


def failed_data(
    path: Path, problem: Problem, root: Path | PurePath, looked: Looked
) -> dict[str, Any]:
    """One photo that could not be dealt with: `outcome` is `failed`."""
    told = problem_data(problem, root)
    del told["event"]
    return _line(relative(path, root), "failed", {"problem": told}, looked)


_EMPTY: Mapping[str, Any] = {
    "photo_id": "",
    "profile": "",
    "mark": "",
    "carriers": [],
    "edits": [],
    "texts": [],
    "held": [],
    "keep": [],
    "suggested": [],
    "unsure": [],
    "learned": [],
    "notes": [],
    "problem": None,
}
"""Fields of every line, with what stands there when there is nothing to say."""


def _line(path: str, outcome: str, told: Mapping[str, Any], looked: Looked) -> dict[str, Any]:
    fields = {name: told.get(name, nothing) for name, nothing in _EMPTY.items()}
    return {
        "event": "photo",
        "path": path,
        "outcome": outcome,
        **fields,
        "looks": _looks_data(looked),
    }


def _looks_data(looked: Looked) -> list[dict[str, Any]]:
    looks, ran = looked
    return [
        {"stage": look.stage, "cached": False, "seconds": float(f"{look.seconds:.6g}")}
        if stage_name(look.stage) in ran
        else {"stage": look.stage, "cached": True, "seconds": None}
        for look in looks
    ]


# --- The page ---------------------------------------------------------------------------------


def summary_page(
    report: Report, figures: RunFigures, setting: RunSetting, gallery: Iterable[str] = ()
) -> str:
    """The page on a run, in Markdown that reads well as it stands, too."""
    parts = (
        _head(report, setting),
        _photos(report, figures),
        _keywords(report, figures),
        _stages(report, figures, setting),
        replies_table(figures.replies),
        gallery,
        _failures(report, setting),
        _left_out(report),
        _unmapped(report),
        _made_with(setting),
    )
    return "\n".join(line for part in parts for line in part)


def _head(report: Report, setting: RunSetting) -> Iterator[str]:
    yield f"# Run {report.run}"
    yield ""
    when = setting.started.replace("T", " ").removesuffix("Z")
    yield (
        f"`urbexmp {report.command}` of {code(setting.root)} with the profile"
        f" {code(setting.profile)}, begun {when} UTC, {duration(report.seconds)}."
    )
    yield ""
    if report.dry:
        yield "A dry run: nothing was written. The figures say what would be."
        yield ""
    if report.interrupted:
        yield "It was stopped before the end; the same command goes on from there."
        yield ""


def _photos(report: Report, figures: RunFigures) -> Iterator[str]:
    closed = max(0, report.photos - figures.taken_up)
    others = len(report.problems) - figures.failed
    rows = [
        ("found", report.photos),
        ("not opened: not changed, or left for later", closed),
        ("taken up", figures.taken_up),
        ("- would be written" if report.dry else "- written", figures.written),
        ("- unchanged", figures.unchanged),
        ("- with a problem", figures.failed),
        ("with a suggestion that waits for you", report.held),
    ]
    if report.texts or report.texts_held:
        rows.append(("descriptions and alt texts written", report.texts))
        rows.append(("descriptions and alt texts left as you have them", report.texts_held))
    yield "## Photos"
    yield ""
    yield from table(("", "photos"), [(name, f"{number:,}") for name, number in rows], right=(1,))
    if others > 0:
        yield f"Problems with something other than one of these photos: {others:,}, told below."
        yield ""
    rate = photos_a_minute(figures, report.seconds)
    if rate is not None:
        yield f"{rate:,.0f} photos a minute; at {figures.looked_at:,} of them a stage had to look."
        yield ""
    if report.lightroom_blind:
        yield (
            f"JPEG, TIFF or DNG among those written: {report.lightroom_blind:,}. Lightroom reads no"
            " sidecar for such files, so it will not show their new keywords."
        )
        yield ""


def _keywords(report: Report, figures: RunFigures) -> Iterator[str]:
    yield "## Keywords"
    yield ""
    would = "would be " if report.dry else ""
    rows = [
        (f"{would}added", report.added),
        (f"{would}removed", report.removed),
        ("waiting for you", sum(figures.held.values())),
        ("learned: you took them away, they are not suggested there again", report.learned),
    ]
    yield from table(("", "keywords"), [(name, f"{number:,}") for name, number in rows], right=(1,))
    for title, counts in (
        (f"Most often {would}added", figures.added),
        (f"Most often {would}removed", figures.removed),
        ("Most often waiting for you", figures.held),
    ):
        yield from _most(title, Counter({str(keyword): n for keyword, n in counts.items()}))


def _most(title: str, counts: Counter[str]) -> Iterator[str]:
    if not counts:
        return
    yield f"{title}:"
    yield ""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, number in ordered[:MOST]:
        yield f"- {number:,} x {code(name)}"
    if len(ordered) > MOST:
        yield f"- and {len(ordered) - MOST:,} more"
    yield ""


def _stages(report: Report, figures: RunFigures, setting: RunSetting) -> Iterator[str]:
    yield "## Stages"
    yield ""
    rows = []
    for stage, its in stage_figures(figures, setting):
        spent = its.latencies
        rows.append(
            (
                code(stage),
                f"{spent.count:,}",
                f"{its.cached:,}",
                *(latency(spent.quantile(share)) for share in (0.5, 0.9, 0.99)),
                latency(spent.longest if spent.count else None),
                latency(spent.seconds),
            )
        )
    head = ("stage", "looked", "known before", "p50", "p90", "p99", "longest", "together")
    yield from table(head, rows, right=tuple(range(1, 8)))
    yield (
        "*p90* is the time that nine looks of ten took at most, right to 1 %. The first stage that"
        " needs the picture also waits for it to be decoded."
    )
    yield ""
    sentences = (*stage_sentences(report), *pace_sentences(report))
    if sentences:
        yield from (f"- {prose(sentence)}" for sentence in sentences)
        yield ""


def _failures(report: Report, setting: RunSetting) -> Iterator[str]:
    if not report.problems:
        return
    yield "## Problems"
    yield ""
    groups: dict[str, list[Problem]] = {}
    for problem in report.problems:
        groups.setdefault(problem.slug, []).append(problem)
    for slug, problems in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"### {slug}: {len(problems):,}"
        yield ""
        for problem in problems[:MOST]:
            told = " ".join(f"{sentence}." for sentence in problem.sentences if sentence)
            name = relative(PurePath(problem.subject), PurePath(setting.root))
            yield f"- {code(name)}: {prose(told)}"
        if len(problems) > MOST:
            yield f"- and {len(problems) - MOST:,} more; `changes.jsonl` has them all"
        yield ""


def _left_out(report: Report) -> Iterator[str]:
    if not report.skipped:
        return
    yield "## Left out"
    yield ""
    rows = [(prose(reason), f"{number:,}") for reason, number in sorted(report.skipped.items())]
    yield from table(("files", "number"), rows, right=(1,))


def _unmapped(report: Report) -> Iterator[str]:
    if not report.unmapped:
        return
    yield "## Labels that no term knows"
    yield ""
    yield (
        f"{counted(len(report.unmapped), 'label')},"
        f" said {counted(sum(report.unmapped.values()), 'time')}."
        " `urbexmp taxonomy unmapped` says which words of the taxonomy are near."
    )
    yield ""
    yield from _most("Most often", report.unmapped)


def _made_with(setting: RunSetting) -> Iterator[str]:
    yield "## Made with"
    yield ""
    rows = [
        ("profile", f"{code(setting.profile)}, digest {code(setting.profile_digest)}"),
        ("taxonomy", f"{code(setting.taxonomy)}, digest {code(setting.taxonomy_digest)}"),
        ("stages", ", ".join(code(stage) for stage in setting.stages)),
        *((name, prose(version)) for name, version in setting.versions.items()),
    ]
    yield from table(("", ""), rows)


def replies_table(replies: Replies) -> Iterator[str]:
    """How the models on servers answered."""
    if not replies:
        return
    yield "## Replies of models"
    yield ""
    rows = [
        (
            code(asked.model),
            code(asked.prompt),
            f"{its.count:,}",
            f"{its.outcomes[HEARD]:,}",
            prose(
                ", ".join(f"{n:,} {why}" for why, n in sorted(its.outcomes.items()) if why != HEARD)
            ),
            *(latency(its.latencies.quantile(share)) for share in (0.5, 0.9, 0.99)),
            f"{its.tokens_in:,}" if its.counted else "-",
            f"{its.tokens_out:,}" if its.counted else "-",
        )
        for asked, its in sorted(replies.items())
    ]
    head = ("model", "prompt", "replies", "heard", "not heard", "p50", "p90", "p99")
    yield from table((*head, "tokens in", "out"), rows, right=(2, 3, 5, 6, 7, 8, 9))
    yield "`replies.jsonl` has each of them."
    yield ""


# --- Markdown ---------------------------------------------------------------------------------


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()
) -> Iterator[str]:
    """A table whose columns also line up as plain text, and an empty line."""
    cells = [[cell.replace("|", r"\|") for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[n]) for row in cells)) for n in range(len(head))]
    rule = ["-" * (w - 1) + ":" if n in right else "-" * w for n, w in enumerate(widths)]
    for row in (cells[0], rule, *cells[1:]):
        laid = (
            cell.rjust(w) if n in right else cell.ljust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield f"| {' | '.join(laid)} |"
    yield ""


def code(text: str) -> str:
    """Text as a code span that nothing in it can end or turn into something else."""
    safe = printable(text)
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * (longest + 1)
    space = " " if safe.startswith("`") or safe.endswith("`") or not safe else ""
    return f"{fence}{space}{safe}{space}{fence}"


def prose(text: str) -> str:
    """Text of which no part is taken for Markdown, on one line."""
    safe = " ".join(printable(part.strip()) for part in text.split("\n"))
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", safe).replace(r"\|", "|")


def latency(seconds: float | None) -> str:
    """`29 us`, `1.4 ms`, `12 ms`, `1.3 s`, `2 min 05 s`; `-` for None."""
    if seconds is None:
        return "-"
    if seconds >= 60:
        return duration(seconds)
    if seconds >= 1:
        return f"{seconds:.1f} s"
    if seconds >= 0.01:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} us"
