"""Plans as files: whole or refused, and never outside their library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.front_examples import change, clean_home, hostile  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from urbexmp.cli.plan_file import read_plan, replacing, write_plan
from urbexmp.model.errors import (
    Problem,
    UsageProblem,
)
from urbexmp.model.profile import Profile

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


# --- Plans ----------------------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a.plan"
    write_plan(path, tmp_path, Profile(), [change(root=tmp_path), change("b.CR3", root=tmp_path)])
    yield path
    assert not list(tmp_path.glob(".urbexmp-*"))


def test_a_plan_reads_back_as_it_was(plan: Path, tmp_path: Path) -> None:
    read = read_plan(plan)
    assert read.root == tmp_path
    assert read.changes == (change(root=tmp_path), change("b.CR3", root=tmp_path))
    assert read.profile_digest == Profile().digest


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=hostile.filter(lambda name: not set(name) & set("/\\\0") and name not in {".", ".."}))
def test_a_plan_keeps_any_file_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "names.plan"
    made = change(name + ".CR3", root=tmp_path, notes=(name,))
    write_plan(path, tmp_path, Profile(), [made])
    assert read_plan(path).changes == (made,)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_plan_is_one_clear_sentence(data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "damaged.plan"
    write_plan(path, tmp_path, Profile(), [change(root=tmp_path)])
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 2))
    path.write_bytes(whole[:cut])
    with pytest.raises(Problem) as caught:
        read_plan(path)
    assert caught.value.code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no plan of urbexmp"),
        (b"hello\n", "is no plan of urbexmp"),
        (b"\xff\xd8\xff", "is no plan of urbexmp"),
        (b'{"urbexmp_plan": 99}\n{"changes": 0}\n', "has plan format 99; this urbexmp knows 1"),
        (b'{"urbexmp_plan": 1}\n{"changes": 0}\n', "is damaged"),
    ],
)
def test_a_foreign_plan_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign.plan"
    path.write_bytes(content)
    with pytest.raises(UsageProblem) as caught:
        read_plan(path)
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["../outside.CR3", "a/../../outside.CR3"])
def test_a_plan_cannot_reach_outside_its_library(name: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.plan"
    root = tmp_path / "library"
    write_plan(path, root, Profile(), [change(name, root=root)])
    with pytest.raises(UsageProblem, match="outside its library"):
        read_plan(path)


def test_apply_and_diff_refuse_what_is_no_plan(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "x").write_text("x")
    assert run(["apply", str(tmp_path / "x")]) == 2
    assert run(["diff", "--plan", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_a_plan_is_shown_in_every_format(plan: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["diff", "--plan", str(plan)]) == 0
    assert "+  Urbex|Building|Healthcare|Hospital" in capsys.readouterr().out
    assert run(["diff", "--plan", str(plan), "--format", "json", "--check"]) == 1
    assert [json.loads(one)["event"] for one in capsys.readouterr().out.splitlines()] == [
        "change",
        "change",
    ]
    text = tmp_path / "out.txt"
    assert run(["diff", "--plan", str(plan), "-o", str(text)]) == 0
    assert capsys.readouterr().out == ""
    assert "Heilstätten/IMG_0412.CR3" in text.read_text(encoding="utf-8")


def test_a_file_that_could_not_be_finished_does_not_replace_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def half() -> None:
        with replacing(path) as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
