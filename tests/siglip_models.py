"""The tiny SigLIP models, made once a test session, and registry entries for them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from tiny.registry import entry_of
from tiny.siglip import SETTINGS, build, build_onnx
from urbexmp.adapters.stages.siglip import SiglipStage
from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    View,
)
from urbexmp.model.weights import ModelEntry
from urbexmp.rules.taxonomy import load_taxonomy
from urbexmp.rules.terms import Taxonomy

MODEL = "siglip-tiny"


@cache
def checkpoint(base: Path, kind: str) -> Path:
    return build(base / f"siglip-{kind}", kind=kind)


@cache
def onnx_files(base: Path, kind: str) -> Path:
    return build_onnx(
        base / f"siglip-{kind}-onnx", checkpoint(base, kind), ("fp32", "fp16", "int8")
    )


def taxonomy(*terms: tuple[str, tuple[str, ...]]) -> Taxonomy:
    """Terms by path with their prompts; the four views are there in any case."""
    tables: list[dict[str, object]] = [{"path": "U"}, {"path": "U|View"}]
    for view in ("Interior", "Exterior", "Aerial", "Detail"):
        tables.append({"path": f"U|View|{view}", "exclusive": "view"})
    tables += [{"path": path, "prompts": list(prompts)} for path, prompts in terms]
    return load_taxonomy({"term": tables}, lambda *_: 0, "test")


TERMS = (
    ("U|Corridor", ("a photo of an empty corridor", "an old hospital corridor")),
    ("U|Church", ("a photo of an overgrown church with pews",)),
    ("U|Graffiti", ("detail of graffiti on a concrete wall",)),
)
VOCABULARY = taxonomy(*TERMS)


@dataclass(frozen=True)
class Model:
    """A copy of the ONNX files that a test may change, and its entry."""

    folder: Path
    entry: ModelEntry
    notes: Path

    def weights(self, *more: ModelEntry) -> LocalWeights:
        entries = {entry.id: entry for entry in (self.entry, *more)}
        return LocalWeights(entries, self.folder / "no-cache", self.folder.parent)

    def again(self, **settings: str | float) -> Model:
        """The entry made anew from what the files are now."""
        entry = entry_of(
            self.folder,
            id=MODEL,
            stage="siglip",
            role="view",
            settings={**self.entry.settings, **settings},
        )
        return replace(self, entry=entry)

    def only(self, *names: str) -> Model:
        """The entry with those of its files whose names contain one of `names`."""
        files = tuple(
            file
            for file in self.entry.files
            if file.name.endswith(".json") or any(f"/{name}.onnx" in file.name for name in names)
        )
        return replace(self, entry=replace(self.entry, files=files))

    def without(self, *settings: str) -> Model:
        kept = {key: one for key, one in self.entry.settings.items() if key not in settings}
        return replace(self, entry=replace(self.entry, settings=MappingProxyType(kept)))


def model(base: Path, tmp_path: Path, kind: str = "v2") -> Model:
    folder = tmp_path / "models" / MODEL
    shutil.copytree(onnx_files(base, kind), folder)
    entry = entry_of(folder, id=MODEL, stage="siglip", role="view", settings=SETTINGS)
    return Model(folder, entry, tmp_path / "notes")


def picture(seed: int = 0, width: int = 90, height: int = 60) -> Preview:
    """Blotches of colour, different for every seed."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    rows = coarse.repeat(-(-height // 6), axis=0).repeat(-(-width // 9), axis=1)[:height, :width]
    return Preview(width, height, np.ascontiguousarray(rows).tobytes(), "image")


def seen(preview: Preview) -> StageInput:
    return StageInput(View(CaptureFacts(), lambda: preview), Context())


def stage(tiny: Model, **settings: object) -> SiglipStage:
    given = {"model": MODEL, "variant": "fp32", "notes": tiny.notes, **settings}
    vocabulary = given.pop("vocabulary", VOCABULARY)
    return SiglipStage(vocabulary, tiny.weights(), **given)  # type: ignore[arg-type]


def labels(said: tuple[Observation, ...]) -> dict[str, float | None]:
    return {one.label: one.score for one in said if one.kind is ObservationKind.LABEL}


WORDS = """
[[term]]
path = "U"
[[term]]
path = "U|Corridor"
prompts = ["a photo of an empty corridor"]
[[term]]
path = "U|Church"
prompts = ["a photo of an overgrown church with pews"]
"""


def chosen(base: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose profile `mine.toml` has siglip alone look, with the tiny model: it lies in
    `models`, and is still to be imported."""
    tiny = model(base, home)
    files = "".join(
        f'{{ name = "{one.name}", size = {one.size}, sha256 = "{one.sha256}" }},'
        for one in tiny.entry.files
    )
    (home / "models.toml").write_text(
        f'[model.{MODEL}]\nrole = "view"\nstage = "siglip"\nlicence = "test"\n'
        f'repository = ""\nrevision = ""\nabout = "made by a test"\nfiles = [{files}]\n'
        "settings = { scale = 112.5, bias = -12.5, offset = 100.0 }\n",
        encoding="utf-8",
    )
    (home / "urbex.toml").write_text(WORDS, encoding="utf-8")
    (home / "mine.toml").write_text(
        f'stages = ["siglip"]\ntaxonomy = {json.dumps(str(home / "urbex.toml"))}\n'
        f'[stage.siglip]\nmodel = "{MODEL}"\n',
        encoding="utf-8",
    )
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)
    monkeypatch.setenv("URBEXMP_MODELS", str(home / "models.toml"))
    monkeypatch.setenv("URBEXMP_CONFIG", str(home / "config"))
    monkeypatch.setenv("URBEXMP_STATE", str(home / "state"))
    monkeypatch.setenv("HF_HOME", str(home / "hub"))
