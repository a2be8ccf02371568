"""Which library a path belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbexmp.app import library_root
from urbexmp.cli.main import run


def test_a_mistyped_path_does_not_make_its_parent_a_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, photos = tmp_path / "state", tmp_path / "photos"
    photos.mkdir()
    assert run(["sync", str(tmp_path / "phtos"), "--state", str(state)]) == 11
    assert "is not there" in capsys.readouterr().err
    assert library_root(photos, state) == photos
    assert not list(state.glob("*/ledger.sqlite3"))
