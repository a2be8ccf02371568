"""No file starves, none is taken before it is whole, none is lost; whatever events say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.model.photo import FileStat
from urbexmp.model.watching import SettleTimes
from urbexmp.rules.settle import Settled, Settling, group_of, is_temporary, is_wanted

TIMES = SettleTimes(apart=0.2, quiet=0.5, pair=2.5, alone=1.0, patience=30.0, slowest=4.0)
FOLDER = Path("/photos/import")


@dataclass(frozen=True)
class Copied:
    """A file that some program writes: a version for each time something is put into it."""

    path: Path
    writes: tuple[float, ...]
    """When it grows; whole with the last."""
    hints: tuple[float, ...]
    """When an event comes, wherever it comes from: late, twice, too early, or never."""

    def stat(self, t: float) -> FileStat | None:
        size = sum(at <= t for at in self.writes)
        return FileStat(size * 1000, int(max(self.writes[:size]) * 1e9), 7) if size else None

    def whole(self, t: float) -> bool:
        return t >= self.writes[-1]


def times(least: int, most: int) -> st.SearchStrategy[tuple[float, ...]]:
    moment = st.floats(0, 20, allow_nan=False).map(lambda t: round(t, 2))
    return st.lists(moment, min_size=least, max_size=most).map(lambda found: tuple(sorted(found)))


NAMES = st.sampled_from(
    ["A.CR3", "A.JPG", "A.xmp", "B.JPG", "B.JPG.xmp", "C.NEF", "c.jpg", "D.dng"]
)


@st.composite
def copies(draw: st.DrawFn) -> list[Copied]:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    return [Copied(FOLDER / name, draw(times(1, 5)), draw(times(0, 6))) for name in names]


class World:
    """The machine, driven as a watch drives it: by its own wake-ups, and by sweeps."""

    def __init__(self, files: list[Copied], sweeps: tuple[float, ...], room: int = 100) -> None:
        self.files = {file.path: file for file in files}
        self.machine = Settling(TIMES, room)
        self.first: dict[Path, float] = {}
        self.taken: dict[Path, float] = {}
        self.settled: list[Settled] = []
        self.hints = sorted((at, file.path) for file in files for at in file.hints)
        self.sweeps = list(sweeps)

    def run(self, until: float) -> None:
        t = 0.0
        while t < until:
            while self.hints and self.hints[0][0] <= t:
                self.machine.hint(self.hints.pop(0)[1], t)
            if self.sweeps and self.sweeps[0] <= t:
                self.sweeps.pop(0)
                self.sweep(t)
            for path in self.machine.due(t):
                stat = self.files[path].stat(t)
                asked = stat is not None and stat == self.machine.expects(path)
                self.machine.look(path, stat, self.files[path].whole(t) if asked else None, t)
            for settled in self.machine.take(t, 10):
                self.take(settled, t)
            moments = [t + 5.0, *(at for at, _ in self.hints[:1]), *self.sweeps[:1]]
            wake = self.machine.wake_at()
            if wake is not None:
                assert wake >= t or self.machine.due(t) or self.machine.ready(t)
                moments.append(wake)
            t = max(t + 0.01, min(moments))

    def sweep(self, t: float) -> None:
        """What a scan finds that is not dealt with as it stands now."""
        for path, file in self.files.items():
            stat = file.stat(t)
            if stat is not None and self.done_as.get(path) != stat:
                self.machine.hint(path, t, stat)

    @property
    def done_as(self) -> dict[Path, FileStat | None]:
        return {path: stat for settled in self.settled for path, stat in settled.files.items()}

    def take(self, settled: Settled, t: float) -> None:
        now = {path: self.files[path].stat(t) for path in settled.files}
        if now != settled.files:
            # What is not as it was looked at is not dealt with: it settles again.
            for path, stat in now.items():
                self.machine.hint(path, t, stat)
            return
        self.settled.append(settled)
        for path, stat in settled.files.items():
            if path in settled.stuck:
                continue
            if stat is not None:
                assert self.files[path].whole(t), f"{path} was taken before it was whole"
            self.taken[path] = t
            self.first.setdefault(path, t)


@settings(max_examples=150, deadline=None)
@given(copies())
def test_with_a_sweep_every_file_is_taken_whole_and_soon(files: list[Copied]) -> None:
    # The sweep comes last, so events may be lost, late or wrong in any way before it.
    world = World(files, sweeps=(25.0,))
    world.run(60.0)
    for file in files:
        assert world.done_as[file.path] == file.stat(60.0)
        assert world.taken[file.path] <= 25.0 + TIMES.quiet + TIMES.pair + 2 * TIMES.apart + 0.1
    assert len(world.machine) == 0


@settings(max_examples=100, deadline=None)
@given(copies(), st.integers(1, 3))
def test_with_little_room_repeated_sweeps_still_take_every_file(
    files: list[Copied], room: int
) -> None:
    world = World(files, sweeps=tuple(25.0 + 5 * n for n in range(12)), room=room)
    world.run(100.0)
    assert {path: world.done_as.get(path) for path in world.files} == {
        file.path: file.stat(100.0) for file in files
    }


def test_a_long_copy_of_others_and_a_stream_of_hints_starve_no_file() -> None:
    long = [
        Copied(FOLDER / f"L{n}.JPG", *(tuple(t / 10 for t in range(200)),) * 2) for n in range(3)
    ]
    touched = Copied(FOLDER / "T.JPG", (1.0,), tuple(t / 10 for t in range(10, 190)))
    quick = Copied(FOLDER / "Q.JPG", (1.0,), (1.0,))
    world = World([*long, touched, quick], sweeps=())
    world.run(30.0)
    assert world.taken[quick.path] <= 1.0 + TIMES.pair + TIMES.quiet + 0.5
    assert world.first[touched.path] <= 1.0 + TIMES.quiet + TIMES.pair
    assert all(world.taken[file.path] >= 19.9 for file in long)


def test_a_raw_waits_for_its_jpeg_and_a_jpeg_for_its_raw_but_not_for_ever() -> None:
    raw = Copied(FOLDER / "A.NEF", (1.0,), (1.0,))
    jpeg = Copied(FOLDER / "A.JPG", (1.9,), (1.9,))
    world = World([jpeg, raw], sweeps=())
    world.run(10.0)
    assert [set(settled.files) for settled in world.settled] == [{raw.path, jpeg.path}]
    alone = World([raw], sweeps=())
    alone.run(10.0)
    assert 1.0 + TIMES.alone <= alone.taken[raw.path] <= 1.0 + TIMES.alone + 0.3


def test_a_sidecar_alone_waits_for_nobody() -> None:
    sidecar = Copied(FOLDER / "A.xmp", (1.0,), (1.0,))
    world = World([sidecar], sweeps=())
    world.run(10.0)
    assert world.taken[sidecar.path] <= 1.0 + TIMES.quiet + 0.1


def test_a_half_file_is_given_up_and_a_file_that_goes_is_told_as_gone() -> None:
    machine = Settling(TIMES)
    half, stat = FOLDER / "half.JPG", FileStat(10, 1, 1)
    machine.hint(half, 0.0)
    looks, t, found = 0, 0.0, []
    while not found and t < 100:
        for path in machine.due(t):
            machine.look(path, stat, False if machine.expects(path) == stat else None, t)
            looks += 1
        found = machine.take(t, 10)
        t += 0.1
    assert found[0].stuck == (half,)
    assert TIMES.patience <= t < TIMES.patience + TIMES.slowest + 2
    assert looks < 25
    gone = FOLDER / "gone.JPG"
    machine.hint(gone, t)
    for _ in range(10):
        for path in machine.due(t):
            machine.look(path, None, None, t)
        t += 0.1
    assert machine.take(t, 10)[0].files == {gone: None}
    assert len(machine) == 0


def test_the_newest_import_comes_first() -> None:
    files = [Copied(FOLDER / f"{n}.JPG", (n / 10,), (n / 10,)) for n in range(1, 6)]
    machine = Settling(TIMES)
    for file in files:
        machine.hint(file.path, file.hints[0], file.stat(5.0))
    for t in (5.0, 6.0):
        for path in machine.due(t):
            machine.look(path, files[0].stat(5.0), None, t)
            stat = next(file for file in files if file.path == path).stat(5.0)
            machine.look(path, stat, None, t)
    for t in (7.0, 8.0):
        for path in machine.due(t):
            stat = next(file for file in files if file.path == path).stat(5.0)
            machine.look(path, stat, True, t)
    taken = [settled.group[1] for settled in machine.take(20.0, 3)]
    assert taken == ["5", "4", "3"]


def test_what_finds_no_room_is_refused_and_half_a_pair_is_not() -> None:
    machine = Settling(TIMES, room=1)
    assert machine.hint(FOLDER / "A.NEF", 0.0)
    assert not machine.hint(FOLDER / "B.NEF", 0.0)
    assert machine.hint(FOLDER / "A.JPG", 0.0)
    assert len(machine) == 2
    assert machine.room_left == 0


@pytest.mark.parametrize(
    ("name", "wanted", "temporary"),
    [
        ("IMG_1.CR3", True, False),
        ("IMG_1.JPG.xmp", True, False),
        ("IMG_1.JPG.part", False, True),
        ("IMG_1.CR3.tmp", False, True),
        ("IMG_1.JPG~", False, True),
        ("IMG_1.JPG.crdownload", False, True),
        (".IMG_1.CR3.Xy12zz", False, True),
        ("._IMG_1.CR3", False, True),
        ("2024-05-11 Mill", False, False),
        ("notes.txt", False, False),
    ],
)
def test_names(name: str, wanted: bool, temporary: bool) -> None:
    assert is_wanted(name) is wanted
    assert is_temporary(name) is temporary


def test_files_of_one_basename_are_one_group() -> None:
    names = ["IMG_1.CR3", "img_1.JPG", "IMG_1.xmp", "IMG_1.CR3.xmp", "Img_1.jpg.XMP"]
    assert {group_of(FOLDER / name) for name in names} == {(FOLDER, "img_1")}
    assert group_of(FOLDER / "IMG_1.v2.xmp") == (FOLDER, "img_1.v2")


def lone(other: float | None, *, raw: bool) -> float:
    """When a photo that comes alone at 100 s is taken; `other`: when one of the other sort came."""
    alone, beside = ("A.NEF", "B.JPG") if raw else ("A.JPG", "B.NEF")
    files = [Copied(FOLDER / alone, (100.0,), (100.0,))]
    if other is not None:
        files.append(Copied(FOLDER / beside, (other,), (other,)))
    world = World(files, sweeps=())
    world.run(130.0)
    return world.first[FOLDER / alone] - 100.0


@settings(max_examples=60, deadline=None)
@given(st.floats(80, 120, allow_nan=False).map(lambda t: round(t, 2)), st.booleans())
def test_a_photo_alone_waits_long_only_beside_photos_of_the_other_sort(
    other: float, raw: bool
) -> None:
    short = max(TIMES.alone, TIMES.quiet) + 0.1
    assert lone(None, raw=raw) <= short
    waited = lone(other, raw=raw)
    assert waited <= TIMES.pair + 0.1
    if abs(other - 100 - TIMES.alone) <= 0.1:
        return  # it came at the moment at which the photo was taken: either is right
    if 100 - TIMES.pair <= other < 100 + TIMES.alone:
        assert waited >= TIMES.pair
    else:
        assert waited <= short


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.05, 2.4, allow_nan=False), min_size=2, max_size=8), st.booleans())
def test_pairs_that_are_copied_side_by_side_are_taken_together(
    gaps: list[float], raw_first: bool
) -> None:
    first, second = ("NEF", "JPG") if raw_first else ("JPG", "NEF")
    files, t = [], 1.0
    for number, gap in enumerate(gaps):
        for name in (f"{number}.{first}", f"{number}.{second}"):
            t = round(t + gap, 2)
            files.append(Copied(FOLDER / name, (t,), (t,)))
    world = World(files, sweeps=())
    world.run(60.0)
    # Of the first pair nobody knows yet what is copied; from the second on it is seen.
    taken = [settled for settled in world.settled if settled.group[1] != "0"]
    assert [len(settled.files) for settled in taken] == [2] * (len(gaps) - 1)


def test_a_file_that_goes_on_changing_is_told_once_looked_at_less_often_and_taken_when_whole() -> (
    None
):
    writes = tuple(t / 4 for t in range(4, 4 * 300))
    growing = Copied(FOLDER / "A.JPG", writes, (1.0,))
    machine, t, told, looks = Settling(TIMES), 1.0, [], 0
    machine.hint(growing.path, t)
    taken: list[Settled] = []
    while not taken and t < 400:
        for path in machine.due(t):
            looks += 1
            stat = growing.stat(t)
            asked = stat is not None and stat == machine.expects(path)
            machine.look(path, stat, growing.whole(t) if asked else None, t)
        told += [(path, t) for path in machine.take_overdue()]
        taken = machine.take(t, 1)
        t += 0.05
    assert [path for path, _ in told] == [growing.path]
    assert TIMES.patience <= told[0][1] <= TIMES.patience + TIMES.slowest + 1
    assert taken[0].stuck == ()
    assert writes[-1] < t <= writes[-1] + TIMES.slowest + TIMES.quiet + 2 * TIMES.apart + TIMES.pair
    assert looks <= TIMES.patience / TIMES.apart + 300 / TIMES.slowest * 1.5
