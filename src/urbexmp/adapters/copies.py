"""Whole copies of image files, beside the backups of their packets, for who wants them."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from urbexmp.model.errors import FileUnreadable, StateUnwritable
from urbexmp.model.photo import Fingerprint


class FolderCopies:
    """Implements `ports.Copies`: `FOLDER/ab/abcdef....jpg`, one file a version of its packet.

    The name is the fingerprint of the packet that the file had, as in the receipts. Nothing needs
    these copies: undo makes the old file from the new one and the packet's backup.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, version: Fingerprint, suffix: str) -> Path:
        """Where the copy of a version is, or would be."""
        return self.folder / version[:2] / f"{version}{suffix.lower()}"

    def keep(self, source: Path, version: Fingerprint) -> None:
        """Copy a file, durable on return; a copy that is there already stays.

        Streamed, and shared with the source where the volume can. Raises `FileUnreadable`,
        `StateUnwritable`.
        """
        copy = self.path(version, source.suffix)
        try:
            size = source.stat().st_size
            with source.open("rb"):
                pass
        except OSError as failure:
            raise FileUnreadable(source, detail=failure.strerror or str(failure)) from failure
        temp = copy.with_name(f"{copy.name}.part")
        try:
            if copy.exists() and copy.stat().st_size == size:
                return
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, temp)
            shutil.copystat(source, temp)
            _sync(temp)
            temp.replace(copy)
            _sync(copy.parent)
        except OSError as failure:
            with contextlib.suppress(OSError):
                temp.unlink()
            raise StateUnwritable(self.folder, detail=failure.strerror or str(failure)) from failure


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
