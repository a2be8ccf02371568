"""The `ram` stage: RAM++ (Recognize Anything Plus), 4,585 everyday words, each with a score.

It comes in two forms, which registry entries name: ONNX, which is fast on a CPU and needs no
torch, and the authors' checkpoint. A model's files are one `.onnx` or `.pth` and two lists,
tags and thresholds, one a line; an entry whose repository has no lists names by its setting
`lists` the entry that has them. This module is light; the model is opened on the first look.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.stage_errors import (
    ExtraMissing,
    StageFailed,
    WeightsDamaged,
    WeightsMissing,
    WeightsUnpinned,
)
from urbexmp.rules.stage_ids import stage_id
from urbexmp.rules.tagging import TagList, TagListError, keep, read_tags

if TYPE_CHECKING:
    from urbexmp.adapters.stages.checked import Agreement
    from urbexmp.adapters.stages.ram_onnx import Pixels, RamOnnx, Scores
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.weights import ModelEntry, Weights
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"
MODEL = "ram-plus"
CHECKPOINT = "ram-plus-torch"
BACKENDS = ("auto", "onnx", "torch")

TAGS, THRESHOLDS = "ram_tag_list.txt", "ram_tag_list_threshold.txt"
COUNT = 4585
SIDE = 384
"""What an entry's settings `tag_list`, `thresholds`, `tags` and `size` override."""

FLOOR = 0.2
"""Calibrated; half of what the shipped profiles ask about."""
MOST = 200
"""Tags kept of one photo; about 20 reach their threshold, and 100 to 170 a raw score of 0.5."""


class Tagger(Protocol):
    """A loaded model, in either form."""

    def scores(self, pictures: Sequence[Pixels]) -> list[Scores]:
        """Scores of each picture, one a tag, 0..1. Raises `StageFailed`, `MemoryError`."""
        ...


