"""A real watch: its priority, its signs of life, and a fresh start when it has grown."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from look_files import jpeg_bytes, noise
from urbexmp.adapters.background.health import read_health

PHOTOS = 12

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and sockets of POSIX")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "Old Hospital"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:02}.jpg").write_bytes(jpeg_bytes(noise(48, 32, number + 1)))
    return folder


def urbexmp(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command, *rest = words
    return subprocess.run(
        [
            *(sys.executable, "-m", "urbexmp", command, str(folder)),
            *("--state", str(folder.parent / "state"), *rest),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


QUICK = ("--once", "--set", "settle_seconds=0.02", "--set", "companion_seconds=0")


def kept(folder: Path, name: str) -> Path:
    (found,) = (folder.parent / "state").glob(f"*/{name}")
    return found


def known(folder: Path) -> object:
    said = urbexmp(folder, "status", "--json").stdout.splitlines()
    return next(data["known"] for data in map(json.loads, said) if data["event"] == "status")


def test_a_watch_that_has_grown_begins_anew_and_misses_nothing(photos: Path) -> None:
    ran = urbexmp(photos, "watch", *QUICK, "--set", "recycle_photos=5", "--set", "nice=0")
    assert ran.returncode == 0, ran.stderr
    assert known(photos) == PHOTOS == len(list(photos.glob("*.xmp")))
    log = kept(photos, "log.txt").read_text().splitlines()
    assert any("Beginning anew with a fresh process: after " in line for line in log)
    assert len({line.split()[1] for line in log}) == 1, "its process id stays"
    state = read_health(kept(photos, "health.json"))
    assert state is not None
    assert (state.done, state.failed) == (PHOTOS, 0), "it goes on counting"
    ended = [line for line in log if " done. Next" in line or "Stopped" in line]
    assert len(ended) == 1
    assert f"{PHOTOS} photos of Old Hospital done" in ended[0]
    again = urbexmp(photos, "sync", "--check")
    assert again.returncode == 0, again.stdout


def test_supervisors_hear_of_it_from_start_to_end(photos: Path, tmp_path: Path) -> None:
    # A socket's path must be short, so systemd's abstract kind is used where there is one.
    address = f"@urbexmp-{os.getpid()}-watch" if sys.platform == "linux" else "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        if sys.platform != "linux":
            pytest.skip("abstract sockets are Linux's")
        listening.bind("\0" + address[1:])
        listening.setblocking(False)
        ran = urbexmp(
            photos, "watch", *QUICK, "--set", "nice=0", NOTIFY_SOCKET=address, WATCHDOG_USEC="9"
        )
        assert ran.returncode == 0, ran.stderr
        first = listening.recv(4096).decode().split("\n")
    assert first[0] == "READY=1"
    assert first[1].startswith("STATUS=starting")
    assert first[-1] == "WATCHDOG=1"
    state = read_health(kept(photos, "health.json"))
    assert state is not None
    assert (state.phase, state.done, state.failed) == ("stopped", PHOTOS, 0)
    assert state.roots == (photos,)
    assert state.since <= state.at


def test_outside_its_hours_it_writes_nothing(photos: Path) -> None:
    """The hours are chosen so that no clock on any wall is inside them for long."""
    from datetime import datetime, timedelta

    here = datetime.now().astimezone()
    start, end = (f"{here + timedelta(hours=n):%H:%M}" for n in (10, 12))
    command = [
        *(sys.executable, "-m", "urbexmp", "watch", str(photos)),
        *("--state", str(photos.parent / "state"), "--set", f"work_hours={start}-{end}"),
        *("--set", "settle_seconds=0.02", "--set", "nice=0"),
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        for line in watch.stdout:
            if line.startswith("Pausing"):
                assert line == f"Pausing: outside working hours {start}-{end}.\n"
                break
        watch.terminate()
        watch.stdout.read()
    assert watch.returncode == 128 + 15
    assert list(photos.glob("*.xmp")) == []
    state = read_health(kept(photos, "health.json"))
    assert state is not None
    assert state.paused_for == f"outside working hours {start}-{end}"


def test_the_command_of_the_printed_unit_does_watch(photos: Path) -> None:
    shown = urbexmp(photos, "watch", "--install-service", "--print", "--set", "nice=0", *QUICK[1:])
    assert shown.returncode == 0, shown.stderr
    (line,) = (line for line in shown.stdout.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))
    words.insert(words.index("watch") + 1, "--once")
    found = [line for line in shown.stdout.splitlines() if line.startswith("Environment=")]
    variables = [shlex.split(line.removeprefix("Environment="))[0] for line in found]
    # Nothing but what the unit says: a service has no terminal's environment.
    environ = dict(variable.split("=", 1) for variable in variables) | {"HOME": str(photos.parent)}
    ran = subprocess.run(words, env=environ, capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert known(photos) == PHOTOS


def test_for_a_program_it_speaks_json_and_keeps_the_log_all_the_same(photos: Path) -> None:
    ran = urbexmp(photos, "watch", "--json", *QUICK, "--set", "nice=0")
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line)["event"] for line in ran.stdout.splitlines()]
    assert events.count("change") == PHOTOS
    log = kept(photos, "log.txt").read_text()
    assert all(f"{number:02}.jpg: " in log for number in range(PHOTOS))
