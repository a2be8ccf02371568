"""`urbexmp location`: what is known of a place, and how to say more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urbexmp.model.observation import CaptureFacts
    from urbexmp.rules.location import Known
    from urbexmp.rules.terms import Taxonomy

SAMPLE = 200
"""Photos that a suggestion looks at; more say nothing new."""


@click.group()
def location() -> None:
    """Show what is known of a place, and say more.

    What a `location.toml` in a folder says holds for all photos below. Stages are told of it, and
    sorts of places become keywords. Folder names are read too.
    """


@location.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), default=Path())
@shared(settings=True, json=True)
def show(choices: Choices, folder: Path) -> int:
    """Show what is known of the photos in FOLDER, and where that comes from."""
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    folder = _folder(folder)
    known = _known(choices, folder)[0]
    if choices.json:
        for each in known:
            data = {"event": "location", "folder": str(folder), "key": each.key}
            print(line({**data, "value": each.value, "origin": each.origin}))
    elif known:
        table = [(each.key, each.value, each.origin) for each in known]
        console_for(choices).lines(columns(("key", "value", "from"), table))
    else:
        print(
            f"Nothing is known of {folder}. Say it: urbexmp location set FOLDER name=... type=..."
        )
    return 0


@location.command(name="set")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("said", metavar="KEY=VALUE...", nargs=-1, required=True)
@click.option(
    "--central/--own",
    "central",
    default=None,
    help="In the library's locations.toml, or in the folder's own file. Default: where it stands"
    " already, else in the folder's own.",
)
@click.option("--retag", is_flag=True, help="Sync the folder at once.")
@shared(settings=True)
def set_(
    choices: Choices, folder: Path, *, said: tuple[str, ...], central: bool | None, retag: bool
) -> int:
    """Say something of a place in FOLDER's `location.toml`; its comments stay.

    Keys are name, type, era, city, county, state, country, when (stages that are slow or paid
    look: always, idle, manual, unsure), and keywords (with commas; for every photo of the place).
    `KEY=` takes one out. Only stages that are told of places look again for it.
    """
    from urbexmp.cli.location_write import placed, write
    from urbexmp.rules.location import assigned

    folder = _folder(folder)
    changes = {}
    for text in said:
        try:
            key, value = assigned(text)
        except ValueError as mistake:
            raise UsageProblem(text, str(mistake), "See `urbexmp location set --help`") from mistake
        changes[key] = value
    changed = write(choices, folder, placed(choices, folder, central), changes)
    if not changed or not retag:
        return 0
    from urbexmp.cli.asking_now import ask_now
    from urbexmp.cli.options import load

    nobody: frozenset[str] = frozenset()
    return ask_now(choices, load(choices), (folder,), nobody, again=False, dry_run=False)


@location.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--write", "writing", is_flag=True, help="Write it into FOLDER's location.toml.")
@shared(settings=True, json=True)
def suggest(choices: Choices, folder: Path, *, writing: bool) -> int:
    """Suggest what to say of FOLDER, from its name and the location in its photos.

    What a `location.toml` says already is left alone. Coordinates are not looked up anywhere.
    """
    from urbexmp.cli.console import console_for
    from urbexmp.cli.location_write import placed, write
    from urbexmp.rules.location import suggested
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    folder = _folder(folder)
    known, taxonomy = _known(choices, folder)
    found = suggested(folder.name, _facts(choices, folder), known, taxonomy)
    if choices.json:
        for each in found:
            data = {"event": "suggestion", "folder": str(folder), "key": each.key}
            print(line({**data, "value": each.value, "reason": each.reason}))
    elif not found:
        print(f"Neither the name of {folder} nor its photos say more.")
    else:
        table = [(each.key, each.value, each.reason) for each in found]
        console_for(choices).lines(columns(("key", "value", "because"), table))
    if found and writing:
        write(choices, folder, placed(choices, folder), {each.key: each.value for each in found})
    elif found and not choices.json:
        print("Write it with --write, or one by one: urbexmp location set FOLDER KEY=VALUE")
    return 0


@location.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Ask also about photos that it was asked about.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@shared(settings=True, json=True)
def enhance(choices: Choices, paths: tuple[Path, ...], *, again: bool, dry_run: bool) -> int:
    """Have `vlm` and `google_vision` look at the photos of a place now.

    Each PATH is a folder or a photo. What waits for a quiet moment, or to be named, is asked at
    once and ahead of a watch, whatever profile and `location.toml` say of when.
    """
    from urbexmp.cli.asking_now import ask_now, patient_stages
    from urbexmp.cli.options import load

    settings = load(choices)
    names = patient_stages(settings)
    return ask_now(choices, settings, paths, names, again=again, dry_run=dry_run)


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        said = "is no folder" if folder.exists() else "is not there"
        raise UsageProblem(folder, said, "Name a folder with photos")
    return folder.absolute()


def _known(choices: Choices, folder: Path) -> tuple[tuple[Known, ...], Taxonomy]:
    from urbexmp.adapters.places import location_files
    from urbexmp.app import library_root, open_taxonomy
    from urbexmp.cli.options import load
    from urbexmp.rules.location import known_of

    taxonomy = open_taxonomy(load(choices).profile)
    root = library_root(folder, choices.state)
    folders = (root.name, *folder.relative_to(root).parts)
    return known_of(location_files(folder, root), folders, taxonomy), taxonomy


def _facts(choices: Choices, folder: Path) -> Sequence[CaptureFacts]:
    """Capture facts of photos below a folder, with the location that their sidecars give."""
    from contextlib import suppress
    from dataclasses import replace
    from itertools import islice

    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.adapters.walk import FolderWalker
    from urbexmp.cli.options import load
    from urbexmp.model.errors import Problem
    from urbexmp.rules.pairing import pair
    from urbexmp.wiring import location_in, open_carriers, owner_of

    profile = load(choices).profile
    store, codec = open_carriers(profile)
    inspector = FileInspector()
    walker = FolderWalker(profile.ignore, profile.recursive)
    photos = (
        photo
        for listing in walker.folders((folder,))
        for photo in pair(listing, profile.sidecar_name, owner_of)[0]
    )
    found = []
    for photo in islice(photos, SAMPLE):
        said: dict[str, str] = {}
        with suppress(Problem):  # a suggestion can do without a damaged photo
            facts = inspector.facts(photo.path)
            for carrier in photo.carriers:
                said |= location_in(store, codec, carrier)
            found.append(
                replace(
                    facts,
                    city=said.get("City", facts.city),
                    state=said.get("State", facts.state),
                    country=said.get("Country", facts.country),
                    sublocation=said.get("Location", facts.sublocation),
                )
            )
    return found
