"""Services as systemd, launchd and Windows keep them."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.cli.options import Choices
from urbexmp.cli.service import install, make_unit, program
from urbexmp.model.errors import Problem
from urbexmp.rules.service_units import (
    TASK_NAMESPACE,
    Service,
    command_line,
    launchd_job,
    systemd_unit,
    windows_task,
)

ODD = "/srv/50% of $HOME \"x\" 'y' \\z; ä/<b> & c"
SERVICE = Service(
    "urbexmp-watch-photos-0a1b",
    ("/usr/bin/env", "watch", "--set", "work_hours=22:00-06:00", "--", ODD),
    ODD,
    nice=12,
    environment={"URBEXMP_STATE": "/srv/me/100% state"},
    log="/srv/me/state/service.txt",
)

words = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12),
    min_size=1,
    max_size=5,
)


def value(unit: str, key: str) -> str:
    (found,) = re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)
    return str(found)


_ESCAPES = {"\\\\": "\\", '\\"': '"', "%%": "%", "$$": "$"}


def as_systemd_reads(line: str) -> list[str]:
    """A command line by the rules of systemd.syntax(7) and systemd.service(5)."""
    found, at = [], 0
    while at < len(line):
        quoted = line[at] == '"'
        at += quoted
        word = ""
        while at < len(line) and line[at] != ('"' if quoted else " "):
            pair = line[at : at + 2]
            if pair in _ESCAPES:
                word, at = word + _ESCAPES[pair], at + 2
            elif pair == "\\x":
                word, at = word + chr(int(line[at + 2 : at + 4], 16)), at + 4
            else:
                assert line[at] not in "%$\\", "a specifier, a variable or an unknown escape"
                word, at = word + line[at], at + 1
        found.append(word)
        at += quoted + 1
    return found


def test_the_unit_restarts_what_fails_and_stops_in_time() -> None:
    unit = systemd_unit(SERVICE)
    assert value(unit, "Type") == "notify"
    assert value(unit, "Restart") == "on-failure"
    assert value(unit, "KillSignal") == "SIGTERM"
    assert value(unit, "Nice") == "12"
    assert value(unit, "IOSchedulingClass") == "idle"
    assert value(unit, "SuccessExitStatus") == "130 143"
    assert int(value(unit, "TimeoutStopSec")) >= 5
    assert int(value(unit, "WatchdogSec")) > 60
    assert as_systemd_reads(value(unit, "ExecStart")) == list(SERVICE.command)
    assert value(unit, "Environment") == '"URBEXMP_STATE=/srv/me/100%% state"'
    assert value(unit, "Description").startswith("urbexmp watch /srv/50%% of $HOME")


@given(words)
def test_systemd_gets_every_word_as_it_was(arguments: list[str]) -> None:
    command = ("/usr/bin/urbexmp", *arguments)
    unit = systemd_unit(Service("x", command, " ".join(arguments)))
    assert as_systemd_reads(value(unit, "ExecStart")) == list(command)
    assert len(unit.split("\n[")) == 3  # no text makes a section or a line of its own
    assert not re.search(r"\\$", unit, re.MULTILINE)


def test_a_program_with_a_dollar_in_its_path_is_started_by_another() -> None:
    unit = systemd_unit(Service("x", ("/opt/$x/urbexmp", "watch"), "x"))
    assert as_systemd_reads(value(unit, "ExecStart")) == [
        "/usr/bin/env",
        "/opt/$x/urbexmp",
        "watch",
    ]


@pytest.mark.parametrize("word", ["a\0b", "caf\udce9"])
def test_what_no_file_can_hold_is_refused(word: str) -> None:
    service = Service("x", ("/usr/bin/urbexmp", word), word)
    for make in (systemd_unit, lambda one: windows_task(one, "me")):
        with pytest.raises(ValueError, match="cannot stand in"):
            make(service)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_itself_accepts_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "urbexmp-watch.service"
    path.write_text(systemd_unit(SERVICE))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    ran = subprocess.run(
        ["systemd-analyze", "--user", "verify", "--man=no", "--generators=no", str(path)],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    ours = [line for line in ran.stderr.splitlines() if "urbexmp" in line]
    assert ours == []
    path.write_text(systemd_unit(SERVICE).replace("Type=notify", "Typo=notify"))
    wrong = subprocess.run(
        ["systemd-analyze", "--user", "verify", "--man=no", "--generators=no", str(path)],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    assert "Typo" in wrong.stderr  # it does read the file


def test_the_job_of_launchd_reads_back() -> None:
    job = plistlib.loads(launchd_job(SERVICE))
    assert job["Label"] == "org.urbexmp.urbexmp-watch-photos-0a1b"
    assert job["ProgramArguments"] == list(SERVICE.command)
    assert job["ProcessType"] == "Background"
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["RunAtLoad"] is True
    assert job["ExitTimeOut"] >= 5
    assert job["Nice"] == 12
    assert job["EnvironmentVariables"] == {"URBEXMP_STATE": "/srv/me/100% state"}
    assert job["StandardErrorPath"] == "/srv/me/state/service.txt"


def test_the_task_of_windows_reads_back() -> None:
    content = windows_task(SERVICE, "PC\\Jo <me>")
    assert content.startswith(b"\xff\xfe")
    task = ElementTree.fromstring(content)
    names = {"t": TASK_NAMESPACE}

    def found(path: str) -> str | None:
        return task.findtext(path, namespaces=names)

    assert task.tag == f"{{{TASK_NAMESPACE}}}Task"
    assert [child.tag.partition("}")[2] for child in task] == [
        *("RegistrationInfo", "Triggers", "Principals", "Settings", "Actions")
    ]
    assert found("t:Triggers/t:LogonTrigger/t:UserId") == "PC\\Jo <me>"
    assert found("t:Principals/t:Principal/t:UserId") == "PC\\Jo <me>"
    assert found("t:Principals/t:Principal/t:RunLevel") == "LeastPrivilege"
    assert found("t:Settings/t:ExecutionTimeLimit") == "PT0S"
    assert found("t:Settings/t:DisallowStartIfOnBatteries") == "false"
    assert found("t:Settings/t:MultipleInstancesPolicy") == "IgnoreNew"
    assert found("t:Settings/t:RestartOnFailure/t:Interval") == "PT1M"
    assert found("t:Settings/t:Priority") == "7"
    assert found("t:Actions/t:Exec/t:Command") == SERVICE.command[0]
    assert found("t:Actions/t:Exec/t:Arguments") == command_line(SERVICE.command[1:])


def as_windows_splits(line: str) -> list[str]:
    """By the rules of Microsoft's C runtime."""
    found: list[str] = []
    word, inside, started, at = "", False, False, 0
    while at < len(line):
        run = len(line[at:]) - len(line[at:].lstrip("\\"))
        if run and line[at + run : at + run + 1] == '"':
            word, at, started = word + "\\" * (run // 2), at + run, True
            if run % 2:
                word, at = word + '"', at + 1
            continue
        if run:
            word, at, started = word + "\\" * run, at + run, True
        elif line[at] == '"':
            inside, started, at = not inside, True, at + 1
        elif line[at] in " \t" and not inside:
            if started:
                found.append(word)
            word, started, at = "", False, at + 1
        else:
            word, started, at = word + line[at], True, at + 1
    return [*found, word] if started else found


@given(st.lists(st.text('ab \\"', max_size=8), max_size=4))
def test_windows_splits_the_line_into_the_same_words(arguments: list[str]) -> None:
    assert as_windows_splits(command_line(arguments)) == arguments


# --- Installing -------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("URBEXMP_")]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("URBEXMP_CONFIG", str(tmp_path / "config"))
    (tmp_path / "50% photos").mkdir()
    return tmp_path


def choices(home: Path, **flags: object) -> Choices:
    return Choices(state=home / "state", flags=flags)


def test_print_shows_the_unit_and_writes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(home.rglob("*"))
    folder = home / "50% photos"
    code = install(
        choices(home, threshold="0.6", retract=True, nice="15"),
        [folder],
        print_only=True,
        extra=("--poll",),
        platform="linux",
    )
    assert code == 0
    assert sorted(home.rglob("*")) == before
    shown = capsys.readouterr().out
    assert shown.startswith("[Unit]\n")
    assert value(shown, "Nice") == "15"
    command = as_systemd_reads(value(shown, "ExecStart"))
    watch = command[command.index("watch") :]
    assert watch == [
        *("watch", "--state", str(home / "state"), "--set", "threshold=0.6"),
        *("--set", "retract=true", "--set", "nice=15", "--poll", "--", str(folder)),
    ]


@pytest.mark.skipif(os.name == "nt", reason="homes of POSIX")
@pytest.mark.parametrize(
    ("platform", "place", "step"),
    [
        ("linux", ".config/systemd/user/urbexmp-watch-*.service", "systemctl --user enable --now"),
        ("darwin", "Library/LaunchAgents/org.urbexmp.*.plist", "launchctl bootstrap gui/$(id -u)"),
    ],
)
def test_it_is_shown_written_to_the_users_own_place_and_the_next_step_said(
    home: Path, capsys: pytest.CaptureFixture[str], platform: str, place: str, step: str
) -> None:
    for done in ("Wrote", "Nothing to change in"):
        assert (
            install(choices(home), [home / "50% photos"], print_only=False, platform=platform) == 0
        )
        (path,) = home.glob(place)
        said = capsys.readouterr().out
        for line in path.read_text().splitlines():
            assert line in said
        assert f"\n{done} {path}.\n" in said
        assert step in said
    path.write_text("another")
    install(choices(home), [home / "50% photos"], print_only=False, platform=platform)
    assert "Replaced" in capsys.readouterr().out
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_libraries_are_two_services(home: Path) -> None:
    (home / "other").mkdir()
    for name in ("50% photos", "other"):
        install(choices(home), [home / name], print_only=False, platform="linux")
    assert len(list((home / ".config/systemd/user").iterdir())) == 2


def test_variables_of_ours_go_along_and_secrets_do_not(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("URBEXMP_WORK_HOURS", "22:00-06:00")
    monkeypatch.setenv("URBEXMP_SERVER_KEY", "hush")
    monkeypatch.setenv("URBEXMP_PROFILE", "offline")
    install(choices(home), [home], print_only=True, platform="linux")
    shown = capsys.readouterr().out
    assert "Environment=URBEXMP_WORK_HOURS=22:00-06:00\n" in shown
    assert "--profile offline " in shown
    assert "hush" not in shown


def test_mistakes_are_told_before_anything_is_written(home: Path) -> None:
    for wrong, folder in (
        (choices(home), home / "none"),
        (choices(home, work_hours="at night"), home),
        (Choices(profile="no-such", state=home / "state"), home),
    ):
        with pytest.raises(Problem) as caught:
            install(wrong, [folder], print_only=False, platform="linux")
        assert caught.value.code == 2
    assert not (home / ".config").exists()


@pytest.mark.skipif(os.name == "nt", reason="a file in the way of a folder")
def test_a_place_that_cannot_be_written_is_told_in_a_sentence(home: Path) -> None:
    (home / ".config").write_text("no folder")
    with pytest.raises(Problem, match=r"urbexmp-watch-.* cannot be written"):
        install(choices(home), [home], print_only=False, platform="linux")


def test_the_program_is_the_one_that_was_started(tmp_path: Path) -> None:
    script = tmp_path / "urbexmp"
    script.write_text("#!/bin/sh\n")
    assert program(str(script)) == (str(script),)
    assert program(str(tmp_path / "none" / "urbexmp")) == (sys.executable, "-m", "urbexmp")
    assert program("/x/urbexmp/__main__.py") == (sys.executable, "-m", "urbexmp")


def test_a_windows_task_is_shown_as_text() -> None:
    environ = {"USERNAME": "jo", "USERDOMAIN": "PC"}
    unit = make_unit(SERVICE, "win32", environ, Path("/srv/jo"))
    assert unit.shown.startswith("\ufeff<?xml") is False
    assert "<UserId>PC\\jo</UserId>" in unit.shown
    assert unit.next_steps == ('schtasks /Run /TN "urbexmp-watch-photos-0a1b"',)
