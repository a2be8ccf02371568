"""All commands, and the error boundary: no traceback ever reaches a person."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence

# Starting makes much and drops little: collecting garbage meanwhile is a tenth of a query's time.
gc.disable()

import click  # noqa: E402

from urbexmp import __version__  # noqa: E402
from urbexmp.cli.start import COMPLETE_VARIABLE, steady  # noqa: E402
from urbexmp.model.errors import Crashed, Problem  # noqa: E402

# What is imported stays: it need never be looked through.
gc.freeze()
gc.enable()

COMMANDS: dict[str, str] = {
    "sync": "Look at photos and write their keywords.",
    "watch": "Wait for photos and keyword them as they arrive.",
    "diff": "Show keyword changes, and write nothing.",
    "apply": "Carry out a plan that `sync --plan` saved.",
    "undo": "Take back what a run wrote.",
    "keyword": "List keywords, and edit them yourself.",
    "text": "Answer for descriptions and alt texts that wait for you.",
    "query": "Find photos by keyword, date, camera, folder, score and more.",
    "search": "Find photos by words, the best first.",
    "status": "Show what waits for you or for another try, and how a watch goes.",
    "stats": "Show what a library holds, and what you did with our keywords.",
    "mirror": "Build, check, find and back up the copy that queries are answered from.",
    "runs": "List the runs of a library, newest first.",
    "report": "Compare the reports of two runs, or what two models said.",
    "library": "List the libraries that are known here, and give one up.",
    "backup": "List what was kept of replaced files, put it back, give it up.",
    "taxonomy": "Look at the vocabulary, check it, export and import it.",
    "models": "List the models of the stages, bring them here, check them, carry them.",
    "stage": "List the stages, and have one of them look at photos.",
    "location": "Show what is known of a place, and say more.",
    "profile": "Show and change the settings.",
    "serve": "Offer stages over HTTP, for urbexmp on another machine.",
    "doctor": "Check this installation and say what to do about each problem.",
    "completion": "Print the completion script for your shell.",
}
"""Commands in the order of the help page, with its lines: listing them imports none of them."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used: `urbexmp.cli.NAME.NAME`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"urbexmp.cli.{cmd_name}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; a misspelled one is told which was perhaps meant."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="urbexmp")
def cli() -> None:
    """Hierarchical Lightroom keywords for photographs of abandoned places.

    urbexmp looks at photos, suggests keywords from a vocabulary, and writes them into XMP
    sidecars. It never takes away or respells a keyword of yours, and what you removed never
    comes back. Every write is proven, backed up and can be undone.

    Start with `urbexmp sync --dry-run FOLDER`.
    """


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; every trouble becomes plain text."""
    steady()
    try:
        code = _guarded(args)
        sys.stdout.flush()
    except BaseException as failure:
        return failed(failure, args)
    return code


def failed(failure: BaseException, args: Sequence[str]) -> int:
    """Say what ended a command, and return the exit code. Raises what is no failure."""
    if isinstance(failure, BrokenPipeError):
        # Who reads us has gone, as `head` does. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    if isinstance(failure, KeyboardInterrupt):
        print(STOPPED, file=sys.stderr)
        return 128 + 2
    if isinstance(failure, Problem):
        _tell(failure, args)
        return failure.code
    if isinstance(failure, Exception):
        return _crashed(failure, args, debug="--debug" in args)
    raise failure


STOPPED = "Stopped. Every photo is either finished or untouched; run the command again to go on."


def _guarded(args: Sequence[str]) -> int:
    """Run the command as `click.Group.main` would, but keep a broken pipe and Ctrl-C apart:
    click makes both of them exit code 1, which here means "--check found edits"."""
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "urbexmp", COMPLETE_VARIABLE, instruction)
    try:
        with cli.make_context("urbexmp", list(args)) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort as failure:
        raise KeyboardInterrupt from failure
    except click.ClickException as failure:
        failure.show()
        return 2
    return code if isinstance(code, int) else 0


def _tell(problem: Problem, args: Sequence[str]) -> None:
    from urbexmp.rules.render import printable

    text = "\n".join(printable(line) for line in str(problem).split("\n"))
    print(text, file=sys.stderr)
    if "--json" in args:
        from pathlib import PurePath

        from urbexmp.rules.render_json import line, problem_data

        print(line(problem_data(problem, PurePath())))


def _crashed(failure: Exception, args: Sequence[str], *, debug: bool) -> int:
    from urbexmp.cli.log import keep_traceback

    log = keep_traceback(failure)
    if debug:
        import traceback

        traceback.print_exception(failure)
    problem = Crashed("urbexmp", f"{type(failure).__name__}: {failure}", log)
    _tell(problem, args)
    return problem.code
