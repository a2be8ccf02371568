"""`urbexmp sync` on one side, `urbexmp serve` on the other, both real."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serve_process import SAMPLES, TOKEN, Serving
from urbexmp.adapters.http_client import HttpClient, Unreachable
from urbexmp.adapters.known_servers import KnownServer
from urbexmp.adapters.stages.pixels import PixelsStage
from urbexmp.adapters.stages.remote import RemoteStage
from urbexmp.adapters.stages.remote_server import Server
from urbexmp.adapters.thumbnail import as_jpeg
from urbexmp.model.observation import CaptureFacts, Context, Preview, StageInput, View
from urbexmp.model.stage_errors import ServerAway
from urbexmp.rules.circuit import FAILURES
from urbexmp.rules.elsewhere import Elsewhere
from watch_process import DEADLINE, environment


class Library:
    """A folder of sample photos and a profile that has `pixels` look elsewhere."""

    def __init__(self, home: Path, url: str, **settings: str) -> None:
        self.home = home
        self.photos = home / "photos"
        self.photos.mkdir(parents=True)
        self.profile = home / "away.toml"
        lines = [f'url = "{url}"', 'stages = "pixels"']
        lines += [f"{key} = {value}" for key, value in settings.items()]
        text = 'stages = ["camera", "pixels"]\n[stage.remote]\n' + "\n".join(lines)
        self.profile.write_text(text + "\n")

    def add(self, name: str) -> Path:
        return Path(shutil.copy(next(SAMPLES.rglob(name)), self.photos))

    def sync(self, *options: str, token: str = "") -> tuple[int, str]:
        """Exit code, and everything that was said."""
        command = [sys.executable, "-m", "urbexmp", "sync", str(self.photos), "--no-color"]
        more = ("-p", str(self.profile), "--state", str(self.home / "st"), *options)
        env = environment(self.home) | ({"URBEXMP_SERVE_TOKEN": token} if token else {})
        done = subprocess.run(
            [*command, *more],
            capture_output=True,
            text=True,
            env=env,
            timeout=DEADLINE,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def test_a_sync_has_the_server_look_and_then_leaves_it_alone(tmp_path: Path) -> None:
    with Serving(tmp_path / "far", "--stages", "pixels", token=TOKEN) as serving:
        library = Library(tmp_path / "near", serving.url)
        photo = library.add("IMG_1022.JPG")
        code, said = library.sync(token=TOKEN)
        assert (code, "1 written" in said) == (0, True), said
        serving.end()
    assert serving.said.count(b"POST /tag 200") == 1
    assert b"Interior" in photo.with_name("IMG_1022.JPG.xmp").read_bytes()
    code, said = library.sync()
    assert code == 0
    assert "1 unchanged" in said
    assert "Connection refused" not in said


def test_without_the_server_it_looks_here_and_says_so(tmp_path: Path) -> None:
    with Serving(tmp_path / "far", "--stages", "pixels") as serving:
        library = Library(tmp_path / "near", serving.url)
        library.add("IMG_1022.JPG")
        assert library.sync()[0] == 0
        serving.end(signal.SIGKILL)
    library.add("IMG_1027.JPG")
    code, said = library.sync()
    assert (code, "1 written" in said) == (0, True), said
    assert said.count("Meanwhile pixels looks on this machine.") == 1


def test_without_fallback_a_photo_waits_until_the_server_is_back(tmp_path: Path) -> None:
    with Serving(tmp_path / "far", "--stages", "pixels") as serving:
        library = Library(tmp_path / "near", serving.url, fallback="false")
        serving.end(signal.SIGKILL)
    photo = library.add("IMG_1022.JPG")
    code, said = library.sync()
    assert code == ServerAway.code, said
    assert "Connection refused" in said
    assert "urbexmp serve" in said
    assert "Traceback" not in said
    assert not photo.with_name("IMG_1022.JPG.xmp").exists()
    with Serving(tmp_path / "again", "--stages", "pixels", port=serving.port):
        code, said = library.sync()
    assert (code, "1 written" in said) == (0, True), said


def test_a_wrong_token_is_told_and_not_shown(tmp_path: Path) -> None:
    with Serving(tmp_path / "far", "--stages", "pixels", token=TOKEN) as serving:
        library = Library(tmp_path / "near", serving.url, fallback="false")
        library.add("IMG_1022.JPG")
        wrong = "quite-another-token-4411"
        code, said = library.sync(token=wrong)
    assert code == ServerAway.code
    assert "refuses the token" in said
    assert wrong not in said
    assert wrong.encode() not in serving.said


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://gpu.example:8765", "photos would leave this machine for gpu.example:8765"),
        ("gpu.example", "must be the address of a server"),
        ("http://user:pass@127.0.0.1:8765", "token_env"),
        ("file:///etc/passwd", "must be the address of a server"),
    ],
)
def test_an_address_that_will_not_do_is_refused_before_anything(
    tmp_path: Path, url: str, word: str
) -> None:
    library = Library(tmp_path, url)
    library.add("IMG_1022.JPG")
    code, said = library.sync()
    assert code == 2
    assert word in said


def test_remote_is_no_stage_of_its_own(tmp_path: Path) -> None:
    code, said = Library(tmp_path, "http://127.0.0.1:1").sync("--stages", "camera,remote")
    assert code == 2
    assert "stage.remote.stages" in said


def test_a_server_killed_in_the_middle_is_spared_and_asked_again_when_back(
    tmp_path: Path,
) -> None:
    now = [0.0]
    said: list[str] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def stage_at(url: str) -> RemoteStage:
        client = HttpClient(url, None, proxies=False)
        known = KnownServer(tmp_path / "st", url)
        settings = Elsewhere(url, ("pixels",))
        server = Server(
            settings, client, Unreachable, known, as_jpeg, said.append, lambda: now[0], sleep
        )
        return RemoteStage(PixelsStage(prior=0.3), server)

    picture = Preview(48, 32, bytes(range(256)) * 18, "image")
    seen = StageInput(View(CaptureFacts(iso=100), lambda: picture), Context())
    here = PixelsStage(prior=0.3).id
    with Serving(tmp_path / "far", "--stages", "pixels") as serving:
        stage = stage_at(serving.url)
        there = stage.id
        assert there != here
        assert stage.look_as(seen)[0] == there
        serving.end(signal.SIGKILL)
    for _ in range(FAILURES + 1):
        assert stage.look_as(seen)[0] == here
    spared = now[0]
    assert stage.look_as(seen)[0] == here
    assert now[0] == spared  # nobody was asked, so nobody was waited for
    with Serving(tmp_path / "again", "--stages", "pixels", port=serving.port):
        assert stage.look_as(seen)[0] == here
        now[0] += 3600
        assert stage.look_as(seen)[0] == there
    assert [sentence.rsplit(". ", 1)[-1] for sentence in said] == [
        "Meanwhile pixels looks on this machine.",
        f"127.0.0.1:{serving.port} is back: pixels looks there again.",
    ]
