"""`urbexmp backup`: what was kept of replaced files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from urbexmp.cli.asking import in_library
from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem


@click.group()
def backup() -> None:
    """List what was kept of replaced files, put it back, give it up.

    Before a write, a sidecar is kept as it was, and of an image file the packet and what belongs
    to it, from which `urbexmp undo` makes the old file again. With backup = "full" in the profile
    image files are kept whole too.
    """


@backup.command(name="list")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--run", metavar="RUN", help="Only what was kept before this run.")
@shared(json=True)
def list_backups(choices: Choices, paths: tuple[Path, ...], *, run: str | None) -> int:
    """List what is kept, by run and photo, with its size on the disk.

    Each PATH is a photo or a folder; without one, everything in the library of the folder you
    stand in.
    """
    from urbexmp.app import open_kept
    from urbexmp.cli.console import console_for
    from urbexmp.cli.ledger import reading
    from urbexmp.cli.libraries import one_library
    from urbexmp.drivers.backups import listing
    from urbexmp.model.errors import LibraryGone
    from urbexmp.model.photo import ABSENT
    from urbexmp.rules.render import relative
    from urbexmp.rules.render_backup import kept_data, kept_line, run_line, total_line
    from urbexmp.rules.render_json import line

    root, below = one_library(choices, paths)
    console = console_for(choices)
    backups, copies = open_kept(root, choices.state)
    shown, found = "", False
    with reading(root, choices.state) as ledger:
        for kept in listing(ledger, backups, copies, run=run, below=below if paths else ()):
            found = True
            if choices.json:
                print(
                    line(
                        kept_data(
                            kept.run,
                            kept.at,
                            relative(kept.photo, root),
                            relative(kept.carrier.path, root),
                            kept.carrier.kind.value,
                            kept.version,
                            kept.size,
                            kept.copy_size,
                        )
                    )
                )
                continue
            if kept.run != shown:
                shown = kept.run
                console.lines((run_line(kept.run, kept.at),))
            console.lines(
                (
                    kept_line(
                        kept.carrier.path,
                        root,
                        absent=kept.version == ABSENT,
                        size=kept.size,
                        copy_size=kept.copy_size,
                    ),
                )
            )
    for path in below:
        if not (found or path.exists()):
            raise LibraryGone(path, detail="is not there")
    if not choices.json:
        sizes = [size for _, size in backups.stored()]
        whole = [size for _, size in copies.stored()]
        console.lines((total_line(len(sizes), sum(sizes), len(whole), sum(whole)),))
    return 0


@backup.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--run", required=True, metavar="RUN", help="As it was before this run.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Write it into this folder, and leave the photo alone.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be put back.")
@shared(settings=True, json=True)
def restore(
    choices: Choices, photo: Path, *, run: str, target: Path | None, yes: bool, dry_run: bool
) -> int:
    """Give one photo the keywords and packets that it had before a run, byte for byte.

    What was done to its packets since, by you or by another program, is lost by this; `urbexmp
    undo` spares it. The picture is never touched.
    """
    from urbexmp.cli.libraries import one_library
    from urbexmp.cli.options import load
    from urbexmp.cli.shown_first import shown_first
    from urbexmp.drivers.backups import restore as run_restore

    root, (path,) = one_library(choices, (photo,))
    if target is not None:
        return _extract(choices, root, run, path, target)
    return shown_first(
        *(choices, root, load(choices), lambda house, show: run_restore(house, run, path, show)),
        command="backup",
        question="Put this back?",
        yes=yes,
        dry_run=dry_run,
    )


def _extract(choices: Choices, root: Path, run: str, photo: Path, target: Path) -> int:
    from urbexmp.app import open_kept
    from urbexmp.cli.ledger import reading
    from urbexmp.drivers.backups import extract, receipt_of
    from urbexmp.model.profile import Profile
    from urbexmp.rules.render_backup import size_text
    from urbexmp.rules.render_json import line
    from urbexmp.wiring import open_carriers

    backups, copies = open_kept(root, choices.state)
    _, codec = open_carriers(Profile())
    with reading(root, choices.state) as ledger:
        receipt = receipt_of(ledger, run, photo)
    for path, size in extract(receipt, backups, copies, codec.unwrapped, target):
        if choices.json:
            print(line({"event": "extracted", "path": os.fspath(path), "size": size}))
        else:
            print(f"{path}: {size_text(size)}")
    return 0


@backup.command()
@in_library
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Keep the runs since then."
)
@click.option(
    "--keep-runs", type=click.IntRange(min=0), metavar="N", help="Keep the newest N that wrote."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be given up.")
@shared(settings=True, json=True)
def prune(
    choices: Choices,
    *,
    folder: Path | None,
    older_than: float | None,
    keep_runs: int | None,
    yes: bool,
    dry_run: bool,
) -> int:
    """Give up what was kept from before older runs, and say which can then not be taken back.

    What a run that stays needs to be taken back is never given up. With both options a run stays
    when both would keep it.
    """
    from datetime import timedelta

    from urbexmp.app import open_house
    from urbexmp.cli.console import console_for
    from urbexmp.cli.libraries import one_library
    from urbexmp.cli.options import load
    from urbexmp.cli.shown_first import agreed
    from urbexmp.drivers.backups import Pruning, pruning
    from urbexmp.drivers.backups import prune as give_up
    from urbexmp.drivers.retries import iso
    from urbexmp.rules.render_backup import pruning_lines
    from urbexmp.rules.render_json import line

    if older_than is None and keep_runs is None:
        raise UsageProblem(
            "backup prune", "nothing says what to keep", "Say --older-than or --keep-runs"
        )
    settings = load(choices)
    root, _ = one_library(choices, (folder,) if folder else ())
    console = console_for(choices)

    def show(found: Pruning, *, done: bool) -> None:
        if choices.json:
            lost = [{"run": run.run, "photos": photos} for run, photos in found.lost]
            counts = {"backups": len(found.backups), "copies": len(found.copies)}
            print(line({"event": "pruned", "done": done, **counts, "bytes": found.bytes,
                        "kept_runs": found.kept_runs, "lost": lost}))  # fmt: skip
            return
        console.lines(
            pruning_lines(
                found.kept_runs,
                len(found.backups),
                len(found.copies),
                found.bytes,
                found.lost,
                done=done,
            )
        )

    with open_house(root, settings, state=choices.state, writing=True, known=True) as house:
        before = None
        if older_than is not None:
            before = iso(house.clock.now() - timedelta(days=older_than))
        found = pruning(
            house.ledger, house.backups, house.copies, before=before, keep_runs=keep_runs
        )
        going = bool(found.backups or found.copies)
        if dry_run or not going:
            show(found, done=False)
            return 0
        if not yes:
            if choices.json or not sys.stdin.isatty():
                raise UsageProblem("backup", "there is nobody to ask", "Say --yes, or --dry-run")
            show(found, done=False)
            if not agreed("Give this up?"):
                return 0
        give_up(house, found)
        if yes:
            show(found, done=True)
    return 0
