"""A real watch: photos come in every way that photos come in, and it is hit in every way."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from urbexmp.adapters.db.ledger import SqliteLedger
from watch_process import Watching, jpeg

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

HOSPITAL = "Old Hospital"

FLOOD = 6000
"""Files made and taken away, three events each: more than the 16,384 that the system keeps."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / HOSPITAL).mkdir(parents=True)
    return folder


def put(library: Path, *numbers: int, folder: str = HOSPITAL) -> list[str]:
    """Put photos into the library; returns their paths in it."""
    names = [f"{folder}/IMG_{number}.JPG" for number in numbers]
    for number, name in zip(numbers, names, strict=True):
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    return names


def written_once(library: Path, home: Path) -> int:
    """No photo was written twice; how many were written."""
    (path,) = (home / "st").glob("*/ledger.sqlite3")
    with SqliteLedger(path, readonly=True) as ledger:
        receipts = [
            receipt.change.photo.path
            for run in ledger.runs(500)
            for receipt in ledger.receipts(run.run)
        ]
    assert len(set(receipts)) == len(receipts)
    return len(receipts)


def test_photos_come_in_every_way(library: Path, home: Path, tmp_path: Path) -> None:
    before = put(library, 1)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(*before)

        # At once, in parts with a stop in the middle, by rename from a temporary name, over
        # another file, in deep new folders, moved in as a whole folder.
        watch.keyworded(*put(library, 2))
        data = jpeg(3)
        slow = library / HOSPITAL / "IMG_3.JPG"
        with slow.open("wb") as file:
            file.write(data[:200])
            file.flush()
            # It is looked at again and again, and left alone.
            watch.until(lambda: watch.health()["settling"] > 0, "not settling")
            watch.keyworded(*put(library, 4))
            assert not slow.with_name("IMG_3.JPG.xmp").exists()
            file.write(data[200:])
        watch.keyworded(f"{HOSPITAL}/IMG_3.JPG")
        temporary = library / HOSPITAL / ".IMG_5.JPG.a8Zk2x"
        temporary.write_bytes(jpeg(5))
        temporary.rename(library / HOSPITAL / "IMG_5.JPG")
        watch.keyworded(f"{HOSPITAL}/IMG_5.JPG")
        watch.keyworded(*put(library, 6, 7, folder=f"new/a/b/c/{HOSPITAL}/d/e"))
        away = tmp_path / "card" / "new Hospital"
        put(tmp_path / "card", 8, 9, folder="new Hospital")
        away.rename(library / "card")
        (library / "card").rename(library / "card Hospital")
        watch.keyworded("card Hospital/IMG_8.JPG", "card Hospital/IMG_9.JPG")
        # A hard link and a link.
        outside = tmp_path / "outside.jpg"
        outside.write_bytes(jpeg(10))
        (library / HOSPITAL / "hard.jpg").hardlink_to(outside)
        watch.keyworded(f"{HOSPITAL}/hard.jpg")
        (tmp_path / "linked Hospital").mkdir()
        (tmp_path / "linked Hospital" / "IMG_11.JPG").write_bytes(jpeg(11))
        (library / "link Hospital").symlink_to(tmp_path / "linked Hospital")
        watch.keyworded("link Hospital/IMG_11.JPG")
        assert watch.stop() == 128 + signal.SIGTERM
    assert not list(library.rglob("*.tmp"))
    assert not list(library.rglob(".*canary*"))
    assert written_once(library, home) == 11


def test_a_photo_that_is_replaced_is_looked_at_again(library: Path, home: Path) -> None:
    (name,) = put(library, 1)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(name)
        first = (library / f"{name}.xmp").read_bytes()
        new = library / HOSPITAL / "new.tmp"
        new.write_bytes(jpeg(2))
        new.replace(library / name)
        watch.until(
            lambda: watch.health()["done"] >= 2 and watch.health()["phase"] == "watching",
            "the new picture was not looked at",
        )
        assert first


