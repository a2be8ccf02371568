"""A real `urbexmp watch` process, and photos that arrive: for the benchmark and the import day."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import timing
from material import SHOT, jpeg, nef, scene
from timing import urbexmp

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 600.0
"""Seconds until something that does not happen is given up."""


def small_jpeg(seed: int) -> bytes:
    """A photo with EXIF that no other number gives: small, so that the pipeline is measured."""
    return jpeg(scene(192, 128, seed), SHOT, None)


def small_raw(seed: int) -> bytes:
    """A raw file with a preview."""
    return nef(scene(192, 128, seed), SHOT)


def until(
    done: Callable[[], bool], what: str, seconds: float = PATIENCE, every: float = 0.02
) -> float:
    """Wait; return how long. Raises `SystemExit` when it does not happen."""
    start = time.monotonic()
    while not done():
        if time.monotonic() - start > seconds:
            raise SystemExit(f"gave up after {seconds:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - start


def files(root: Path, extension: str) -> Iterator[Path]:
    """All files of an extension below a folder."""
    folders = [root]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.name.lower().endswith(extension):
                        yield Path(entry.path)
        except FileNotFoundError:
            continue


def count(root: Path, extension: str = ".xmp") -> int:
    """How many files of an extension are below a folder."""
    return sum(1 for _ in files(root, extension))


class Watch:
    """One `urbexmp watch` process."""

    def __init__(self, root: Path, state: Path, log: Path, *options: str) -> None:
        self.root = root
        self._log = log.open("ab")
        command = urbexmp("watch", root, "--state", state, *options)
        self.process = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=timing.environment(),
        )
        self.pid = self.process.pid

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill it where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def ready(self, seed: int) -> float:
        """Wait until a photo that is put there now has its sidecar; remove both. Seconds."""
        # A raw file: of it only the sidecar is written, so with that the watch has done with it.
        photo = self.root / f"canary-{self.pid}.NEF"
        sidecar = photo.with_suffix(".xmp")
        photo.write_bytes(small_raw(seed))
        took = until(lambda: sidecar.exists() or self.ended(), "the first photo's sidecar")
        if self.ended():
            said = Path(self._log.name).read_text(errors="replace")[-2000:]
            raise SystemExit(f"watch ended with {self.process.returncode}\n{said}")
        photo.unlink()
        sidecar.unlink()
        return took

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def cpu(self) -> float:
        """Seconds of user and system time so far, its finished children's too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS

    def resident(self) -> float:
        """Megabytes held now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self) -> float:
        """Ask it to end as a supervisor does; return the seconds it took."""
        start = time.monotonic()
        self.signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        return time.monotonic() - start
