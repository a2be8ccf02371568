"""`urbexmp models convert`: the files that stages load, made from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.models_convert_florence import florence
from urbexmp.cli.models_convert_ram import ram
from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem, WriteFailed

if TYPE_CHECKING:
    from urbexmp.adapters.exporting.siglip_onnx import Converted


@click.group()
def convert() -> None:
    """Make the ONNX files of a model from its checkpoint.

    For checkpoints of your own, or where a model is published without such files. Needs torch;
    nothing is downloaded, and no code of a checkpoint is run.
    """


convert.add_command(florence)
convert.add_command(ram)


@convert.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER"
)
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=click.Choice(["int8", "fp16", "fp32"]),
    help="Make this variant too; fp32 is always made.  [default: int8]",
)
@click.option("--id", "model", metavar="ID", help="Id of the entry that is printed.")
@shared(json=True)
def siglip(
    choices: Choices, folder: Path, out: Path, *, variants: tuple[str, ...], model: str | None
) -> int:
    """Make the ONNX files of a SigLIP or SigLIP 2 checkpoint.

    FOLDER holds the checkpoint as the hub lays it out: config.json, model.safetensors and the
    tokenizer. OUT must be empty or new. Every file is compared with torch, and an entry for your
    models.toml is printed, with hashes, scale and bias.
    """
    from urbexmp.adapters.exporting.siglip_onnx import convert as make
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageProblem(out, "exists already and is not empty", "Name a new folder")
    console = console_for(choices)
    name = _plain(model or f"{folder.resolve().name}-own")

    def step(text: str) -> None:
        if not choices.json and not choices.quiet:
            console.lines(((Span(text, Style.DIM),),))

    try:
        made = make(folder, out, variants or ("int8",), step)
        entry = _entry(out, made, name)
    except OSError as error:
        raise WriteFailed(out, detail=error.strerror or str(error)) from error
    if choices.json:
        for one in made.parity:
            data = {"file": one.file, "cosine": one.cosine, "largest": one.largest}
            print(line({"event": "converted", **data}))
        numbers = {"scale": made.scale, "bias": made.bias}
        print(line({"event": "entry", "folder": str(out), **numbers, "toml": entry}))
        return 0
    told = [(one.file, f"{one.cosine:.6f}", f"{one.largest:.1e}") for one in made.parity]
    console.lines(columns(("file", "least cosine to torch", "largest difference"), told))
    console.lines(((), (Span("Add this to your models.toml (`urbexmp models path`), then run"),)))
    console.lines(((Span(f"urbexmp models import {printable(str(out))} {name}"),), ()))
    print(entry, end="")
    return 0


def _entry(out: Path, made: Converted, model: str) -> str:
    """The registry's entry for what was made, as TOML."""
    from urbexmp.adapters.weights import sha256_of

    files = "".join(
        f'  {{ name = "{name}", size = {(out / name).stat().st_size},'
        f' sha256 = "{sha256_of(out / name)}" }},\n'
        for name in made.files
    )
    return (
        f"[model.{model}]\n"
        'role = "view"\nstage = "siglip"\nlicence = "that of the checkpoint"\n'
        'about = "made from a checkpoint on this machine"\n'
        'repository = ""\nrevision = ""\n'
        f"files = [\n{files}]\n"
        f"settings = {{ scale = {made.scale:.6f}, bias = {made.bias:.6f} }}\n"
    )


def _plain(model: str) -> str:
    """The id with what no id may have replaced."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in model.lower())
    return kept.strip("-") or "siglip-own"
