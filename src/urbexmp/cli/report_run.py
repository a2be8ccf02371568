"""`sync --report`: what a report is made with."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp import __version__
from urbexmp.model.errors import Problem

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.drivers.reporting import Reporting
    from urbexmp.model.photo import Photo
    from urbexmp.model.ports import Show

RESTS_ON = ("pillow", "numpy", "onnxruntime", "torch")
"""Packages that decide what the stages see and how fast; told where they are installed."""


LONG_SIDE, QUALITY = 320, 75
"""Of the small pictures on the page."""


def reporting(house: House, show: Show, folder: Path, pictures: int) -> Reporting:
    """A show around `show` that also writes the report of a run into `folder`."""
    from urbexmp.adapters.report_files import FolderReportFiles
    from urbexmp.drivers.reporting import Reporting
    from urbexmp.rules.run_metrics import RunSetting
    from urbexmp.wiring_stages import tell_replies

    setting = RunSetting(
        root=house.root.as_posix(),
        started=house.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        profile=house.profile.name,
        profile_digest=house.profile.digest,
        taxonomy=house.profile.taxonomy,
        taxonomy_digest=house.taxonomy.digest,
        stages=house.stage_ids,
        versions=_versions(),
    )
    made = Reporting(show, FolderReportFiles(folder), setting, house.root, pictures, thumbnail)
    tell_replies(getattr(house.without, "stages", ()), made.replied)
    return made


def thumbnail(photo: Photo) -> bytes | None:
    """A small picture of a photo: pixels alone, nothing of what its file says."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.adapters.thumbnail import as_jpeg

    try:
        preview = FileInspector().preview(photo, LONG_SIDE)
        return as_jpeg(preview, QUALITY, LONG_SIDE, subsampling=2)
    except Problem:
        return None


def _versions() -> dict[str, str]:
    # Late: it costs as much as a tenth of a run in which nothing changed.
    from importlib.metadata import PackageNotFoundError, version

    found = {"urbexmp": __version__, "python": platform.python_version()}
    for name in RESTS_ON:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
