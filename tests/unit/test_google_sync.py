"""`urbexmp sync` and `doctor` with the stage `google_vision`."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from google_double import GoogleDouble, refused
from serve_process import SAMPLES
from urbexmp.adapters.google_vision import installed
from urbexmp.cli.main import run

GOOGLE = pytest.mark.skipif(not installed(), reason="needs the extra google")
KEY = "AIzaNobodyMayReadThis5150"
NAMES = ("IMG_1022.JPG", "IMG_1027.JPG", "IMG_1055.JPG")


class Done(NamedTuple):
    exit_code: int
    output: str


class Library:
    """Sample photos, and a profile with the double as Google."""

    def __init__(self, home: Path, url: str, **settings: object) -> None:
        self.home, self.photos = home, home / "photos"
        self.photos.mkdir()
        self.profile = home / "cloud.toml"
        table = {"url": f'"{url}"', **settings}
        lines = [f"{name} = {value}" for name, value in table.items()]
        self.profile.write_text(
            'stages = ["camera", "google_vision"]\n[stage.google_vision]\n' + "\n".join(lines)
        )

    def add(self, *names: str) -> list[Path]:
        return [Path(shutil.copy(next(SAMPLES.rglob(name)), self.photos)) for name in names]

    def run(self, *more: str, command: str = "sync") -> Done:
        given = [command, str(self.photos), "-p", str(self.profile), "--no-color"]
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = run([*given, "--state", str(self.home / "st"), *more])
        return Done(code, told.getvalue())


@pytest.fixture(autouse=True)
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URBEXMP_STAGES", "URBEXMP_GOOGLE_KEY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@GOOGLE
def test_what_google_sees_becomes_keywords_and_is_asked_once(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        library = Library(tmp_path, double.url)
        (photo,) = library.add(NAMES[0])
        assert library.run().exit_code == 0
        written = photo.with_name(photo.name + ".xmp").read_bytes()
        assert b"Wheelchair" in written
        assert b"Corridor" in written  # the taxonomy knows what a hallway is
        assert b">Art<" not in written  # a score of 0.4
        assert library.run("--again").exit_code == 0
    assert double.pictures == 1


@GOOGLE
def test_a_picture_goes_small_and_without_exif(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        library = Library(tmp_path, double.url, size=200)
        (photo,) = library.add(NAMES[0])
        assert library.run().exit_code == 0
    with Image.open(photo) as original:
        assert original.getexif()
    (sent,) = double.batches[0]
    shown = Image.open(io.BytesIO(sent))
    assert max(shown.size) == 200
    assert not shown.getexif()
    assert b"Exif" not in sent
    assert photo.name.encode() not in sent


@GOOGLE
def test_a_spent_budget_ends_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        library = Library(tmp_path, double.url, budget_pictures=2)
        photos = library.add(*NAMES)
        first = library.run("--workers", "1")
        assert "the budget of 2 pictures is spent (2 requests, 2 pictures)" in first.output
        assert double.pictures == 2
        assert library.run("--workers", "1").exit_code == 0
        assert double.pictures == 3
        assert all(photo.with_name(photo.name + ".xmp").exists() for photo in photos)


@GOOGLE
def test_a_key_is_in_no_output_and_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URBEXMP_GOOGLE_KEY", KEY)
    echoing = refused(400, f"API key {KEY} not valid", "INVALID_ARGUMENT", "API_KEY_INVALID")
    with GoogleDouble(lambda *_: echoing) as double:
        library = Library(tmp_path, double.url)
        library.add(NAMES[0])
        outputs = [
            library.run("--report", str(tmp_path / "report"), "-v").output,
            library.run("--json").output,
            library.run(command="doctor").output,
            library.run(command="status").output,
        ]
        assert double.headers[0]["x-goog-api-key"] == KEY
    assert "refuses the key" in outputs[0]
    assert all(KEY not in output for output in outputs)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_google_is_refused_until_upload_is_allowed(tmp_path: Path) -> None:
    library = Library(tmp_path, "https://vision.googleapis.com")
    library.add(NAMES[0])
    done = library.run()
    assert done.exit_code == 2
    assert "photos would leave this machine for vision.googleapis.com" in done.output
    assert "stage.google_vision.allow_upload = true" in done.output


def test_a_missing_package_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urbexmp.adapters.google_vision.installed", lambda: False)
    library = Library(tmp_path, "http://127.0.0.1:9")
    library.add(NAMES[0])
    done = library.run()
    assert "needs the package google-cloud-vision" in done.output
    assert "pip install 'urbexmp[google]'" in done.output


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"url": "http://vision.example", "allow_upload": "true"}, "must begin with https"),
        ({"labels": 0}, "leave nothing to ask for"),
        ({"budget_money": 2}, "price_labels"),
        ({"pictures": 17}, "between 1 and 16"),
        ({"model": '"x"'}, "unknown setting"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told(
    tmp_path: Path, line: dict[str, object], told: str
) -> None:
    url = str(line.pop("url", "http://127.0.0.1:9"))
    library = Library(tmp_path, url, **line)
    library.add(NAMES[0])
    done = library.run()
    assert done.exit_code == 2
    assert told in done.output


@GOOGLE
def test_manual_looks_only_where_it_is_named(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        library = Library(tmp_path, double.url, when='"manual"')
        library.add(NAMES[0])
        assert library.run().exit_code == 0
        assert double.pictures == 0
        assert library.run("--retag", "google_vision").exit_code == 0
        assert double.pictures == 1


@GOOGLE
def test_doctor_has_google_look_at_a_drawing(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        library = Library(tmp_path, double.url, budget_money=1, price_labels=1.5)
        told = " ".join(library.run(command="doctor").output.split())
    assert "looks at pictures, without a key; in a red circle on white it sees Hallway" in told
    assert "a run spends 1.00 at most, 0.0015 for each picture" in told
    assert double.pictures == 1
    trouble = refused(403, "off", "PERMISSION_DENIED", "SERVICE_DISABLED")
    with GoogleDouble(lambda *_: trouble) as double:
        (tmp_path / "b").mkdir()
        library = Library(tmp_path / "b", double.url)
        told = " ".join(library.run(command="doctor").output.split())
    assert "gcloud services enable vision.googleapis.com" in told
