"""What a person reads at the end of a run: what happened, what failed, what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from urbexmp.model.report import Report
from urbexmp.rules import sight
from urbexmp.rules.render import Line, Span, Style, counted, printable
from urbexmp.rules.render_pace import pace_sentences


def summary_lines(report: Report, *, verbose: bool = False) -> tuple[Line, ...]:
    """The summary, in the tense of the run: a dry run says what would be. `verbose` also says how
    much was done at a time."""
    lines = [_headline(report)]
    lines += _details(report)
    if verbose:
        lines += [(Span(f"  {printable(said)}", Style.DIM),) for said in pace_sentences(report)]
    lines += _next_steps(report)
    return tuple(lines)


_DONE = {"undo": "taken back", "backup restore": "put back"}


def _headline(report: Report) -> Line:
    done = _DONE.get(report.command, "written")
    spans = [Span(f"{counted(report.photos, 'photo')}: ")]
    left = report.photos - report.changed - report.unchanged - report.failed
    parts = [
        (report.changed, f"would be {done}" if report.dry else done, Style.ADD),
        (report.unchanged, "unchanged", Style.PLAIN),
        (report.held, "waiting for you", Style.HELD),
        (report.failed, "failed", Style.PROBLEM),
        (left, "left for later", Style.PLAIN),
    ]
    told = [(f"{n:,} {words}", style) for n, words, style in parts if n > 0]
    if not told:
        told = [("nothing to do", Style.GOOD)]
    for place, (text, style) in enumerate(told):
        spans.append(Span(", " if place else ""))
        spans.append(Span(text, style))
    spans.append(Span(f" ({duration(report.seconds)})", Style.DIM))
    return tuple(spans)


def _details(report: Report) -> Iterator[Line]:
    would = "would be " if report.dry else ""
    if report.added or report.removed:
        yield (
            Span(f"  keywords: {report.added:,} {would}added, {report.removed:,} {would}removed"),
        )
    if report.texts:
        done = _DONE.get(report.command, "written")
        yield (Span(f"  descriptions and alt texts: {report.texts:,} {would}{done}"),)
    if report.texts_held:
        texts = counted(report.texts_held, "text")
        yield (
            Span(f"  {texts} not written, because you have changed or lost what was there:"),
            Span(" `urbexmp text list` shows them, `urbexmp text take|keep` answers", Style.DIM),
        )
    if report.learned:
        keywords = counted(report.learned, "keyword")
        verb = "is" if report.learned == 1 else "are"
        yield (
            Span(
                f"  {keywords} you took away or refused {verb} not suggested there again",
                Style.LEARNED,
            ),
        )
    if report.by_keywords:
        photos = counted(report.by_keywords, "photo")
        yield (
            Span(f"  {photos}: the backup of what was replaced is gone, so only the", Style.HELD),
            Span(" keywords of that run are taken out, and no bytes put back", Style.HELD),
        )
    yield from _failures(report)
    for sentence in stage_sentences(report):
        yield (Span(f"  {printable(sentence)}", Style.HELD),)
    for reason, number in sorted(report.skipped.items()):
        yield (Span(f"  left out: {number:,} {printable(reason)}", Style.DIM),)
    if report.unmapped:
        yield (
            Span(
                f"  {counted(len(report.unmapped), 'label')} that no term of the taxonomy knows"
                f" ({counted(sum(report.unmapped.values()), 'time')});"
                " `urbexmp taxonomy unmapped` lists them.",
                Style.DIM,
            ),
        )


def stage_sentences(report: Report) -> Iterator[str]:
    """What there is to say of stages that did not look, or failed at photos, one sentence each."""
    for stage, lacks in sorted(report.absent.items()):
        yield f"{stage} did not look: {lacks}"
    for sentence, number in sorted(report.fallen.items(), key=lambda each: (-each[1], each[0])):
        yield f"{sentence}: {counted(number, 'photo')}"
    for stage, number in sorted(report.put_off.items()):
        yield (
            f"{stage} was not asked about {counted(number, 'photo')} yet: a watch with nothing else"
            " to do asks it, or `urbexmp location enhance PATH` now"
        )


def _failures(report: Report) -> Iterator[Line]:
    """How many failed, by what was wrong; where only the details differ, with the first of them."""
    groups: dict[str, list[str]] = {}
    for problem in report.problems:
        groups.setdefault(problem.slug, []).append(problem.sentences[0])
    for whats in sorted(groups.values(), key=lambda whats: (-len(whats), whats)):
        first = printable(whats[0].partition("\n")[0])
        alike = "" if len(set(whats)) == 1 else ", and the like"
        yield (Span(f"  {len(whats):,} failed: {first}{alike}", Style.PROBLEM),)


_NOT_WRITTEN = {
    "diff": "Nothing was written; `urbexmp sync` writes it.",
    "undo": "Nothing was written yet.",
    "backup restore": "Nothing was written yet.",
}


def _next_steps(report: Report) -> Iterator[Line]:
    if report.interrupted:
        yield (
            Span("Stopped. Every photo is either finished or untouched;", Style.HELD),
            Span(" the same command goes on from here.", Style.HELD),
        )
    if report.held:
        yield (
            Span("Waiting for you: ", Style.HELD),
            Span("`urbexmp status` lists them, `urbexmp keyword confirm|refuse` answers them."),
        )
    if report.undecided:
        photos = counted(report.undecided, "photo")
        yield (
            Span(f"The files of {photos} contradict each other, so they were left.", Style.HELD),
            Span(" Answer what waits, then finish with", Style.HELD),
            Span(f" `urbexmp undo {report.undecided_run}`: it is not taken back yet."),
        )
    if report.dry:
        if report.changed:
            yield (Span(_NOT_WRITTEN.get(report.command, "Nothing was written: a dry run.")),)
        return
    if not report.changed:
        return
    seen = report.changed - report.lightroom_blind
    if report.added and report.command not in _DONE:
        yield from _unseen(report)
    if seen:
        yield from lightroom_steps()


def _unseen(report: Report) -> Iterator[Line]:
    """What Lightroom will not show, and what it is that keeps it from that."""
    if report.lightroom_blind:
        photos = counted(report.lightroom_blind, "photo")
        yield (
            Span(f"Lightroom will not show the new keywords of {photos}, which", Style.HELD),
            Span(" are in sidecars that it does not read:", Style.HELD),
        )
        for reason, number in sorted(report.blind.items()):
            yield (Span(f"  {number:,}: {sight.told(reason)}", Style.HELD),)
    for reason, number in sorted((report.spared - report.blind).items()):
        jpegs = counted(number, "JPEG")
        yield (Span(f"{jpegs} beside a raw got no keywords: {sight.told(reason)}.", Style.DIM),)


def lightroom_steps() -> tuple[Line, ...]:
    """What to do in Lightroom now, in its own menu's words.

    Reading replaces what Lightroom holds, so edits not yet saved must be saved before; and
    saving writes over the keywords that Lightroom has not read, so `sync` comes in between.
    """
    return (
        (Span("Next, in Lightroom Classic:", Style.GOOD),),
        (
            Span(
                "  1. Edits not saved yet? Metadata > Save Metadata to Files first, and sync again."
            ),
        ),
        (Span("  2. Select the photos, then Metadata > Read Metadata from Files."),),
    )


def duration(seconds: float) -> str:
    """`3.2 s`, `2 min 05 s`, `1 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
