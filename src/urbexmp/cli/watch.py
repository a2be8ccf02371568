"""`urbexmp watch`: keyword photos as they arrive."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from urbexmp.cli.console import Console, JsonShow, TextShow, console_for
from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import Problem, UsageProblem

if TYPE_CHECKING:
    from urbexmp.cli.log import Log
    from urbexmp.model.change import Change
    from urbexmp.model.ports import Show
    from urbexmp.model.report import Report
    from urbexmp.rules.render import Line


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--poll",
    is_flag=True,
    help="Do not listen for changes, look every few seconds: for network shares.",
)
@click.option(
    "--sweep",
    type=click.FloatRange(min=0.01),
    metavar="MINUTES",
    help="Look everything over so often. Default: the profile's sweep_minutes.",
)
@click.option("--once", is_flag=True, help="Stop when nothing is left to do.")
@click.option("--install-service", is_flag=True, help="Make a service that watches from log-in on.")
@click.option("--print", "print_only", is_flag=True, help="Only show that service.")
@shared(settings=True, json=True)
def watch(
    choices: Choices,
    paths: tuple[Path, ...],
    *,
    poll: bool,
    sweep: float | None,
    once: bool,
    install_service: bool,
    print_only: bool,
) -> int:
    """Wait for photos and keyword them as they arrive.

    Each PATH is a folder; without one it is the folder you stand in. A photo is looked at once
    it is complete. Everything is looked over at the start and every few minutes, so nothing is
    missed. Ctrl-C finishes the photo at hand and ends the watch.
    """
    if install_service:
        from urbexmp.cli.service import install

        extra = ["--poll"] if poll else []
        extra += ["--sweep", f"{sweep:g}"] if sweep is not None else []
        return install(choices, paths, print_only=print_only, extra=extra)
    if print_only:
        raise UsageProblem("--print", "goes with --install-service only", "Add it")
    return _watch(choices, paths, poll=poll, sweep=sweep, once=once)


def _watch(
    choices: Choices, paths: tuple[Path, ...], *, poll: bool, sweep: float | None, once: bool
) -> int:
    from urbexmp.app import library_roots, state_paths
    from urbexmp.app_watch import Loaded, open_watch
    from urbexmp.cli.anew import Anew, SoFar, so_far
    from urbexmp.cli.log import Log
    from urbexmp.cli.options import load, profile_path
    from urbexmp.drivers.watch import watch as run_watch

    console = console_for(choices)
    before = SoFar.taken(os.environ, os.getpid())
    with signals() as asked:

        def failed(failure: Exception) -> None:
            if isinstance(failure, Problem):
                console.trouble(failure)

        loaded = Loaded(
            lambda: load(choices), profile_path(choices.profile), asked.take_reload, failed
        )
        anew = Anew(lambda: loaded.settings.profile)
        roots = library_roots(paths or (Path(),), choices.state)
        shows = [
            watch_show(choices, console, root, Log(state_paths(root, choices.state).log))
            for root, _ in roots
        ]
        libraries = [
            (root, _outer(below), show) for (root, below), show in zip(roots, shows, strict=True)
        ]
        with open_watch(
            libraries,
            loaded,
            state=choices.state,
            poll=poll,
            sweep_minutes=sweep,
            stopping=lambda: asked.stopping() or anew.due(),
            ended=asked.stopping,
            say=shows[0].note,
        ) as (tendings, outside):
            already = before.add_to(tendings)
            anew.done = lambda: sum(tending.counts.done for tending in tendings) - already
            since = before.since or outside.clock.now()
            for root, _ in roots:
                shows[0].note(f"Watching {root}. Ctrl-C ends it.")
            run_watch(tendings, outside, once=once, since=since)
            counted = so_far(tendings, since, os.getpid())
        if anew.why and asked.signal is None:
            shows[0].note(f"Beginning anew with a fresh process: {anew.why}.")
            anew.begin(counted)
        return 128 + asked.signal if asked.signal is not None else 0


def _outer(paths: list[Path]) -> tuple[Path, ...]:
    """The folders that are not inside another one of them."""
    unique = list(dict.fromkeys(paths))
    return tuple(path for path in unique if not set(path.parents) & set(unique))


# --- Showing --------------------------------------------------------------------------------------


def watch_show(choices: Choices, console: Console, root: Path, log: Log) -> Show:
    """The way of showing a watch that the shared options ask for."""
    if choices.json:
        return JsonWatchShow(console, root, log)
    return WatchShow(console, root, log, quiet=choices.quiet, verbose=choices.verbose)


class WatchShow(TextShow):
    """One line a photo on standard output, and the same in the library's log."""

    def __init__(
        self, console: Console, root: Path, log: Log, *, quiet: bool, verbose: bool
    ) -> None:
        detail = "none" if quiet else "diff" if verbose else "short"
        super().__init__(console, root, detail=detail, progress=None, summary=not quiet)  # type: ignore[arg-type]
        self._log = log

    def note(self, sentence: str) -> None:
        """Say it."""
        self._log(sentence)
        super().note(sentence)

    def change(self, change: Change, *, applied: bool) -> None:
        """Show one photo."""
        self._log(_logged(change, self.root, applied=applied))
        super().change(change, applied=applied)

    def problem(self, problem: Problem) -> None:
        """Say what is wrong."""
        self._log(str(problem))
        super().problem(problem)
        self.console.err.flush()

    def end(self, report: Report) -> None:
        """The end of a burst of work is not worth a word."""

    def _print(self, one: Line) -> None:
        super()._print(one)
        self.console.out.flush()


class JsonWatchShow(JsonShow):
    """One JSON object a line on standard output, and the library's log as people read it."""

    def __init__(self, console: Console, root: Path, log: Log) -> None:
        super().__init__(console, root, check=False)
        self._log = log

    def note(self, sentence: str) -> None:
        """Say it."""
        self._log(sentence)
        super().note(sentence)

    def change(self, change: Change, *, applied: bool) -> None:
        """Say the whole change."""
        self._log(_logged(change, self.root, applied=applied))
        super().change(change, applied=applied)

    def problem(self, problem: Problem) -> None:
        """Say what is wrong."""
        self._log(str(problem))
        super().problem(problem)


def _logged(change: Change, root: Path, *, applied: bool) -> str:
    from urbexmp.rules.render import plain
    from urbexmp.rules.render_text import short_line

    return plain(short_line(change, root, applied=applied))


# --- Signals --------------------------------------------------------------------------------------


class Asked:
    """What signals asked for."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._reload = False

    def stopping(self) -> bool:
        """Whether to stop after the photo at hand."""
        return self.signal is not None

    def take_reload(self) -> bool:
        """Whether to read the profile again; says so once."""
        wanted, self._reload = self._reload, False
        return wanted

    def stop(self, number: int, frame: FrameType | None) -> None:
        """The first asks to stop after the photo at hand, the second stops at once."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        os.write(sys.stderr.fileno(), b"\nStopping after the photo at hand.\n")

    def reload(self, number: int, frame: FrameType | None) -> None:
        """Read the profile again between two photos."""
        self._reload = True


@contextmanager
def signals() -> Iterator[Asked]:
    """Listen for Ctrl-C, the system's wish to end, and SIGHUP; put everything back afterwards."""
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    handlers = {signal.SIGINT: asked.stop, signal.SIGTERM: asked.stop}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = asked.reload
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
