"""The transcript runner itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.transcript import (
    Step,
    TranscriptError,
    generalise,
    isolated_environment,
    matches,
    parse,
    render,
    run,
)

EXAMPLE = """\
# Shows the runner.

-- write notes/one.txt
first
# not a comment
-- end
-- copy LICENSE copied.txt

$ cat notes/one.txt
first
\\# not a comment

# A failing command.
$ ls missing
...
[2]
$ printf '%s\\n' \\
>   a b
a
b
"""


def test_what_is_rendered_is_what_was_parsed() -> None:
    assert render(parse(EXAMPLE)) == EXAMPLE


def test_the_example_runs_as_it_says(tmp_path: Path) -> None:
    outcomes = list(run(parse(EXAMPLE), tmp_path))
    assert [outcome.as_expected for outcome in outcomes] == [True, True, True], outcomes
    assert (tmp_path / "here/copied.txt").read_bytes().startswith(b"  ")


def test_other_output_or_another_exit_code_is_noticed(tmp_path: Path) -> None:
    parts = parse("$ echo here\nthere\n$ exit 3\n$ exit 3\n[3]\n")
    assert [outcome.as_expected for outcome in run(parts, tmp_path)] == [False, False, True]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["..."], [], True),
        (["...", "end"], ["a", "b", "end"], True),
        (["...", "end"], ["a", "end", "b"], False),
        (["2 changed... s"], ["2 changed, 1 kept, 0.3 s"], True),
        (["took <seconds> s"], ["took 0.31 s"], True),
        (["took <seconds> s"], ["took long s"], False),
        (["<run>"], ["r20261120-093015-4f2a"], True),
        (["at <time>"], ["at 2026-11-20T09:00:00Z"], True),
        (["<re:[0-9]+> files"], ["12 files"], True),
        (["<re:[0-9]+> files"], ["no files"], False),
        (["a (b)"], ["a (b)"], True),
        (["\\[3]"], ["[3]"], True),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
    ],
)
def test_expectations(expected: list[str], printed: list[str], same: bool) -> None:
    assert matches(expected, printed) is same


def test_what_differs_on_every_run_becomes_a_placeholder(tmp_path: Path) -> None:
    printed = [
        "run r20261120-093015-4f2a at 2026-11-20T09:30:15Z took 1.25 s",
        f"wrote {tmp_path}/here/a.xmp",
        "# heading",
        "[1]",
    ]
    expected = generalise(printed, tmp_path)
    assert expected == [
        "run <run> at <time> took <seconds> s",
        "wrote <tmp>/here/a.xmp",
        "\\# heading",
        "\\[1]",
    ]
    assert matches(expected, printed, tmp_path)


@pytest.mark.parametrize("text", ["words\n", "-- write a\nno end\n", "-- copy onlyone\n"])
def test_a_transcript_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(TranscriptError, match="line 1"):
        parse(text)


def test_nothing_of_the_user_is_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URBEXMP_STATE", "/elsewhere")
    environment = isolated_environment(tmp_path)
    assert "URBEXMP_STATE" not in environment
    homes = [environment[name] for name in environment if name.endswith("HOME")]
    assert len(homes) == 5
    assert all(home.startswith(str(tmp_path)) for home in homes)


def test_the_command_of_this_checkout_is_the_one_that_runs(tmp_path: Path) -> None:
    (outcome,) = run([Step(1, ["urbexmp --version"], ["urbexmp, version ..."])], tmp_path)
    assert outcome.as_expected, outcome
