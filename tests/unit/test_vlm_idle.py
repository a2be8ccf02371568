"""When `vlm` looks: in a quiet moment of a watch, by place, and at once where a person says so."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from google_double import GoogleDouble
from unit.test_google_sync import GOOGLE
from unit.test_vlm_sync import NAMES, Library
from unit.watch_world import World
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.app import state_paths
from urbexmp.cli.main import run
from urbexmp.cli.options import Choices, load
from urbexmp.drivers.retries import IDLE_PRIORITY
from urbexmp.model.observation import Context
from urbexmp.model.watching import Hint
from vlm_server import GOOD_REPLY, VlmDouble, said, words_of


@pytest.fixture(autouse=True)
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)


def idle_rows(library: Library) -> list[str]:
    path = state_paths(library.photos, library.home / "st").ledger
    ledger = SqliteLedger(path, readonly=True)
    try:
        return [work.path.name for work in ledger.waiting("2999", 1000, least=IDLE_PRIORITY)]
    finally:
        ledger.close()


# --- sync ---------------------------------------------------------------------------------------


def test_sync_leaves_idle_work_waiting_and_says_so(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"idle"')
        photos = library.add(*NAMES)
        first = library.run()
        assert first.exit_code == 0
        assert "vlm was not asked about 3 photos yet" in first.output
        assert "urbexmp location enhance" in first.output
        assert all(photo.with_name(photo.name + ".xmp").exists() for photo in photos[1:])
        assert idle_rows(library) == sorted(NAMES)
        second = library.run()
        assert "vlm was not asked" not in second.output  # nothing is dealt with again for it
        assert "3 unchanged" in second.output
        assert idle_rows(library) == sorted(NAMES)
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            run(["status", str(library.photos), "--state", str(tmp_path / "st")])
        assert "3 photos wait: vlm is asked when a watch has nothing else" in told.getvalue()
        assert double.requests == []


def test_enhance_asks_now_and_once(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"idle"')
        (photo,) = library.add(NAMES[0])
        assert library.run().exit_code == 0
        done = library.run(command="location enhance")
        assert done.exit_code == 0, done.output
        assert b"Wheelchair" in photo.with_name(photo.name + ".xmp").read_bytes()
        assert idle_rows(library) == []
        assert library.run(command="location enhance").exit_code == 0
        assert library.run().exit_code == 0
        assert len(double.requests) == 1
        assert b"Wheelchair" in photo.with_name(photo.name + ".xmp").read_bytes()
        assert library.run("--again", command="location enhance").exit_code == 0
        assert len(double.requests) == 2


def test_enhance_needs_a_profile_with_a_stage_to_ask(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double)
        library.add(NAMES[0])
        library.profile.write_text('stages = ["camera"]\n')
        done = library.run(command="location enhance")
    assert done.exit_code == 2
    assert "lists neither vlm nor google_vision" in done.output


def test_stages_vlm_for_a_file_asks_about_it_and_keeps_what_the_others_said(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"manual"')
        first, second, _ = library.add(*NAMES)
        assert library.run().exit_code == 0
        before = second.with_name(second.name + ".xmp").read_bytes()
        assert double.requests == []
        library.photos, folder = second, library.photos
        done = library.run("--stages", "vlm", "--set", "retract=true")
        assert done.exit_code == 0, done.output
        after = second.with_name(second.name + ".xmp").read_bytes()
        assert len(double.requests) == 1
        assert b"Wheelchair" in after
        assert b"Flash" in before
        assert b"Flash" in after
        library.photos = folder
        assert library.run().exit_code == 0
        assert len(double.requests) == 1
        assert first.exists()


# --- by place -----------------------------------------------------------------------------------


def place(library: Library, name: str, when: str) -> list[Path]:
    folder, whole = library.photos / name, library.photos
    folder.mkdir()
    if when:
        (folder / "location.toml").write_text(f'when = "{when}"\n')
    library.photos = folder
    added = library.add(NAMES[len(list(whole.iterdir())) - 1])
    library.photos = whole
    return added


def test_a_place_may_say_when_it_is_asked_about(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"always"')
        place(library, "a mill", "idle")
        place(library, "b mill", "manual")
        place(library, "c mill", "")
        assert library.run().exit_code == 0
        assert len(double.requests) == 1
        assert len(idle_rows(library)) == 1
        (library.photos / "b mill" / "location.toml").write_text('when = "always"\n')
        assert library.run().exit_code == 0
        assert len(double.requests) == 2
        assert library.run(command="location enhance").exit_code == 0
        assert len(double.requests) == 3
        assert library.run().exit_code == 0
        assert len(double.requests) == 3


def test_a_place_may_ask_where_the_profile_waits(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"manual"')
        place(library, "a mill", "always")
        place(library, "b mill", "")
        assert library.run().exit_code == 0
    assert len(double.requests) == 1


@pytest.mark.parametrize("when", ["manual", "idle"])
def test_what_was_said_counts_until_it_is_asked_again_of_a_place(tmp_path: Path, when: str) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when=f'"{when}"')
        (photo,) = library.add(NAMES[0])
        sidecar = photo.with_name(photo.name + ".xmp")
        assert library.run(command="location enhance").exit_code == 0
        (library.photos / "location.toml").write_text('name = "St Agnes"\n')
        assert library.run("--set", "retract=true").exit_code == 0
        assert b"Wheelchair" in sidecar.read_bytes()
        assert len(double.requests) == 1
        assert len(idle_rows(library)) == (when == "idle")
        assert library.run(command="location enhance").exit_code == 0
        assert len(double.requests) == 2
        assert "St Agnes" in words_of(double.requests[1])


def test_when_alone_is_no_other_question() -> None:
    usual = Context(name="Mill")
    for when in ("always", "idle", "manual"):
        assert replace(usual, when=when).digest == usual.digest


@pytest.mark.parametrize("when", ["often", "now"])
def test_a_place_cannot_say_what_there_is_not(tmp_path: Path, when: str) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double)
        place(library, "a mill", when)
        done = library.run()
    assert "must be one of always, idle, manual, unsure" in done.output


# --- in a watch ---------------------------------------------------------------------------------


class Quiet(World):
    """A watch with `vlm`, when it is idle."""

    def __init__(self, root: Path, home: Path, double: VlmDouble, **settings: Any) -> None:
        super().__init__(root, home / "st")
        file = home / "quiet.toml"
        table = {"model": "eyes", "url": double.url, "when": "idle", **settings}
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())
        file.write_text(f'stages = ["place", "vlm"]\n[stage.vlm]\n{lines}\n')
        chosen = {"settle_seconds": "1", "companion_seconds": "1", "settle_longest_seconds": "20"}
        flags = {"embed": "never", "quiet_seconds": "0", "workers": "1", **chosen}
        self.flags = flags
        self.settings = load(Choices(profile=str(file), flags=flags))

    def said(self, *numbers: int) -> list[bool]:
        folder = self.root / "Old Hospital"
        return [b"Wheelchair" in (folder / f"{n}.JPG.xmp").read_bytes() for n in numbers]

    def waits(self) -> int:
        with self.ledger() as ledger:
            return len(ledger.waiting("2999", 1000, least=IDLE_PRIORITY))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "Old Hospital").mkdir(parents=True)
    return folder


def test_photos_get_their_keywords_first_and_are_asked_about_once_it_is_quiet(
    root: Path, tmp_path: Path
) -> None:
    with VlmDouble() as double:
        world = Quiet(root, tmp_path, double)
        world.put(1, 2, 3)
        world.run(6)
        assert world.said(1, 2, 3) == [False] * 3
        assert world.waits() == 3
        assert double.requests == []
        world.run(60)
        assert world.said(1, 2, 3) == [True] * 3
        assert world.waits() == 0
        world.run(120)
        assert len(double.requests) == 3
        world.kept.clear()


def test_a_hint_about_our_own_write_takes_no_photo_off_what_waits(
    root: Path, tmp_path: Path
) -> None:
    with VlmDouble() as double:
        world = Quiet(root, tmp_path, double)
        world.put(1)
        world.run(6)
        assert world.waits() == 1
        sidecar = root / "Old Hospital" / "1.JPG.xmp"
        world.events.coming.append((0.0, Hint(sidecar)))
        world.run(3)
        assert world.waits() == 1
        world.run(60)
        assert world.said(1) == [True]
        assert world.waits() == 0
        world.kept.clear()


def test_our_own_writes_do_not_end_a_quiet_moment_for_long(root: Path, tmp_path: Path) -> None:
    worlds: list[Quiet] = []

    def answers(*_: object) -> Any:
        for number in range(1, 6):
            sidecar = root / "Old Hospital" / f"{number}.JPG.xmp"
            worlds[0].events.coming.append((0.0, Hint(sidecar)))
        return GOOD_REPLY

    with VlmDouble(answers) as double:
        world = Quiet(root, tmp_path, double)
        worlds.append(world)
        world.put(1, 2, 3, 4, 5)
        world.run(40)
        assert world.said(1, 2, 3, 4, 5) == [True] * 5
        world.kept.clear()


def test_a_photo_that_comes_goes_before_those_that_wait(root: Path, tmp_path: Path) -> None:
    arrived: list[Callable[[], None]] = []

    def answers(*_: object) -> Any:
        if arrived:
            arrived.pop()()
        return GOOD_REPLY

    with VlmDouble(answers) as double:
        world = Quiet(root, tmp_path, double)
        world.put(1, 2, 3, 4)
        world.run(6)

        def arrive() -> None:
            world.put(9)
            world.hint(0.0, 9)

        arrived.append(arrive)
        world.run(9)
        sidecar = root / "Old Hospital" / "9.JPG.xmp"
        assert sidecar.exists()
        assert len(double.requests) < 4
        world.run(90)
        assert len(double.requests) == 5
        assert world.said(1, 2, 3, 4, 9) == [True] * 5
        world.kept.clear()


def test_what_fails_goes_on_waiting_and_is_asked_again(root: Path, tmp_path: Path) -> None:
    down = [True]
    with VlmDouble(lambda *_: said("Hm.") if down else GOOD_REPLY) as double:
        world = Quiet(root, tmp_path, double)
        world.put(1)
        world.run(60)
        assert world.said(1) == [False]
        assert world.waits() == 1
        down.clear()
        world.run(3600)
        assert world.said(1) == [True]
        assert world.waits() == 0
        world.kept.clear()


def test_a_server_that_was_away_for_a_night_is_asked_once_it_is_back(
    root: Path, tmp_path: Path
) -> None:
    away = [True]
    with VlmDouble(lambda *_: (503, {}, b"busy") if away else GOOD_REPLY) as double:
        world = Quiet(root, tmp_path, double)
        world.put(1)
        world.run(8 * 3600)
        assert world.waits() == 1
        away.clear()
        world.kept.clear()  # who asks leaves a server alone for a while of its own
        world.run(3600)
        assert world.said(1) == [True]
        assert world.waits() == 0
        world.kept.clear()


@GOOGLE
@pytest.mark.parametrize(("when", "asked"), [("manual", 0), ("unsure", 1), ("idle", 1)])
def test_a_quiet_moment_asks_no_stage_that_does_not_wait_for_one(
    root: Path, tmp_path: Path, when: str, asked: int
) -> None:
    with VlmDouble() as double, GoogleDouble() as google:
        world = Quiet(root, tmp_path, double)
        file = tmp_path / "quiet.toml"
        paid = f'\n[stage.google_vision]\nurl = "{google.url}"\nwhen = "{when}"\n'
        file.write_text(file.read_text().replace('"vlm"]', '"vlm", "google_vision"]') + paid)
        world.settings = load(Choices(profile=str(file), flags=dict(world.flags)))
        world.put(1)
        world.run(90)
        assert world.said(1) == [True]
        assert world.waits() == 0
        assert len(double.requests) == 1
        assert google.pictures == asked
        world.kept.clear()