class RamStage:
    """Tags a picture. Settings: `model`, an entry of the registry in ONNX; `checkpoint`, one with
    the authors' file; `backend`: `onnx`, `torch`, or `auto`, ONNX first, and torch where it alone
    could run; `floor` and `most` of what is kept; `device` for torch; `threads` of one look."""

    name = "ram"
    uses_preview = True
    uses_context = False
    in_worker = True

    def __init__(
        self,
        taxonomy: Taxonomy,
        weights: Weights,
        model: str = MODEL,
        checkpoint: str = CHECKPOINT,
        backend: str = "auto",
        floor: float = FLOOR,
        most: int = MOST,
        device: str = "auto",
        threads: int = 1,
    ) -> None:
        """Choose the form. Nothing is opened.

        Raises `ConfigProblem` for an unknown model, `ValueError` for a senseless setting.
        """
        del taxonomy  # its tags are the model's own
        if backend not in BACKENDS:
            raise ValueError(f"backend must be one of {', '.join(BACKENDS)}")
        if not 0.0 <= floor <= 1.0:
            raise ValueError("floor must lie between 0 and 1")
        if most < 1 or threads < 1:
            raise ValueError("most and threads must be 1 or more")
        self._weights = weights
        self._entry = _chosen(weights, model, checkpoint, backend)
        self._lists = _lists(weights, self._entry)
        self._file = _model_file(self._entry)
        self._torch = self._file.endswith(".pth")
        self._floor, self._most = floor, most
        self._device, self._threads = device, threads
        self._loaded: tuple[Tagger, TagList] | None = None
        self._alone = threading.Lock()
        settings = {
            "floor": floor,
            "most": most,
            "model": self._entry.digest,
            "lists": self._lists.digest,
            "runtime": f"torch {device}" if self._torch else _runtime(),
        }
        self.id = stage_id(self.name, VERSION, settings)

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing. Opens nothing."""
        package = "torch" if self._torch else "onnxruntime"
        if importlib.util.find_spec(package) is None:
            extra = "torch" if self._torch else "onnx"
            subject = f"stage {self.name}"
            return ExtraMissing(subject, stage=self.name, package=package, extra=extra)
        from urbexmp.rules.render_backup import size_text

        for entry in (self._entry, self._lists):
            if not self._weights.missing(entry.id):
                continue
            about = {"stage": self.name, "model": entry.id}
            if not entry.pinned:
                return WeightsUnpinned(self.name, **about, detail="a commit or a hash is not known")
            return WeightsMissing(self.name, **about, size=size_text(entry.size))
        return None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Tag one picture. Raises as `look_many`."""
        return self.look_many((seen,))[0]

    def look_many(self, seen: Sequence[StageInput]) -> tuple[tuple[Observation, ...], ...]:
        """Tag several pictures together, as many at once as memory allows.

        Raises `ExtraMissing`, `WeightsMissing`, `WeightsDamaged`, `StageMissing` (a quantised
        file that disagrees with the right one), `StageFailed`, `MemoryError`
        where not even one picture fits, and `Undecodable` through the view.
        """
        from urbexmp.adapters.stages.ram_onnx import prepared

        with self._alone:
            if self._loaded is None:
                self._loaded = self._load()
            tagger, known = self._loaded
            pictures = [prepared(one.view.preview(), self._side) for one in seen]
            found = _halving(tagger, pictures)
        try:
            return tuple(
                keep([float(one) for one in scores], known, self._floor, self._most)
                for scores in found
            )
        except TagListError as fault:
            raise StageFailed(f"stage {self.name}", stage=self.name, detail=str(fault)) from fault

    @property
    def graphics(self) -> bool:
        """Whether a graphics card does the work; False before the model is loaded."""
        if self._loaded is None:
            return False
        if not self._torch:
            from urbexmp.adapters.stages.onnx_run import graphics

            return graphics()
        device: str = getattr(self._loaded[0], "device", "cpu")
        return device != "cpu"

    @property
    def _side(self) -> int:
        return int(self._entry.settings.get("size", SIDE))

    def _load(self) -> tuple[Tagger, TagList]:
        problem = self.ready()
        if problem is not None:
            raise problem
        folder = self._weights.folder(self._entry.id)
        known = self._tags(self._weights.folder(self._lists.id))
        path = folder / self._file
        settings = self._entry.settings
        tagger: Tagger
        if self._torch:
            from urbexmp.adapters.stages.ram_torch import RamTorch

            tagger = RamTorch(
                *(path, self._side, len(known.tags)), device=self._device, threads=self._threads
            )
        else:
            tagger = self._opened(self._entry, path)
            if settings.get("variant") == "int8" or "int8" in self._file:
                self._check(tagger, path)
        return tagger, known

    def _opened(self, entry: ModelEntry, path: Path, *, optimise: bool = True) -> RamOnnx:
        from urbexmp.adapters.stages.ram_onnx import UNKNOWN, RamOnnx

        return RamOnnx(
            path,
            self._side,
            output=str(entry.settings.get("output", "")),
            gives=str(entry.settings.get("gives", UNKNOWN)),
            threads=self._threads,
            optimise=optimise,
        )

    def _check(self, used: RamOnnx, path: Path) -> None:
        """Hold a quantised file against full precision, or itself, once. Raises `StageMissing`."""
        from urbexmp.adapters.stages import tagger_check

        right = tagger_check.reference_of(self._weights, self._entry)

        def compare() -> Agreement:
            if right is None:
                other = self._opened(self._entry, path, optimise=False)
            else:
                other = self._opened(right, self._weights.folder(right.id) / _model_file(right))
            return tagger_check.ram_agreement(used, other, self._side)

        tagger_check.check(
            self.name,
            self._entry,
            right,
            used.provider,
            getattr(self._weights, "own", None),
            compare,
            advice=f'Choose another with `model = "{MODEL}"` in [stage.ram]',
        )

    def _tags(self, folder: Path) -> TagList:
        settings = self._lists.settings
        names = (str(settings.get("tag_list", TAGS)), str(settings.get("thresholds", THRESHOLDS)))
        texts = []
        for name in names:
            try:
                texts.append((folder / name).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise self._damaged(folder / name, str(error)) from error
        try:
            return read_tags(texts[0], texts[1], int(settings.get("tags", COUNT)))
        except TagListError as fault:
            raise self._damaged(folder / names[0], str(fault)) from fault

    def _damaged(self, path: Path, detail: str) -> WeightsDamaged:
        return WeightsDamaged(path, stage=self.name, file=path, model=self._lists.id, detail=detail)


def _chosen(weights: Weights, model: str, checkpoint: str, backend: str) -> ModelEntry:
    """ONNX first; the checkpoint where it alone could run now, or where it is asked for."""
    if backend == "torch":
        return weights.entry(checkpoint)
    entry = weights.entry(model)
    if backend == "onnx" or _can_run(weights, entry, "onnxruntime"):
        return entry
    try:
        other = weights.entry(checkpoint)
    except ConfigProblem:
        return entry
    return other if _can_run(weights, other, "torch") else entry


def _can_run(weights: Weights, entry: ModelEntry, package: str) -> bool:
    if importlib.util.find_spec(package) is None:
        return False
    return not any(weights.missing(one.id) for one in (entry, _lists(weights, entry)))


def _lists(weights: Weights, entry: ModelEntry) -> ModelEntry:
    """The entry that has the lists of tags and thresholds."""
    named = str(entry.settings.get("lists", ""))
    return weights.entry(named) if named else entry


def _model_file(entry: ModelEntry) -> str:
    """The file that holds the model. Raises `ConfigProblem` where it is not clear."""
    named = str(entry.settings.get("file", ""))
    files = [named] if named else [f.name for f in entry.files if f.name.endswith(_FORMS)]
    if len(files) != 1 or not files[0].endswith(_FORMS):
        mistake = "the registry must name one .onnx or .pth file, or one by the setting `file`"
        raise ConfigProblem(entry.id, (mistake,))
    return files[0]


_FORMS = (".onnx", ".pth")


def _halving(tagger: Tagger, pictures: list[Pixels]) -> list[Scores]:
    """Scores of all pictures; where memory runs out, in halves."""
    try:
        return tagger.scores(pictures)
    except MemoryError:
        if len(pictures) < 2:
            raise
    middle = len(pictures) // 2
    return [*_halving(tagger, pictures[:middle]), *_halving(tagger, pictures[middle:])]


def _runtime() -> str:
    """What computes, for the id; imports only what needs no array."""
    from urbexmp.adapters.stages.onnx_run import runtime

    return runtime()
