"""`urbexmp models convert florence`: ONNX files of a Florence-2, made from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem, WriteFailed

if TYPE_CHECKING:
    from urbexmp.adapters.exporting.florence_onnx import Report


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER"
)
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--int8", is_flag=True, help="Make the 8-bit variant too.")
@click.option("--id", "model", metavar="ID", help="Id of the entry that is printed.")
@shared(json=True)
def florence(choices: Choices, folder: Path, out: Path, *, int8: bool, model: str | None) -> int:
    """Make the ONNX files of a Florence-2 checkpoint.

    FOLDER holds the checkpoint as the hub lays it out: config.json, model.safetensors, tokenizer
    and processor, of the kind that transformers loads without code of the checkpoint's own. OUT
    must be empty or new. Every file is compared with torch, and an entry for your models.toml is
    printed, with hashes. Takes a minute or more for a model of true size.
    """
    from urbexmp.adapters.exporting.florence_onnx import convert
    from urbexmp.cli.console import console_for
    from urbexmp.cli.models_convert_ram import plain_id
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageProblem(out, "exists already and is not empty", "Name a new folder")
    console = console_for(choices)
    if not choices.json and not choices.quiet:
        console.lines(((Span(f"converting {printable(folder.name)}", Style.DIM),),))
    try:
        made = convert(folder, out, ("fp32", "int8") if int8 else ("fp32",))
        name = plain_id(model or f"{folder.resolve().name}-own")
        entries = _entries(made, name)
    except OSError as error:
        raise WriteFailed(out, detail=error.strerror or str(error)) from error
    if choices.json:
        for part, gap in made.parity:
            print(line({"event": "converted", "part": part, "difference": gap}))
        answers = {"event": "answers", "same": dict(made.same_tokens)}
        print(line(answers))
        print(line({"event": "entry", "folder": str(out), "toml": entries}))
        return 0
    told = [(part, f"{gap:.1e}") for part, gap in made.parity]
    console.lines(columns(("part", "largest difference to torch, as a share"), told))
    words = {True: "the same as", False: "not the same as"}
    for variant, same in made.same_tokens:
        console.lines(((Span(f"{variant}: the words of an answer are {words[same]} torch's"),),))
    console.lines(((), (Span("Add this to your models.toml (`urbexmp models path`), then run"),)))
    console.lines(((Span(f"urbexmp models import {printable(str(out))} ID"),), ()))
    print(entries, end="")
    return 0


def _entries(made: Report, model: str) -> str:
    """The registry's entries for what was made, one a variant, as TOML."""
    from urbexmp.adapters.exporting.florence_onnx import PARTS, VARIANTS
    from urbexmp.adapters.weights import sha256_of

    found = []
    graphs = {
        variant: [f"{part}{suffix}.onnx" for part in PARTS] for variant, suffix in VARIANTS.items()
    }
    plain = [name for name, _ in made.files if ".onnx" not in name]
    for variant, names in graphs.items():
        # A graph with its weights beside it: NAME.onnx and NAME.onnx_data.
        own = [
            name for name, _ in made.files if name.rpartition("/")[2].removesuffix("_data") in names
        ]
        if not own:
            continue
        sizes = dict(made.files)
        files = "".join(
            f'  {{ name = "{name}", size = {sizes[name]},'
            f' sha256 = "{sha256_of(made.folder / name)}" }},\n'
            for name in (*own, *plain)
        )
        whole = variant == "fp32"
        reference = "" if whole else f', reference = "{model}"'
        found.append(
            f"[model.{model if whole else f'{model}-{variant}'}]\n"
            'role = "caption"\nstage = "florence"\nlicence = "that of the checkpoint"\n'
            f'about = "Florence-2, converted on this machine ({variant})"\n'
            f'repository = ""\nrevision = ""\nfiles = [\n{files}]\n'
            f'settings = {{ backend = "onnx", variant = "{variant}"{reference} }}\n'
        )
    return "\n".join(found)
