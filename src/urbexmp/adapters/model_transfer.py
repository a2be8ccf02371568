"""Weights carried by hand to a machine without a network: into one file, out of a file or folder.

An archive is a plain tar: `urbexmp-model.toml`, the entry as a registry has it, then every file
below `files/`. Nothing in it is believed: the hashes are those of the registry of the machine that
imports, and what an archive says is taken only where that registry does not know the model and the
person says so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from urbexmp.adapters.toml import parse_toml, set_value
from urbexmp.adapters.weights import BLOCK, LocalWeights, refuse_unpinned, sha256_of
from urbexmp.model.errors import FileUnreadable, UsageProblem, WriteFailed
from urbexmp.model.stage_errors import NoRoom, WrongWeights
from urbexmp.model.weights import ModelEntry, Transfer, WeightFile
from urbexmp.rules.model_list import entry_values, load_models, name_fault

ABOUT = "urbexmp-model.toml"
"""The entry, first in an archive."""

INNER = "files/"
"""Where an archive has the files."""

LARGEST_ABOUT = 2**20
"""Bytes; no entry is near this."""

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def export_model(weights: LocalWeights, model: str, target: Path, show: Transfer) -> None:
    """Write a model that is here into one archive, which gets its name when it is whole.

    Raises `WeightsMissing`, `WeightsUnpinned`, `WeightsDamaged`, `NoRoom`, `WriteFailed`.
    """
    entry = weights.entry(model)
    folder = weights.folder(model)
    about = set_value("", ("model", entry.id), entry_values(entry)).encode()
    show.begin(entry.id, entry.size, 0)
    temporary: Path | None = None
    try:
        number, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=".urbexmp-")
        temporary = Path(name)
        with os.fdopen(number, "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
            archive.addfile(_member(ABOUT, len(about)), io.BytesIO(about))
            for file in entry.files:
                with (folder / file.name).open("rb") as source:
                    archive.addfile(_member(INNER + file.name, file.size), _Shown(source, show))
            archive.close()
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
        temporary = None
    except OSError as failure:
        raise _trouble(target, failure) from failure
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    show.end(entry.id)


def _member(name: str, size: int) -> tarfile.TarInfo:
    """The same archive comes out each time: no owner, no time."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def archived_entry(source: Path) -> ModelEntry | None:
    """What an archive says of the model in it; None for a folder or an archive without that.

    Raises `FileUnreadable`, `ConfigProblem`.
    """
    if source.is_dir():
        return None
    with _archive(source) as archive:
        member = archive.next()
        if member is None or member.name != ABOUT or member.size > LARGEST_ABOUT:
            return None
        with _opened(archive, member, source) as file:
            text = file.read().decode("utf-8", errors="replace")
    document = parse_toml(text, source)
    entries = load_models(document.values, document.line_of, source)
    return next(iter(entries.values()), None)


def import_model(entry: ModelEntry, source: Path, own: Path, show: Transfer) -> Path:
    """Copy a pinned model out of a folder or an archive to `own/ID`; return that folder.

    In a folder the files may lie by their names in the repository, or all in one place. Each is
    hashed while it is copied, and the folder gets its name when all are right. Raises
    `WeightsUnpinned`, `WrongWeights`, `UsageProblem` (a file lacks), `NoRoom`, `FileUnreadable`,
    `WriteFailed`.
    """
    refuse_unpinned(entry)
    target = own / entry.id
    show.begin(entry.id, entry.size, 0)
    try:
        own.mkdir(parents=True, exist_ok=True)
        growing = Path(tempfile.mkdtemp(dir=own, prefix=f".{entry.id}-"))
    except OSError as failure:
        raise _trouble(own, failure) from failure
    try:
        free = shutil.disk_usage(growing).free
        if entry.size > free:
            raise NoRoom(own, f"{entry.id} needs {entry.size:,} bytes, {free:,} are free")
        lacking = {file.name: file for file in entry.files}
        for file, opened in _sources(entry, source):
            if file.name in lacking:
                with opened as stream:
                    _take(entry, file, stream, source, growing / file.name, show)
                del lacking[file.name]
        if lacking:
            names = ", ".join(sorted(lacking)[:3]) + (", ..." if len(lacking) > 3 else "")
            raise UsageProblem(
                source, f"lacks {names} of {entry.id}", "Export it again on the other machine"
            )
        growing.chmod(0o755)
        _give_name(growing, target)
    except OSError as failure:
        raise _trouble(target, failure) from failure
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    show.end(entry.id)
    return target


