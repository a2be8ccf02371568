"""Files that end too early: a clear problem or an answer, never an error of ours."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from unit.words_examples import CHECKOUT
from urbexmp.adapters.inspect import FileInspector
from urbexmp.model.errors import Problem
from urbexmp.model.photo import FileStat, PhotoFile
from urbexmp.rules.formats import KINDS, extension

SAMPLES = sorted(
    {path.suffix: path for path in (CHECKOUT / "samples" / "photos").rglob("*.*")}.values()
)
PICTURES = [path for path in SAMPLES if path.suffix not in (".xmp", ".toml", ".txt")]


@pytest.mark.parametrize("sample", PICTURES, ids=lambda path: path.suffix)
def test_a_file_cut_anywhere_in_its_head_is_no_error_of_ours(sample: Path, tmp_path: Path) -> None:
    whole = sample.read_bytes()
    assert FileInspector().photo_id(sample)
    for length in (*range(40), 100, 200, 500, 1000, 4000):
        path = tmp_path / f"cut{sample.suffix}"
        path.write_bytes(whole[:length])
        kind = KINDS[extension(path.name)]
        inspector = FileInspector()
        file = PhotoFile(path, kind, FileStat(length, 1, 1))
        for ask in (inspector.photo_id, inspector.facts):
            with suppress(Problem):
                inspector.verify(file)
                assert ask(path)
