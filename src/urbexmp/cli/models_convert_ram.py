"""`urbexmp models convert ram`: the ONNX file of RAM++, made from its authors' checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem, WriteFailed

if TYPE_CHECKING:
    from urbexmp.adapters.exporting.ram_onnx import Converted


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER"
)
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--int8", is_flag=True, help="Make the 8-bit variant too.")
@click.option("--size", default=384, show_default=True, help="Pixels of the picture's side.")
@click.option("--tags", default=4585, show_default=True, help="Number of the model's tags.")
@click.option("--id", "model", metavar="ID", help="Id of the entry that is printed.")
@shared(json=True)
def ram(
    choices: Choices,
    folder: Path,
    out: Path,
    *,
    int8: bool,
    size: int,
    tags: int,
    model: str | None,
) -> int:
    """Make the ONNX files of a RAM++ checkpoint.

    FOLDER holds the one .pth file of its authors, which is read as numbers only, never as code,
    and, if there are any, the lists of tags and thresholds. OUT must be empty or new. Every file
    is compared with torch, and an entry for your models.toml is printed, with hashes.
    """
    from urbexmp.adapters.exporting.ram_onnx import convert
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageProblem(out, "exists already and is not empty", "Name a new folder")
    console = console_for(choices)

    def step(text: str) -> None:
        if not choices.json and not choices.quiet:
            console.lines(((Span(text, Style.DIM),),))

    try:
        made = convert(
            folder, out, ("fp32", "int8") if int8 else ("fp32",), step, side=size, tags=tags
        )
        entries = _entries(out, made, plain_id(model or "ram-plus-own"), size, tags)
    except OSError as error:
        raise WriteFailed(out, detail=error.strerror or str(error)) from error
    if choices.json:
        for one in made.parity:
            data = {"file": one.file, "largest": one.largest, "flipped": one.flipped}
            print(line({"event": "converted", **data}))
        print(line({"event": "entry", "folder": str(out), "toml": entries}))
        return 0
    told = [(one.file, f"{one.largest:.1e}", f"{one.flipped:.2%}") for one in made.parity]
    head = ("file", "largest difference of a score to torch", "tags that change sides")
    console.lines(columns(head, told))
    console.lines(((), (Span("Add this to your models.toml (`urbexmp models path`), then run"),)))
    console.lines(((Span(f"urbexmp models import {printable(str(out))} ID"),), ()))
    print(entries, end="")
    return 0


def plain_id(model: str) -> str:
    """The id with what no id may have replaced."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in model.lower())
    return kept.strip("-") or "own"


def _entries(out: Path, made: Converted, model: str, size: int, tags: int) -> str:
    """The registry's entries for what was made, one a variant, as TOML."""
    from urbexmp.adapters.exporting.ram_onnx import LISTS, NAMES, SETTINGS
    from urbexmp.adapters.weights import sha256_of

    lists = [name for name in LISTS if name in made.files]
    whole = len(lists) == len(LISTS)
    settings = [f'{key} = "{value}"' for key, value in SETTINGS.items()]
    settings += [] if whole else ['lists = "ram-plus-lists"']
    settings += [f"size = {size}", f"tags = {tags}"]
    found = []
    for variant, name in NAMES.items():
        if name not in made.files:
            continue
        names = [one for one in made.files if one in (name, f"{name}.data")]
        files = "".join(
            f'  {{ name = "{one}", size = {(out / one).stat().st_size},'
            f' sha256 = "{sha256_of(out / one)}" }},\n'
            for one in (*names, *(lists if whole else ()))
        )
        whole_numbers = variant == "fp32"
        own = model if whole_numbers else f"{model}-{variant}"
        held_against = () if whole_numbers else (f'reference = "{model}"',)
        found.append(
            f'[model.{own}]\nrole = "tagger"\nstage = "ram"\nlicence = "Apache-2.0"\n'
            f'about = "RAM++, converted on this machine ({variant})"\n'
            f'repository = ""\nrevision = ""\nfiles = [\n{files}]\n'
            f"settings = {{ {', '.join((*settings, *held_against))} }}\n"
        )
    return "\n".join(found)
