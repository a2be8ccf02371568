"""Which files are whole: events and looks go in, photos that may be taken come out.

A pure machine: time is an argument (seconds of any clock that only goes forward), and the caller
does the looking. A file is whole when two looks a moment apart found the same size, time and
inode, and its structure is complete. Files of one basename are one group, taken together: a raw
file waits a little for its JPEG and sidecar, a JPEG for its raw.

Waiting is per group, so a long copy of other files delays no photo; and while a file itself
changes it is never taken, because a write into it would part us from the program that copies. One
that goes on changing for long is told of, and looked at less often.

What is in the machine is bounded; a hint that finds no room is refused, and it is the caller's
to keep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from urbexmp.model.keyword import fold
from urbexmp.model.photo import FileKind, FileStat
from urbexmp.model.watching import SettleTimes
from urbexmp.rules.formats import KINDS, extension, stem

ROOM = 2000
"""Files that settle at one time."""

FOLDERS = 256
"""Folders of which is kept when photos came into them last."""

Group = tuple[Path, str]
"""Folder, and folded basename."""

TEMPORARY = frozenset({"part", "partial", "tmp", "temp", "crdownload", "download", "filepart"})
"""Extensions of half-copied files: browsers, copy tools, FTP clients."""


def is_wanted(name: str) -> bool:
    """Whether a name is a photo's or a sidecar's.

    Temporary names are not: hidden ones (rsync's `.NAME.XXXXXX`, our own), and those of which the
    last extension is no photo's (`.part`, `.tmp`, `.crdownload`, `IMG.JPG~`).
    """
    ext = extension(name)
    return not name.startswith(".") and (ext in KINDS or ext == "xmp")


def is_temporary(name: str) -> bool:
    """Whether a name is one that copy tools give to a file until it is whole."""
    return name.startswith(".") or name.endswith("~") or extension(name) in TEMPORARY


def group_of(path: Path) -> Group:
    """The group of a photo file or sidecar: `IMG.CR3`, `IMG.JPG.xmp`, `img.xmp` are one."""
    base = stem(path.name)
    if extension(path.name) == "xmp" and extension(base) in KINDS:
        base = stem(base)
    return path.parent, fold(base)


@dataclass(frozen=True, slots=True)
class Settled:
    """Files of one group that may be dealt with."""

    group: Group
    files: dict[Path, FileStat | None]
    """As they were when they were looked at last; None: gone."""
    stuck: tuple[Path, ...] = ()
    """Those that stopped changing and are not whole: to be told, and tried again later."""


@dataclass(slots=True)
class _Member:
    """One file that settles."""

    first: float
    next_look: float
    changed: float
    """Since when it is as it was seen, as far as is known."""
    since: float = 0.0
    """When a look first found it as it was seen."""
    last_look: float = 0.0
    looked: bool = False
    seen: FileStat | None = None
    settled: bool = False
    stuck: bool = False
    overdue: bool = False
    """It goes on changing, and that was told."""
    pause: float = 0.0


@dataclass(slots=True)
class _Group:
    members: dict[Path, _Member] = field(default_factory=dict)


class Settling:
    """The machine."""

    def __init__(self, times: SettleTimes | None = None, room: int = ROOM) -> None:
        self.times = times or SettleTimes()
        self.room = room
        self._groups: dict[Group, _Group] = {}
        self._size = 0
        self._came: dict[tuple[Path, bool], float] = {}
        """When a raw file (True) or another photo came into a folder last."""
        self._overdue: list[Path] = []

    def __len__(self) -> int:
        """Files in the machine."""
        return self._size

    def __contains__(self, path: Path) -> bool:
        """Whether a file of the same group is in the machine."""
        return group_of(path) in self._groups

    @property
    def photos(self) -> int:
        """Photos in the machine: a sidecar alone is none, it may be our own write."""
        return sum(
            any(extension(path.name) != "xmp" for path in group.members)
            for group in self._groups.values()
        )

    @property
    def busy(self) -> bool:
        """Whether files settle, beside those that go on changing."""
        return any(
            not member.overdue
            for group in self._groups.values()
            for member in group.members.values()
        )

    @property
    def room_left(self) -> int:
        """How many more files fit."""
        return max(0, self.room - self._size)

    def hint(self, path: Path, t: float, stat: FileStat | None = None) -> bool:
        """Something may have happened to a file. `stat` is what a look found just now.

        Returns False when there is no room for it.
        """
        key = group_of(path)
        group = self._groups.get(key)
        member = group.members.get(path) if group is not None else None
        if member is None:
            # A group is let grow beyond the room: half a pair must not be taken alone.
            if self._size >= self.room and group is None:
                return False
            group = self._groups.setdefault(key, _Group())
            member = group.members[path] = _Member(t, t, t)
            self._size += 1
            self._arrived(path, t)
        if stat is not None:
            self.look(path, stat, None, t)
        elif member.settled or member.stuck:
            member.settled = member.stuck = False
            member.next_look = t
        return True

    def due(self, t: float) -> list[Path]:
        """Files that want a look now."""
        return [
            path
            for group in self._groups.values()
            for path, member in group.members.items()
            if not (member.settled or member.stuck) and member.next_look <= t
        ]

    def expects(self, path: Path) -> FileStat | None:
        """What a look must find for the caller to ask whether the file is whole."""
        member = self._member(path)
        return member.seen if member is not None and member.looked else None

    def look(
        self, path: Path, stat: FileStat | None, whole: bool | None, t: float, age: float = 0.0
    ) -> None:
        """What a look found. `stat` None: there is no such file.

        `whole` says whether its structure is complete; None: it was not asked. `age`: for how
        many seconds nothing was done to the file, as far as the file system tells; it shortens
        the wait, never the time between two looks.
        """
        member = self._member(path)
        if member is None:
            return
        times = self.times
        if not member.looked or stat != member.seen:
            # What was seen to be otherwise has changed since then, whatever the age says.
            known_since = member.last_look if member.looked else float("-inf")
            member.changed = max(t - max(0.0, age), known_since)
            again, member.looked = member.looked and stat is not None, True
            member.seen, member.since = stat, t
            member.settled = member.stuck = False
            member.pause = self._pause_of_changing(path, member, t) if again else times.apart
            member.next_look = t + member.pause
        elif t - member.since < times.apart:
            member.next_look = member.since + times.apart
        elif stat is None or whole:
            member.settled = True
        elif whole is None:
            member.next_look = t
        elif t - member.since >= times.patience:
            member.stuck = True
        else:
            member.next_look = t + member.pause
            member.pause = min(member.pause * 2, times.slowest)
        member.last_look = t

    def take_overdue(self) -> list[Path]:
        """Files that have been changing for longer than `patience`, each told once.

        They stay in the machine, are looked at with growing pauses, and are taken once they are
        whole.
        """
        overdue, self._overdue = self._overdue, []
        return overdue

    def take(self, t: float, most: int) -> list[Settled]:
        """Groups that may be dealt with now, the newest first; they leave the machine."""
        ready = [
            (max(member.first for member in group.members.values()), key)
            for key, group in self._groups.items()
            if (at := self._ready_at(group)) is not None and at <= t
        ]
        ready.sort(key=lambda each: (-each[0], each[1]))
        return [self._leave(key) for _, key in ready[:most]]

    def ready(self, t: float) -> bool:
        """Whether a group may be dealt with now."""
        at = self.ready_at()
        return at is not None and at <= t

    def ready_at(self) -> float | None:
        """When the next group may be dealt with of which all files are settled."""
        moments = (self._ready_at(group) for group in self._groups.values())
        return min((at for at in moments if at is not None), default=None)

    def wake_at(self) -> float | None:
        """When there is something to do next; None: the machine is empty."""
        moments: list[float] = []
        for group in self._groups.values():
            moments += [
                member.next_look
                for member in group.members.values()
                if not (member.settled or member.stuck)
            ]
            at = self._ready_at(group)
            if at is not None:
                moments.append(at)
        return min(moments, default=None)

    def clear(self) -> None:
        """Forget everything: all will be looked over again."""
        self._groups.clear()
        self._size = 0
        self._came.clear()
        self._overdue.clear()

    def _arrived(self, path: Path, t: float) -> None:
        """A photo file came into a folder, for all that is known."""
        kind = KINDS.get(extension(path.name))
        if kind is None:
            return
        key = path.parent, kind is FileKind.RAW
        self._came.pop(key, None)
        if len(self._came) >= 2 * FOLDERS:
            del self._came[next(iter(self._came))]
        self._came[key] = t

    def _pause_of_changing(self, path: Path, member: _Member, t: float) -> float:
        """Until the next look at a file that is not as it was seen before."""
        times = self.times
        if t - member.first < times.patience:
            return times.apart
        if not member.overdue:
            member.overdue = True
            self._overdue.append(path)
        return min(max(member.pause * 2, times.apart), times.slowest)

    def _companion_wait(self, path: Path, member: _Member) -> float:
        """For how long a photo file that came alone waits for others of its name.

        The whole time only where files of the other sort come into its folder: among photos of
        one sort the others are most likely not to come.
        """
        times = self.times
        raw = KINDS.get(extension(path.name)) is FileKind.RAW
        other = self._came.get((path.parent, not raw))
        beside = other is not None and member.first - other <= times.pair
        return times.pair if beside else min(times.pair, times.alone)

    def _member(self, path: Path) -> _Member | None:
        group = self._groups.get(group_of(path))
        return group.members.get(path) if group is not None else None

    def _ready_at(self, group: _Group) -> float | None:
        """When a group may be taken; None while a file of it is not settled."""
        members = group.members
        if not all(member.settled or member.stuck for member in members.values()):
            return None
        times = self.times
        # Hints only bring a look: a stream of them about a file that stays as it is holds up
        # nothing.
        at = max(member.changed + times.quiet for member in members.values())
        images = [
            (path, member)
            for path, member in members.items()
            if member.seen is not None and extension(path.name) != "xmp"
        ]
        if len(images) != 1:
            return at
        ((path, alone),) = images
        return max(at, alone.changed + self._companion_wait(path, alone))

    def _leave(self, key: Group) -> Settled:
        group = self._groups.pop(key)
        self._size -= len(group.members)
        files = {path: member.seen for path, member in group.members.items()}
        stuck = tuple(path for path, member in group.members.items() if member.stuck)
        return Settled(key, files, stuck)
