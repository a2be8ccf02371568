"""`urbexmp keyword`: list keywords, and a person's own edits by the same safe write."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.keyword_library import complete, popular, tree
from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import Problem, UsageProblem
from urbexmp.model.keyword import Keyword, name_fault

PATHS = click.Path(path_type=Path)


@click.group()
def keyword() -> None:
    """List keywords, and edit them yourself.

    KEYWORD is a path such as "Urbex|Building|Hospital"; quote it, because | means something to
    the shell. Each PATH is a photo or a folder.
    """


@keyword.command(name="list")
@click.argument("paths", nargs=-1, type=PATHS, metavar="[PATH]...")
@shared(settings=True, json=True)
def list_keywords(choices: Choices, paths: tuple[Path, ...]) -> int:
    """List the keywords of photos and who they come from."""
    from urbexmp.app import open_house
    from urbexmp.cli.console import console_for
    from urbexmp.cli.libraries import each_library
    from urbexmp.cli.options import load
    from urbexmp.drivers.keywords import listing
    from urbexmp.model.report import EXIT_DONE, EXIT_SOME_FAILED
    from urbexmp.rules.render import relative
    from urbexmp.rules.render_json import line, of_library, problem_data
    from urbexmp.rules.render_list import keyword_data, keyword_line, photo_line

    settings = load(choices)
    console = console_for(choices)

    def deal(root: Path, below: list[Path]) -> int:
        code = EXIT_DONE
        photo: Path | None = None
        with open_house(
            root, settings, state=choices.state, writing=False, remember=False
        ) as house:
            for row in listing(house, below):
                if isinstance(row, Problem):
                    code = EXIT_SOME_FAILED
                    if choices.json:
                        print(line(of_library(problem_data(row, root), root)))
                    else:
                        console.trouble(row)
                    continue
                if choices.json:
                    fields = (row.source, row.score, row.stage, row.profile, row.at)
                    data = keyword_data(relative(row.path, root), row.keyword, *fields)
                    print(line(of_library(data, root)))
                    continue
                if row.path != photo:
                    photo = row.path
                    console.lines((photo_line(photo, root),))
                console.lines((keyword_line(row.keyword, row.source, row.score, row.stage),))
        if photo is None and not choices.json and code == EXIT_DONE:
            print("No keywords.")
        return code

    return each_library(choices, paths, deal)


def _edits(verb: str, help_text: str) -> click.Command:
    """One of the five commands that differ in a verb only."""

    @keyword.command(name=verb, help=help_text)
    @click.argument("keyword_text", metavar="KEYWORD")
    @click.argument("paths", nargs=-1, required=True, type=PATHS, metavar="PATH...")
    @click.option("-n", "--dry-run", is_flag=True, help="Show what would be written.")
    @shared(settings=True, json=True)
    def command(
        choices: Choices, keyword_text: str, paths: tuple[Path, ...], *, dry_run: bool
    ) -> int:
        from urbexmp.app import open_house
        from urbexmp.cli.console import make_show
        from urbexmp.cli.libraries import each_library
        from urbexmp.cli.options import load
        from urbexmp.cli.stopping import stoppable
        from urbexmp.drivers.keywords import edit

        wanted = {verb: (read_keyword(keyword_text, strict=verb == "add"),)}
        settings = load(choices)

        def deal(root: Path, below: list[Path]) -> int:
            show = make_show(choices, root, detail="diff")
            with (
                stoppable() as stopping,
                show,
                open_house(
                    root, settings, state=choices.state, writing=not dry_run, stopping=stopping
                ) as house,
            ):
                report = edit(house, below, show, dry_run=dry_run, **wanted)
                return stopping.exit_code(report.exit_code())

        return each_library(choices, paths, deal)

    return command


def read_keyword(text: str, *, strict: bool) -> Keyword:
    """Read `A|B|C`. `strict`: only what Lightroom takes. Raises `UsageProblem`."""
    try:
        read = Keyword.parse(text)
    except ValueError as failure:
        raise UsageProblem(repr(text), "a name in it is empty", 'Write it as "A|B|C"') from failure
    for name in read.path if strict else ():
        if fault := name_fault(name):
            raise UsageProblem(
                repr(text),
                f"Lightroom would not take the name {name!r}: it {fault}",
                "Choose another",
            )
    return read


_edits("add", "Add a keyword of your own.")
_edits("remove", "Take a keyword out. One of ours is not suggested there again.")
_edits("confirm", "Say yes to a suggestion, or take over a keyword of ours as your own.")
_edits("refuse", "Say no to a suggestion: it never comes back there.")
_edits("unveto", "Allow a keyword again that you took away or refused.")

for listed in (complete, popular, tree):
    keyword.add_command(listed)
