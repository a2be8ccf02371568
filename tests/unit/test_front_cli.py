"""The command line: what it loads, what it says, with which exit code it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import urbexmp
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli import main as cli_main
from urbexmp.cli.keyword import read_keyword
from urbexmp.cli.libraries import joint_code
from urbexmp.cli.lightroom import open_catalog_note
from urbexmp.cli.main import COMMANDS, run
from urbexmp.cli.stopping import Stopping, stoppable
from urbexmp.model.errors import (
    LibraryLocked,
    UsageProblem,
)
from urbexmp.model.profile import Profile

SRC = str(Path(urbexmp.__file__).parent.parent)

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


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
    return imports("-m", "urbexmp", *args)


def imports(*args: str) -> set[str]:
    """Names of the packages that a Python process imports, or tries to."""
    ran = python("-X", "importtime", *args)
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
    # What the interpreter of a distribution brings along by itself is not ours.
    outside = imported.difference(sys.stdlib_module_names, imports("-c", "pass"))
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
    assert "['urbexmp.cli.start', 'urbexmp.cli.main']" in ran.stdout


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
        "import sys; sys.argv = ['urbexmp']; from urbexmp.cli.start import main; main()",
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
    assert (data["event"], data["slug"], data["code"]) == ("problem", "library-locked", 12)


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


# --- Keywords -------------------------------------------------------------------------------


def test_a_keyword_lightroom_would_not_take_is_refused_by_name() -> None:
    with pytest.raises(UsageProblem, match="contains a comma"):
        read_keyword("Urbex|a,b", strict=True)
    with pytest.raises(UsageProblem, match="a name in it is empty"):
        read_keyword("Urbex||b", strict=False)
    assert str(read_keyword("a,b", strict=False)) == "a,b"


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
