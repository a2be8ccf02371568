"""A real watch, and what is done to it from outside: signals, a volume that goes, a second one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from watch_process import Watching, jpeg

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

HOSPITAL = "Old Hospital"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def put(library: Path, number: int) -> str:
    """Put a photo into the library; returns its path in it."""
    name = f"{HOSPITAL}/IMG_{number}.JPG"
    (library / HOSPITAL).mkdir(parents=True, exist_ok=True)
    (library / name).write_bytes(jpeg(number))
    return name


def test_a_hangup_makes_it_read_the_profile_again(home: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    quick = "settle_seconds = 0.1\ncompanion_seconds = 0\nnice = 0\n"
    high = f'stages = ["place"]\nembed = "never"\nthreshold = 0.99\n{quick}'
    profile = home / "mine.toml"
    profile.write_text(high)
    name = put(library, 1)
    with Watching(library, home, "--profile", str(profile), fast=False) as watch:
        watch.ready()
        watch.until(lambda: watch.health()["done"] >= 1, "not looked at")
        # The file's time tells of nothing.
        before = profile.stat()
        profile.write_text(high.replace("0.99", "0.50"))
        os.utime(profile, ns=(before.st_atime_ns, before.st_mtime_ns))
        watch.process.send_signal(signal.SIGHUP)
        watch.keyworded(name)
        assert watch.stop() == 128 + signal.SIGTERM


def test_the_last_line_says_what_was_done_and_what_comes_next(home: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    name = put(library, 1)
    with Watching(library, home) as watch:
        watch.keyworded(name)
        watch.until(lambda: watch.health()["done"] >= 1, "not counted")
        watch.stop(signal.SIGINT)
    assert watch.lines[-1].startswith(
        "Stopped: 1 photo written since the start. Next, in Lightroom"
    )


def test_a_second_watch_is_told_of_the_library(home: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    put(library, 1)
    with Watching(library, home) as watch:
        watch.ready()
        second = watch.run("watch", str(library), "--once")
    assert second.returncode == 62
    assert f"{library}: another `urbexmp watch`" in second.stderr


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and a place where it is mounted."""
    disk, place = tmp_path / "disk", tmp_path / "library"
    disk.mkdir()
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or not sys.platform.startswith("linux"):
        pytest.skip("no mount on this system")
    tried = subprocess.run([mount, "--bind", disk, place], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"mounting is not allowed here: {tried.stderr.decode().strip()}")
    yield disk, place
    subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def test_a_volume_that_is_unmounted_is_waited_for(volume: tuple[Path, Path], home: Path) -> None:
    disk, library = volume
    first = put(library, 1)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(first)
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        # Lazily, as pulling a plug does: the watch itself holds the volume by listening to it.
        subprocess.run(["umount", "-l", library], check=True)
        watch.says("is empty: waiting for it")
        second = put(disk, 2)
        found = watch.run("query", "hospital", "--in", str(library))
        assert found.stdout.count("IMG_1") == 1
        subprocess.run(["mount", "--bind", disk, library], check=True)
        watch.says("is back")
        watch.keyworded(first, second)
        # Events of the volume are heard again.
        watch.keyworded(put(library, 3))
        assert watch.stop() == 128 + signal.SIGTERM
    assert list(library.iterdir())
