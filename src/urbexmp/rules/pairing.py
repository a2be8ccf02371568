"""Which photos a folder holds, and where the keywords of each live (XMP.md R27-R30).

| photo | carriers | only read |
|---|---|---|
| raw | `BASENAME.xmp` | `NAME.EXT.xmp` where it exists |
| raw, `sidecar_name = "darktable"` | `NAME.EXT.xmp` | `BASENAME.xmp` where it is this raw's |
| JPEG, TIFF, DNG | `NAME.EXT.xmp`, and inside the file | (DNG:) `BASENAME.xmp` without an owner |
| the same, `embed = "never"` | `NAME.EXT.xmp` | inside the file; (DNG:) as above |
| HEIC, PNG, WebP, PSD | `NAME.EXT.xmp` | |
| the JPEG of a raw, `pairs = "both"` | as a JPEG, beside the raw's | |

Whether a file can be written into is found out when it is opened (`pipeline.planner`); here names
alone decide. The JPEG of a pair is not even read with `pairs = "raw"`: Lightroom does not either.

Names are looked up by NFC and without regard to case. A raw file and the JPEGs of its basename
are one photo; so are a DNG and its JPEGs, because a phone that shoots both gives one picture
too, and the DNG's carrier cannot collide with anything. Where a proprietary raw stands beside,
the JPEG is the raw's and the DNG a photo of its own (a conversion). A JPEG beside several raws
is a photo of its own, because nothing says which of them it shows.

Several raws of one basename share one sidecar name. The sidecar says whose it is
(`photoshop:SidecarForExtension`, else `crs:RawFileName`); the others have none and cannot get
one, so they are refused. Where there is no sidecar yet, or it does not say, all are refused:
writing one would take it away from the others (R27). Darktable's names have no such trouble.

`BASENAME.xmp` is never used for a JPEG, not even to read: without the raw file at hand nobody
can tell that it is not the raw's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from urbexmp.model.errors import (
    DngSidecar,
    Problem,
    SidecarOfAnother,
    SidecarUnclear,
    TwoCandidates,
)
from urbexmp.model.keyword import fold
from urbexmp.model.photo import Carrier, CarrierKind, FileKind, Photo, PhotoFile, Spared
from urbexmp.model.ports import FolderListing
from urbexmp.rules.formats import EMBEDDING, extension, stem

OwnerOf = Callable[[Path], str | None]
"""Extension (upper case, `CR3`) that a sidecar says it belongs to; None: it does not say."""


def pair(
    listing: FolderListing,
    sidecar_name: str,
    owner_of: OwnerOf,
    *,
    embed: str = "never",
    pairs: str = "raw",
) -> tuple[tuple[Photo, ...], tuple[Problem, ...]]:
    """Return the photos of a folder with their carriers, and what is unclear about others.

    `sidecar_name`, `embed` and `pairs` are the profile's. `owner_of` opens a sidecar, so
    it is asked only where two files could own one; it may raise `Problem`, which then stands
    for the photos concerned. Photos come sorted by path.
    """
    groups: dict[str, list[PhotoFile]] = defaultdict(list)
    for file in listing.photos:
        groups[fold(stem(file.path.name))].append(file)
    sidecars = _Sidecars(listing, owner_of)
    choices = _Choices(sidecar_name, embed == "auto", pairs == "both")
    photos: list[Photo] = []
    problems: list[Problem] = []
    for group in groups.values():
        for photo, companions in _pictures(sorted(group, key=lambda file: file.path)):
            try:
                photos.append(_photo(photo, companions, group, sidecars, choices))
            except Problem as problem:
                problems.append(problem)
    photos.sort(key=lambda photo: photo.path)
    problems.sort(key=lambda problem: problem.subject)
    return tuple(photos), tuple(problems)


def _pictures(
    group: list[PhotoFile],
) -> Iterable[tuple[PhotoFile, tuple[PhotoFile, ...]]]:
    """The pictures of one basename: the file that names each, and its companions."""
    jpegs = tuple(file for file in group if file.kind is FileKind.JPEG)
    raws = [file for file in group if file.kind is FileKind.RAW]
    if not raws:
        raws = [file for file in group if file.kind is FileKind.DNG]
    owner = raws[0] if len(raws) == 1 else None
    for file in group:
        if file is owner:
            yield file, jpegs
        elif owner is None or file not in jpegs:
            yield file, ()


@dataclass(frozen=True, slots=True)
class _Choices:
    """What the profile says of carriers."""

    sidecar_name: str
    embed: bool
    both: bool


class _Sidecars:
    """The sidecars of one folder, found without regard to case."""

    def __init__(self, listing: FolderListing, owner_of: OwnerOf) -> None:
        self.folder = listing.folder
        self._owner_of = owner_of
        self._spelled: Mapping[str, list[str]] = defaultdict(list)
        for name in sorted(listing.sidecars):
            self._spelled[fold(name)].append(name)
        self._photo_names: Mapping[str, int] = defaultdict(int)
        for file in listing.photos:
            self._photo_names[fold(file.path.name)] += 1
        self._owners: dict[Path, str | None] = {}

    def find(self, name: str, photo: Path) -> Path | None:
        """The sidecar `name` as it is spelled on disk. Raises `TwoCandidates`."""
        spelled = self._spelled.get(fold(name), [])
        if self._photo_names[fold(photo.name)] > 1:
            # `img.jpg` beside `IMG.JPG`: each has the sidecar of its own spelling, or none yet.
            spelled = [one for one in spelled if stem(one) == stem(name)]
        if len(spelled) > 1:
            raise TwoCandidates(photo, first=spelled[0], second=spelled[1])
        return self.folder / spelled[0] if spelled else None

    def owner(self, sidecar: Path) -> str | None:
        """Whose a sidecar says it is; opened once."""
        if sidecar not in self._owners:
            said = self._owner_of(sidecar)
            self._owners[sidecar] = said.upper() if said else None
        return self._owners[sidecar]


def _photo(
    file: PhotoFile,
    companions: tuple[PhotoFile, ...],
    group: list[PhotoFile],
    sidecars: _Sidecars,
    choices: _Choices,
) -> Photo:
    spared: tuple[Spared, ...] = ()
    if file.kind is FileKind.RAW:
        sidecar, also_read = _raw_carrier(file, group, sidecars, choices.sidecar_name)
        carriers: tuple[Carrier, ...] = (Carrier(CarrierKind.SIDECAR, sidecar),)
    else:
        carriers, spared = _own_carriers(file, sidecars, choices)
        also_read = _dng_sidecar(file, group, sidecars) if file.kind is FileKind.DNG else None
    read_only = tuple(each.path for each in spared)
    for companion in companions:
        if choices.both:
            more, left = _own_carriers(companion, sidecars, choices)
            carriers += more
            spared += left
            read_only += tuple(each.path for each in left)
        else:
            spared += (Spared(companion.path, "raw"),)
    return Photo(
        path=file.path,
        kind=file.kind,
        stat=file.stat,
        companions=companions,
        carriers=carriers,
        also_read=(also_read, *read_only) if also_read is not None else read_only,
        spared=spared,
    )


def _own_carriers(
    file: PhotoFile, sidecars: _Sidecars, choices: _Choices
) -> tuple[tuple[Carrier, ...], tuple[Spared, ...]]:
    """The carriers of a file that is no raw, its sidecar first; and the file, if it is spared."""
    name = f"{file.path.name}.xmp"
    sidecar = sidecars.find(name, file.path) or sidecars.folder / name
    carriers = (Carrier(CarrierKind.SIDECAR, sidecar),)
    if file.kind not in EMBEDDING:
        return carriers, ()
    if not choices.embed:
        return carriers, (Spared(file.path, "never"),)
    return (*carriers, Carrier(CarrierKind.EMBEDDED, file.path)), ()


def _raw_carrier(
    file: PhotoFile, group: list[PhotoFile], sidecars: _Sidecars, sidecar_name: str
) -> tuple[Path, Path | None]:
    """The carrier of a raw file, and the sidecar of the other naming that is only read."""
    base_name = f"{stem(file.path.name)}.xmp"
    full_name = f"{file.path.name}.xmp"
    full = sidecars.find(full_name, file.path)
    if sidecar_name == "darktable":
        base = sidecars.find(base_name, file.path)
        if base is not None and not _is_ours(file, base, group, sidecars):
            base = None
        return full or sidecars.folder / full_name, base
    base = sidecars.find(base_name, file.path)
    rivals = [other for other in group if other.kind is FileKind.RAW]
    if base is None:
        if len(rivals) > 1:
            raise SidecarUnclear(file.path, sidecar=base_name, owners=_listed(rivals))
        return sidecars.folder / base_name, full
    if not _is_ours(file, base, group, sidecars):
        owner = sidecars.owner(base)
        if owner is None or owner not in {_ext(other) for other in _owners(group)}:
            raise SidecarUnclear(file.path, sidecar=base.name, owners=_listed(rivals))
        raise SidecarOfAnother(file.path, sidecar=base.name, owner=_named(owner, group))
    return base, full


def _is_ours(file: PhotoFile, base: Path, group: list[PhotoFile], sidecars: _Sidecars) -> bool:
    """Whether `BASENAME.xmp` is this raw's; opened only where another file could own it."""
    if len(_owners(group)) == 1:
        return True
    owner = sidecars.owner(base)
    raws = [other for other in group if other.kind is FileKind.RAW]
    if owner is None:
        # A DNG beside its raw: a sidecar without a name is the raw's, which needs one.
        return len(raws) == 1
    return owner == _ext(file) and sum(_ext(other) == owner for other in raws) == 1


def _dng_sidecar(file: PhotoFile, group: list[PhotoFile], sidecars: _Sidecars) -> Path | None:
    """A `BASENAME.xmp` that may be read for a DNG. Raises `DngSidecar` where it is the DNG's."""
    base = sidecars.find(f"{stem(file.path.name)}.xmp", file.path)
    if base is None:
        return None
    owner = sidecars.owner(base)
    if owner == _ext(file):
        raise DngSidecar(file.path, sidecar=base.name)
    alone = not any(other.kind is FileKind.RAW for other in group)
    return base if owner is None and alone else None


def _owners(group: list[PhotoFile]) -> list[PhotoFile]:
    """The files of one basename that Lightroom would keep `BASENAME.xmp` for."""
    return [file for file in group if file.kind in (FileKind.RAW, FileKind.DNG)]


def _ext(file: PhotoFile) -> str:
    return extension(file.path.name).upper()


def _listed(files: Iterable[PhotoFile]) -> str:
    return " or ".join(sorted(file.path.name for file in files))


def _named(owner: str, group: list[PhotoFile]) -> str:
    names = sorted(file.path.name for file in group if _ext(file) == owner)
    return names[0] if names else f"a {owner} file"
