"""`urbexmp status`: what waits for a person, and what waits for another try."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared

if TYPE_CHECKING:
    from urbexmp.model.background import WatchState

TEXTS = ("description or alt text", "descriptions and alt texts")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="So many suggestions, and so many failures, at most.",
)
@shared(json=True)
def status(choices: Choices, folder: Path | None, *, limit: int) -> int:
    """Show what waits for you or for another try, and how a watch goes.

    PATH narrows the suggestions to a folder or a photo.
    """
    from urbexmp.cli.console import console_for
    from urbexmp.cli.ledger import reading
    from urbexmp.cli.libraries import one_library
    from urbexmp.cli.stage_trouble import trouble_lines
    from urbexmp.model.errors import LibraryGone
    from urbexmp.rules.render import Span, Style, counted, printable, relative
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import (
        held_data,
        held_lines,
        reason_of,
        run_data,
        run_lines,
        waiting_data,
        waiting_lines,
        watch_lines,
    )
    from urbexmp.rules.render_texts import held_text_data

    root, below = one_library(choices, (folder,) if folder else ())
    ever = f"{datetime.now(UTC) + timedelta(days=36500):%Y-%m-%dT%H:%M:%SZ}"
    with reading(root, choices.state) as ledger:
        known = ledger.known_count(root)
        held = ledger.held(below[0] if folder else None)
        texts = ledger.held_texts(below[0] if folder else None)
        waiting = ledger.waiting(ever, limit + 1)
        last = ledger.runs(1)
    if not (known or last or below[0].exists()):
        raise LibraryGone(below[0], detail="is not there")
    watching = watch_state(root, choices.state)
    if choices.json:
        if watching is not None:
            print(line({"event": "watch", **watching.to_plain()}))
        for path, edit in held[:limit]:
            print(line(held_data(relative(path, root), edit)))
        for path, text in texts[:limit]:
            print(line(held_text_data(relative(path, root), text)))
        for work in waiting[:limit]:
            print(line(waiting_data(relative(work.path, root), work)))
        for run in last:
            print(line(run_data(run)))
        print(
            line(
                {
                    "event": "status",
                    "root": root.as_posix(),
                    "known": known,
                    "held": len(held),
                    "held_texts": len(texts),
                    "waiting": min(len(waiting), limit),
                }
            )
        )
        return 0
    console = console_for(choices)
    console.lines(
        (
            (
                Span(printable(str(root)), Style.PATH),
                Span(f": {counted(known, 'photo')} dealt with"),
            ),
        )
    )
    console.lines(tuple(trouble_lines(choices)))
    if watching is not None:
        console.lines(watch_lines(watching, datetime.now(UTC)))
    if held:
        print(f"\n{counted(len(held), 'suggestion')} waiting for you:")
        console.lines(held_lines(held[:limit], root))
        if len(held) > limit:
            print(f"  ... and {len(held) - limit:,} more (--limit)")
        print('Answer with `urbexmp keyword confirm "KEYWORD" PATH` or `refuse`.')
    if texts:
        verb = "waits" if len(texts) == 1 else "wait"
        print(f"\n{counted(len(texts), *TEXTS)} {verb} for you.")
        print("`urbexmp text list` shows them. Answer with `urbexmp text take PATH` or `keep`.")
    queued = [work for work in waiting if not work.attempts and not work.last_error]
    failed = [work for work in waiting if work.attempts]
    later = Counter(
        reason_of(work, root) for work in waiting if not work.attempts and work.last_error
    )
    if queued:
        more = "at least " if len(waiting) > limit else ""
        print(f"\n{more}{counted(len(queued), 'photo')} waiting for their turn.")
    for reason, number in later.most_common(limit):
        more = "at least " if len(waiting) > limit else ""
        verb = "waits" if number == 1 else "wait"
        print(f"\n{more}{counted(number, 'photo')} {verb}: {printable(reason)}")
    if failed:
        print("\nTried again later:")
        console.lines(waiting_lines(failed[:limit], root))
    if last:
        print("\nLast run:")
        console.lines(run_lines(last))
    if not (held or texts or waiting):
        print("Nothing waits.")
    return 0


def watch_state(root: Path, state: Path | None) -> WatchState | None:
    """How the watch that runs on a library goes; None: none does."""
    from urbexmp.adapters.background.health import read_health
    from urbexmp.adapters.lock import held_by
    from urbexmp.app import state_paths

    paths = state_paths(root, state)
    pid = held_by(paths.watch)
    found = read_health(paths.health) if pid is not None else None
    return found if found is not None and str(found.pid) == pid else None