def test_what_never_becomes_whole_is_told_and_not_marked_done(library: Path, home: Path) -> None:
    half = library / HOSPITAL / "half.jpg"
    half.write_bytes(jpeg(1)[:300])
    with Watching(library, home) as watch:
        watch.ready()
        watch.says("half.jpg: is not complete")
        watch.until(
            lambda: "is not complete" in watch.run("status", str(library)).stdout, "not in status"
        )
        half.write_bytes(jpeg(1))
        watch.keyworded(f"{HOSPITAL}/half.jpg")
        watch.until(lambda: watch.health()["phase"] == "watching", "not done")
        assert "is not complete" not in watch.run("status", str(library)).stdout


def test_stopped_while_thousands_of_files_come_it_finds_every_one(
    library: Path, home: Path
) -> None:
    number = int(os.environ.get("URBEXMP_WATCH_FILES", "2000"))
    with Watching(library, home) as watch:
        watch.ready()
        watch.process.send_signal(signal.SIGSTOP)
        # The system's queue runs over first, so that nothing is told of what comes then.
        for turn in range(FLOOD):
            flood = library / f"{turn % 7}.tmp"
            flood.touch()
            flood.unlink()
        names = [
            name
            for start in range(0, number, 100)
            for name in put(
                library, *range(start, start + 100), folder=f"{HOSPITAL}/{start // 1000}/{start}"
            )
        ]
        watch.process.send_signal(signal.SIGCONT)
        watch.until(
            lambda: watch.health()["done"] >= number and watch.health()["queued"] == 0,
            "not all were found",
        )
        watch.keyworded(*names)
    assert written_once(library, home) == number


def test_it_ends_soon_in_the_middle_of_work(library: Path, home: Path) -> None:
    names = put(library, *range(400))
    with Watching(library, home) as watch:
        watch.says("IMG_")
        assert watch.stop() == 128 + signal.SIGTERM
    done = [name for name in names if (library / f"{name}.xmp").exists()]
    assert len(done) > 0
    with Watching(library, home, "--once") as watch:
        watch.process.wait(60)
    assert written_once(library, home) == len(names)


def test_a_changed_profile_is_read_again(library: Path, home: Path) -> None:
    profile = home / "mine.toml"
    profile.write_text('stages = ["place"]\nembed = "never"\nthreshold = 0.99\n')
    (name,) = put(library, 1)
    with Watching(library, home, "--profile", str(profile), fast=False) as watch:
        watch.ready()
        profile.write_text("threshold = what\n")
        watch.says("1 mistake")
        text = 'stages = ["place"]\nembed = "never"\nthreshold = 0.5\n'
        profile.write_text(text + "settle_seconds = 0.1\ncompanion_seconds = 0\n")
        watch.keyworded(name)


