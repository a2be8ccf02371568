"""`urbexmp sync` against a real `transformers serve` with tiny models: one that says nonsense, and
one that was taught what to say. In the middle the server dies and comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serve_process import SAMPLES
from tiny.idefics3 import build, teach
from urbexmp.model.report import EXIT_SOME_FAILED
from urbexmp.model.stage_errors import StageFailed
from vlm_real import SECONDS, RealServer
from watch_process import environment

SAYS = {
    "description": "A corridor with peeling paint and a wheelchair.",
    "labels": [{"term": "corridor", "confidence": 0.9}],
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("models")
    build(base / "babbler", seed=1)
    teach(build(base / "taught"), json.dumps(SAYS))
    return base


class Library:
    """A folder of a place with its `location.toml`, and a profile."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.photos = home / "photos"
        self.photos.mkdir(parents=True)
        (self.photos / "location.toml").write_text(
            'name = "St Agnes Hospital"\ntype = "hospital"\ncity = "Leeds"\n'
        )

    def add(self, name: str) -> Path:
        return Path(shutil.copy(next(SAMPLES.rglob(name)), self.photos))

    def run(self, command: str, url: str, model: Path, *more: str) -> tuple[int, str]:
        profile = self.home / "tiny.toml"
        profile.write_text(
            'stages = ["camera", "pixels", "place", "vlm"]\n[stage.vlm]\n'
            f'model = "{model}"\nurl = "{url}"\nmax_tokens = 220\nsize = 128\nprompt = "generic"\n'
        )
        done = subprocess.run(
            [
                *(sys.executable, "-m", "urbexmp", command, str(self.photos), "--no-color"),
                *("-p", str(profile), "--state", str(self.home / "st"), *more),
            ],
            capture_output=True,
            text=True,
            env=environment(self.home),
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def journal(self) -> list[dict[str, object]]:
        path = self.home / "st" / "replies" / "replies.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_place_is_described_by_a_real_server_that_dies_and_comes_back(
    models: Path, tmp_path: Path
) -> None:
    library = Library(tmp_path)
    first = library.add("IMG_1022.JPG")
    with RealServer(tmp_path / "server") as server:
        code, told = library.run("sync", server.url, models / "babbler")
        assert code == StageFailed.code, told
        assert "nothing can be made of the reply" in told
        assert not first.with_name("IMG_1022.JPG.xmp").exists()
        kept = list((tmp_path / "st" / "replies").glob("*.txt"))
        assert kept
        assert str(kept[0]) in told

        code, told = library.run("sync", server.url, models / "taught")
        assert (code, "1 written" in told) == (0, True), told
        packet = first.with_name("IMG_1022.JPG.xmp").read_bytes()
        assert b"Corridor" in packet
        last = library.journal()[-1]
        assert (last["outcome"], last["labels"]) == ("heard", ["corridor"])
        assert last["description"] == SAYS["description"]

        second = library.add("IMG_1027.JPG")
        server.kill()
    code, told = library.run("sync", server.url, models / "taught")
    assert code == EXIT_SOME_FAILED, told
    assert "Connection refused" in told
    assert "Traceback" not in told
    assert not second.with_name("IMG_1027.JPG.xmp").exists()
    with RealServer(tmp_path / "server", port=server.port) as again:
        code, told = library.run("sync", again.url, models / "taught")
        assert (code, "1 written" in told) == (0, True), told
    assert b"Corridor" in second.with_name("IMG_1027.JPG.xmp").read_bytes()
