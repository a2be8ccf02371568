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
    command: click.Command, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Yield a context for every command, groups before their members: its path, its help."""
    context = click.Context(
        command,
        info_name=command.name if parent else "urbexmp",
        parent=parent,
        **{**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH},
    )
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                yield from commands(member, context)


def render() -> str:
    """Return the whole page."""
    from urbexmp.cli.main import cli

    parts = [HEAD]
    for context in commands(cli):
        said = "\n".join(line.rstrip() for line in context.get_help().splitlines())
        parts.append(f"## {context.command_path}\n\n```text\n{said}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    store(PAGE, render())
