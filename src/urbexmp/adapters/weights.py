"""Weights on this machine: found in the hub's cache or in a folder of ours, and checked.

The hub's client keeps `models--ORG--NAME/snapshots/COMMIT/FILE`, mostly as links to files named
after their hash, and never looks into them again: a flipped byte is loaded as it is. So each file
is hashed here before it is first loaded, and again whenever its size, time or inode changed.
Processes of one stage that begin together wait for the one that hashes, and take its word from the
note, which holds all four.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from urbexmp.adapters.lock import FileLock
from urbexmp.model.errors import ConfigProblem, LibraryLocked, StateUnwritable
from urbexmp.model.stage_errors import WeightsDamaged, WeightsMissing, WeightsUnpinned
from urbexmp.model.weights import ModelEntry, WeightFile

BLOCK = 1 << 20
"""Bytes hashed at once."""

WAIT_SECONDS = 0.1
"""Between two looks whether another process has done hashing."""

VERIFIED = "verified.json"
"""What was hashed before, in the folder of our own models."""

Hashed = Callable[[WeightFile, int], None]
"""Told of each block that was hashed: its file, its bytes."""


def hub_cache(environ: Mapping[str, str]) -> Path:
    """Where the hub's client keeps its files, as that client finds it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if given := environ.get(name):
            return Path(given).expanduser()
    if home := environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"


def snapshot(cache: Path, entry: ModelEntry) -> Path:
    """The folder that the hub's client keeps a model's commit in."""
    name = "models--" + entry.repository.replace("/", "--")
    return cache / name / "snapshots" / entry.revision