def _give_name(growing: Path, target: Path) -> None:
    """Put a whole folder in the place of an older one, which is there until the last moment."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    if not target.exists():
        growing.replace(target)
        return
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-old-"))
    target.replace(aside / target.name)
    try:
        growing.replace(target)
    except OSError:
        (aside / target.name).replace(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sources(
    entry: ModelEntry, source: Path
) -> Iterator[tuple[WeightFile, contextlib.AbstractContextManager[IO[bytes]]]]:
    """The files of a model that a folder or an archive has, each ready to be opened."""
    if source.is_dir():
        for file in entry.files:
            for path in (
                source / file.name,
                source / INNER / file.name,
                source / Path(file.name).name,
            ):
                if path.is_file():
                    yield file, _reading(path)
                    break
        return
    names: Mapping[str, WeightFile] = {INNER + file.name: file for file in entry.files}
    plain: Mapping[str, WeightFile] = {file.name: file for file in entry.files}
    with _archive(source) as archive:
        # One walk through it: an archive may be larger than the memory, and on a slow stick.
        for member in _members(archive, source):
            name = member.name.removeprefix("./")
            file_or_none = names.get(name) or plain.get(name)
            if file_or_none is not None and member.isreg():
                yield file_or_none, _opened(archive, member, source)


def _members(archive: tarfile.TarFile, source: Path) -> Iterator[tarfile.TarInfo]:
    try:
        yield from archive
    except tarfile.TarError as failure:
        raise FileUnreadable(source, detail=f"no whole tar archive: {failure}") from failure


def _take(
    entry: ModelEntry,
    file: WeightFile,
    stream: IO[bytes],
    source: Path,
    target: Path,
    show: Transfer,
) -> None:
    """Copy one file, and compare its hash. Raises `WrongWeights`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while block := _read(stream, source):
            size += len(block)
            if size > file.size:
                break
            digest.update(block)
            out.write(block)
            show.moved(len(block))
        out.flush()
        os.fsync(out.fileno())
    if size == file.size and digest.hexdigest() == file.sha256:
        return
    said = (
        f"SHA-256 is {digest.hexdigest()[:12]}..., not {file.sha256[:12]}..."
        if size == file.size
        else f"has not {file.size:,} bytes"
    )
    raise WrongWeights(
        entry.id,
        done="Nothing was imported",
        stage=entry.stage,
        file=file.name,
        model=entry.id,
        detail=said,
    )


def _read(stream: IO[bytes], source: Path) -> bytes:
    try:
        return stream.read(BLOCK)
    except tarfile.TarError as failure:
        raise FileUnreadable(source, detail=f"no whole tar archive: {failure}") from failure


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
    with file:
        yield file


@contextmanager
def _archive(source: Path) -> Iterator[tarfile.TarFile]:
    """A tar, compressed or not. Raises `FileUnreadable`."""
    try:
        archive = tarfile.open(source)  # noqa: SIM115  (closed below, where it is used)
    except tarfile.TarError as failure:
        raise FileUnreadable(source, detail="is no tar archive") from failure
    except OSError as failure:
        raise FileUnreadable(source, detail=failure.strerror or str(failure)) from failure
    with archive:
        yield archive


@contextmanager
def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo, source: Path) -> Iterator[IO[bytes]]:
    stream = archive.extractfile(member)
    if stream is None:
        raise FileUnreadable(source, detail=f"{member.name} is no file in it")
    with stream:
        yield stream


class _Shown(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], show: Transfer) -> None:
        super().__init__()
        self.file = file
        self.show = show

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.show.moved(len(data))
        return data


def _trouble(path: Path, failure: OSError) -> NoRoom | WriteFailed:
    if failure.errno in _FULL:
        return NoRoom(path, failure.strerror or str(failure), "What was begun was taken away")
    return WriteFailed(path, failure.strerror or str(failure))


def hashed_entry(entry: ModelEntry, folder: Path) -> ModelEntry:
    """The entry with the sizes and hashes of the files that a folder holds by their names.

    For files that a person brought or made and trusts. Names that end with `*` take what there
    is. An entry without a commit is then bound to no repository. Raises `UsageProblem`,
    `FileUnreadable`.
    """
    files: dict[str, WeightFile] = {}
    for file in entry.files:
        if file.name.endswith("*"):
            found = sorted(folder.glob(file.name))
            names = [path.relative_to(folder).as_posix() for path in found if path.is_file()]
            names = [name for name in names if not name_fault(name, hashed=False)]
        else:
            names = [file.name]
        for name in names:
            path = folder / name
            if not path.is_file():
                raise UsageProblem(folder, f"lacks {name} of {entry.id}")
            try:
                digest = file.sha256 or sha256_of(path)
                files[name] = WeightFile(name, path.stat().st_size, digest)
            except OSError as failure:
                raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
    repository = entry.repository if entry.revision else ""
    return dataclasses.replace(entry, repository=repository, files=tuple(files.values()))
