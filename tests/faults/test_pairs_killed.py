"""A real process, killed between the replacement of the sidecar and that of the image file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from urbexmp.model.photo import Carrier, CarrierKind
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords
from urbexmp.wiring import open_carriers

PHOTOS = 3

CHILD = """
import functools, os, signal, sys
from urbexmp.adapters.embedded import store

after, step, library, state = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
passed = 0

def kill(name):
    global passed
    if name == step:
        if passed == after:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

store.EmbeddedStore = functools.partial(store.EmbeddedStore, step=kill)
from urbexmp.cli.main import run
sys.exit(run(["sync", library, "--state", state, "--quiet"]))
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "Old Paper Mill"
    folder.mkdir(parents=True)
    for number in range(PHOTOS):
        picture = Image.radial_gradient("L").rotate(number * 20).convert("RGB")
        picture.save(folder / f"IMG_{number}.{'tif' if number == 1 else 'jpg'}")
    return tmp_path / "photos"


def environment() -> dict[str, str]:
    source = str(Path(__file__).parents[2] / "src")
    return {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}


def urbexmp(*words: object) -> int:
    command = [sys.executable, "-m", "urbexmp", *map(str, words), "--quiet"]
    return subprocess.run(command, env=environment(), check=False).returncode


def held(library: Path) -> dict[str, frozenset[str] | None]:
    """Keywords of every carrier; None where there is no packet."""
    store, codec = open_carriers(Profile())
    found: dict[str, frozenset[str] | None] = {}
    for image in sorted((library / "Old Paper Mill").glob("IMG_?.???")):
        for kind, path in (
            (CarrierKind.SIDECAR, image.with_name(f"{image.name}.xmp")),
            (CarrierKind.EMBEDDED, image),
        ):
            packet = store.read(Carrier(kind, path))
            fields = codec.read(packet, path).fields if packet is not None else None
            stands = found_keywords(fields) if fields is not None else frozenset()
            found[path.name] = frozenset(map(str, stands)) or None
    return found


@pytest.mark.parametrize(
    ("step", "after"),
    [("temp", 1), ("synced", 0), ("checked", 0), ("done", 0), ("done", 1), ("durable", 0)],
)
def test_killed_between_the_two_replaces(
    library: Path, tmp_path: Path, step: str, after: int
) -> None:
    before = {path: path.read_bytes() for path in library.rglob("*.*")}
    state = tmp_path / "state"
    child = [sys.executable, "-c", CHILD, str(after), step, str(library), str(state)]
    killed = subprocess.run(child, env=environment(), check=False)
    assert killed.returncode == -signal.SIGKILL
    in_between = held(library)
    sidecars = [name for name in in_between if name.endswith(".xmp") and in_between[name]]
    images = [name for name in in_between if not name.endswith(".xmp") and in_between[name]]
    assert len(sidecars) == PHOTOS, "the sidecars were there first"
    written = {"temp": 0, "synced": 0, "checked": after, "done": after + 1, "durable": PHOTOS}
    assert len(images) == written[step]

    # The next command recovers: each photo is finished or taken back, never half of both.
    assert urbexmp("keyword", "unveto", "Nothing", library, "--state", state) == 0
    recovered = held(library)
    for name, stands in recovered.items():
        if not name.endswith(".xmp"):
            assert recovered[f"{name}.xmp"] == stands, name

    assert urbexmp("sync", library, "--state", state) == 0
    end = held(library)
    assert all(end.values())
    assert urbexmp("sync", library, "--state", state, "--check") == 0
    assert not [path for path in library.rglob("*") if "urbexmp" in path.name], "leftovers"

    while urbexmp("undo", "--in", library, "--state", state, "--yes") == 0:
        pass
    assert {path: path.read_bytes() for path in library.rglob("*.*")} == before
