"""Write docs/commands.md, the reference of all commands, from their own --help."""

from __future__ import annotations

from collections.abc import Iterator

import click
from blocks import ROOT, store

PAGE = ROOT / "docs" / "commands.md"
WIDTH = 88

HEAD = """\
# Commands

Made by `docs/make_commands.py` from `--help`; do not edit by hand. What the exit codes mean is told
in [exit-codes.md](exit-codes.md), the words in [concepts.md](concepts.md).
"""


def commands(
    command: click.Command, words: tuple[str, ...] = ("urbexmp",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the words that call a command, and the command, groups before their members."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=" ".join(words))
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                yield from commands(member, (*words, name))


def render() -> str:
    """Return the whole page."""
    from urbexmp.cli.main import cli

    parts = [HEAD]
    for words, command in commands(cli):
        called = " ".join(words)
        context = click.Context(
            command, info_name=called, terminal_width=WIDTH, max_content_width=WIDTH, color=False
        )
        said = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"## {called}\n\n```text\n{said}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    store(PAGE, render())
