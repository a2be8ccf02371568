"""`urbexmp mirror` as a person uses it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mirror_library import Library
from urbexmp.cli.main import run
from urbexmp.model.change import PacketEdit

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *words: object) -> tuple[int, str, str]:
    code = run([str(word) for word in words])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_rebuild_check_path_and_backup(tmp_path: Path, capsys: Capture) -> None:
    library = Library(tmp_path, 3)
    where = (library.root, "--state", library.state)
    code, _, err = said(capsys, "mirror", "path", *where)
    assert code == 2
    assert "mirror rebuild" in err
    assert said(capsys, "mirror", "check", *where)[0] == 2

    code, out, _ = said(capsys, "mirror", "rebuild", *where)
    assert (code, out.startswith("3 photos in the mirror")) == (0, True)
    code, out, _ = said(capsys, "mirror", "path", *where)
    assert (code, Path(out.strip())) == (0, library.mirror)
    assert said(capsys, "mirror", "check", *where)[0] == 0

    library.write(library.photos()[0], PacketEdit(hierarchical_add=("Mine|Own",)))
    code, out, _ = said(capsys, "mirror", "check", *where, "--json")
    drifts = [json.loads(line) for line in out.splitlines()]
    stale = [data for data in drifts if data["event"] == "drift"]
    assert code == 1
    assert [(data["path"], data["what"]) for data in stale] == [
        ("Old Hospital/IMG_0000.jpg", "stale")
    ]
    assert "keywords" in stale[0]["detail"]
    assert drifts[-1]["differences"] == 1
    code, out, _ = said(capsys, "mirror", "check", *where)
    assert (code, "Old Hospital/IMG_0000.jpg: stale" in out) == (1, True)

    assert said(capsys, "mirror", "rebuild", *where, "-q")[:2] == (0, "")
    code, out, _ = said(capsys, "mirror", "backup", tmp_path / "copy.db", *where)
    assert (code, "checked" in out) == (0, True)
    copy = sqlite3.connect(tmp_path / "copy.db")
    try:
        found = copy.execute("SELECT photo FROM photo_keywords WHERE keyword = 'Mine|Own'")
        assert found.fetchall() == [("Old Hospital/IMG_0000.jpg",)]
        for view in ("photos", "keyword_tree", "vetoes", "suggestions", "untagged", "locations"):
            copy.execute(f"SELECT * FROM {view}").fetchall()
    finally:
        copy.close()
