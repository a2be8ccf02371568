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
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from urbexmp.adapters.hub_files import Fetching, at_once, part_of, size_of
from urbexmp.adapters.hub_trouble import offline, problem_of
from urbexmp.adapters.weights import hub_cache, refuse_unpinned, sha256_of, snapshot
from urbexmp.model.errors import Problem
from urbexmp.model.stage_errors import ExtraMissing, NoRoom, NotOnHub
from urbexmp.model.weights import ModelEntry, Transfer, WeightFile
from urbexmp.rules.model_list import name_fault

CHUNK = 2**20
"""Bytes that are asked of the line at once. The client's ten megabytes are lost with every break,
and let a slow line look dead."""

SPARE = 64 * 2**20
"""Bytes that must stay free on the disk."""

_TRUE = frozenset({"1", "on", "yes", "true"})


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
        wanted = re.escape(entry.revision) or r"[0-9a-f]{40}"
        if not info.sha or not re.fullmatch(wanted, info.sha):
            said = f"answers with the commit {info.sha or 'none'}, which nobody asked for"
            raise NotOnHub(entry.id, server=self.server, detail=said, advice="Check HF_ENDPOINT")
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
        parts = sum(size_of(part_of(self.cache, entry, file)) for file in lacking)
        show.begin(entry.id, entry.size, here + parts)
        if lacking:
            if self.offline:
                raise offline(entry, self.server, self.offline)
            self._room(entry, sum(file.size for file in lacking) - parts)
        found = {file.name: file for file in entry.files if file.sha256}
        # The largest first: it takes longest.
        ordered = sorted(lacking, key=lambda file: -file.size)
        stop = threading.Event()
        try:
            client = self._client(entry) if ordered else None
            fetching = Fetching(client, self.cache, self.endpoint, entry, show, stop)
            brought = at_once(fetching.file, ordered, stop)
        except Problem:
            raise
        except Exception as failure:
            raise self._problem(entry, failure) from failure
        found |= {file.name: file for file in brought}
        for file in entry.files:
            if file.name not in found:
                path = place / file.name
                found[file.name] = WeightFile(file.name, path.stat().st_size, sha256_of(path))
        show.end(entry.id)
        return found

    def _here(self, path: Path, file: WeightFile) -> bool:
        """Whether a file is in the cache by name and size. Another size is no file of ours."""
        size = size_of(path)
        return path.is_file() and (size == file.size or not file.size)

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

    def _problem(self, entry: ModelEntry, failure: Exception) -> Exception:
        from huggingface_hub import errors

        return problem_of(entry, self.server, self.cache, failure, errors) or failure
