"""`urbexmp taxonomy`: look at the vocabulary, check it, export and import it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import FileUnreadable, UsageProblem, WriteFailed

if TYPE_CHECKING:
    from urbexmp.rules.taxonomy import Taxonomy

FILE = click.Path(path_type=Path, dir_okay=False)
OUTPUT = click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="Write here instead of to the terminal; an existing file is left alone.",
)


@click.group()
def taxonomy() -> None:
    """Look at the vocabulary, check it, export and import it.

    The vocabulary in force is the one that the profile names; --taxonomy NAME|FILE names another.
    """


@taxonomy.command()
@click.argument("path", required=False)
@click.option("--depth", type=click.IntRange(min=1), help="So many levels at most.")
@shared(settings=True)
def tree(choices: Choices, path: str | None, *, depth: int | None) -> int:
    """Show the terms as a tree, or the part of it below PATH.

    PATH is written "Urbex|Building", or is a word of the vocabulary. [Name] is a grouping node,
    which is not exported as a word of its own.
    """
    from urbexmp.rules.vocabulary_text import tree_lines

    vocabulary = _vocabulary(choices)
    under = None
    if path:
        meanings = vocabulary.lookup(path)
        if not meanings:
            near = vocabulary.near(path.rpartition("|")[2])
            hint = f"Did you mean {' or '.join(near)}?" if near else ""
            raise UsageProblem(path, "is no term of the vocabulary", hint)
        under = meanings[0].keyword
    _say(choices, tree_lines(vocabulary, under, depth))
    return 0


@taxonomy.command()
@click.argument("file", required=False, type=FILE)
@shared(settings=True)
def check(choices: Choices, file: Path | None) -> int:
    """Check FILE, or the vocabulary in force: every mistake is listed with its line."""
    from urbexmp.adapters.toml import read_toml
    from urbexmp.rules.render import counted
    from urbexmp.rules.taxonomy import load_taxonomy

    path = file or _path(choices)
    document = read_toml(path)
    vocabulary = load_taxonomy(document.values, document.line_of, path)
    told = f"{path}: {counted(len(vocabulary.terms), 'term')}, no mistakes."
    if not choices.quiet:
        _say(choices, (told,))
    return 0


@taxonomy.command()
@click.argument("labels", nargs=-1, required=True, metavar="LABEL...")
@shared(settings=True)
def explain(choices: Choices, labels: tuple[str, ...]) -> int:
    """Say what a model's label or a word of yours means: which term, and why."""
    from urbexmp.rules.vocabulary_text import explain as explained

    vocabulary = _vocabulary(choices)
    for number, label in enumerate(labels):
        _say(
            choices, ("", *explained(label, vocabulary)) if number else explained(label, vocabulary)
        )
    return 0


@taxonomy.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="So many at most."
)
@shared(settings=True, json=True)
def unmapped(choices: Choices, paths: tuple[Path, ...], *, limit: int) -> int:
    """List what the stages say of your photos and no term knows, the most frequent first.

    Counts what was seen in earlier runs on the libraries that PATHs are in; looks at no photo.
    """
    from urbexmp.app import open_house
    from urbexmp.cli.libraries import each_library
    from urbexmp.cli.options import load
    from urbexmp.rules.unmapped import count_unmapped

    settings = load(choices)

    def deal(root: Path, below: list[Path]) -> int:
        with open_house(
            root, settings, state=choices.state, writing=False, remember=False
        ) as house:
            looks = (look for _, look in house.ledger.looks())
            first = next(looks, None)
            seen = () if first is None else chain((first,), looks)
            found = count_unmapped(seen, house.taxonomy, house.profile.ask_from)
        if choices.json:
            from urbexmp.rules.render_json import line

            for one in found[:limit]:
                print(
                    line(
                        {
                            "event": "unmapped",
                            "root": root.as_posix(),
                            "label": one.label,
                            "photos": one.photos,
                            "stages": list(one.stages),
                            "ambiguous": one.ambiguous,
                            "near": list(one.near),
                        }
                    )
                )
            return 0
        if first is None:
            _say(choices, ("No photo was looked at yet; `urbexmp sync` does.",))
            return 0
        if not found:
            _say(choices, ("The vocabulary knows every label that was seen.",))
            return 0
        from urbexmp.cli.console import console_for
        from urbexmp.rules.render_list import columns

        table = [
            (
                f"{one.photos:,}",
                one.label,
                ", ".join(one.stages),
                "ambiguous, needs company" if one.ambiguous else ", ".join(one.near),
            )
            for one in found[:limit]
        ]
        head = ("photos", "label", "stages", "like it")
        console_for(choices).lines(columns(head, table, right=(0,)))
        if len(found) > limit:
            _say(choices, (f"... and {len(found) - limit:,} more (--limit).",))
        return 0

    return each_library(choices, paths, deal)


@taxonomy.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv"]),
    default="text",
    show_default=True,
    help="The form of the list.",
)
@OUTPUT
@shared(settings=True)
def export(choices: Choices, *, form: str, output: Path | None) -> int:
    """Write the vocabulary as a keyword list for Lightroom (Metadata > Import Keywords)."""
    from urbexmp.rules.keyword_list import export_csv, export_text

    vocabulary = _vocabulary(choices)
    _give(export_text(vocabulary) if form == "text" else export_csv(vocabulary), output)
    return 0


@taxonomy.command(name="import")
@click.argument("file", type=FILE)
@OUTPUT
@shared()
def import_list(choices: Choices, file: Path, *, output: Path | None) -> int:
    """Turn a keyword list of Lightroom, text or CSV, into a vocabulary of your own.

    Prints TOML, to which you can add labels and prompts; `taxonomy check` checks it, and
    `taxonomy = "FILE"` in a profile uses it. Nothing else is changed.
    """
    from urbexmp.rules.keyword_list import decode_list
    from urbexmp.rules.keyword_list import import_list as read_list
    from urbexmp.rules.vocabulary_text import list_as_toml

    try:
        content = file.read_bytes()
    except OSError as failure:
        raise FileUnreadable(file, detail=failure.strerror or str(failure)) from failure
    text, guessed = decode_list(content)
    listed = read_list(text)
    for warning in (*guessed, *listed.warnings):
        click.echo(f"{file}: {warning}", err=True)
    if not listed.entries:
        raise UsageProblem(file, "holds no keyword", "Export it again from Lightroom")
    _give(list_as_toml(listed), output)
    return 0


def _path(choices: Choices) -> Path:
    """The file of the vocabulary in force."""
    from urbexmp.adapters.shipped import shipped
    from urbexmp.cli.options import load

    named = load(choices).profile.taxonomy
    return Path(named) if named.endswith(".toml") else shipped("taxonomy", named)


def _vocabulary(choices: Choices) -> Taxonomy:
    from urbexmp.app import open_taxonomy
    from urbexmp.cli.options import load

    return open_taxonomy(load(choices).profile)


def _say(choices: Choices, lines: Iterable[str]) -> None:
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render import Span, printable

    console_for(choices).lines((Span(printable(one)),) for one in lines)


def _give(text: str, output: Path | None) -> None:
    """Write exactly these bytes: a keyword list must not get other line ends on the way."""
    content = text.encode("utf-8")
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("xb") as file:
            file.write(content)
    except FileExistsError as failure:
        raise UsageProblem(output, "exists already", "Name another file") from failure
    except OSError as failure:
        raise WriteFailed(output, failure.strerror or str(failure)) from failure
