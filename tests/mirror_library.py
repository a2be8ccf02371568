"""A small library on disk, its runs, and what a person does to it meanwhile."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from mirror_examples import dump
from urbexmp.adapters.shipped import shipped
from urbexmp.adapters.toml import read_toml
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.app import open_house, state_paths
from urbexmp.drivers.house import House
from urbexmp.drivers.mirror import check, rebuild
from urbexmp.drivers.sync import sync
from urbexmp.model.change import Change, PacketEdit
from urbexmp.model.errors import Problem
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import MirrorDrift
from urbexmp.model.profile import Settings
from urbexmp.model.report import Report
from urbexmp.rules.fields import found_keywords
from urbexmp.rules.profile import load_settings

DESCRIBED = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    photoshop:City="Leeds">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


class Quiet:
    """Shows nothing and remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def begin(self, report: Report, total: int | None) -> None: ...

    def photo(self, path: Path) -> None: ...

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def change(self, change: Change, *, applied: bool) -> None: ...

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def end(self, report: Report) -> None: ...


def offline() -> Settings:
    path = shipped("profiles", "offline")
    document = read_toml(path)
    return load_settings(
        document.values,
        document.line_of,
        path,
        {},
        {"workers": "1", "stages": "camera,pixels,place"},
    )


class Library:
    """Photos below `root`, state below `state`."""

    settings = offline()

    def __init__(self, folder: Path, photos: int) -> None:
        self.root = folder / "photos"
        self.state = folder / "state"
        self.spare = folder / "spare"
        self._ticks = itertools.count(1)
        for number in range(photos):
            self.add(number)

    @property
    def mirror(self) -> Path:
        return state_paths(self.root, self.state).mirror

    @contextmanager
    def house(
        self, *, stopping: Callable[[], bool] = lambda: False, state: Path | None = None
    ) -> Iterator[House]:
        with open_house(
            self.root, self.settings, state=state or self.state, writing=True, stopping=stopping
        ) as house:
            yield house

    def sync(self) -> Quiet:
        show = Quiet()
        with self.house() as house:
            sync(house, (self.root,), show)
        return show

    def rebuild(self) -> None:
        with self.house() as house:
            rebuild(house, Quiet())

    def drift(self) -> list[MirrorDrift]:
        with self.house() as house:
            assert house.mirror is not None
            return list(check(house, house.mirror, Quiet()))

    def built_from_nothing(self) -> dict[str, object]:
        """The tables of a mirror that is built from the photos and packets alone."""
        shutil.rmtree(self.spare, ignore_errors=True)
        with self.house(state=self.spare) as house:
            rebuild(house, Quiet())
        return dump(state_paths(self.root, self.spare).mirror, ledger=False)

    # what happens to a library

    def folder(self, number: int) -> Path:
        return self.root / ("Old Hospital", "Paper Mill", "Paper Mill/Hall")[number % 3]

    def add(self, number: int) -> Path:
        path = self.folder(number) / f"IMG_{number:04}.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
            Image.fromarray(noise).save(path, quality=70)
            self.touch(path)
        return path

    def photos(self) -> list[Path]:
        return sorted(self.root.rglob("*.jpg"))

    def sidecar(self, photo: Path) -> Path:
        return photo.with_name(photo.name + ".xmp")

    def touch(self, path: Path) -> None:
        """Give the file a time of its own: an edit from outside is seen by its stat."""
        moment = 1_700_000_000_000_000_000 + next(self._ticks) * 1_000_000_000
        os.utime(path, ns=(moment, moment))

    def write(self, photo: Path, edit: PacketEdit) -> None:
        """Another program edits the keywords, and keeps our block."""
        sidecar = self.sidecar(photo)
        if not sidecar.exists():
            sidecar.write_text(DESCRIBED % ("A wall", "Wall"))
        sidecar.write_bytes(XmpCodec().edit(sidecar.read_bytes(), edit, sidecar))
        self.touch(sidecar)

    def keywords(self, photo: Path) -> list[Keyword]:
        sidecar = self.sidecar(photo)
        if not sidecar.exists():
            return []
        fields = XmpCodec().read(sidecar.read_bytes(), sidecar).fields
        return sorted(found_keywords(fields))

    def take_away(self, photo: Path, keyword: Keyword) -> None:
        fields = XmpCodec().read(self.sidecar(photo).read_bytes(), photo).fields
        self.write(
            photo,
            PacketEdit(
                flat_remove=(keyword.leaf,) if keyword.leaf in (fields.flat or ()) else (),
                hierarchical_remove=(str(keyword),)
                if str(keyword) in (fields.hierarchical or ())
                else (),
            ),
        )
