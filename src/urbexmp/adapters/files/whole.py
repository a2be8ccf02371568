"""Files on disk that hold packets: replaced whole or not at all.

The order of a replacement is the safety (XMP.md R3): temp file in the same folder, sync, the
old version compared once more, rename, sync of the folder. A kill at any point leaves the old
or the new file, and at most a temp file that `tidy` takes away.

What a packet is, and how a file with another one is written, the two stores say: sidecars
(`adapters.xmp.sidecar`) and image files (`adapters.embedded.store`).
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from urbexmp.adapters.files.disk import (
    NOT_OFFERED,
    WINDOWS,
    leftovers,
    remove_quietly,
    sync_file,
    sync_folder,
    temp_beside,
    write_problem,
)
from urbexmp.adapters.files.volume import FEW, sync_volume
from urbexmp.model.errors import (
    CarrierMoved,
    HardLinked,
    Problem,
    WriteFailed,
)
from urbexmp.model.photo import ABSENT, Carrier, Fingerprint
from urbexmp.model.ports import Replacement


@dataclass(slots=True)
class Begun:
    """A replacement whose temp file is being written, or is."""

    path: Path
    """The carrier's own name, for messages."""
    target: Path
    """The file itself, where the name is a symbolic link."""
    temp: Path
    assumes: Fingerprint
    like: os.stat_result | None
    """Of the file that will be replaced; None: there is none yet."""
    handle: int | None = None
    """Open until the bytes are synced."""

    def close(self) -> None:
        """Close the temp file, if it is open."""
        if self.handle is not None:
            handle, self.handle = self.handle, None
            os.close(handle)


class WholeFileStore(ABC):
    """What both stores share of `ports.CarrierStore`. Not thread-safe in writing.

    `step` is called with the name of each step of a write as it is done: `temp` (written),
    `synced`, `checked` (about to take effect), `done` (in effect), `durable`. Tests use it to
    kill or to interfere at exactly that point.
    """

    def __init__(self, step: Callable[[str], None] | None = None) -> None:
        self._step = step or (lambda _name: None)
        self._live: set[Path] = set()

    @abstractmethod
    def path_of(self, carrier: Carrier) -> Path:
        """The file of a carrier of this store's kind. Raises `InternalProblem` for another."""

    @abstractmethod
    def write(self, begun: Begun, packet: bytes) -> int:
        """Write the temp file and return its open handle, not yet synced.

        Raises `Problem` and `OSError`; the temp file is then taken away.
        """

    @abstractmethod
    def compare(self, begun: Begun) -> None:
        """Raise `CarrierMoved` unless the target still is the version assumed."""

    def replace(self, carrier: Carrier, packet: bytes, assumes: Fingerprint) -> None:
        """Put `packet` in place of the version `assumes`, durable on return.

        Keeps mode, owner, attributes and access list as far as permitted; writes through a
        symbolic link; a file that does not exist yet is created so that one which appeared
        meanwhile is never overwritten. Raises `CarrierMoved`, `HardLinked`, `WriteFailed`,
        `FileUnreadable`, `FileVanished`.
        """
        path = self.path_of(carrier)
        with explained(path):
            begun = self._begin(path, packet, assumes, set())
            try:
                self._sync(begun)
                self._take_effect(begun)
            finally:
                self._end(begun)
            sync_folder(begun.target.parent)
            self._step("durable")

    def replace_many(self, wanted: Sequence[Replacement]) -> tuple[Problem | None, ...]:
        """`replace` for many: all temp files, one sync, all renames, one sync.

        A problem of one stops no other. Until return each file is whole, old or new.
        """
        problems: dict[int, Problem] = {}
        begun: dict[int, Begun] = {}
        folders: set[Path] = set()
        try:
            for number, item in enumerate(wanted):
                path = self.path_of(item.carrier)
                try:
                    begun[number] = self._begin(path, item.packet, item.assumes, folders)
                except (Problem, OSError) as failure:
                    problems[number] = _problem(path, failure)
            self._sync_many(begun, problems)
            for number, each in begun.items():
                if number not in problems:
                    try:
                        self._take_effect(each)
                    except (Problem, OSError) as failure:
                        problems[number] = _problem(each.path, failure)
        finally:
            for each in begun.values():
                self._end(each)
        self._sync_folders(begun, problems)
        return tuple(problems.get(number) for number in range(len(wanted)))

    def tidy(self, folder: Path) -> int:
        """Remove temp files that a killed run left in `folder`; return how many."""
        removed = 0
        for path in tuple(leftovers(folder, frozenset(self._live))):
            remove_quietly(path)
            removed += not os.path.lexists(path)
        return removed

    # the steps of a replacement

    def _begin(self, path: Path, packet: bytes, assumes: Fingerprint, folders: set[Path]) -> Begun:
        """Write the temp file; `folders` are known to be writable, and get more."""
        target, like = path, None
        if assumes == ABSENT:
            if os.path.lexists(path):
                raise CarrierMoved(path)
            folder_writable(path, path.parent)
        else:
            if path.is_symlink():
                target = Path(os.path.realpath(path))
            like = writable(path, target, folders)
        begun = Begun(path, target, temp_beside(target), assumes, like)
        self._live.add(begun.temp)
        try:
            begun.handle = self.write(begun, packet)
            self._step("temp")
        except BaseException:
            self._end(begun)
            raise
        return begun

    def _sync(self, begun: Begun) -> None:
        assert begun.handle is not None
        sync_file(begun.handle)
        begun.close()
        self._step("synced")

    def _take_effect(self, begun: Begun) -> None:
        """Compare once more, then rename. Nothing slow may come in between."""
        if begun.assumes == ABSENT:
            self._step("checked")
            _place_new(begun)
        else:
            self.compare(begun)
            self._step("checked")
            begun.temp.replace(begun.target)
        self._step("done")

    def _end(self, begun: Begun) -> None:
        begun.close()
        self._forget(begun.temp)

    def _forget(self, temp: Path) -> None:
        remove_quietly(temp)
        self._live.discard(temp)

    # many at once

    def _sync_many(self, begun: dict[int, Begun], problems: dict[int, Problem]) -> None:
        """Sync all temp files: one call a volume where that is offered."""
        volumes: dict[int, list[int]] = {}
        for number, each in begun.items():
            assert each.handle is not None
            volumes.setdefault(os.fstat(each.handle).st_dev, []).append(number)
        for numbers in volumes.values():
            first = begun[numbers[0]]
            assert first.handle is not None
            together = False
            if len(numbers) >= FEW:
                try:
                    together = sync_volume(first.handle)
                except OSError:
                    # One file of any program failed to reach the disk; single syncs say whose.
                    together = False
            for number in numbers:
                each = begun[number]
                if not together:
                    assert each.handle is not None
                    try:
                        sync_file(each.handle)
                    except OSError as failure:
                        problems[number] = write_problem(each.path, failure)
                each.close()
        self._step("synced")

    def _sync_folders(self, begun: dict[int, Begun], problems: dict[int, Problem]) -> None:
        folders: dict[Path, list[int]] = {}
        for number, each in begun.items():
            if number not in problems:
                folders.setdefault(each.target.parent, []).append(number)
        if len(folders) >= FEW and _sync_volumes_of(tuple(folders)):
            self._step("durable")
            return
        for folder, numbers in folders.items():
            try:
                sync_folder(folder)
            except OSError as failure:
                for number in numbers:
                    problems[number] = write_problem(begun[number].path, failure)
        self._step("durable")


