"""`urbexmp mirror`: the copy of what the packets say, for queries."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

PATH = click.Path(path_type=Path)


@click.group()
def mirror() -> None:
    """Build, check, find and back up the copy that queries are answered from.

    It is one SQLite file in the state folder. It holds nothing that the photos and their packets
    do not hold, and can be deleted at any time.
    """


@mirror.command()
@click.argument("folder", required=False, type=PATH, metavar="[PATH]")
@shared(settings=True, json=True)
def rebuild(choices: Choices, folder: Path | None) -> int:
    """Build the mirror anew from the photos and their packets alone.

    PATH is a library; without it the folder you stand in. Until the new mirror is whole, the old
    one answers, and it stays when you stop this.
    """
    from urbexmp.app import open_house
    from urbexmp.cli.console import make_show
    from urbexmp.cli.libraries import named_library
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.mirror import rebuild as run_rebuild
    from urbexmp.rules.render import counted
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_summary import duration

    settings = load(choices)
    root, _ = named_library(choices, folder)
    show = make_show(choices, root, detail="none")
    with (
        stoppable() as stopping,
        show,
        open_house(root, settings, state=choices.state, writing=True, stopping=stopping) as house,
    ):
        report = run_rebuild(house, show)
        path = house.state.mirror
    code = stopping.exit_code(report.exit_code())
    if choices.json:
        data = {"event": "mirror", "path": str(path), "photos": report.unchanged}
        data |= {"failed": report.failed, "seconds": round(report.seconds, 3), "exit_code": code}
        print(line(data))
    elif report.interrupted:
        print("Stopped. The mirror is as it was.")
    elif not choices.quiet:
        print(f"{counted(report.unchanged, 'photo')} in the mirror ({duration(report.seconds)}).")
    return code


@mirror.command()
@click.argument("folder", required=False, type=PATH, metavar="[PATH]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="List so many differences at most.",
)
@shared(settings=True, json=True)
def check(choices: Choices, folder: Path | None, *, limit: int) -> int:
    """Compare the mirror with what the photos and packets say now.

    Leaves with exit code 1 when they differ; `urbexmp sync` or `urbexmp mirror rebuild` puts
    that right. Nothing is changed.
    """
    from urbexmp.app import open_house, open_mirror
    from urbexmp.cli.console import console_for, make_show
    from urbexmp.cli.libraries import named_library
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.mirror import check as run_check
    from urbexmp.rules.render import Span, Style, counted, printable
    from urbexmp.rules.render_json import line

    settings = load(choices)
    root, _ = named_library(choices, folder)
    console = console_for(choices)
    found = 0
    show = make_show(choices, root, detail="none")
    with (
        stoppable() as stopping,
        show,
        open_house(
            root, settings, state=choices.state, writing=False, remember=False, stopping=stopping
        ) as house,
        open_mirror(root, choices.state) as stored,
    ):
        photos = stored.count()
        for drift in run_check(house, stored, show):
            found += 1
            path = drift.path.as_posix()
            if choices.json:
                data = {"event": "drift", "path": path, "what": drift.what, "detail": drift.detail}
                print(line(data))
            elif found <= limit:
                named = printable(path if path != "." else str(stored.path))
                console.lines(
                    (
                        (
                            Span(named, Style.PATH),
                            Span(f": {drift.what}", Style.PROBLEM),
                            Span(f" ({printable(drift.detail)})"),
                        ),
                    )
                )
    if choices.json:
        print(line({"event": "mirror", "photos": photos, "differences": found}))
    elif not choices.quiet or found:
        if found > limit:
            print(f"... and {found - limit:,} more (--limit)")
        told = f"{counted(found, 'difference')} found." if found else "No difference found."
        print(f"{counted(photos, 'photo')} in the mirror. {told}")
    return 1 if found else 0


@mirror.command(name="path")
@click.argument("folder", required=False, type=PATH, metavar="[PATH]")
@shared()
def show_path(choices: Choices, folder: Path | None) -> int:
    """Print where the mirror is, for sqlite3, datasette and scripts."""
    from urbexmp.app import state_paths
    from urbexmp.cli.libraries import named_library

    root, _ = named_library(choices, folder)
    path = state_paths(root, choices.state).mirror
    if not path.exists():
        raise UsageProblem(root, "there is no mirror yet", "Run `urbexmp mirror rebuild` first")
    print(path)
    return 0


@mirror.command()
@click.argument("target", type=PATH, metavar="DEST")
@click.argument("folder", required=False, type=PATH, metavar="[PATH]")
@shared(json=True)
def backup(choices: Choices, target: Path, folder: Path | None) -> int:
    """Copy the mirror to the file or folder DEST while it is in use.

    The copy is checked before it takes the place of an older one, and is one file by itself.
    PATH is a library; without it the folder you stand in.
    """
    from urbexmp.app import open_mirror
    from urbexmp.cli.libraries import named_library
    from urbexmp.rules.render_json import line

    root, _ = named_library(choices, folder)
    with open_mirror(root, choices.state) as stored:
        copy = target / stored.path.name if target.is_dir() else target
        size = stored.backup(copy)
    if choices.json:
        print(line({"event": "backup", "path": str(copy), "bytes": size}))
    elif not choices.quiet:
        print(f"{copy}: {size / 1e6:,.1f} MB, checked.")
    return 0
