"""Showing a run: on a terminal, in a pipe, to a program, as a page."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from unit.front_examples import change, clean_home, photo  # noqa: F401  (a fixture)
from urbexmp.cli.console import Bar, Console, JsonShow, TextShow, Ticker, progress_text
from urbexmp.cli.html_show import HtmlShow
from urbexmp.model.errors import (
    FileUnreadable,
    InternalProblem,
)
from urbexmp.model.report import Report

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


# --- Showing a run --------------------------------------------------------------------------


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def play(show: TextShow | JsonShow | HtmlShow, root: Path) -> None:
    """A run as the drivers show one."""
    report = Report(run="r1", command="sync", photos=3)
    with show:
        show.begin(report, 3)
        show.change(change(root=root), applied=True)
        show.photo(photo(root=root).path)
        problem = FileUnreadable(root / "b\x1b[2J.jpg", detail="Permission denied")
        report.problems.append(problem)
        show.problem(problem)
        show.photo(root / "b.jpg")
        show.note("An earlier run was put right.")
        report.changed = report.unchanged = 1
        show.end(report)


def test_plain_output_has_no_colour_and_trouble_goes_to_standard_error(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    play(TextShow(console, tmp_path, detail="short", progress=Ticker(err)), tmp_path)
    assert "\x1b" not in out.getvalue() + err.getvalue()
    assert out.getvalue().startswith("Heilstätten/IMG_0412.CR3: 1 added")
    assert "An earlier run was put right." in out.getvalue()
    assert "3 photos: 1 written, 1 unchanged, 1 failed" in out.getvalue()
    assert err.getvalue() == (
        "b\\x1b[2J.jpg: cannot be read (Permission denied). Skipped. Check its permissions and"
        " the volume it is on.\n"
    )


def test_a_terminal_gets_colours_unless_asked_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert Console(out=Screen(), err=Screen()).color
    assert not Console(out=Screen(), err=Screen(), color=False).color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Console(out=Screen(), err=Screen()).color
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Console(out=Screen(), err=Screen()).color


def test_the_coloured_diff_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    monkeypatch.setenv("TERM", "xterm")
    plain_out, colored = io.StringIO(), Screen()
    for out in (plain_out, colored):
        console = Console(out=out, err=io.StringIO())
        play(TextShow(console, tmp_path, detail="diff", progress=None), tmp_path)
    assert "\x1b[32m" in colored.getvalue()
    assert click.unstyle(colored.getvalue()) == plain_out.getvalue()


def test_json_lines_are_all_that_a_program_gets(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    play(JsonShow(Console(out=out, err=err), tmp_path, check=False), tmp_path)
    events = [json.loads(line)["event"] for line in out.getvalue().splitlines()]
    assert events == ["begin", "change", "problem", "note", "end"]
    assert err.getvalue() == ""


def test_quiet_says_only_what_went_wrong(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    play(TextShow(console, tmp_path, detail="none", summary=False, progress=None), tmp_path)
    assert out.getvalue() == ""
    assert "cannot be read" in err.getvalue()


def test_the_page_is_written_as_the_changes_come(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    show = HtmlShow(
        out,
        tmp_path,
        title="A run",
        console=Console(out=out, err=err),
        progress=None,
        thumbnail=lambda _: None,
    )
    play(show, tmp_path)
    show.finish()
    assert out.getvalue().rstrip().endswith("</html>")
    assert "IMG_0412.CR3" in out.getvalue()
    assert "cannot be read" in err.getvalue()


def test_our_own_mistake_on_one_photo_is_kept_in_the_log(tmp_path: Path) -> None:
    problem = InternalProblem(tmp_path / "a.jpg", detail="KeyError: 'x'")
    problem.__cause__ = KeyError("x")
    out, err = io.StringIO(), io.StringIO()
    TextShow(Console(out=out, err=err), tmp_path, detail="none", progress=None).problem(problem)
    assert "KeyError" in (tmp_path / "state" / "urbexmp.log").read_text(encoding="utf-8")
    assert "Traceback" not in err.getvalue()


def test_a_short_run_draws_no_bar_and_a_long_one_shows_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    now = [100.0]
    monkeypatch.setattr("urbexmp.cli.console.time.monotonic", lambda: now[0])
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich draws a bar for a terminal only
    monkeypatch.setenv("TERM", "xterm")
    bar = Bar()
    bar.start(100)
    bar.step("a.jpg")
    assert not bar.above("nothing to stand above")
    now[0] += 1
    bar.step("b\x1b.jpg")
    assert bar.above("a line above")
    bar.stop()
    err = capsys.readouterr().err
    assert "a line above" in err
    assert "2.0/s" in err
    assert "\x1b.jpg" not in err
    assert progress_text(1200, 5000, 30) == "1,200 of 5,000 photos, 40.0/s, about 1 min 35 s left"
    assert progress_text(1, None, 1) == "1 photo, 1.0/s"
    assert progress_text(0, 5, 0) == "0 of 5 photos, 0.0/s"


def test_without_a_terminal_progress_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("urbexmp.cli.console.time.monotonic", lambda: now[0])
    err = io.StringIO()
    ticker = Ticker(err)
    ticker.start(1000)
    for _ in range(100):
        now[0] += 0.25
        ticker.step("a.jpg")
    assert len(err.getvalue().splitlines()) == 2
