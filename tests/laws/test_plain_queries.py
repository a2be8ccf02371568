"""A query that goes without click is understood exactly as click understands it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import urbexmp.cli.query
from urbexmp.cli.choices import Choices
from urbexmp.cli.main import cli, run
from urbexmp.cli.plain import FLAGS, VALUES, plain
from urbexmp.cli.start import COMPLETE_VARIABLE, answered

Understood = tuple[Choices, tuple[str, ...], dict[str, Any]]
Capture = pytest.CaptureFixture[str]


def by_click(args: list[str]) -> Understood | None:
    """What click makes of a command line; None where it refuses it or only helps."""
    found: list[Understood] = []

    def note(choices: Choices, words: tuple[str, ...], **options: Any) -> int:
        found.append((choices, words, options))
        return 0

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(urbexmp.cli.query, "answer", note)
        try:
            cli.main(["query", *args], "urbexmp", standalone_mode=False)
        except click.ClickException:
            return None
    return found[0] if found else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place with a folder, a file and a folder that nobody may read."""
    place = tmp_path_factory.mktemp("plain")
    (place / "there").mkdir()
    (place / "file").write_text("")
    (place / "closed").mkdir(mode=0)
    before = Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


PATHS = ("there", "file", "closed", "nowhere", ".", "", "~", "there/")
PIECES = st.one_of(
    st.sampled_from((*FLAGS, *VALUES, *VALUES)),
    st.sampled_from(("--", "-", "-qv", "-fpaths", "--limit=3", "--help", "-h", "--debug", "--lim")),
    st.sampled_from(("table", "paths", "json", "csv", "null-separated", "taken", "Table", "name")),
    st.sampled_from(("0", "1", "50", "007", "+1", "-1", "1_0", "²", "٣", "1e3", "9" * 12, " 5")),
    st.sampled_from(PATHS),
    st.sampled_from(("Hospital", "taken:2024", "NOT", '"St Agnes"', "*", "", "is:Building")),
    st.text(max_size=4),
)


@given(args=st.lists(PIECES, max_size=7))
@settings(max_examples=400, deadline=None)
def test_a_plain_query_is_what_click_makes_of_it(args: list[str], folder: Path) -> None:
    understood = plain(args)
    assert understood is None or understood == by_click(args)


VALUE_OF = {
    "shape": st.sampled_from(("table", "paths", "csv")),
    "sort": st.sampled_from(("taken", "score")),
    "limit": st.integers(1, 99).map(str),
    "offset": st.integers(0, 99).map(str),
    "folder": st.sampled_from(("there", ".")),
    "state": st.just("there"),
}
GOOD = st.one_of(
    st.sampled_from(tuple(FLAGS)).map(lambda flag: [flag]),
    st.sampled_from(tuple(VALUES)).flatmap(
        lambda option: VALUE_OF[VALUES[option]].map(lambda value: [option, value])
    ),
    st.sampled_from(("Hospital", "taken:2024", "(a", "OR", "b)")).map(lambda word: [word]),
)


@given(parts=st.lists(GOOD, max_size=6))
@settings(max_examples=100, deadline=None)
def test_what_is_spelled_out_needs_no_click(parts: list[list[str]], folder: Path) -> None:
    args = [piece for part in parts for piece in part]
    understood = plain(args)
    assert understood is not None
    assert understood == by_click(args)


@pytest.mark.parametrize("shape", ["table", "paths", "json", "csv", "null-separated"])
@pytest.mark.parametrize("words", [[], ["Hospital"], ["quality>=x"], ["(", "open"], ["--count"]])
def test_both_ways_print_the_same(
    library_asked: list[str], shape: str, words: list[str], capfdbinary: Any
) -> None:
    args = ["query", *words, *library_asked, "--format", shape]
    plainly = answered(args), capfdbinary.readouterr()
    assert plainly[0] is not None
    assert (run(args), capfdbinary.readouterr()) == plainly


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_trouble_is_told_in_the_same_words(
    tmp_path: Path, extra: list[str], capsys: Capture
) -> None:
    args = ["query", "Hospital", "--state", str(tmp_path), "--in", str(tmp_path), *extra]
    plainly = answered(args), capsys.readouterr()
    assert plainly[0] not in (None, 0)
    assert (run(args), capsys.readouterr()) == plainly


@pytest.mark.parametrize("args", [["query", "--help"], ["search", "mill"], ["--version"], []])
def test_everything_else_is_left_to_click(args: list[str], capsys: Capture) -> None:
    assert answered(args) is None
    assert capsys.readouterr() == ("", "")


def test_completing_a_query_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPLETE_VARIABLE, "bash_complete")
    assert answered(["query", "Hospital"]) is None


@pytest.fixture
def library_asked(tmp_path: Path) -> list[str]:
    """A library with a mirror of three photos, as options."""
    from mirror_examples import make_row
    from urbexmp.adapters.db.mirror import SqliteMirror
    from urbexmp.adapters.dirs import library_state
    from urbexmp.model.keyword import Keyword
    from urbexmp.model.mirror import PERSON, MirrorKeyword

    root, state = tmp_path / "photos", tmp_path / "state"
    root.mkdir()
    home = library_state(root, state)
    home.mkdir(parents=True)
    hospital = MirrorKeyword(Keyword.parse("Building|Hospital"), PERSON)
    with SqliteMirror(home / "mirror.sqlite3") as mirror:
        mirror.put(
            [
                make_row(Path("a/1.JPG"), keywords=[hospital]),
                make_row(Path("a/2 é.JPG"), keywords=[hospital]),
                make_row(Path("b/3.JPG")),
            ]
        )
        mirror.complete()
    return ["--state", str(state), "--in", str(root)]


def test_a_plain_query_goes_without_click(library_asked: list[str]) -> None:
    script = (
        "import sys; from urbexmp.cli.start import answered;"
        " assert answered(sys.argv[1:]) == 0; print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "query", "Hospital", "--limit", "1", *library_asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}
    assert "sqlite3" in imported
    assert not imported & {"click", "dataclasses", "inspect", "calendar", "shutil", "json"}
