"""Whether a quantised RAM++ or Florence-2 says what full precision says, on this machine.

Of RAM++ the logits of all tags for a few generated pictures are held against each other. Of
Florence-2 the features of the pictures; and, for the first two, the logits of the next word at each
step of an answer, with the right model's words fed to both: answers themselves part for good at
the first near tie.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.checked import PICTURES, Agreement, agreement, drawn, once
from urbexmp.adapters.stages.onnx_run import runtime
from urbexmp.adapters.stages.ram_onnx import RamOnnx, prepared
from urbexmp.adapters.stages.siglip_pixels import Recipe, prepare
from urbexmp.model.stage_errors import StageMissing

if TYPE_CHECKING:
    from urbexmp.adapters.stages.florence_onnx import OnnxFlorence
    from urbexmp.model.weights import ModelEntry, Weights

VERSION = "1"
NOTES = "tagger-checks.json"
PROMPT = "What does the image describe?"
WORDS = 8
"""Of an answer, fed to both models."""
SURE = 1e-6
"""Scores are held within this of 0 and 1, to become logits again."""

_log = logging.getLogger("urbexmp.stages")

Rows = NDArray[np.float32]


def reference_of(weights: Weights, entry: ModelEntry) -> ModelEntry | None:
    """The entry that this one names as its `reference`, where it is whole on this machine."""
    named = entry.settings.get("reference")
    if not isinstance(named, str) or not named:
        return None
    other = weights.entry(named)
    return None if weights.missing(other.id) else other


def check(
    stage: str,
    entry: ModelEntry,
    right: ModelEntry | None,
    provider: str,
    notes: Path | None,
    compare: Callable[[], Agreement],
    *,
    variant: str = "int8",
    advice: str,
) -> None:
    """Raise `StageMissing` where `compare`, asked once, finds that `entry` is not to be trusted.

    `right` is what it is held against; None: itself, without optimisations.
    """

    def compared() -> Agreement:
        _log.info("%s: %s is being checked before its first use", stage, entry.id)
        result = compare()
        if right is None and result.fits(variant):
            _log.warning(
                "%s: %s was checked against itself only, because the full-precision model is not"
                " on this machine",
                stage,
                entry.id,
            )
        return result

    against = "itself" if right is None else right.digest
    key = "|".join((VERSION, stage, entry.digest, variant, against, runtime(), provider))
    result = once(notes, NOTES, key, compared)
    if not result.fits(variant):
        other = "itself, computed without optimisations" if right is None else "full precision"
        raise StageMissing(
            entry.id,
            stage=stage,
            detail=f"the {variant} variant disagrees with {other} ({result.told(variant)})",
            advice=advice,
        )


def ram_agreement(used: RamOnnx, right: RamOnnx, side: int) -> Agreement:
    """Hold two forms of RAM++ for pictures of `side` pixels against each other."""
    pictures = [prepared(drawn(one), side) for one in range(PICTURES)]
    found, wanted = (_logits(model.scores(pictures)) for model in (used, right))
    return agreement(found, wanted)


def florence_agreement(used: OnnxFlorence, right: OnnxFlorence, recipe: Recipe) -> Agreement:
    """Hold two forms of Florence-2 against each other: the worse of pictures and words."""
    pixels = prepare([drawn(one) for one in range(PICTURES)], recipe)
    found, wanted = used.features(pixels), right.features(pixels)
    seen = agreement(found.reshape(len(found), -1), wanted.reshape(len(wanted), -1))
    rows: list[tuple[Rows, Rows]] = []
    for mine, own in zip(found[:2], wanted[:2], strict=True):
        written, logits = right.follow(own, PROMPT, None, WORDS)
        rows.append((used.follow(mine, PROMPT, written, WORDS)[1], logits))
    said = agreement(*(np.concatenate(some) for some in zip(*rows, strict=True)))
    return Agreement(min(seen.cosine, said.cosine), max(seen.noise, said.noise))


def _logits(scores: Sequence[Rows]) -> NDArray[np.float64]:
    held = np.clip(np.stack(scores).astype(np.float64), SURE, 1 - SURE)
    made: NDArray[np.float64] = np.log(held / (1 - held))
    return made
