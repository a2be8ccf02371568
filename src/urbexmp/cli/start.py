"""Where the `urbexmp` command starts: a plain query goes a short way, all else through click."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

# Starting makes much and drops little: collecting garbage meanwhile is a tenth of a query's time.
gc.disable()

COMPLETE_VARIABLE = "_URBEXMP_COMPLETE"
"""The shell asks for completions by it."""

QUICK = frozenset({"query", "search"})
"""Commands that read, print and are done: they go without what a long run needs."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    args = sys.argv[1:]
    code = answered(args)
    quick = bool(QUICK.intersection(args[:1]))
    if code is None:
        from urbexmp.cli.main import run

        if quick:
            gc.disable()
        code = run(args)
    if quick:
        # Nothing is left to close. Taking the interpreter apart would take a tenth of the time.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        os._exit(code)
    sys.exit(code)


def answered(args: Sequence[str]) -> int | None:
    """The exit code of a query that needed no parser; None where click must look at it."""
    if list(args[:1]) != ["query"] or os.environ.get(COMPLETE_VARIABLE):
        return None
    try:
        from urbexmp.cli.plain import plain

        asked = plain(args[1:])
        if asked is None:
            return None
        from urbexmp.cli.answer import answer

        steady()
        choices, words, options = asked
        code = answer(choices, words, **options)
        sys.stdout.flush()
    except BaseException as failure:
        from urbexmp.cli.main import failed

        return failed(failure, args)
    return code


def steady() -> None:
    """A terminal that cannot show a letter gets an escape, never a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
