"""`urbexmp library`: the libraries that are known here, and giving one up."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import Problem, UsageProblem
from urbexmp.model.library import KnownLibrary, Losses


@click.group()
def library() -> None:
    """List the libraries that are known here, and give one up.

    A library is a folder that was synced; what is remembered of it lies in your state folder.
    """


@library.command(name="list")
@shared(json=True)
def list_(choices: Choices) -> int:
    """List libraries with their photos and last run."""
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_library import library_data, library_lines

    found = known_libraries(choices)
    gone = frozenset(
        each.folder.name for each in found if each.root is not None and not each.root.is_dir()
    )
    if choices.json:
        for each in found:
            there = each.root is not None and each.folder.name not in gone
            print(line(library_data(each, there=there)))
    elif found:
        console_for(choices).lines(library_lines(found, gone))
    else:
        print("No library is known yet; `urbexmp sync FOLDER` makes one.")
    return 0


@library.command()
@click.argument("root", metavar="ROOT")
@click.option("--delete", "deleting", is_flag=True, help="Delete the state, do not keep it aside.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be lost.")
@shared(json=True)
def forget(choices: Choices, root: str, *, deleting: bool, yes: bool, dry_run: bool) -> int:
    """Give up what is remembered of a library: its state, never a photo or a packet.

    ROOT is the library's folder, or the name that `library list` shows where that is unknown.
    Use it where a folder too high up became a library, or for one that is gone for good.
    The state is moved aside, from where you can put it back, unless you say --delete.
    """
    from urbexmp.adapters.lock import FileLock
    from urbexmp.adapters.state_folders import delete, set_aside
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_library import forgotten_data, losses_lines

    each = _named(root, known_libraries(choices))
    named = str(each.root or each.folder.name)
    if each.root is not None and each.root.is_relative_to(each.folder):
        raise UsageProblem(named, "its photos lie in the state folder", "Move them out first")
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(FileLock(each.folder / "lock"))
        losses = _losses(each)
        if not choices.json:
            print(f"{named}: the state would be {'deleted' if deleting else 'moved aside'}.")
            for sentence in losses_lines(losses) if losses else (_UNREADABLE,):
                print(f"  {sentence}")
            print("  Photos, packets and the keywords in them stay as they are.")
        if dry_run:
            if choices.json:
                data = forgotten_data(each, losses, moved=None, deleted=deleting, done=False)
                print(line(data))
            return 0
        if not yes:
            if choices.json or not sys.stdin.isatty():
                raise UsageProblem(named, "there is nobody to ask", "Say --yes, or --dry-run")
            if not click.confirm("Forget this library?", err=True):
                print("Left as it is.", file=sys.stderr)
                return 0
        if os.name == "nt":
            stack.close()  # a folder with an open file cannot be moved there
        moved = set_aside(each.folder, _stamp())
    if deleting:
        delete(moved)
    if choices.json:
        kept = None if deleting else moved.as_posix()
        print(line(forgotten_data(each, losses, moved=kept, deleted=deleting, done=True)))
    elif deleting:
        print("Forgotten, and its state deleted.")
    else:
        print(f"Forgotten. To have it back, move\n  {moved}\nto\n  {each.folder}")
    return 0


_UNREADABLE = "The ledger cannot be read, so what it alone knows cannot be told."


def known_libraries(choices: Choices) -> list[KnownLibrary]:
    """All libraries of the state folder, those with a damaged ledger too."""
    from urbexmp.adapters.state_folders import state_folders
    from urbexmp.app import state_base

    return [_known(folder) for folder in state_folders(state_base(choices.state))]


def _known(folder: Path) -> KnownLibrary:
    from urbexmp.adapters.db.inventory import Inventory, root_in
    from urbexmp.adapters.state_folders import root_of, size_of

    named = root_in(folder / "mirror.sqlite3")
    root = root_of(folder, (named,)) if named is not None else None
    try:
        with closing(Inventory(folder / "ledger.sqlite3")) as ledger:
            if root is None:
                root = root_of(folder, ledger.places())
            photos, last = ledger.photos(), ledger.last_run()
    except Problem as problem:
        return KnownLibrary(folder, root, size=size_of(folder), trouble=problem.sentences[0])
    return KnownLibrary(folder, root, photos, last, size_of(folder))


def _losses(each: KnownLibrary) -> Losses | None:
    from urbexmp.adapters.db.inventory import Inventory

    try:
        with closing(Inventory(each.folder / "ledger.sqlite3")) as ledger:
            return ledger.losses(each.root or Path("/"), each.folder / "mirror.sqlite3")
    except Problem:
        return None


def _named(text: str, found: list[KnownLibrary]) -> KnownLibrary:
    """The library that `text` names. Raises `UsageProblem`."""
    path = Path(os.path.abspath(text))  # noqa: PTH100  (keeps a symlinked library's own name)
    for each in found:
        if each.root == path or (each.root is None and each.folder.name == text):
            return each
    above = [each.root for each in found if each.root is not None and each.root in path.parents]
    if above:
        nearest = max(above, key=lambda root: len(root.parts))
        raise UsageProblem(text, f"is no library, but lies in {nearest}", "Name that")
    raise UsageProblem(text, "is no library that is known here", "See `urbexmp library list`")


def _stamp() -> str:
    from urbexmp.adapters.clock import SystemClock

    return f"{SystemClock().now():%Y%m%dT%H%M%SZ}"
