"""TOML files: lines are right, and setting a value loses nothing of what a person wrote."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.shipped import shipped
from urbexmp.adapters.toml import parse_toml, read_toml, set_value
from urbexmp.model.errors import ConfigProblem, FileUnreadable

keys = st.sampled_from(["alpha", "beta", "gamma", "delta"])
values = st.one_of(
    st.integers(-1000, 1000),
    st.booleans(),
    st.text("abc äöü#=[]\"'\\", max_size=12),
    st.lists(st.sampled_from(["x", "y]", "#z"]), max_size=3),
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    import tomlkit

    lines: list[str] = []
    for table in (None, "stage.pixels", "thresholds"):
        if table and draw(st.booleans()):
            lines.append(f"\n# about {table}\n[{table}]  # here")
        elif table:
            continue
        for key in draw(st.lists(keys, unique=True, max_size=3)):
            if draw(st.booleans()):
                lines.append(f"# what {key} is for")
            value = tomlkit.item(draw(values)).as_string()
            lines.append(f"{key} = {value}  # said of {key}")
        if draw(st.booleans()):
            lines.append("# a last word")
    return "\n".join(lines) + "\n"


def comments(text: str) -> list[str]:
    found = []
    for line in text.split("\n"):
        for mark in ("# what ", "# said of ", "# about ", "# a last word", "# here"):
            if mark in line:
                found.append(line[line.rindex(mark) :])
    return sorted(found)


@given(
    text=documents(),
    where=st.sampled_from([("alpha",), ("thresholds", "beta"), ("stage", "pixels", "gamma")]),
    value=values,
)
def test_set_value_changes_one_value_and_keeps_every_comment(
    text: str, where: tuple[str, ...], value: object
) -> None:
    changed = set_value(text, where, value)
    assert comments(changed) == comments(text)
    before, after = tomllib.loads(text), tomllib.loads(changed)
    table = after
    for key in where[:-1]:
        table = table[key]
    assert table.pop(where[-1]) == value
    old = before
    for key in where[:-1]:
        old = old.setdefault(key, {})
    old.pop(where[-1], None)
    assert after == before
    assert set_value(changed, where, value) == changed


@given(documents())
def test_line_of_is_the_line_where_the_key_stands(text: str) -> None:
    document = parse_toml(text, Path("a.toml"))
    lines = text.split("\n")
    for table, inner in (
        ((), document.values),
        (("thresholds",), document.values.get("thresholds", {})),
    ):
        for key, value in inner.items():
            if not isinstance(value, dict):
                assert lines[document.line_of(*table, key) - 1].startswith(f"{key} =")


def test_a_key_shown_in_a_comment_goes_below_it() -> None:
    text = shipped("profiles", "offline").read_text(encoding="utf-8")
    changed = set_value(text, ("workers",), 3)
    assert "# workers = 0\nworkers = 3\n" in changed
    assert changed.replace("workers = 3\n", "", 1) == text


def test_a_comment_inside_a_table_is_no_place_for_a_key_of_the_top() -> None:
    changed = set_value("[a]\n# workers = 0\nx = 1\n", ("workers",), 3)
    assert tomllib.loads(changed) == {"a": {"x": 1}, "workers": 3}


def test_windows_line_ends_stay() -> None:
    changed = set_value("# hi\r\na = 1\r\n# b = 0\r\n", ("b",), 2)
    assert changed == "# hi\r\na = 1\r\n# b = 0\r\nb = 2\r\n"


def test_a_value_is_no_table() -> None:
    with pytest.raises(ConfigProblem, match="is no table"):
        set_value("stage = 1\n", ("stage", "pixels", "size"), 2)


def test_lines_after_multi_line_values_are_right() -> None:
    text = 'a = """\nb = 1\n"""\nc = [\n  "d = 2",\n]\ne = 1\n[[t]]\nx = 1\n[[t]]\nx = 2\n'
    document = parse_toml(text, Path("a.toml"))
    assert document.line_of("e") == 7
    assert document.line_of("t", 1, "x") == 11
    assert document.line_of("t", 1, "absent") == 10


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        read_toml(tmp_path / "absent.toml")
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigProblem, match="not UTF-8"):
        read_toml(bad)
    bad.write_text("a = ", encoding="utf-8")
    with pytest.raises(ConfigProblem, match="1 mistake"):
        read_toml(bad)
