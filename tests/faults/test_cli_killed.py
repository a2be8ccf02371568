"""The whole command, killed as the system kills: nothing is damaged, and the next run ends it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from urbexmp.model.photo import Carrier, CarrierKind
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords
from urbexmp.wiring import open_carriers

PHOTOS = 40
SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   crs:Exposure2012="+0.%02d">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Mine %d</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "Old Paper Mill"
    folder.mkdir(parents=True)
    for number in range(PHOTOS):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        path = folder / f"IMG_{number:04}.jpg"
        Image.fromarray(noise).save(path, quality=80)
        if number % 2:
            path.with_name(path.name + ".xmp").write_text(SIDECAR % (number, number))
    return tmp_path / "photos"


def command(library: Path, state: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "urbexmp", *words, str(library), "--state", str(state), "-q"]


def environment() -> dict[str, str]:
    source = str(Path(__file__).parents[2] / "src")
    return {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}


def keywords(library: Path) -> dict[str, frozenset[str]]:
    """Of every sidecar and every JPEG."""
    store, codec = open_carriers(Profile())
    found = {}
    for path in sorted(library.rglob("*.*")):
        kind = CarrierKind.SIDECAR if path.suffix == ".xmp" else CarrierKind.EMBEDDED
        packet = store.read(Carrier(kind, path))
        assert packet is not None
        stands = found_keywords(codec.read(packet, path).fields)
        found[path.name] = frozenset(map(str, stands))
    return found


def pictures(library: Path) -> dict[str, bytes]:
    """Decoded; whatever stands beside the picture is left out."""
    return {path.name: Image.open(path).tobytes() for path in sorted(library.rglob("*.jpg"))}


def kill_in_the_middle(running: subprocess.Popen[bytes], library: Path, signs: int) -> None:
    """Kill the process once its writing shows: so many files more or fewer, temp files included."""
    before = {path.name for path in library.rglob("*")}
    while running.poll() is None:
        now = {path.name for path in library.rglob("*")}
        if len(now ^ before) >= signs:
            running.send_signal(signal.SIGKILL)
    running.wait()


def test_a_sync_killed_again_and_again_ends_where_an_undisturbed_one_ends(
    library: Path, tmp_path: Path
) -> None:
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(library, undisturbed)
    done = subprocess.run(
        command(undisturbed, tmp_path / "state-a", "sync"), env=environment(), check=False
    )
    assert done.returncode == 0
    wanted = keywords(undisturbed)
    assert len(wanted) == 2 * PHOTOS
    assert all(wanted[name] == wanted[f"{name}.xmp"] for name in pictures(library))

    originals = {path: path.read_bytes() for path in library.rglob("*.*")}
    shown = pictures(library)
    state = tmp_path / "state-b"
    dice = random.Random(7)
    for _ in range(6):
        running = subprocess.Popen(command(library, state, "sync"), env=environment())
        kill_in_the_middle(running, library, dice.randint(1, 6))
        for path in library.rglob("*.xmp"):
            packet = path.read_bytes()
            assert packet.rstrip().endswith(b"</x:xmpmeta>"), f"{path} is cut off"
        assert pictures(library) == shown
    final = subprocess.run(command(library, state, "sync"), env=environment(), check=False)
    assert final.returncode == 0
    assert keywords(library) == wanted
    leftovers = [path for path in library.rglob("*") if "urbexmp" in path.name]
    assert leftovers == []
    assert pictures(library) == shown

    again = subprocess.run(
        [*command(library, state, "sync"), "--check"], env=environment(), check=False
    )
    assert again.returncode == 0, "the run after the last one finds nothing to do"

    runs = subprocess.run(
        [*command(library, state, "runs"), "--json"],
        env=environment(),
        check=True,
        capture_output=True,
    )
    for line in runs.stdout.splitlines():  # newest first
        run = json.loads(line)
        if run["changed"]:
            undone = [*command(library, state, "undo"), "--yes", run["run"]]
            undone[undone.index(str(library))] = f"--in={library}"
            assert subprocess.run(undone, env=environment(), check=False).returncode == 0
    assert {path: path.read_bytes() for path in library.rglob("*.*")} == originals
