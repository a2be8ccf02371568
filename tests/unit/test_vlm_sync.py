"""`urbexmp sync` with the stage `vlm`: when it looks, what it costs, and what it says of a key."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from serve_process import SAMPLES
from urbexmp.cli.main import run
from vlm_server import GOOD_REPLY, VlmDouble, refused

KEY = "sk-nobody-may-read-this-5150"


class Done(NamedTuple):
    exit_code: int
    output: str


class Library:
    """Sample photos, and a profile with the double as its server."""

    def __init__(self, home: Path, double: VlmDouble, **settings: object) -> None:
        self.home = home
        self.photos = home / "photos"
        self.photos.mkdir()
        self.profile = home / "talk.toml"
        table = {"model": '"eyes"', "url": f'"{double.url}"', **settings}
        lines = [f"{name} = {value}" for name, value in table.items()]
        self.profile.write_text(
            'stages = ["camera", "place", "vlm"]\n[stage.vlm]\n' + "\n".join(lines) + "\n"
        )

    def add(self, *names: str) -> list[Path]:
        return [Path(shutil.copy(next(SAMPLES.rglob(name)), self.photos)) for name in names]

    def run(self, *more: str, command: str = "sync") -> Done:
        given = [*command.split(), str(self.photos), "-p", str(self.profile), "--no-color"]
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = run([*given, "--state", str(self.home / "st"), *more])
        return Done(code, told.getvalue())


@pytest.fixture(autouse=True)
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)


NAMES = ("IMG_1022.JPG", "IMG_1027.JPG", "IMG_1055.JPG")


def test_a_photo_is_asked_about_once(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double)
        (photo,) = library.add(NAMES[0])
        done = library.run("-v")
        assert done.exit_code == 0
        assert "vlm was asked with 2 requests at a time" in done.output
        assert b"Wheelchair" in photo.with_name(photo.name + ".xmp").read_bytes()
        assert library.run().exit_code == 0
        assert library.run("--again").exit_code == 0
    assert len(double.requests) == 1


def test_manual_looks_only_where_it_is_named_and_what_it_said_counts_on(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"manual"')
        (photo,) = library.add(NAMES[0])
        sidecar = photo.with_name(photo.name + ".xmp")
        assert library.run().exit_code == 0
        assert library.run("--retag").exit_code == 0
        assert double.requests == []
        assert not sidecar.exists() or b"Wheelchair" not in sidecar.read_bytes()
        assert library.run("--retag", "vlm").exit_code == 0
        assert len(double.requests) == 1
        assert b"Wheelchair" in sidecar.read_bytes()
        assert library.run("--again", "--set", "retract=true").exit_code == 0
        assert b"Wheelchair" in sidecar.read_bytes()
        assert len(double.requests) == 1


def test_manual_looks_where_stages_are_listed_by_hand(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, when='"manual"')
        library.add(NAMES[0])
        assert library.run("--stages", "camera,vlm").exit_code == 0
        assert len(double.requests) == 1


def test_a_spent_budget_ends_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, budget_requests=2)
        photos = library.add(*NAMES)
        first = library.run("--workers", "1")
        assert "the budget of 2 requests is spent (2 requests, 1,400 tokens sent" in first.output
        assert first.output.count("the budget of") == 1
        assert "Traceback" not in first.output
        assert len(double.requests) == 2
        written = [photo.with_name(photo.name + ".xmp").exists() for photo in photos]
        assert sorted(written) == [False, True, True]
        second = library.run("--workers", "1")
        assert second.exit_code == 0, second.output
        assert len(double.requests) == 3
        assert all(photo.with_name(photo.name + ".xmp").exists() for photo in photos)


def test_a_key_is_in_no_output_and_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URBEXMP_VLM_KEY", KEY)
    echoing = refused(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    with VlmDouble(lambda _, number: echoing if number else GOOD_REPLY) as double:
        library = Library(tmp_path, double)
        library.add(*NAMES[:2])
        outputs = [
            library.run("--report", str(tmp_path / "report"), "-v").output,
            library.run("--json").output,
            library.run(command="doctor").output,
            library.run(command="status").output,
        ]
        assert set(double.keys) == {f"Bearer {KEY}"}
    assert any("refuses the key" in output for output in outputs), outputs
    assert all(KEY not in output for output in outputs)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "replies.jsonl" for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_an_address_elsewhere_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double, url='"https://vision.example/v1"')
        library.add(NAMES[0])
        done = library.run()
    assert done.exit_code == 2
    assert "photos, and what is known of their place, would leave this machine" in done.output
    assert "vision.example" in done.output
    assert "allow_upload = true" in done.output
