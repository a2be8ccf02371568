"""The commands on a small library, as a person would use them one after the other."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Two photos in a folder named after what it shows, and one file that is none."""
    from PIL import Image

    folder = tmp_path / "library" / "Old Hospital"
    folder.mkdir(parents=True)
    for number, grey in enumerate((60, 200)):
        picture = (
            Image.radial_gradient("L").resize((320, 240)).point(lambda v, g=grey: (v + g) // 2)
        )
        picture.convert("RGB").save(folder / f"IMG_{number}.JPG")
    (folder / "junk.jpg").write_bytes(b"no picture at all")
    return tmp_path / "library"


def said(capsys: Capture, *args: object) -> tuple[int, str, str]:
    code = run([str(arg) for arg in args])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def events(out: str, kind: str) -> list[dict[str, Any]]:
    return [data for data in map(json.loads, out.splitlines()) if data["event"] == kind]


def sidecars(library: Path) -> list[str]:
    return sorted(path.name for path in library.rglob("*.xmp"))


def test_a_dry_run_shows_and_writes_nothing_a_run_writes_and_undo_takes_back(
    library: Path, capsys: Capture
) -> None:
    code, out, err = said(capsys, "sync", "--dry-run", library)
    assert code == 3  # junk.jpg
    assert "+  Urbex|" in out
    assert '"Old Hospital"' in out or "hospital" in out.lower()
    assert "would be written" in out
    assert "Old Hospital/junk.jpg" in err
    assert sidecars(library) == []

    code, out, err = said(capsys, "sync", library, "--check")
    assert (code, sidecars(library)) == (3, [])

    code, out, err = said(capsys, "sync", library)
    assert code == 3
    assert "2 written" in out
    assert "Read Metadata from Files" in out
    assert sidecars(library) == ["IMG_0.JPG.xmp", "IMG_1.JPG.xmp"]

    code, out, err = said(capsys, "runs", library, "--json")
    (first,) = events(out, "run")
    assert (code, first["changed"], first["failed"]) == (0, 2, 1)

    code, out, err = said(capsys, "diff", library, "--run", first["run"])
    assert code == 0
    assert "-> IMG_0.JPG.xmp (new)" in out

    code, out, err = said(capsys, "undo", "--in", library)
    assert (code, len(sidecars(library))) == (2, 2)
    assert "there is nobody to ask" in err

    code, out, err = said(capsys, "undo", "--in", library, "--yes")
    assert (code, sidecars(library)) == (0, [])
    assert "2 taken back" in out
    assert "taken back" in said(capsys, "runs", library)[1]


class Keyboard(io.StringIO):
    """A person's answers."""

    def isatty(self) -> bool:
        return True


def test_undo_asks_first_and_a_no_leaves_everything(
    library: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(capsys, "sync", library, "-q")[0] == 3
    monkeypatch.setattr("sys.stdin", Keyboard("n\n"))
    code, out, err = said(capsys, "undo", "--in", library)
    assert (code, len(sidecars(library))) == (0, 2)
    assert "2 would be taken back" in out
    assert "Left as it is." in err
    monkeypatch.setattr("sys.stdin", Keyboard("y\n"))
    assert said(capsys, "undo", "--in", library)[0] == 0
    assert sidecars(library) == []


def test_a_plan_is_saved_shown_as_a_page_and_carried_out(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    plan, page = tmp_path / "a.plan", tmp_path / "a.html"
    assert said(capsys, "sync", library, "--plan", plan)[0] == 3
    assert sidecars(library) == []
    code, out, _ = said(capsys, "diff", "--plan", plan, "-f", "html", "-o", page)
    assert (code, out) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text.count('src="data:image/jpeg;base64,') == 2
    assert "IMG_1.JPG" in text
    assert said(capsys, "apply", plan)[0] == 0
    assert len(sidecars(library)) == 2
    code, out, err = said(capsys, "apply", plan)
    assert code != 0
    assert "changed on disk after the plan was made" in err or "after the plan was made" in err


def test_a_plan_is_for_one_library(library: Path, tmp_path: Path, capsys: Capture) -> None:
    code, _, err = said(capsys, "sync", library, tmp_path / "elsewhere", "--plan", "x.plan")
    assert code == 2
    assert "several libraries" in err


def test_a_persons_own_edits_and_what_the_list_says_of_them(library: Path, capsys: Capture) -> None:
    photo = library / "Old Hospital" / "IMG_0.JPG"
    assert said(capsys, "sync", library, "-q")[0] == 3
    assert said(capsys, "keyword", "add", "Mine|Best", photo)[0] == 0
    code, out, _ = said(capsys, "keyword", "list", photo, "--json")
    rows = {row["keyword"]: row for row in events(out, "keyword")}
    assert code == 0
    assert rows["Mine|Best"]["source"] == "person"
    ours = next(keyword for keyword, row in rows.items() if row["source"] == "ai")
    assert rows[ours]["stage"]
    assert said(capsys, "keyword", "refuse", ours, photo)[0] == 0
    code, out, _ = said(capsys, "keyword", "list", photo)
    assert "Mine|Best" in out
    assert f"x {ours}" in out
    code, out, err = said(capsys, "keyword", "add", "a,b", photo)
    assert code == 2
    assert "contains a comma" in err


def test_status_tells_what_waits(library: Path, capsys: Capture) -> None:
    assert said(capsys, "sync", library, "-q")[0] == 3
    code, out, _ = said(capsys, "status", library)
    assert code == 0
    assert "Tried again later:" in out
    assert "Old Hospital/junk.jpg" in out
    code, out, _ = said(capsys, "status", library, "--json")
    assert events(out, "status")[0]["waiting"] == 1


def test_doctor_is_content_here_and_says_what_to_do_where_it_is_not(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    code, out, _ = said(capsys, "doctor", library, "--json")
    checks = {data["name"]: data for data in events(out, "check")}
    assert code == 0, [data for data in checks.values() if data["level"] == "bad"]
    assert set(checks) >= {
        "python", "urbexmp", "lxml", "rawpy", "profile", "taxonomy", "state", "settings", "log",
        "lock", "library", "ledger", "lightroom", "known", "exiftool",
    }  # fmt: skip
    catalog = tmp_path / "Main.lrcat"
    catalog.touch()
    (tmp_path / "Main.lrcat.lock").touch()
    code, out, _ = said(capsys, "doctor", library, "--catalog", catalog)
    assert code == 0
    assert "Lightroom seems to have Main.lrcat open" in out
    code, out, _ = said(capsys, "doctor", library, "--taxonomy", tmp_path / "absent.toml")
    assert code == 1
    assert "BAD   taxonomy" in out
    assert "1 thing to do." in out


def test_doctor_finds_a_damaged_ledger(library: Path, tmp_path: Path, capsys: Capture) -> None:
    assert said(capsys, "sync", library, "-q")[0] == 3
    (ledger,) = (tmp_path / "state").rglob("ledger.sqlite3")
    for beside in ledger.parent.glob("ledger.sqlite3-*"):
        beside.unlink()
    ledger.write_bytes(b"this is no database, whatever its name says" * 100)
    code, out, _ = said(capsys, "doctor", library)
    assert code == 1
    assert "BAD   ledger" in out
    assert "-> Move" in out
    code, _, err = said(capsys, "sync", library)
    assert code == 13
    assert "the ledger is damaged" in err


def test_several_libraries_are_dealt_with_one_after_the_other(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    code, out, err = said(capsys, "sync", tmp_path / "absent.jpg", library)
    assert code == 3
    assert "2 written" in out
    assert str(library) in err


def test_each_json_line_of_several_libraries_says_whose_it_is(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    from PIL import Image

    other, gone = tmp_path / "other", tmp_path / "gone"
    other.mkdir()
    Image.radial_gradient("L").save(other / "IMG_9.JPG")
    code, out, _ = said(capsys, "sync", "--json", library, gone, other)
    lines = [json.loads(one) for one in out.splitlines()]
    assert code == 3
    assert [(one["event"], Path(one["root"])) for one in lines if one["event"] != "change"] == [
        ("begin", library),
        ("problem", library),
        ("end", library),
        ("problem", gone),
        ("begin", other),
        ("end", other),
    ]
    for one in lines:
        assert (Path(one["root"]) / one.get("path", "")).exists() or Path(one["root"]) == gone
    listed = said(capsys, "keyword", "list", "--json", library, other)[1]
    assert {Path(json.loads(one)["root"]) for one in listed.splitlines()} <= {library, other}
    assert listed
