"""From weights on disk to keywords in a sidecar: the siglip stage under `sync`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siglip_models import MODEL, WORDS, chosen
from urbexmp.adapters.inspect.inspector import FileInspector
from urbexmp.cli.ledger import reading
from urbexmp.cli.main import run
from urbexmp.model.errors import Undecodable
from urbexmp.model.observation import Observation


@pytest.fixture
def library(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """One photo, a profile with siglip alone, and the tiny model among the user's own."""
    chosen(tmp_path_factory.getbasetemp(), tmp_path, monkeypatch)
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((1200, 800)).save(folder / "one.jpg")
    return folder


def sync(library: Path, *more: str) -> int:
    return run(["sync", str(library), "--profile", str(library.parent / "mine.toml"), *more])


def test_weights_are_asked_for_and_then_keywords_are_written(
    library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = sync(library)
    said = capfd.readouterr()
    assert (code, said.out) == (50, "")
    assert f"urbexmp models pull {MODEL}" in said.err + said.out
    assert not (library / "one.jpg.xmp").exists()

    assert run(["models", "import", str(library.parent / "models" / MODEL), MODEL]) == 0
    assert sync(library) == 0
    packet = (library / "one.jpg.xmp").read_text(encoding="utf-8")
    assert "U|Corridor" in packet
    assert "U|Church" in packet
    assert "siglip@" in packet

    before = (library / "one.jpg.xmp").read_bytes()
    assert sync(library, "--check") == 0
    assert (library / "one.jpg.xmp").read_bytes() == before


MORE = """
[[term]]
path = "U|Graffiti"
prompts = ["detail of graffiti on a concrete wall"]
"""


def said_by_siglip(library: Path, state: Path) -> dict[str, tuple[Observation, ...]]:
    with reading(library, state) as ledger:
        return {
            look.stage: look.observations
            for _, look in ledger.looks()
            if look.stage.startswith("siglip@")
        }


def test_after_a_change_of_words_no_picture_is_decoded_and_the_answer_is_that_of_a_look(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["models", "import", str(library.parent / "models" / MODEL), MODEL]) == 0
    assert sync(library) == 0
    before = said_by_siglip(library, tmp_path / "state")
    (tmp_path / "urbex.toml").write_text(WORDS + MORE, encoding="utf-8")
    with monkeypatch.context() as patch:

        def no_picture(*_: object) -> None:
            raise Undecodable("one.jpg", detail="nobody may look")

        patch.setattr(FileInspector, "preview", no_picture)
        assert sync(library) == 0
    told = said_by_siglip(library, tmp_path / "state")
    assert told.keys() != before.keys()
    assert "U|Graffiti" in (library / "one.jpg.xmp").read_text(encoding="utf-8")

    assert sync(library, "--retag", "siglip") == 0
    assert said_by_siglip(library, tmp_path / "state") == told
