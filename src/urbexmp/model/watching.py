"""What a watch is told of folders, how long it lets a file settle, and the ports it uses.

Events are hints to look and nothing more: every library for them loses some. What is there is
found by looking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from urbexmp.model.photo import FileStat


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have happened to a file or folder of this path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Lost:
    """Hints may have been lost: what is below `root` must be looked over."""

    root: Path
    why: str
    """A clause to stand after "Looking everything over: "."""


Sign = Hint | Lost


@dataclass(frozen=True, slots=True)
class SettleTimes:
    """Seconds that a file is given before it is taken for whole."""

    apart: float = 0.2
    """Between the two looks that must find the same size and time."""
    quiet: float = 0.3
    """Since the file changed last."""
    pair: float = 1.0
    """A photo file that came alone waits so long for the others of its name, where raw files and
    other photos come into its folder side by side."""
    alone: float = 1.0
    """The most that it waits where they do not."""
    patience: float = 60.0
    """A file that no longer changes and still is not whole is given up for now after so long; one
    that changes for longer is told of."""
    slowest: float = 5.0
    """Longest pause between two looks at a file that is not whole."""


@dataclass(frozen=True, slots=True)
class RootSeen:
    """What a look at a root folder found."""

    identity: tuple[int, int]
    """Device and inode: another folder under the same name is another volume."""
    empty: bool


class Events(Protocol):
    """Hints about what happens below some folders."""

    def watch(self, roots: Sequence[Path]) -> tuple[str, ...]:
        """Begin to listen, in place of what was listened to before.

        Returns, a sentence each, what a person should know: roots for which no hints come, and
        why. These are left to sweeps.
        """
        ...

    def deaf(self, root: Path) -> bool:
        """Whether no hints come for a root, so that only sweeps find what is new there."""
        ...

    def wait(self, seconds: float) -> Sequence[Sign]:
        """Signs since the last call; waits for the first one for `seconds` at most.

        Returns early when the process is asked to do something else (a signal).
        """
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class Ground(Protocol):
    """The cheap questions a watch asks the disk, without a library being open."""

    def root(self, path: Path) -> RootSeen | None:
        """What a root folder is now; None: it is not there, or cannot be listed."""
        ...

    def look(self, path: Path) -> tuple[FileStat, float] | None:
        """A file's stat, and for how many seconds nothing was done to it.

        None when there is no such file, or it is a pipe or the like.
        """
        ...

    def is_folder(self, path: Path) -> bool | None:
        """None when there is nothing of that name."""
        ...

    def folder_time(self, path: Path) -> int | None:
        """When an entry of a folder was added, renamed or taken out last, in nanoseconds.

        None when there is no such folder.
        """
        ...

    def home(self, folder: Path, root: Path) -> Path:
        """The folder itself; where links lead to another place in `root`, that place."""
        ...

    def whole(self, path: Path) -> bool:
        """Whether a photo or sidecar is complete as far as its structure tells.

        A file that cannot be read is not.
        """
        ...
