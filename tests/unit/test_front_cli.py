"""The command line: what it loads, what it says, with which exit code it leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import urbexmp
from unit.front_examples import change, hostile, photo
from urbexmp.cli import main as cli_main
from urbexmp.cli.console import Bar, Console, JsonShow, TextShow, Ticker, progress_text
from urbexmp.cli.html_show import HtmlShow
from urbexmp.cli.keyword import read_keyword
from urbexmp.cli.libraries import joint_code
from urbexmp.cli.lightroom import open_catalog_note
from urbexmp.cli.main import COMMANDS, run
from urbexmp.cli.options import Choices, load
from urbexmp.cli.plan_file import read_plan, replacing, write_plan
from urbexmp.cli.stopping import Stopping, stoppable
from urbexmp.model.errors import (
    FileUnreadable,
    InternalProblem,
    LibraryLocked,
    Problem,
    UsageProblem,
)
from urbexmp.model.profile import Profile
from urbexmp.model.report import Report

SRC = str(Path(urbexmp.__file__).parent.parent)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the user's own settings or state is seen or touched."""
    for name in list(os.environ):
        if name.startswith("URBEXMP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("URBEXMP_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("URBEXMP_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)


def python(*args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        input=stdin,
        check=False,
        env={**os.environ, "PYTHONPATH": SRC, **env},
    )


# --- Laziness -------------------------------------------------------------------------------


def imported_by(*args: str) -> set[str]:
    ran = python("-X", "importtime", "-m", "urbexmp", *args)
    assert ran.returncode == 0, ran.stderr
    return {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in ran.stderr.splitlines()
        if line.startswith("import time:") and not line.endswith("imported package")
    }


HEAVY = {
    "PIL", "exifread", "lxml", "numpy", "platformdirs", "pyexiv2", "rawpy", "rich", "sqlite3",
    "tomlkit", "watchfiles", "xml", "asyncio",
}  # fmt: skip


def test_help_imports_click_and_the_standard_library_only() -> None:
    imported = imported_by("--help")
    assert "click" in imported
    assert not imported & HEAVY
    outside = {name for name in imported if name not in sys.stdlib_module_names}
    assert {name for name in outside if not name.startswith("_")} <= {
        "click", "urbexmp", "colorama", "site", "sitecustomize", "usercustomize",
    }  # fmt: skip


@pytest.mark.parametrize("command", ["sync", "diff", "keyword", "profile", "doctor"])
def test_the_help_of_a_command_is_light_too(command: str) -> None:
    assert not imported_by(command, "--help") & HEAVY


def test_listing_commands_imports_none_of_them() -> None:
    ran = python(
        "-c",
        "import sys; from urbexmp.cli.main import run; run(['--help']);"
        "print([m for m in sys.modules if m.startswith('urbexmp.cli.')])",
    )
    assert "['urbexmp.cli.main']" in ran.stdout


# --- Help -----------------------------------------------------------------------------------

OURS = [name for name in COMMANDS if name != "taxonomy"]


@pytest.mark.parametrize("command", OURS)
def test_each_command_has_help_that_begins_as_the_list_says(command: str, capsys: Capture) -> None:
    assert run([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"Usage: urbexmp {command}" in told
    first = " ".join(told.split("\n\n")[1].split())
    assert first == COMMANDS[command]


def test_the_list_of_commands_is_shown(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in told


def test_a_misspelled_command_is_told_what_was_meant(capsys: Capture) -> None:
    assert run(["snyc"]) == 2
    assert "Did you mean sync?" in capsys.readouterr().err


def test_the_version_is_told(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert urbexmp.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(shell: str, capsys: Capture) -> None:
    assert run(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert "_URBEXMP_COMPLETE" in told
    assert f"urbexmp completion {shell}" in told


def test_the_shell_completes_commands() -> None:
    ran = python(
        "-c",
        "import sys; sys.argv = ['urbexmp']; from urbexmp.cli.main import main; main()",
        _URBEXMP_COMPLETE="bash_complete",
        COMP_WORDS="urbexmp und",
        COMP_CWORD="1",
    )
    assert ran.stdout == "plain,undo\n"


# --- The error boundary ---------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `urbexmp runs` raise."""

    def install(failure: BaseException) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise failure

        monkeypatch.setattr("urbexmp.cli.libraries.one_library", fail)

    return install


def test_a_problem_is_told_plainly_and_has_its_own_exit_code(
    failing: Callable[[BaseException], None], capsys: Capture
) -> None:
    failing(LibraryLocked("/photos", pid=77))
    assert run(["runs"]) == 12
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "/photos: another urbexmp (process 77) is writing to this library. Nothing was done."
        " Wait for it, or stop it.\n"
    )


def test_with_json_a_problem_is_an_object_too(
    failing: Callable[[BaseException], None], capsys: Capture
) -> None:
    failing(LibraryLocked("/photos", pid=77))
    assert run(["runs", "--json"]) == 12
    data = json.loads(capsys.readouterr().out)
    assert (data["event"], data["reason"], data["code"]) == ("problem", "library-locked", 12)


def test_a_mistake_of_ours_never_shows_a_traceback_and_keeps_it_in_the_log(
    failing: Callable[[BaseException], None], capsys: Capture, tmp_path: Path
) -> None:
    failing(ZeroDivisionError("oh\x1b[31m no"))
    assert run(["runs"]) == 70
    err = capsys.readouterr().err
    log = tmp_path / "state" / "urbexmp.log"
    assert "Traceback" not in err
    assert "INTERNAL ERROR: ZeroDivisionError: oh\\x1b[31m no" in err
    assert str(log) in err
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert run(["runs", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err
    assert log.read_text(encoding="utf-8").count("Traceback") == 2


def test_a_log_that_cannot_be_written_goes_elsewhere(
    failing: Callable[[BaseException], None],
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "state").write_text("a file where a folder belongs")
    failing(ZeroDivisionError())
    assert run(["runs"]) == 70
    assert str(tmp_path / "urbexmp.log") in capsys.readouterr().err
    assert "Traceback" in (tmp_path / "urbexmp.log").read_text(encoding="utf-8")


def test_ctrl_c_says_that_nothing_is_half_done(
    failing: Callable[[BaseException], None], capsys: Capture
) -> None:
    failing(KeyboardInterrupt())
    assert run(["runs"]) == 130
    assert "Every photo is either finished or untouched" in capsys.readouterr().err


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    ran = subprocess.run(
        [
            "bash",
            "-c",
            f'"{sys.executable}" -m urbexmp profile show | true; echo ${{PIPESTATUS[0]}}',
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": SRC, "PYTHONUNBUFFERED": "1"},
    )
    assert ran.stderr == ""
    assert ran.stdout.strip() in {"0", "141"}


def test_a_terminal_without_our_letters_gets_escapes() -> None:
    ran = python(
        "-m", "urbexmp", "profile", "show", "--taxonomy", "Vokabular/Übung.toml",
        PYTHONIOENCODING="ascii", PYTHONUTF8="0",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "\\xdcbung.toml" in ran.stdout


@pytest.mark.parametrize(
    "args",
    [
        ["sync", "--limit", "0"],
        ["diff", "--format", "xml"],
        ["keyword", "add", "A"],
        ["undo", "-x"],
    ],
)
def test_wrong_use_leaves_with_2(args: list[str], capsys: Capture) -> None:
    assert run(args) == 2
    assert "Usage:" in capsys.readouterr().err


def test_wrong_settings_leave_with_2_and_tell_all_mistakes(capsys: Capture) -> None:
    assert run(["profile", "show", "--threshold", "2", "--set", "nope=1"]) == 2
    err = capsys.readouterr().err
    assert "2 mistakes" in err
    assert "--threshold: '2' is not a number from 0 to 1" in err


def test_the_exit_code_of_several_libraries() -> None:
    assert joint_code([0, 0]) == 0
    assert joint_code([0, 1]) == 1
    assert joint_code([11, 11]) == 11
    assert joint_code([0, 11]) == 3
    assert joint_code([11, 12]) == 3
    assert joint_code([3, 130]) == 130
    assert joint_code([]) == 0


# --- Ctrl-C ---------------------------------------------------------------------------------


def test_the_first_ctrl_c_asks_the_second_stops(capsys: Capture) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stopping:
        assert not stopping()
        signal.raise_signal(signal.SIGINT)
        assert stopping()
        assert stopping.exit_code(130) == 130
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "Press Ctrl-C again" in capsys.readouterr().err


def test_the_systems_wish_to_end_has_its_own_exit_code() -> None:
    with stoppable() as stopping:
        signal.raise_signal(signal.SIGTERM)
        assert stopping.exit_code(130) == 128 + signal.SIGTERM
    assert Stopping().exit_code(0) == 0


# --- Profiles -------------------------------------------------------------------------------


def test_profile_set_copies_the_shipped_one_and_keeps_its_comments(
    capsys: Capture, tmp_path: Path
) -> None:
    assert run(["profile", "set", "threshold", "0.6"]) == 0
    own = tmp_path / "config" / "profiles" / "offline.toml"
    assert "threshold = 0.6" in own.read_text(encoding="utf-8")
    assert "# Most keywords suggested for one photo." in own.read_text(encoding="utf-8")
    assert run(["profile", "path"]) == 0
    assert run(["profile", "set", "workers", "many"]) == 2
    capsys.readouterr()
    assert run(["profile", "show", "--json", "--max-keywords", "7"]) == 0
    told = {d["key"]: d for d in map(json.loads, capsys.readouterr().out.splitlines())}
    assert told["threshold"]["value"] == "0.6"
    assert told["threshold"]["origin"].startswith("profile offline.toml:")
    assert told["max_keywords"] == {
        "event": "setting",
        "key": "max_keywords",
        "value": "7",
        "origin": "flag --max-keywords",
    }


def test_profile_set_into_a_file_of_ones_own_changes_that_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("# mine\nthreshold = 0.7 # high\n", encoding="utf-8")
    assert run(["profile", "set", "-p", str(mine), "stage.pixels.size", "256"]) == 0
    assert mine.read_text(encoding="utf-8").startswith("# mine\nthreshold = 0.7 # high\n")
    settings = load(Choices(profile=str(mine)))
    assert settings.profile.name == "mine"
    assert settings.profile.stage_settings["pixels"]["size"] == 256


def test_a_value_that_would_spoil_the_profile_is_not_written(
    tmp_path: Path, capsys: Capture
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("threshold = 0.5\n", encoding="utf-8")
    assert run(["profile", "set", "-p", str(mine), "ask_from", "0.9"]) == 2
    assert "must be at most the threshold" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "threshold = 0.5\n"


def test_an_unknown_profile_is_told_with_a_guess(capsys: Capture) -> None:
    assert run(["profile", "show", "oflin"]) == 2
    assert "did you mean offline?" in capsys.readouterr().err


def test_paths_in_a_profile_are_meant_from_its_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('taxonomy = "my/words.toml"\n', encoding="utf-8")
    assert load(Choices(profile=str(mine))).profile.taxonomy == str(tmp_path / "my/words.toml")


def test_profiles_are_listed(capsys: Capture) -> None:
    assert run(["profile", "list"]) == 0
    assert "*  offline  shipped" in capsys.readouterr().out


# --- Keywords -------------------------------------------------------------------------------


def test_a_keyword_lightroom_would_not_take_is_refused_by_name() -> None:
    with pytest.raises(UsageProblem, match="contains a comma"):
        read_keyword("Urbex|a,b", strict=True)
    with pytest.raises(UsageProblem, match="a name in it is empty"):
        read_keyword("Urbex||b", strict=False)
    assert str(read_keyword("a,b", strict=False)) == "a,b"


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
    assert run(["diff", "--plan", str(tmp_path / "absent")]) == 20
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


# --- Lightroom ------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [".lock", "-wal"])
def test_an_open_catalog_is_noticed(sign: str, tmp_path: Path) -> None:
    catalog = tmp_path / "Main.lrcat"
    catalog.touch()
    profile = Profile(catalog=str(catalog))
    assert open_catalog_note(profile) is None
    catalog.with_name(catalog.name + sign).touch()
    assert "Save Metadata to Files" in (open_catalog_note(profile) or "")
    assert open_catalog_note(Profile()) is None


def test_our_name_of_the_module_is_the_program(capsys: Capture) -> None:
    assert cli_main.cli.name == "cli"
    assert run(["-h"]) == 0
    assert capsys.readouterr().out.startswith("Usage: urbexmp ")
