"""What is known of the place of a photo: folder names, `location.toml` files, XMP location."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.central_places import CentralPlaces, section_of
from urbexmp.model.errors import ConfigProblem, FileUnreadable, Problem

if TYPE_CHECKING:
    from urbexmp.model.observation import CaptureFacts, Context
    from urbexmp.model.photo import Photo
    from urbexmp.rules.place import Location
    from urbexmp.rules.terms import Taxonomy

LOCATION_FILE = "location.toml"

_Stamp = tuple[int, int]


class FolderPlaces:
    """Reads `location.toml` down the folder tree; the nearest file that says something wins.

    The section that `locations.toml` in the root has for a folder comes right before the folder's
    own file, which goes before it.

    A `location.toml` with a mistake is reported once for each version of the file
    (`take_problems`), and is left out until it is corrected: the photos of the folder still have
    its name and what the folders above say. Thread-safe.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._lock = threading.Lock()
        self._read: dict[str, tuple[_Stamp, Location]] = {}
        self._problems: list[Problem] = []
        self._central = CentralPlaces()

    def context(self, photo: Photo, root: Path, facts: CaptureFacts) -> Context:
        """Context of a photo below `root`. What a person wrote goes before what the file says."""
        from urbexmp.model.observation import Context

        below = _below(photo.path.parent, root)
        location = self._merged(below, root)
        return Context(
            name=location.name,
            place_type=location.type,
            era=location.era,
            city=location.city or facts.city,
            county=location.county,
            state=location.state or facts.state,
            country=location.country or facts.country,
            # The root's own name speaks too: a single folder may be the whole library.
            folders=(root.name, *below) if root.name else tuple(below),
            sublocation=facts.sublocation,
            keywords=location.keywords,
            when=location.when,
        )

    def version(self, folder: Path, root: Path) -> str:
        """Digest of what the location files from `root` down to `folder` say; "" for nothing."""
        below = _below(folder, root)
        # Once for every folder of a run in which nothing changed: mostly there is no such file.
        if not self._central.sections(root) and not any(map(_stamp, _files(below, root))):
            return ""
        from urbexmp.rules.place import Location

        location = self._merged(below, root)
        if location == Location():
            return ""
        return hashlib.sha256(repr(location).encode()).hexdigest()[:16]

    def take_problems(self) -> tuple[Problem, ...]:
        """Return the problems met since the last call, each once."""
        with self._lock:
            taken, self._problems = tuple(self._problems), []
        return (*taken, *self._central.take_problems())

    def _merged(self, below: tuple[str, ...], root: Path) -> Location:
        from urbexmp.rules.place import merge_locations

        central = self._central.sections(root)
        said: list[Location] = []
        for depth, file in enumerate(_files(below, root)):
            section = central.get(section_of(below[:depth])) if central else None
            own = self._location(file)
            said += [location for location in (section, own) if location is not None]
        return merge_locations(said)

    def _location(self, file: str) -> Location | None:
        stamp = _stamp(file)
        with self._lock:
            if stamp is None:
                self._read.pop(file, None)
                return None
            known = self._read.get(file)
            if known is not None and known[0] == stamp:
                return known[1]
            location = self._load(Path(file))
            self._read[file] = (stamp, location)
            return location

    def _load(self, path: Path) -> Location:
        from urbexmp.rules.place import Location, unknown_type

        try:
            location = _parse(path)
        except Problem as problem:
            self._problems.append(problem)
            return Location()
        odd = unknown_type(location, self._taxonomy)
        if odd:
            self._problems.append(_Partly(path, (odd,)))
        return location


def _below(folder: Path, root: Path) -> tuple[str, ...]:
    try:
        return folder.relative_to(root).parts
    except ValueError:
        return ()  # a photo named outside of the library has no folders of it


def _files(below: tuple[str, ...], root: Path) -> list[str]:
    """Where location files may be, from the root down."""
    here = str(root)
    files = [os.path.join(here, LOCATION_FILE)]  # noqa: PTH118  (four a folder, and Path is slow)
    for name in below:
        here = os.path.join(here, name)  # noqa: PTH118
        files.append(os.path.join(here, LOCATION_FILE))  # noqa: PTH118
    return files


def _stamp(file: str) -> _Stamp | None:
    """Time and size of a location file; None where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class _PlaceProblem(ConfigProblem):
    """Something is wrong with a `location.toml`; its mistakes fit on the lines of a list."""

    what = "{said}"

    def __init__(self, subject: object, mistakes: tuple[str, ...]) -> None:
        super().__init__(subject, mistakes)
        self.fields["said"] = "; ".join(mistakes)


class _Partly(_PlaceProblem):
    """A `location.toml` of which one thing means nothing to us; the rest of it is used."""

    done = "The rest of the file is used"
    advice = "Correct it, or add the word to a taxonomy of your own"


class _LeftOut(_PlaceProblem):
    """A `location.toml` that cannot be used."""

    done = "Its photos are dealt with as if it were not there"
    advice = "Correct it and run the command again"


def location_files(folder: Path, root: Path) -> tuple[tuple[str, Location], ...]:
    """What is said of `folder` from `root` down, each with where it stands: a section of
    `locations.toml`, or the path of a `location.toml`.

    Raises `ConfigProblem`, `FileUnreadable`.
    """
    from urbexmp.adapters.central_places import CENTRAL_FILE

    places, below = CentralPlaces(), _below(folder, root)
    central = places.sections(root)
    for problem in places.take_problems():
        raise problem
    found: list[tuple[str, Location]] = []
    for depth, file in enumerate(_files(below, root)):
        section = section_of(below[:depth])
        if section in central:
            found.append((f"{root / CENTRAL_FILE} [{section}]", central[section]))
        if _stamp(file) is not None:
            found.append((file, _parse(Path(file))))
    return tuple(found)


def read_location_text(text: str, path: Path) -> Location:
    """What the text of a `location.toml` says. Raises `ConfigProblem` with every mistake."""
    try:
        return _read_text(text, path)
    except tomllib.TOMLDecodeError as failure:
        raise ConfigProblem(path, (str(failure),)) from failure


def _parse(path: Path) -> Location:
    try:
        return _read_text(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"), path)
    except UnicodeDecodeError as failure:
        raise _LeftOut(path, (f"byte {failure.start}: not UTF-8",)) from failure
    except tomllib.TOMLDecodeError as failure:
        raise _LeftOut(path, (str(failure),)) from failure
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
    except ConfigProblem as problem:
        raise _LeftOut(path, problem.mistakes) from problem


def _read_text(text: str, path: Path) -> Location:
    from urbexmp.rules.place import read_location

    values = tomllib.loads(text)

    def line_of(*keys: str | int) -> int:
        # The file is flat, so a line that begins with the key is the key's line.
        pattern = re.compile(rf"""\s*["']?{re.escape(str(keys[0]))}["']?\s*(=|\])""")
        lines = enumerate(text.split("\n"), 1)
        return next((n for n, line in lines if pattern.match(line.lstrip("["))), 1)

    return read_location(values, line_of, path)