def _sync_volumes_of(folders: Sequence[Path]) -> bool:
    done: set[int] = set()
    try:
        for folder in folders:
            handle = os.open(folder, os.O_RDONLY)
            try:
                volume = os.fstat(handle).st_dev
                if volume not in done and not sync_volume(handle):
                    return False
                done.add(volume)
            finally:
                os.close(handle)
    except OSError:
        return False
    return True


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a `Problem` about `path`."""
    try:
        yield
    except OSError as failure:
        raise write_problem(path, failure) from failure


def _problem(path: Path, failure: Problem | OSError) -> Problem:
    return failure if isinstance(failure, Problem) else write_problem(path, failure)


def writable(path: Path, target: Path, folders: set[Path] | None = None) -> os.stat_result:
    """The file's stat, if a person would call it writable. Raises `Problem`.

    Its folder is not looked at when it is among `folders`, and goes there.

    A rename needs no right to the file, only to its folder, and root has every right: so the
    mode is asked. Who took the write bit away meant it.
    """
    try:
        found = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        if not target.parent.is_dir():
            raise
        raise CarrierMoved(path) from None
    if not stat.S_ISREG(found.st_mode):
        raise WriteFailed(path, "it is no regular file", "Move it away")
    if found.st_nlink > 1:
        raise HardLinked(path, links=found.st_nlink)
    if not found.st_mode & stat.S_IWUSR or not os.access(target, os.W_OK):
        raise WriteFailed(path, "it is read-only", "Make it writable if it should get keywords")
    folder = target.parent
    if folders is None or folder not in folders:
        folder_writable(path, folder)
        if folders is not None:
            folders.add(folder)
    return found


def folder_writable(path: Path, folder: Path) -> None:
    """Raise `WriteFailed` about `path` unless a person would call its folder writable."""
    mode = folder.stat().st_mode
    # On Windows the attribute means something else on a folder, and says nothing.
    if not WINDOWS and not (mode & stat.S_IWUSR and os.access(folder, os.W_OK | os.X_OK)):
        raise WriteFailed(
            path, "its folder is read-only", "Make the folder writable if it should get keywords"
        )


def _place_new(begun: Begun) -> None:
    """Give the temp file its name, only if nobody has that name. Raises `CarrierMoved`."""
    try:
        if WINDOWS:
            begun.temp.rename(begun.target)  # refuses a name that is taken
            return
        try:
            os.link(begun.temp, begun.target)
        except FileExistsError:
            raise
        except OSError as failure:
            if not _no_links_here(failure):
                raise
            # FAT and some shares know no links. An empty file made with O_EXCL is surely ours,
            # and the rename puts the whole packet in its place.
            os.close(os.open(begun.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            try:
                begun.temp.replace(begun.target)
            except BaseException:
                remove_quietly(begun.target)
                raise
    except FileExistsError as failure:
        raise CarrierMoved(begun.path) from failure
    remove_quietly(begun.temp)


def _no_links_here(failure: OSError) -> bool:
    return failure.errno in NOT_OFFERED | {errno.EPERM, errno.EMLINK, errno.EACCES}
