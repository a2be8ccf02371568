"""The watch's loop in a time of its own: without events, and after every sign of loss."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from unit.watch_world import SWEEP, World
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.app import state_paths
from urbexmp.model.watching import Hint, Lost
from watch_process import jpeg

pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    (root / "Old Hospital").mkdir(parents=True)
    return root


@pytest.fixture
def world(root: Path, tmp_path: Path) -> World:
    return World(root, tmp_path / "state")


def test_what_is_there_at_the_start_is_dealt_with(world: World) -> None:
    world.put(1, 2)
    world.run(10)
    assert sorted(world.told.photos) == ["1.JPG", "2.JPG"]
    assert world.beats[-1].phase == "stopped"
    assert world.beats[-1].done == 2


def test_without_a_hint_the_sweep_finds_it(world: World) -> None:
    path = world.root / "Old Hospital" / "1.JPG"
    path.write_bytes(b"%PDF-1.7")
    world.run(20)
    # Written again in place: no folder's time tells of that.
    world.at(1, lambda: world.put(1))
    world.run(60)
    assert world.told.photos == []
    world.run(SWEEP)
    assert world.told.photos == ["1.JPG"]


def test_what_is_new_in_a_folder_is_found_without_a_hint(world: World) -> None:
    world.run(30)
    world.at(1, lambda: world.put(1))
    (world.root / "a").mkdir()
    world.run(20)
    assert world.told.photos == ["1.JPG"]
    assert len(world.tending.folder_times) == 3


def test_a_photo_beside_the_archive_does_not_have_the_archive_looked_over(world: World) -> None:
    world.put(1)
    (world.root / "Old Hospital" / "2.JPG").write_bytes(b"%PDF-1.7")
    world.run(30)

    def put_beside() -> None:
        (world.root / "3.JPG").write_bytes(jpeg(3))
        (world.root / "new" / "deep").mkdir(parents=True)
        (world.root / "new" / "deep" / "4.JPG").write_bytes(jpeg(4))

    world.at(1, put_beside)
    # Written in place: only a look at its folder's files finds that.
    world.at(1, lambda: world.put(2))
    world.run(60)
    assert world.told.photos == ["1.JPG"]
    with world.ledger() as ledger:
        assert set(ledger.known(world.root)) == {"3.JPG"}
        assert set(ledger.known(world.root / "new" / "deep")) == {"4.JPG"}


@pytest.mark.parametrize("deaf", [False, True])
def test_a_photo_that_went_leaves_the_mirror_before_the_next_sweep(
    world: World, deaf: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compared(*_: object) -> None:
        raise AssertionError("the mirror was compared as a whole")

    if deaf:
        world.events.silent.add(world.root)
    world.put(1, 2)
    world.run(45)
    monkeypatch.setattr("urbexmp.drivers.mirror._catch_up", compared)
    world.at(1, (world.root / "Old Hospital" / "1.JPG").unlink)
    world.run(25)
    with SqliteMirror(state_paths(world.root, world.state).mirror, readonly=True) as mirror:
        assert list(mirror.versions(Path("Old Hospital"))) == ["2.JPG"]
    world.run(SWEEP)
    assert world.told.problems == []


@pytest.mark.parametrize("loss", ["lost", "clock", "held"])
def test_after_a_sign_of_loss_everything_is_looked_over(world: World, loss: str) -> None:
    def jump() -> None:
        world.jumped += 3600

    def hold() -> None:
        world.t += 60

    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(20, lambda: world.put(1))
    if loss == "lost":
        world.events.coming.append((21.0, Lost(world.root, "the queue ran over")))
    else:
        world.at(21, jump if loss == "clock" else hold)
    world.run(100)
    assert world.told.photos == ["1.JPG"]


def test_nothing_else_is_looked_over(world: World) -> None:
    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(30, lambda: world.put(1))
    world.run(100)
    assert world.told.photos == []


def test_a_root_that_tells_nothing_is_swept_oftener(world: World) -> None:
    world.events.silent.add(world.root)
    world.at(20, lambda: world.put(1))
    world.run(45)
    assert world.told.photos == ["1.JPG"]
    assert any("silent" in note for note in world.told.notes)


def test_what_is_written_in_place_where_no_hints_come_is_found_within_a_minute(
    world: World,
) -> None:
    world.events.silent.add(world.root)
    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(25, lambda: world.put(1))
    world.run(90)
    assert world.told.photos == ["1.JPG"]


def test_where_there_are_too_many_folders_all_is_swept_as_often_as_folders_would_be(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urbexmp.drivers.tending.MOST_FOLDERS", 1)
    world = World(root, tmp_path / "state")
    world.events.silent.add(world.root)
    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(25, lambda: world.put(1))
    world.run(45)
    assert world.told.photos == ["1.JPG"]


def test_a_root_that_goes_or_is_emptied_is_waited_for(world: World, tmp_path: Path) -> None:
    world.put(1, 2)
    world.run(10)
    away = tmp_path / "away"
    world.at(5, lambda: shutil.move(world.root, away))
    world.at(20, world.root.mkdir)
    world.run(40)
    with world.ledger() as ledger:
        assert ledger.known_count(world.root) == 2
    assert [note for note in world.told.notes if "waiting for it" in note]
    world.at(5, lambda: (world.root.rmdir(), shutil.move(away, world.root), world.put(3)))
    world.run(40)
    assert world.told.photos == ["1.JPG", "2.JPG", "3.JPG"]
    assert not world.told.problems


def test_of_several_folders_one_may_go_and_come_back(world: World, tmp_path: Path) -> None:
    hospital, mill = world.root / "Old Hospital", world.root / "Old Mill"
    mill.mkdir()
    (mill / "9.JPG").write_bytes(jpeg(9))
    world.tending.watched = replace(world.tending.watched, paths=(hospital, mill))
    world.tending.there = (hospital, mill)
    world.run(20)
    assert world.told.photos == ["9.JPG"]
    world.at(1, lambda: shutil.move(mill, tmp_path / "away"))
    world.at(2, lambda: world.put(1))
    world.run(60)
    assert world.told.photos == ["9.JPG", "1.JPG"]
    assert [note for note in world.told.notes if "Old Mill is not there" in note]
    world.at(1, lambda: shutil.move(tmp_path / "away", mill))
    world.at(2, lambda: (mill / "8.JPG").write_bytes(jpeg(8)))
    world.run(60)
    assert world.told.photos == ["9.JPG", "1.JPG", "8.JPG"]
    assert not world.told.problems
    with world.ledger() as ledger:
        assert ledger.known_count(world.root) == 3


def test_a_root_without_its_photos_is_no_mass_deletion(world: World, tmp_path: Path) -> None:
    world.put(1, 2)
    world.run(10)
    folder = world.root / "Old Hospital"
    (world.root / "notes.txt").touch()
    world.at(5, lambda: shutil.move(folder, tmp_path / "away"))
    world.run(2 * SWEEP)
    assert [said for said in world.told.problems if "holds no photo" in said]
    with SqliteMirror(state_paths(world.root, world.state).mirror, readonly=True) as mirror:
        assert mirror.count() == 2
    shutil.move(tmp_path / "away", folder)
    world.run(20)
    assert len(world.told.photos) == 2


def test_after_three_more_tries_it_waits_until_the_file_changes(world: World) -> None:
    path = world.root / "Old Hospital" / "1.JPG"
    path.write_bytes(b"%PDF-1.7 no photo at all")
    world.run(100)
    assert len(world.told.problems) == 1
    world.run(1.5 * 3600)
    assert len(world.told.problems) == 4
    with world.ledger() as ledger:
        work = ledger.waiting_on(path)
    assert work is not None
    assert work.attempts == 4
    assert work.next_try > "2100"
    world.run(2 * 3600)
    assert len(world.told.problems) == 4
    world.at(1, lambda: world.put(1))
    world.hint(2, 1)
    world.run(60)
    assert world.told.photos == ["1.JPG"]
    with world.ledger() as ledger:
        assert ledger.waiting_on(path) is None


def test_more_photos_than_there_is_room_for_wait_in_the_ledger(root: Path, tmp_path: Path) -> None:
    world = World(root, tmp_path / "state", room=5)
    world.put(*range(40))
    world.run(5)
    assert max(beat.settling for beat in world.beats) <= 10
    with world.ledger() as ledger:
        assert len(ledger.waiting("2999", 100)) >= 10
    world.run(200)
    assert len(set(world.told.photos)) == len(world.told.photos) == 40
    with world.ledger() as ledger:
        assert ledger.waiting("2999") == ()


def test_its_own_writes_are_not_work(world: World) -> None:
    world.put(1)
    world.run(10)
    sidecar = world.root / "Old Hospital" / "1.JPG.xmp"
    before = sidecar.stat()
    for _ in range(3):
        world.events.coming.append((1.0, Hint(sidecar)))
    world.run(30)
    assert world.told.photos == ["1.JPG"]
    assert sidecar.stat() == before
    assert world.beats[-1].done == 1
    with world.ledger() as ledger:
        assert len(ledger.runs()) == 1


def test_place_file_written_later_brings_its_keywords(world: World) -> None:
    (world.root / "Site 7").mkdir()
    (world.root / "Site 7" / "1.JPG").write_bytes(jpeg(1))
    world.run(10)
    assert world.told.photos == []
    place = world.root / "Site 7" / "location.toml"
    place.write_text('type = "hospital"\n')
    world.events.coming.append((1.0, Hint(place)))
    world.run(20)
    assert world.told.photos == ["1.JPG"]
