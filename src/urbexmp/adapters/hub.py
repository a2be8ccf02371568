"""The hub that weights are downloaded from, through its own client.

Of that client only the requests are used. Its cache is filled here, for two reasons: since version
2.4 it throws a partial file away when a download breaks off, which for three gigabytes over a home
line means to begin again for ever; and it puts a file into the cache without hashing it. Here a
partial file stays and is gone on with, and what does not have the pinned hash never gets a name in
the cache. The layout is the client's, so other programs find the files, and it finds theirs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import re
import shutil
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import BinaryIO
from urllib.parse import urlsplit

from urbexmp.adapters.hub_trouble import FULL, broken, offline, problem_of, wrong
from urbexmp.adapters.weights import hub_cache, refuse_unpinned, sha256_of, snapshot
from urbexmp.model.errors import Problem
from urbexmp.model.stage_errors import ExtraMissing, NoRoom, NotOnHub
from urbexmp.model.weights import ModelEntry, Transfer, WeightFile
from urbexmp.rules.model_list import name_fault

PARALLEL = 4
"""Files that are downloaded at once."""

CHUNK = 2**20
"""Bytes that are asked of the line at once. The client's ten megabytes are lost with every break,
and let a slow line look dead."""

SPARE = 64 * 2**20
"""Bytes that must stay free on the disk."""

_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TRUE = frozenset({"1", "on", "yes", "true"})


class _Stopped(Exception):  # noqa: N818  (no error: another file failed, or a person stopped us)
    """This download ends because the whole ends."""


@dataclass(frozen=True)
class Hub:
    """One hub, and the cache on this machine that its files go to."""

    cache: Path
    endpoint: str = ""
    """Its address; "" is the client's default."""
    offline: str = ""
    """The environment variable that forbids to ask it."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Hub:
        """The hub that the environment names: `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE`.

        Proxies (`HTTPS_PROXY`) and the token (`HF_TOKEN`) are the client's own matter.
        """
        forbids = (
            name
            for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
            if environ.get(name, "").casefold() in _TRUE
        )
        endpoint = environ.get("HF_ENDPOINT", "").rstrip("/")
        return cls(hub_cache(environ), endpoint, next(forbids, ""))

    @property
    def server(self) -> str:
        """What a person knows it as."""
        return urlsplit(self.endpoint).netloc or self.endpoint or "huggingface.co"

    def pull(self, entry: ModelEntry, show: Transfer) -> Path:
        """Bring the files of a pinned model that the cache lacks; return its folder.

        Nothing is asked of the hub when all are here. Raises `WeightsUnpinned`, `WrongWeights`,
        `PullFailed`, `NotOnHub`, `NoRoom`, `ExtraMissing`.
        """
        refuse_unpinned(entry)
        self._bring(entry, show)
        return snapshot(self.cache, entry)

    def pin(self, entry: ModelEntry, show: Transfer) -> ModelEntry:
        """Bring what the hub has now; return the entry with its commit, sizes and hashes.

        What the entry pins already is kept to. Raises as `pull`, without `WeightsUnpinned`.
        """
        entry = self._as_published(entry)
        found = self._bring(entry, show)
        return dataclasses.replace(entry, files=tuple(found[file.name] for file in entry.files))

    def drop(self, entry: ModelEntry, file: WeightFile) -> None:
        """Take a damaged file out of the cache. Raises `OSError`."""
        pointer = snapshot(self.cache, entry) / file.name
        with contextlib.suppress(FileNotFoundError):
            if pointer.is_symlink():
                Path(os.path.realpath(pointer)).unlink(missing_ok=True)
            pointer.unlink()

    # --- What the hub has -------------------------------------------------------------------

    def _as_published(self, entry: ModelEntry) -> ModelEntry:
        """The entry at the hub's commit of now, its patterns resolved to names."""
        client = self._client(entry)
        try:
            info = client.HfApi(endpoint=self.endpoint or None, library_name="urbexmp").model_info(
                entry.repository, revision=entry.revision or None, files_metadata=True
            )
        except Exception as failure:
            raise self._problem(entry, failure) from failure
        if not info.sha or not re.fullmatch(r"[0-9a-f]{40}", info.sha):
            raise NotOnHub(
                entry.id, server=self.server, detail="names no commit", advice="Try again later"
            )
        sizes = {item.rfilename: item.size or 0 for item in info.siblings or ()}
        hashes = {
            item.rfilename: item.lfs.sha256 for item in info.siblings or () if item.lfs is not None
        }
        files: dict[str, WeightFile] = {}
        for file in entry.files:
            if file.name.endswith("*"):
                names = sorted(n for n in sizes if n.startswith(file.name[:-1]))
                names = [name for name in names if not name_fault(name, hashed=False)]
            elif file.name in sizes:
                names = [file.name]
            else:
                raise NotOnHub(
                    entry.id,
                    server=self.server,
                    detail=f"has no {file.name} in {entry.repository}",
                    advice="Correct the entry in your models.toml",
                )
            for name in names:
                sha256 = file.sha256 or hashes.get(name, "")
                size = file.size if file.sha256 else sizes[name]
                files.setdefault(name, WeightFile(name, size, sha256))
        return dataclasses.replace(entry, revision=info.sha, files=tuple(files.values()))

    # --- Bringing files ---------------------------------------------------------------------

    def _bring(self, entry: ModelEntry, show: Transfer) -> dict[str, WeightFile]:
        """Bring what is lacking, several at once; return every file with its hash, by name."""
        place = snapshot(self.cache, entry)
        lacking = [f for f in entry.files if not self._here(place / f.name, f)]
        here = sum(file.size for file in entry.files if file not in lacking)
        parts = sum(_size(self._part(entry, file)) for file in lacking)
        show.begin(entry.id, entry.size, here + parts)
        if lacking:
            if self.offline:
                raise offline(entry, self.server, self.offline)
            self._room(entry, sum(file.size for file in lacking) - parts)
        found = {file.name: file for file in entry.files if file.sha256}
        fetching = _Fetching(self, entry, show, threading.Event())
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="pull") as pool:
            # The largest first: it takes longest.
            ordered = sorted(lacking, key=lambda file: -file.size)
            futures = {pool.submit(fetching.file, file): file for file in ordered}
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                failed = [f.exception() for f in done if f.exception() is not None]
                failure = next((f for f in failed if not isinstance(f, _Stopped)), None)
                if failure is not None:
                    raise self._problem(entry, failure) from failure
            finally:
                fetching.stop.set()
                pool.shutdown(cancel_futures=True)
        found |= {file.name: future.result() for future, file in futures.items()}
        for file in entry.files:
            if file.name not in found:
                path = place / file.name
                found[file.name] = WeightFile(file.name, path.stat().st_size, sha256_of(path))
        show.end(entry.id)
        return found

    def _here(self, path: Path, file: WeightFile) -> bool:
        """Whether a file is in the cache by name and size. Another size is no file of ours."""
        size = _size(path)
        return path.is_file() and (size == file.size or not file.size)

    def _part(self, entry: ModelEntry, file: WeightFile) -> Path:
        """Where a file grows: named after what it will be, so that nothing else goes on in it."""
        name = file.sha256 or f"{entry.revision}-{file.name.replace('/', '--')}"
        return snapshot(self.cache, entry).parents[1] / "blobs" / f"{name}.urbexmp-part"

    def _room(self, entry: ModelEntry, needed: int) -> None:
        """Raise `NoRoom` where the disk is too small for what is to come."""
        from urbexmp.rules.render_backup import size_text

        place = self.cache
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            free = shutil.disk_usage(place).free
        except OSError:
            return
        if needed + SPARE > free:
            detail = f"{entry.id} needs {size_text(needed)}, {size_text(free)} are free"
            raise NoRoom(self.cache, detail)

    def _client(self, entry: ModelEntry) -> ModuleType:
        """The hub's client. Raises `ExtraMissing`, and `PullFailed` when that is forbidden."""
        if self.offline:
            raise offline(entry, self.server, self.offline)
        if importlib.util.find_spec("huggingface_hub") is None:
            raise ExtraMissing(
                "models pull", stage="models pull", package="huggingface_hub", extra="onnx"
            )
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.file_download

        # Set here and not in the environment, as another part may have imported it before.
        huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
        huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS = True
        huggingface_hub.constants.HF_HUB_DISABLE_XET = True
        huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = CHUNK
        huggingface_hub.utils.logging.set_verbosity(50)
        return huggingface_hub

    def _problem(self, entry: ModelEntry, failure: BaseException) -> BaseException:
        if isinstance(failure, Problem) or not isinstance(failure, Exception):
            return failure
        from huggingface_hub import errors

        return problem_of(entry, self.server, self.cache, failure, errors) or failure


