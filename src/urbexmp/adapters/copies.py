"""Whole copies of image files, beside the backups of their packets, for who wants them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from urbexmp.model.errors import BackupMissing, FileUnreadable, StateUnwritable, WriteFailed
from urbexmp.model.photo import Fingerprint


class FolderCopies:
    """Implements `ports.Copies`: `FOLDER/ab/abcdef....jpg`, one file a version of its packet.

    The name is the fingerprint of the packet that the file had, as in the receipts. Nothing needs
    these copies: undo makes the old file from the new one and the packet's backup.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, source: Path, version: Fingerprint) -> None:
        """Copy a file, durable on return; a copy that is there already stays.

        Streamed by the system, and shared with the source where the volume can. Raises
        `FileUnreadable`, `StateUnwritable`.
        """
        copy = self._folder / version[:2] / f"{version}{source.suffix.lower()}"
        try:
            size = source.stat().st_size
            with source.open("rb"):
                pass
        except OSError as failure:
            raise FileUnreadable(source, detail=failure.strerror or str(failure)) from failure
        if copy.exists() and copy.stat().st_size == size:
            return
        with self._explained():
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copied(source, copy)

    def fetch_to(self, version: Fingerprint, target: Path) -> None:
        """Copy a kept file to `target`, which must not exist.

        Raises `BackupMissing`, `WriteFailed`.
        """
        copy = self._find(version)
        if copy is None:
            raise BackupMissing(self._folder, digest=version)
        if target.exists():
            raise WriteFailed(target, "there is such a file already", "Choose another folder")
        try:
            _copied(copy, target)
        except OSError as failure:
            raise WriteFailed(target, failure.strerror or str(failure)) from failure

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and the bytes it takes."""
        for part in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(part.iterdir()):
                with contextlib.suppress(OSError):
                    yield Fingerprint(path.name.partition(".")[0]), path.stat().st_size

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        copy = self._find(version)
        return copy.stat().st_size if copy is not None else None

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return the bytes that are free again. Raises `StateUnwritable`."""
        size = 0
        with self._explained():
            while (copy := self._find(version)) is not None:
                size += copy.stat().st_size
                copy.unlink()
        return size

    def _find(self, version: Fingerprint) -> Path | None:
        return next((self._folder / version[:2]).glob(f"{version}.*"), None)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise StateUnwritable(
                self._folder, detail=failure.strerror or str(failure)
            ) from failure


def _copied(source: Path, target: Path) -> None:
    import shutil  # with three packers behind it: only for who keeps copies

    temp = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, temp)
        shutil.copystat(source, temp)
        _sync(temp)
        temp.replace(target)
        _sync(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        with contextlib.suppress(OSError):  # some shares cannot
            os.fsync(handle)
    finally:
        os.close(handle)
