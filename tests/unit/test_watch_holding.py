"""What a watch puts off though nothing failed, and that all else goes on meanwhile."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from unit.watch_world import SWEEP, World
from urbexmp.model.stage_errors import StageMissing
from urbexmp.model.watching import Hint
from watch_process import jpeg

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.ledger import WaitingWork
    from urbexmp.model.photo import Photo
    from urbexmp.pipeline.look import Examined

pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    (root / "Old Hospital").mkdir(parents=True)
    return root


@pytest.fixture
def world(root: Path, tmp_path: Path) -> World:
    return World(root, tmp_path / "state")


def waiting(world: World) -> tuple[WaitingWork, ...]:
    with world.ledger() as ledger:
        return ledger.waiting("2999")


def empty(world: World, *numbers: int) -> None:
    """Another program saves photos without any keyword, and nothing else of the packet changed."""
    for number in numbers:
        sidecar = world.root / "Old Hospital" / f"{number}.JPG.xmp"
        text = sidecar.read_text()
        for field in ("lr:hierarchicalSubject", "dc:subject"):
            start, end = text.index(f"<{field}>"), text.index(f"</{field}>") + len(f"</{field}>")
            text = text[:start] + text[end:]
        sidecar.write_text(text)
        moment = world.now().timestamp()
        os.utime(sidecar, (moment, moment))
        world.events.coming.append((0.5, Hint(sidecar)))


def vetoed(world: World) -> int:
    """Photos of which a keyword was learned as refused."""
    folder = world.root / "Old Hospital"
    with world.ledger() as ledger:
        bases = [ledger.base(known.photo_id, known.path) for known in ledger.known(folder).values()]
    return sum(bool(base is not None and base.vetoed) for base in bases)


def test_many_emptied_photos_are_held_and_all_else_goes_on(world: World) -> None:
    world.put(*range(30))
    world.run(20)
    assert len(world.told.photos) == 30
    empty(world, *range(12))
    world.at(30, lambda: world.put(50))
    world.hint(30.5, 50)
    world.run(3 * SWEEP)
    held = [said for said in world.told.problems if "lost all their keywords" in said]
    assert len(held) == 1
    assert "--accept-emptied" in held[0]
    assert world.told.photos[30:] == ["50.JPG"]
    assert len(waiting(world)) == 12
    assert all("lost all their keywords" in work.last_error for work in waiting(world))
    assert all(work.attempts == 0 for work in waiting(world))
    assert vetoed(world) == 0


def test_few_emptied_photos_are_dealt_with_after_a_minute(world: World) -> None:
    world.put(*range(30))
    world.run(20)
    empty(world, 1, 2, 3)
    world.run(30)
    assert len(waiting(world)) == 3
    assert vetoed(world) == 0
    world.run(100)
    assert waiting(world) == ()
    assert not world.told.problems
    with world.ledger() as ledger:
        assert vetoed(world) + len({path for path, _ in ledger.held()}) == 3


class Lacking:
    """A looker whose stage is missing until it is there."""

    def __init__(self, inner: Any, there: list[bool], asked: list[str]) -> None:
        self.inner, self.there, self.asked = inner, there, asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def examine(self, photo: Photo, *rest: Any) -> Examined:
        if not self.there:
            self.asked.append(photo.path.name)
            raise StageMissing(photo.path, stage="place", detail="no weights", advice="Bring them")
        found: Examined = self.inner.examine(photo, *rest)
        return found


def test_photos_wait_for_a_missing_stage_and_one_is_tried_for_all(
    root: Path, tmp_path: Path
) -> None:
    there: list[bool] = []
    asked: list[str] = []

    class Without(World):
        def altered(self, house: House) -> House:
            tools = house.tools()
            looker = Lacking(tools.looker, there, asked)
            return replace(house, tools=lambda: replace(tools, looker=looker))

    world = Without(root, tmp_path / "state")
    world.put(*range(20))
    world.run(20)
    assert len(asked) == 20
    assert [said for said in world.told.problems if "no weights" in said] == world.told.problems
    assert len(world.told.problems) == 1
    assert {work.attempts for work in waiting(world)} == {0}
    assert world.beats[-1].failed == 0
    world.run(4 * SWEEP)
    assert len(asked) <= 20 + 6
    assert len(waiting(world)) == 20
    there.append(True)
    world.run(SWEEP + 60)
    assert len(world.told.photos) == 20
    assert waiting(world) == ()
    assert any("can run again" in note for note in world.told.notes)
    assert len(world.told.problems) == 1


def test_a_watch_that_goes_without_a_stage_says_so_once(root: Path, tmp_path: Path) -> None:
    class Told:
        stops = None
        told: ClassVar = {"florence": "stage florence needs m (1 GB). Bring it"}

    class Without(World):
        def altered(self, house: House) -> House:
            return replace(house, without=Told())

    world = Without(root, tmp_path / "state")
    world.put(0)
    world.run(2 * SWEEP)
    world.put(1)
    world.run(2 * SWEEP)
    assert len(world.told.photos) == 2
    said = [note for note in world.told.notes if "florence" in note]
    assert said == ["florence does not look: stage florence needs m (1 GB). Bring it."]


def test_a_file_that_goes_on_growing_is_told_and_waits_with_its_reason(world: World) -> None:
    path = world.root / "Old Hospital" / "7.JPG"
    data = jpeg(7)

    def grow(part: int) -> None:
        path.write_bytes(data[: 200 + part])
        moment = world.now().timestamp()
        os.utime(path, (moment, moment))

    for second in range(0, 120, 2):
        world.at(second, lambda second=second: grow(second))
    world.hint(0.5, 7)
    world.run(100)
    (said,) = world.told.problems
    assert "still changes" in said
    (work,) = waiting(world)
    assert work.last_error == said
    assert world.told.photos == []
    world.at(30, lambda: world.put(7))
    world.run(100)
    assert world.told.photos == ["7.JPG"]
    assert waiting(world) == ()
