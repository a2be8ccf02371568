"""Every command is documented, has help, and is shown as it can be called."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from docs.pages import PAGES, ROOT, commands_shown, maker
from urbexmp.cli.main import cli

COMMANDS = {
    context.command_path: context.command for context in maker("make_commands").commands(cli)
}


@pytest.mark.parametrize("called", COMMANDS)
def test_every_command_and_option_has_help(called: str) -> None:
    command = COMMANDS[called]
    assert command.get_short_help_str(), called
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{called} {option.opts[0]}"


def test_the_reference_says_what_help_says() -> None:
    page = ROOT / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == maker("make_commands").render(), "run `make docs`"


def refused(words: list[str]) -> str | None:
    """Why a command line could not be parsed; None when it could."""
    command: click.Command = cli
    rest = words[1:]
    context = click.Context(cli, info_name="urbexmp")
    try:
        while True:
            context = click.Context(command, info_name=command.name, parent=context)
            rest = command.make_parser(context).parse_args(list(rest))[1]
            if not isinstance(command, click.Group):
                return None
            if not rest:
                return None
            found = command.get_command(context, rest[0])
            if found is None:
                return f"no command {rest[0]}"
            command, rest = found, rest[1:]
    except click.UsageError as failure:
        return failure.message


SHOWN = [
    pytest.param(words, id=f"{page.stem}:{' '.join(words)}")
    for page in PAGES
    if page.name != "commands.md"
    for words in commands_shown(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("words", SHOWN)
def test_commands_on_the_pages_can_be_called(words: list[str]) -> None:
    assert refused(words) is None


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert refused(["urbexmp", "no-such-command"]) == "no command no-such-command"
    assert refused(["urbexmp", "--no-such-option"]) is not None


def test_exit_codes_are_those_of_the_program() -> None:
    tables = maker("make_tables")
    blocks = maker("blocks")
    said = blocks.content(tables.EXIT_CODES, "problems")
    assert said == tables.problem_table(), "run `make docs`"


def test_problems_have_numbers_in_their_range_and_one_slug_each() -> None:
    kinds = list(maker("make_tables").problems())
    assert kinds
    slugs = [kind.slug for kind in kinds]
    assert len(set(slugs)) == len(slugs)
    numbers = [kind.code for kind in kinds if kind.code != 2]
    assert len(set(numbers)) == len(numbers)
    assert all(10 <= number <= 99 for number in numbers)
    assert all(kind.__doc__ for kind in kinds)


def test_profile_keys_are_those_of_the_program() -> None:
    tables = maker("make_tables")
    said = maker("blocks").content(tables.PROFILES, "keys")
    assert said == tables.key_table(), "run `make docs`"


def test_the_session_on_the_first_page_is_what_the_commands_print(tmp_path: Path) -> None:
    session = maker("make_session")
    generalise = session.generalise
    _, printed = session.session(tmp_path)
    assert generalise(session.page_lines(), tmp_path) == printed, "run `make session`"
