"""Files on their way from the hub into its cache: several at once, gone on with, hashed.

The client's module is handed in, so that only `hub` imports it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from urbexmp.adapters.hub_trouble import FULL, broken, wrong
from urbexmp.adapters.weights import sha256_of, snapshot
from urbexmp.model.weights import ModelEntry, Transfer, WeightFile

PARALLEL = 4
"""Files that are downloaded at once."""

_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class _Stopped(Exception):  # noqa: N818  (no error: another file failed, or a person stopped us)
    """This download ends because the whole ends."""


def part_of(cache: Path, entry: ModelEntry, file: WeightFile) -> Path:
    """Where a file grows: named after what it will be, so that nothing else goes on in it."""
    name = file.sha256 or f"{entry.revision}-{file.name.replace('/', '--')}"
    return snapshot(cache, entry).parents[1] / "blobs" / f"{name}.urbexmp-part"


@dataclass(frozen=True)
class Fetching:
    """One model on its way."""

    client: Any
    """The hub's client, a module."""
    cache: Path
    endpoint: str
    entry: ModelEntry
    show: Transfer
    stop: threading.Event

    def file(self, file: WeightFile) -> WeightFile:
        """Bring one file into the cache, once its hash is right."""
        client, endpoint = self.client, self.endpoint or None
        headers = client.utils.build_hf_headers(library_name="urbexmp")
        url = client.hf_hub_url(
            self.entry.repository, file.name, revision=self.entry.revision, endpoint=endpoint
        )
        about = client.get_hf_file_metadata(url, headers=headers, endpoint=endpoint)
        if about.size is not None and file.size and about.size != file.size:
            said = f"the hub has {about.size:,} bytes, not {file.size:,}"
            raise wrong(self.entry, file.name, said, done="It was not downloaded")
        if urlsplit(about.location).netloc != urlsplit(url).netloc:
            headers.pop("authorization", None)
        pointer = snapshot(self.cache, self.entry) / file.name
        blobs = snapshot(self.cache, self.entry).parents[1] / "blobs"
        etag = about.etag or ""
        blob = blobs / (etag if _ETAG.fullmatch(etag) else file.sha256 or sha256_name(file.name))
        part = part_of(self.cache, self.entry, file)
        for folder in (blobs, pointer.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # Never deleted, as by the client: another process may wait for this very file.
        locks = self.cache / ".locks" / blobs.parent.name
        locks.mkdir(parents=True, exist_ok=True)
        with client.utils.WeakFileLock(locks / f"{part.stem}.lock"):
            digest = ""
            if blob.is_file() and (not file.sha256 or sha256_of(blob) == file.sha256):
                digest = file.sha256 or sha256_of(blob)
            else:
                digest = self.whole(file, about.location, about.size, headers, part)
                part.replace(blob)
            _point(pointer, blob)
        return WeightFile(file.name, pointer.stat().st_size, digest)

    def whole(
        self,
        file: WeightFile,
        url: str,
        size: int | None,
        headers: dict[str, str],
        part: Path,
    ) -> str:
        """Download a file to `part` and return its hash; what is wrong is deleted."""
        while True:
            resumed = self.grow(file, url, size, headers, part)
            self.show.checking(file.name)
            digest = sha256_of(part)
            if not file.sha256 or digest == file.sha256:
                return digest
            length = size_of(part)
            part.unlink()
            self.show.moved(-length)
            if not resumed:
                said = f"SHA-256 is {digest[:12]}..., not {file.sha256[:12]}..."
                raise wrong(self.entry, file.name, said)
            # What lay here may have been damaged long before: once more, from the beginning.

    def grow(
        self,
        file: WeightFile,
        url: str,
        size: int | None,
        headers: dict[str, str],
        part: Path,
    ) -> bool:
        """Bring what `part` lacks; return whether some of it was there before."""
        http_get = self.client.file_download.http_get
        began = size_of(part)
        if size is not None and began > size:
            part.unlink()
            self.show.moved(-began)
            began = 0
        while True:
            before = size_of(part)
            try:
                with part.open("ab") as out:
                    http_get(
                        url,
                        _Counting(out, self),
                        resume_size=before,
                        headers=dict(headers),
                        expected_size=size,
                        displayed_filename=file.name,
                    )
            except Exception as failure:
                # The client takes up what broke off, except when the line was reset.
                if size_of(part) > before and broken(failure, self.client.errors):
                    continue
                raise
            return began > 0


def at_once(
    work: Callable[[WeightFile], WeightFile], files: Sequence[WeightFile], stop: threading.Event
) -> list[WeightFile]:
    """Do it for all files, some at once; the first failure ends the rest, and is raised.

    No pool of the standard library: it waits for its threads, and one that waits for a silent
    server takes a minute to notice that a person pressed Ctrl-C.
    """
    waiting: queue.SimpleQueue[WeightFile] = queue.SimpleQueue()
    done: queue.SimpleQueue[WeightFile | BaseException] = queue.SimpleQueue()
    for file in files:
        waiting.put(file)

    def loop() -> None:
        while not stop.is_set():
            try:
                done.put(work(waiting.get_nowait()))
            except queue.Empty:
                return
            except BaseException as failure:
                done.put(failure)

    threads = [
        threading.Thread(target=loop, name="pull", daemon=True)
        for _ in range(min(PARALLEL, len(files)))
    ]
    for thread in threads:
        thread.start()
    brought: list[WeightFile] = []
    failure: BaseException | None = None
    try:
        while failure is None and len(brought) < len(files):
            try:
                # Not for ever, or Windows would not let Ctrl-C through.
                one = done.get(timeout=1)
            except queue.Empty:
                continue
            if isinstance(one, BaseException):
                failure = one
            else:
                brought.append(one)
    finally:
        stop.set()
    if failure is not None:
        for thread in threads:
            thread.join(timeout=5)
        raise failure
    return brought


class _Counting:
    """A file that tells how it grows, and that a stop is wanted."""

    def __init__(self, file: BinaryIO, fetching: Fetching) -> None:
        self.file = file
        self.fetching = fetching

    def write(self, data: bytes) -> int:
        if self.fetching.stop.is_set():
            raise _Stopped
        written = self.file.write(data)
        self.fetching.show.moved(len(data))
        return written

    def tell(self) -> int:
        return self.file.tell()

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def truncate(self) -> int:
        # The hub began from the start although it was asked to go on.
        self.file.flush()
        before = os.fstat(self.file.fileno()).st_size
        after = self.file.truncate()
        self.fetching.show.moved(after - before)
        return after


def sha256_name(name: str) -> str:
    """A name for the bytes of a file that came without one."""
    return hashlib.sha256(name.encode()).hexdigest()


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _point(pointer: Path, blob: Path) -> None:
    """Give a blob its name; where the system has no links, the blob itself gets it."""
    pointer.unlink(missing_ok=True)
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError as failure:
        if failure.errno in FULL:
            raise
        blob.replace(pointer)
