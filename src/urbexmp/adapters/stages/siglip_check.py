"""Whether a variant of a SigLIP tower says what full precision says, on this machine.

Quantised graphs can be wrong without any error: a statically quantised (QDQ) ViT gave vectors of
cosine 0.003 to 0.03 to the right ones as soon as ONNX Runtime optimised the graph. So a variant is
asked about a few generated pictures (or sentences) before it is first used, and held against

- the full-precision tower, where that is on this machine;
- else against itself, computed node by node without optimisations: that finds what goes wrong in
  computing, not what went wrong when the file was made; the log says that only this was checked.

The result is remembered under the hashes of both files and the version of what computes.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel, runtime
from urbexmp.adapters.stages.siglip_files import Tower
from urbexmp.adapters.stages.siglip_pixels import Recipe, prepare
from urbexmp.adapters.stages.siglip_text import Vectors, pooled_name, unit
from urbexmp.model.observation import Preview
from urbexmp.model.stage_errors import StageMissing

VERSION = "1"
NOTES = "siglip-checks.json"

LEAST_COSINE = {"int8": 0.95, "fp16": 0.999, "fp32": 0.999}
"""Of each vector to the right one. Dynamic int8 reaches 0.9998 on random weights; how much real
ones lose was not measured."""
MOST_NOISE = {"int8": 0.25, "fp16": 0.01, "fp32": 0.01}
"""Of the error's energy, as a share of the energy in which the right vectors differ among each
other: at 1 nothing can be told apart, though each vector may still lie near the right one."""

SENTENCES = (
    "a photo of an empty room",
    "an aerial photo of a factory",
    "a rusty machine",
    "a church with a broken roof and an overgrown graveyard",
)

_log = logging.getLogger("urbexmp.stages")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a variant comes to what it is held against."""

    cosine: float
    """Least cosine of a vector to the right one."""
    noise: float
    """Energy of the error, as a share of that of the differences between the right vectors."""

    def fits(self, variant: str) -> bool:
        """Whether the variant may be used."""
        return self.cosine >= LEAST_COSINE[variant] and self.noise <= MOST_NOISE[variant]


def agreement(found: NDArray[np.generic], right: NDArray[np.generic]) -> Agreement:
    """Compare vectors, row by row and among each other. What is no number agrees with nothing."""
    if found.shape != right.shape or not np.isfinite(np.asarray(found, dtype=np.float64)).all():
        return Agreement(-1.0, 1.0)
    one, other = unit(found), unit(right)
    cosine = float((one * other).sum(axis=1).min())
    spread = float(((other - other.mean(axis=0)) ** 2).sum())
    error = float(((one - other) ** 2).sum())
    return Agreement(cosine, error / spread if spread > 0 else float(error > 0))


def generated_pictures(recipe: Recipe) -> NDArray[np.float32]:
    """Six generated pictures, as the picture tower takes them."""
    return prepare([_drawn(one) for one in range(6)], recipe)


def check(
    used: Tower,
    path: Path,
    loaded: OnnxModel,
    given: tuple[str, NDArray[np.generic]],
    right: tuple[Tower, Path] | None,
    notes: Path | None,
    stage: str = "siglip",
) -> None:
    """Hold the tower `loaded` from `path` against `right`, or itself. Raises `StageMissing`.

    `given`: name and value of its input. Computes nothing where the result is known.
    """
    if right is None and used.variant == "fp32" and loaded.provider == CPU:
        return  # full precision as it is: there is nothing to hold it against
    against = "itself" if right is None else right[0].file.sha256
    key = "|".join((VERSION, used.file.sha256, against, runtime(), loaded.provider))
    known = _read(notes)
    result = known.get(key)
    if result is None:
        result = agreement(
            _vectors(loaded, path, given, stage),
            _right_vectors(path if right is None else right[1], given, stage, own=right is None),
        )
        _write(notes, known | {key: result})
        if right is None and result.fits(used.variant):
            _log.warning(
                "%s: %s was checked against itself only, because the full-precision model is not"
                " on this machine",
                stage,
                path.name,
            )
    if not result.fits(used.variant):
        raise StageMissing(
            path,
            stage=stage,
            detail=f"the {used.variant} variant of {used.model} disagrees with"
            f" {'itself, computed without optimisations' if right is None else 'full precision'}"
            f" (cosine {result.cosine:.3f}, at least {LEAST_COSINE[used.variant]} is needed; error"
            f" {result.noise:.1%} of what tells pictures apart, at most"
            f" {MOST_NOISE[used.variant]:.0%} is allowed)",
            advice='Choose another with `variant = "fp32"` in [stage.siglip]',
        )


def _vectors(
    model: OnnxModel, path: Path, given: tuple[str, NDArray[np.generic]], stage: str
) -> Vectors:
    name, value = given
    if model.types.get(name) == "tensor(float16)":
        value = value.astype(np.float16)
    output = pooled_name(model.outputs, path, stage)
    rows = [model.run({name: value[at : at + 1]}, [output])[output] for at in range(len(value))]
    return np.concatenate(rows).astype(np.float32)


def _right_vectors(
    path: Path, given: tuple[str, NDArray[np.generic]], stage: str, *, own: bool
) -> Vectors:
    """One picture at a time and dropped at once: memory holds two towers for a moment only."""
    model = OnnxModel(path, providers=(CPU,), stage=stage, optimise=not own)
    return _vectors(model, path, given, stage)


def _drawn(number: int) -> Preview:
    """A generated picture of 96 x 64 pixels."""
    down, across = np.mgrid[0:64, 0:96].astype(np.float64)
    drawings = (
        (across * 2.6, down * 4, 255 - across * 2.6),
        (((across // 8 + down // 8) % 2) * 255,) * 3,
        (127 + 127 * np.sin(across / 5), 127 + 127 * np.sin(down / 3), across * 0 + 40),
        ((across * 37 + down * 91 + across * down * 13) % 256, (across * 57) % 256, down * 3),
        (np.where(np.hypot(across - 48, down - 32) < 22, 230, 30),) * 3,
        (down * 0 + 120, down * 0 + 124, np.where(down < 24, 220, 90)),
    )
    rows = np.stack(drawings[number], axis=-1).clip(0, 255).astype(np.uint8)
    return Preview(96, 64, rows.tobytes(), "generated")


def _read(notes: Path | None) -> dict[str, Agreement]:
    if notes is None:
        return {}
    try:
        kept = json.loads((notes / NOTES).read_bytes())
        return {key: Agreement(float(one[0]), float(one[1])) for key, one in kept.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}


def _write(notes: Path | None, known: dict[str, Agreement]) -> None:
    """A note that cannot be written costs only the time to check again."""
    if notes is None:
        return
    with contextlib.suppress(OSError):
        notes.mkdir(parents=True, exist_ok=True)
        kept = {key: (one.cosine, one.noise) for key, one in sorted(known.items())}
        part = notes / f".{NOTES}.part"
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        part.replace(notes / NOTES)
