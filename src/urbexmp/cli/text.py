"""`urbexmp text`: descriptions and alt texts that wait for a person, and their answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.model.profile import Profile
    from urbexmp.model.text import TextField

PATHS = click.Path(path_type=Path)
BOTH = ("description", "alt-text")

_FIELD = click.option(
    "--field",
    type=click.Choice(BOTH),
    help="Only this text. Default: both.",
)


@click.group()
def text() -> None:
    """Answer for descriptions and alt texts that wait for you.

    A text waits where you changed what was written, or it went away, and the stage says something
    else. Each PATH is a photo or a folder; below a folder only what waits is answered.
    """


@text.command(name="list")
@click.argument("paths", nargs=-1, type=PATHS, metavar="[PATH]...")
@shared(json=True)
def list_texts(choices: Choices, paths: tuple[Path, ...]) -> int:
    """List what waits: what stands there, what the stage says, and why it is not written."""
    from urbexmp.cli.console import console_for
    from urbexmp.cli.ledger import reading
    from urbexmp.cli.libraries import each_library
    from urbexmp.model.errors import LibraryGone
    from urbexmp.model.report import EXIT_DONE
    from urbexmp.rules.render import relative
    from urbexmp.rules.render_json import line, of_library
    from urbexmp.rules.render_texts import held_text_data, held_text_lines

    console = console_for(choices)

    def deal(root: Path, below: list[Path]) -> int:
        with reading(root, choices.state) as ledger:
            found = [
                (path, held)
                for path, held in ledger.held_texts()
                if any(path.is_relative_to(under) for under in below)
            ]
        for under in below:
            if not (under.exists() or any(path.is_relative_to(under) for path, _ in found)):
                raise LibraryGone(under, detail="is not there")
        if choices.json:
            for path, held in found:
                print(line(of_library(held_text_data(relative(path, root), held), root)))
            return EXIT_DONE
        console.lines(held_text_lines(found, root))
        if not found and not choices.quiet:
            print("No text waits.")
        return EXIT_DONE

    return each_library(choices, paths, deal)


def _answers(verb: str, help_text: str) -> None:
    """One of the two answers."""

    @text.command(name=verb, help=help_text)
    @click.argument("paths", nargs=-1, required=True, type=PATHS, metavar="PATH...")
    @_FIELD
    @click.option("-n", "--dry-run", is_flag=True, help="Show what would be written.")
    @shared(settings=True, json=True)
    def command(
        choices: Choices, paths: tuple[Path, ...], *, field: str | None, dry_run: bool
    ) -> int:
        from urbexmp.app import open_house
        from urbexmp.cli.console import make_show
        from urbexmp.cli.libraries import each_library
        from urbexmp.cli.options import load
        from urbexmp.cli.stopping import stoppable
        from urbexmp.drivers.texts import answer

        settings = load(choices)
        fields = _fields(settings.profile, field)

        def deal(root: Path, below: list[Path]) -> int:
            show = make_show(choices, root, detail="diff")
            with (
                stoppable() as stopping,
                show,
                open_house(
                    root, settings, state=choices.state, writing=not dry_run, stopping=stopping
                ) as house,
            ):
                take = verb == "take"
                report = answer(house, below, show, take=take, fields=fields, dry_run=dry_run)
                return stopping.exit_code(report.exit_code())

        return each_library(choices, paths, deal)


def _fields(profile: Profile, named: str | None) -> tuple[TextField, ...]:
    """The texts that are answered for. Raises `UsageProblem` where the profile writes none."""
    from urbexmp.model.profile import EMPTY_OR_OURS
    from urbexmp.model.text import TextField

    written = {
        TextField.DESCRIPTION: profile.write_description,
        TextField.ALT_TEXT: profile.write_alt_text,
    }
    asked = dict(zip(BOTH, TextField, strict=True))
    wanted = (asked[named],) if named else tuple(TextField)
    fields = tuple(field for field in wanted if written[field] == EMPTY_OR_OURS)
    if not fields:
        raise UsageProblem(
            f"the profile {profile.name}",
            f"writes no {named.replace('-', ' ') if named else 'texts'}",
            "Name the profile whose texts these are, as --profile full",
        )
    return fields


_answers("take", "Write what the stage says, over what stands there. Also what you took out.")
_answers("keep", "Leave what stands there, as it is or empty, and never ask again.")