def test_two_libraries_in_one_watch(library: Path, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    put(other, 1)
    put(library, 2)
    with Watching(library, home, str(other)) as watch:
        watch.keyworded(f"{HOSPITAL}/IMG_2.JPG")
        watch.until((other / HOSPITAL / "IMG_1.JPG.xmp").exists, "the other one")
        put(other, 3)
        watch.until((other / HOSPITAL / "IMG_3.JPG.xmp").exists, "the other one's new photo")
    assert len(list((home / "st").glob("*/ledger.sqlite3"))) == 2


def test_killed_and_started_again_it_loses_nothing(library: Path, home: Path) -> None:
    names: list[str] = []
    for turn in range(3):
        with Watching(library, home) as watch:
            names += put(library, *range(turn * 40, turn * 40 + 40))
            least = len(names) - 35
            watch.until(
                lambda least=least: len(list((library / HOSPITAL).glob("*.xmp"))) > least, "slow"
            )
            watch.process.kill()
            watch.process.wait()
    with Watching(library, home, "--once") as watch:
        watch.process.wait(60)
    assert all((library / f"{name}.xmp").exists() for name in names)
    assert not list(library.rglob("*.tmp"))
    assert written_once(library, home) == len(names)


def test_a_root_that_goes_is_waited_for_and_nothing_is_taken_for_deleted(
    library: Path, home: Path
) -> None:
    names = put(library, 1, 2, 3)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(*names)
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        away = library.with_name("away")
        library.rename(away)
        watch.says("is not there: waiting for it")
        # The mount point of a volume that is not there is an empty folder.
        library.mkdir()
        found = watch.run("query", "hospital", "--in", str(library))
        assert found.stdout.count("IMG_") == 3
        library.rmdir()
        put(away, 4)
        away.rename(library)
        watch.says("is back")
        watch.keyworded(*names, f"{HOSPITAL}/IMG_4.JPG")
        # Events are heard again, of the new root.
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        watch.keyworded(*put(library, 5))
    assert written_once(library, home) == 5


def test_a_second_watch_is_refused_and_a_person_goes_first(library: Path, home: Path) -> None:
    put(library, *range(300))
    with Watching(library, home) as watch:
        watch.says("IMG_")
        second = watch.run("watch", str(library), "--once")
        assert second.returncode == 62
        assert f"process {watch.process.pid}" in second.stderr
        # While it works, or between two bursts, another command gets the library.
        asked = watch.run("keyword", "add", "Urbex|Mine", str(library / HOSPITAL / "IMG_7.JPG"))
        assert asked.returncode == 0, asked.stderr
        status = watch.run("status", str(library))
        assert f"process {watch.process.pid}" in status.stdout
        watch.until(lambda: watch.health()["done"] >= 300, "not all done")
        watch.keyworded(*(f"{HOSPITAL}/IMG_{number}.JPG" for number in range(300)))
        assert watch.stop(signal.SIGINT) == 130
    assert b"Urbex|Mine" in (library / HOSPITAL / "IMG_7.JPG.xmp").read_bytes()


def test_what_a_person_takes_back_stays_taken_back(library: Path, home: Path) -> None:
    names = put(library, 1, 2)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(*names)
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        undone = watch.run("undo", "--yes", "--in", str(library))
        assert undone.returncode == 0, undone.stderr
        # A photo that comes later is dealt with later, so the two were looked at again by then.
        watch.keyworded(*put(library, 3))
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        assert not any((library / f"{name}.xmp").exists() for name in names)


def test_what_lightroom_saves_is_found_at_once_and_left_to_it_for_a_while(
    library: Path, home: Path
) -> None:
    (name,) = put(library, 1)
    sidecar = library / f"{name}.xmp"
    with Watching(library, home, "--set", "quiet_seconds=3600") as watch:
        watch.ready()
        watch.keyworded(name)
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        keywords, mark, block = sidecar.read_text().partition("xmlns:urbexKW")
        keywords = re.sub(r"\s*<rdf:li>[^<]*ospital</rdf:li>", "", keywords)
        sidecar.write_text(keywords + mark + block)
        after = sidecar.read_bytes()
        watch.until(
            lambda: "IMG_1" not in watch.run("query", "hospital", "--in", str(library)).stdout,
            "the mirror did not follow",
        )
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        assert sidecar.read_bytes() == after


def test_deleted_photos_leave_the_mirror_and_sidecars_stay(library: Path, home: Path) -> None:
    names = put(library, 1, 2)
    with Watching(library, home) as watch:
        watch.ready()
        watch.keyworded(*names)
        watch.until(lambda: watch.health()["phase"] == "watching", "busy")
        (library / names[0]).unlink()
        watch.until(
            lambda: "IMG_1" not in watch.run("query", "hospital", "--in", str(library)).stdout,
            "still in the mirror",
        )
        assert (library / f"{names[0]}.xmp").exists()
        shutil.move(library / names[1], library / HOSPITAL / "moved.JPG")
        shutil.move(library / f"{names[1]}.xmp", library / HOSPITAL / "moved.JPG.xmp")
        watch.until(
            lambda: "moved.JPG" in watch.run("query", "hospital", "--in", str(library)).stdout,
            "the moved one is not there",
        )


def test_without_the_library_that_listens_sweeps_find_everything(
    library: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken" / "watchfiles"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no wheel for this machine')\n")
    monkeypatch.syspath_prepend(str(broken.parent))
    first = put(library, 1)
    with Watching(library, home, "--sweep", "0.01") as watch:
        watch.says("changes cannot be listened to (no wheel for this machine)")
        watch.says("found by sweeps only")
        watch.keyworded(*first)
        watch.ready()
        watch.keyworded(*put(library, 2, 3))
        assert watch.stop() == 128 + signal.SIGTERM
    assert written_once(library, home) == 3