@dataclass(frozen=True)
class _Fetching:
    """One model on its way."""

    hub: Hub
    entry: ModelEntry
    show: Transfer
    stop: threading.Event

    def file(self, file: WeightFile) -> WeightFile:
        """Bring one file into the cache, once its hash is right."""
        client = self.hub._client(self.entry)
        endpoint = self.hub.endpoint or None
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
        pointer = snapshot(self.hub.cache, self.entry) / file.name
        blobs = snapshot(self.hub.cache, self.entry).parents[1] / "blobs"
        etag = about.etag or ""
        blob = blobs / (etag if _ETAG.fullmatch(etag) else file.sha256 or sha256_name(file.name))
        part = self.hub._part(self.entry, file)
        for folder in (blobs, pointer.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # Never deleted, as by the client: another process may wait for this very file.
        locks = self.hub.cache / ".locks" / blobs.parent.name
        locks.mkdir(parents=True, exist_ok=True)
        with client.utils.WeakFileLock(locks / f"{part.stem}.lock"):
            digest = ""
            if blob.is_file() and (not file.sha256 or sha256_of(blob) == file.sha256):
                digest = file.sha256 or sha256_of(blob)
            else:
                digest = self.whole(client, file, about.location, about.size, headers, part)
                part.replace(blob)
            _point(pointer, blob)
        return WeightFile(file.name, pointer.stat().st_size, digest)

    def whole(
        self,
        client: ModuleType,
        file: WeightFile,
        url: str,
        size: int | None,
        headers: dict[str, str],
        part: Path,
    ) -> str:
        """Download a file to `part` and return its hash; what is wrong is deleted."""
        while True:
            resumed = self.grow(client, file, url, size, headers, part)
            self.show.checking(file.name)
            digest = sha256_of(part)
            if not file.sha256 or digest == file.sha256:
                return digest
            length = _size(part)
            part.unlink()
            self.show.moved(-length)
            if not resumed:
                said = f"SHA-256 is {digest[:12]}..., not {file.sha256[:12]}..."
                raise wrong(self.entry, file.name, said)
            # What lay here may have been damaged long before: once more, from the beginning.

    def grow(
        self,
        client: ModuleType,
        file: WeightFile,
        url: str,
        size: int | None,
        headers: dict[str, str],
        part: Path,
    ) -> bool:
        """Bring what `part` lacks; return whether some of it was there before."""
        http_get = client.file_download.http_get
        began = _size(part)
        if size is not None and began > size:
            part.unlink()
            self.show.moved(-began)
            began = 0
        while True:
            before = _size(part)
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
                if _size(part) > before and broken(failure, client.errors):
                    continue
                raise
            return began > 0


class _Counting:
    """A file that tells how it grows, and that a stop is wanted."""

    def __init__(self, file: BinaryIO, fetching: _Fetching) -> None:
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
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()


def _size(path: Path) -> int:
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
