"""RAM++ as an ONNX model, and what both of its forms share: the picture's preparation, the tags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel
from urbexmp.adapters.stages.siglip_pixels import Recipe, prepare
from urbexmp.model.stage_errors import StageFailed

if TYPE_CHECKING:
    from urbexmp.model.observation import Preview

BILINEAR = 2
"""Pillow's number."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, 0..1: what the model was trained on."""

Pixels = NDArray[np.float32]
"""3 x side x side, normalised."""
Scores = NDArray[np.float32]
"""One a tag, 0..1."""

LOGITS, SCORES, UNKNOWN = "logits", "scores", "unknown"
"""What a published file gives: some end before the last sigmoid, some after it, and few say so.
Where it is unknown the numbers tell: of thousands of logits some are always below zero."""


def prepared(preview: Preview, side: int) -> Pixels:
    """The picture squeezed into a square and normalised, as the model was trained."""
    recipe = Recipe(side, side, BILINEAR, 1 / 255, MEAN, STD)
    one: Pixels = prepare((preview,), recipe)[0]
    return one


class RamOnnx:
    """RAM++ on ONNX Runtime. Threads may share it."""

    def __init__(
        self,
        path: Path,
        side: int,
        *,
        output: str = "",
        gives: str = UNKNOWN,
        threads: int = 1,
        optimise: bool = True,
    ) -> None:
        """Load the file. `output` names what to read, "" the first; `gives` says what that is.

        Without `optimise` it is computed node by node, on the processor.

        Raises `ExtraMissing`, `StageMissing`, `MemoryError`, and `StageFailed` for a model that
        does not take one picture of `side` pixels or has no such output.
        """
        self._path = path
        self._gives = gives
        self._model = OnnxModel(
            path,
            providers=None if optimise else (CPU,),
            threads=threads,
            stage="ram",
            optimise=optimise,
        )
        self.provider = self._model.provider
        inputs = dict(self._model.inputs)
        if len(inputs) != 1 or not _fits(next(iter(inputs.values())), side):
            raise self._failed(f"the model takes {inputs}, not one picture of {side} x {side}")
        self._output = output or next(iter(self._model.outputs))
        if self._output not in self._model.outputs:
            known = ", ".join(self._model.outputs)
            raise self._failed(f"the model has no output {output!r}; it has {known}")
        (self._input,) = inputs
        half = "float16" in self._model.types[self._input]
        self._type: Any = np.float16 if half else np.float32

    def scores(self, pictures: Sequence[Pixels]) -> list[Scores]:
        """Scores of each picture, one at a time: the graph is made for one, and on a CPU a batch
        is no faster. Raises `MemoryError`, `StageFailed`."""
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Pixels) -> Scores:
        given = {self._input: picture[None].astype(self._type, copy=False)}
        found = self._model.run(given, [self._output])[self._output]
        raw = found.astype(np.float32).reshape(-1)
        outside = bool(raw.size) and bool(raw.min() < 0.0 or raw.max() > 1.0)
        if self._gives == LOGITS or (self._gives == UNKNOWN and outside):
            return as_scores(raw)
        if outside:
            raise self._failed(f"{self._output} should be scores, and is not within 0 and 1")
        if raw.size > 1 and bool(np.isin(raw, (0.0, 1.0)).all()):
            raise self._failed(f"{self._output} holds decisions, not scores")
        return raw

    def _failed(self, detail: str) -> StageFailed:
        return StageFailed(self._path, stage="ram", detail=detail)


def as_scores(logits: Scores) -> Scores:
    """Sigmoid, without an overflow for large negative numbers."""
    half = np.float32(0.5)
    scores: Scores = half * (np.tanh(logits * half) + np.float32(1.0))
    return scores


def _fits(shape: Sequence[int | str | None], side: int) -> bool:
    """Whether one picture of this size can be given; a name stands for any length."""
    wanted = (1, 3, side, side)
    return len(shape) == 4 and all(
        not isinstance(one, int) or one == there for one, there in zip(shape, wanted, strict=True)
    )
