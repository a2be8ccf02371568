"""Questions about the machine, for `doctor`: cheap, and nothing is changed by asking."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path

NETWORK_FILESYSTEMS = frozenset(
    (
        *("9p", "afpfs", "afs", "ceph", "cifs", "davfs", "fuse.davfs", "fuse.rclone"),
        *("fuse.sshfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "webdav"),
    )
)


def version_of(package: str) -> str | None:
    """Version of an installed package, without importing it; None when it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    path = path.absolute()
    for candidate in (path, *path.parents):
        if candidate.exists():
            return candidate
    return Path(path.anchor)


def writable(path: Path) -> bool:
    """Whether a file or folder may be written, or made where it is missing."""
    there = nearest(path)
    if there != path.absolute() and not there.is_dir():
        return False
    return os.access(there, os.W_OK | (os.X_OK if there.is_dir() else 0))


def free_bytes(path: Path) -> int | None:
    """Free space where `path` is or would be."""
    try:
        return shutil.disk_usage(nearest(path)).free
    except OSError:
        return None


def filesystem(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Type of the filesystem that `path` lies on; None where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        here = nearest(path).resolve()
    except OSError:
        return None
    best, kind = Path(), None
    for line in lines:
        left, dash, right = line.partition(" - ")
        fields = left.split(" ")
        if not dash or len(fields) < 5:
            continue
        mounted = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        # The last mount on a folder is the one in force.
        if here.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, right.split(" ")[0]
    return kind


def case_matters(folder: Path) -> bool | None:
    """Whether `A.xmp` and `a.xmp` are two files there; None when nothing there tells."""
    try:
        for entry in (folder, *sorted(folder.iterdir())[:50]):
            swapped = entry.with_name(entry.name.swapcase())
            if swapped.name != entry.name:
                return not (swapped.exists() and swapped.samefile(entry))
    except OSError:
        return None
    return None


def lock_holder(lock: Path) -> int | None:
    """Process id of the urbexmp that holds a library's lock; None when nobody does.

    The file keeps the id after a crash, so a process that is gone holds nothing.
    """
    try:
        holder = int(lock.read_text(encoding="ascii"))
        if os.name == "posix":
            os.kill(holder, 0)
    except PermissionError:
        return holder
    except (OSError, ValueError, OverflowError):
        return None
    return holder


def program_version(name: str, *arguments: str) -> str | None:
    """What a program says of its version; None when it is not installed."""
    found = shutil.which(name)
    if not found:
        return None
    try:
        ran = subprocess.run([found, *arguments], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.decode("utf-8", "replace").strip().split("\n")[0] or None