@dataclass(frozen=True)
class LocalWeights:
    """The weights on this machine. Implements the port `Weights`; never downloads.

    `cache` is the hub's cache; `own` holds what was imported or made here, a folder for each
    model by its id, and a note of what was hashed. Both may be absent. May be sent to a worker.
    """

    entries: Mapping[str, ModelEntry]
    cache: Path
    own: Path | None = None
    _proven: dict[str, list[object]] = field(default_factory=dict, compare=False, repr=False)
    """What this process hashed itself, as the note has it: where that cannot be written."""

    def entry(self, model: str) -> ModelEntry:
        """The registry's entry. Raises `ConfigProblem`."""
        if model in self.entries:
            return self.entries[model]
        import difflib

        near = difflib.get_close_matches(model, self.entries, n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]}?)" if near else ""
        mistake = f"no model of that name is in the registry{hint}; see `urbexmp models list`"
        raise ConfigProblem(model, (mistake,))

    def places(self, model: str) -> tuple[Path, ...]:
        """Folders where a model may be, the best first."""
        entry = self.entry(model)
        own = () if self.own is None else (self.own / entry.id,)
        hub = (snapshot(self.cache, entry),) if entry.repository and entry.revision else ()
        return (*own, *hub)

    def missing(self, model: str) -> tuple[WeightFile, ...]:
        """Files of the model that are not here, by name and size, or have no known hash."""
        entry = self.entry(model)
        if not entry.pinned:
            return entry.files
        return min((_lacking(entry, place) for place in self.places(model)), key=len)

    def found(self, model: str) -> Path | None:
        """The folder that has every file of the model by name and size; nothing is hashed."""
        entry = self.entry(model)
        if not entry.pinned:
            return None
        return next((at for at in self.places(model) if not _lacking(entry, at)), None)

    def folder(self, model: str) -> Path:
        """A folder with every file of the model by its name, each checked against its hash.

        Raises `WeightsMissing`, `WeightsUnpinned`, `WeightsDamaged`, `ConfigProblem`.
        """
        return self.verify(model, again=False)

    def verify(self, model: str, *, again: bool = True, hashed: Hashed | None = None) -> Path:
        """As `folder`; `again` hashes also what was hashed before."""
        entry = self.entry(model)
        refuse_unpinned(entry)
        place = self.found(model)
        if place is None:
            raise missing_problem(entry, self.missing(model))
        if again or not self._is_proven(entry, place):
            with contextlib.nullcontext() if again else self._alone(model):
                self._prove(entry, place, again=again, hashed=hashed)
        return place

    def _is_proven(self, entry: ModelEntry, place: Path) -> bool:
        known = self._known()
        try:
            for file in entry.files:
                at, state = _state(place / file.name)
                if known.get(at) != [*state, file.sha256]:
                    return False
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _alone(self, model: str) -> Iterator[None]:
        """Keep other processes from hashing the same model meanwhile.

        The lock dies with its holder. Where none can be made, each hashes by itself.
        """
        if self.own is None:
            yield
            return
        lock = self.own / f".hashing-{model}"
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(FileLock(lock))
                except LibraryLocked:
                    time.sleep(WAIT_SECONDS)
                    continue
                except StateUnwritable:
                    pass
                break
            yield
            # While it is held: who took it up before waits for a file without a name, and who
            # comes after for another one. At worst, two hash the same, which harms nobody.
            with contextlib.suppress(OSError):
                lock.unlink()

    def _prove(self, entry: ModelEntry, place: Path, *, again: bool, hashed: Hashed | None) -> None:
        """Hash what is not known. Raises `WeightsDamaged`."""
        known = self._known()
        fresh: dict[str, list[object]] = {}
        for file in entry.files:
            path = place / file.name
            try:
                at, state = _state(path)
                if not again and known.get(at) == [*state, file.sha256]:
                    continue
                digest = sha256_of(path, None if hashed is None else _of(file, hashed))
            except OSError as failure:
                raise WeightsDamaged(
                    entry.stage,
                    stage=entry.stage,
                    file=path,
                    model=entry.id,
                    detail=f"cannot be read: {failure.strerror or failure}",
                ) from failure
            if digest != file.sha256:
                detail = f"SHA-256 is {digest[:12]}..., not {file.sha256[:12]}..."
                raise WeightsDamaged(
                    entry.stage, stage=entry.stage, file=path, model=entry.id, detail=detail
                )
            fresh[at] = [*state, digest]
        if fresh:
            self._proven.update(fresh)
            # Read anew: hashing takes minutes, and another stage's process noted its own meanwhile.
            self._remember(self._known() | fresh)

    def _known(self) -> dict[str, list[object]]:
        """Real path to size, mtime, inode and hash: by the note, if it can be read, and by what
        this process hashed."""
        noted: object = None
        if self.own is not None:
            with contextlib.suppress(OSError, ValueError):
                noted = json.loads((self.own / VERIFIED).read_bytes())
        return {**(noted if isinstance(noted, dict) else {}), **self._proven}

    def _remember(self, known: Mapping[str, list[object]]) -> None:
        """Keep the note. One that cannot be written, or that another process wins, costs only
        the time to hash again."""
        if self.own is None:
            return
        with contextlib.suppress(OSError):
            self.own.mkdir(parents=True, exist_ok=True)
            kept = {at: state for at, state in known.items() if Path(at).exists()}
            data = json.dumps(kept, indent=0, sort_keys=True).encode()
            number, name = tempfile.mkstemp(dir=self.own, prefix=".verified-")
            try:
                with open(number, "wb") as file:  # noqa: PTH123  (a file number, not a path)
                    file.write(data)
                Path(name).replace(self.own / VERIFIED)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def refuse_unpinned(entry: ModelEntry) -> None:
    """Raise `WeightsUnpinned` for an entry that leaves open which bytes it means."""
    if entry.pinned:
        return
    lacks = sum(not file.sha256 for file in entry.files)
    if entry.repository and not entry.revision:
        detail = "no commit is known" + (", and no hashes" if lacks else "")
    else:
        detail = f"no hash is known of {lacks} of its {len(entry.files)} files"
    raise WeightsUnpinned(entry.id, stage=entry.stage, model=entry.id, detail=detail)


def missing_problem(entry: ModelEntry, missing: tuple[WeightFile, ...]) -> WeightsMissing:
    """What to say when files of a model are not here: its size and the command."""
    from urbexmp.rules.render_backup import size_text

    lacking = sum(file.size for file in missing)
    size = size_text(entry.size)
    if lacking and lacking != entry.size:
        size = f"{size_text(lacking)} of {size} missing"
    return WeightsMissing(entry.stage, stage=entry.stage, model=entry.id, size=size)


def sha256_of(path: Path, hashed: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file in hex. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if hashed is not None:
                hashed(len(block))
    return digest.hexdigest()


def _of(file: WeightFile, hashed: Hashed) -> Callable[[int], None]:
    return lambda size: hashed(file, size)


def _lacking(entry: ModelEntry, place: Path) -> tuple[WeightFile, ...]:
    def here(file: WeightFile) -> bool:
        try:
            path = place / file.name
            return path.is_file() and path.stat().st_size == file.size
        except OSError:
            return False

    return tuple(file for file in entry.files if not here(file))


def _state(path: Path) -> tuple[str, list[object]]:
    """A file's real path, and what tells that it is still the one that was hashed."""
    at = os.path.realpath(path)
    found = Path(at).stat()
    return at, [found.st_size, found.st_mtime_ns, found.st_ino]
