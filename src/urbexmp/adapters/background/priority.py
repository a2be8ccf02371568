"""Stand back behind other programs: processor, disk, threads; and what this process holds."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

_IOPRIO_SET = {"x86_64": 251, "amd64": 251, "i686": 289, "i386": 289, "aarch64": 30,
               "arm64": 30, "riscv64": 30, "loongarch64": 30, "armv7l": 314, "armv6l": 314,
               "ppc64le": 273, "s390x": 282}  # fmt: skip
"""Number of the system call (Linux, arch/*/syscall tables); libc has no function for it."""
_WHO_PROCESS, _CLASS_SHIFT, _CLASS_IDLE = 1, 13, 3
"""From linux/ioprio.h."""

THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)


def stand_back(nice: int) -> tuple[str, ...]:
    """Lower the priority of this process; return what could not be done, a few words each.

    `nice` is the least niceness wanted, 0..19; 0 changes nothing at all. On Linux the disk gets
    class idle too, for the calling thread and those it starts. Windows gets the class
    "below normal", or "idle" from 15 on. macOS keeps its disk priority: setiopolicy_np has no
    Python way in, and launchd's `ProcessType Background` does it better.
    """
    if nice <= 0:
        return ()
    if sys.platform == "win32":
        return _windows(nice)
    failed = []
    try:
        # Someone who started us with a higher niceness meant it.
        os.nice(max(0, nice - os.nice(0)))
    except OSError as failure:
        failed.append(f"nice: {failure.strerror or failure}")
    if sys.platform == "linux" and (trouble := _idle_disk()):
        failed.append(f"ionice: {trouble}")
    return tuple(failed)


def _idle_disk() -> str:
    """Ask for class idle; return why not, or nothing."""
    number = _IOPRIO_SET.get(platform.machine().lower())
    if number is None or sys.maxsize < 2**32:
        return f"not known for {platform.machine()}"
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE << _CLASS_SHIFT) == 0:
            return ""
    except (OSError, AttributeError) as failure:
        return str(failure)
    return os.strerror(ctypes.get_errno())


def _windows(nice: int) -> tuple[str, ...]:
    below_normal, idle = 0x4000, 0x40
    with suppress(OSError, AttributeError):
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
        if kernel.SetPriorityClass(kernel.GetCurrentProcess(), idle if nice > 14 else below_normal):
            return ()
    return ("SetPriorityClass failed",)


def limit_threads(threads: int, environ: MutableMapping[str, str] | None = None) -> None:
    """Let numeric libraries use so many threads, where nobody said otherwise.

    They read it when they are imported, so call it first. Zero changes nothing.
    """
    environ = os.environ if environ is None else environ
    for variable in THREAD_VARIABLES if threads > 0 else ():
        environ.setdefault(variable, str(threads))


def resident_bytes() -> int | None:
    """Memory that this process holds now; None where the system does not say.

    /proc on Linux; elsewhere the largest it ever held, which is all that getrusage knows (bytes
    on macOS, kilobytes on other systems). Windows: not known.
    """
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
