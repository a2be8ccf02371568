"""How a quantised file is held against the right one: pictures to ask about, a measure, a memory.

Quantised graphs can be wrong without any error: a statically quantised (QDQ) ViT gave vectors of
cosine 0.003 to 0.03 to the right ones as soon as ONNX Runtime optimised the graph. So such a file
is asked about a few generated pictures before it is first used, and held against full precision
where that is on this machine; else against itself, computed node by node without optimisations:
that finds what goes wrong in computing, not what went wrong when the file was made. What came of
it is remembered under the hashes of the files and the version of what computes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.siglip_text import unit
from urbexmp.model.observation import Preview

LEAST_COSINE = {"int8": 0.95, "fp16": 0.999, "fp32": 0.999}
"""Of each vector to the right one. Dynamic int8 reaches 0.9998 on random weights; how much real
ones lose was not measured."""
MOST_NOISE = {"int8": 0.25, "fp16": 0.01, "fp32": 0.01}
"""Of the error's energy, as a share of the energy in which the right vectors differ among each
other: at 1 nothing can be told apart, though each vector may still lie near the right one."""

PICTURES = 6
"""Generated pictures that `drawn` has."""


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

    def told(self, variant: str) -> str:
        """The numbers, beside those that are asked for."""
        return (
            f"cosine {self.cosine:.3f}, at least {LEAST_COSINE[variant]} is needed; error"
            f" {self.noise:.1%} of what tells pictures apart, at most"
            f" {MOST_NOISE[variant]:.0%} is allowed"
        )


def agreement(found: NDArray[np.generic], right: NDArray[np.generic]) -> Agreement:
    """Compare vectors, row by row and among each other. What is no number agrees with nothing."""
    if found.shape != right.shape or not np.isfinite(np.asarray(found, dtype=np.float64)).all():
        return Agreement(-1.0, 1.0)
    one, other = unit(found), unit(right)
    cosine = float((one * other).sum(axis=1).min())
    spread = float(((other - other.mean(axis=0)) ** 2).sum())
    error = float(((one - other) ** 2).sum())
    return Agreement(cosine, error / spread if spread > 0 else float(error > 0))


def once(notes: Path | None, file: str, key: str, compare: Callable[[], Agreement]) -> Agreement:
    """What is known under `key` in `file` of the folder `notes`; else compared, and remembered.

    Notes that cannot be read or written cost only the time to check again.
    """
    known = _read(notes, file)
    result = known.get(key)
    if result is None:
        result = compare()
        _write(notes, file, known | {key: result})
    return result


def drawn(number: int) -> Preview:
    """A generated picture of 96 x 64 pixels, by its number below `PICTURES`."""
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


def _read(notes: Path | None, file: str) -> dict[str, Agreement]:
    if notes is None:
        return {}
    try:
        kept = json.loads((notes / file).read_bytes())
        return {key: Agreement(float(one[0]), float(one[1])) for key, one in kept.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}


def _write(notes: Path | None, file: str, known: dict[str, Agreement]) -> None:
    if notes is None:
        return
    with contextlib.suppress(OSError):
        notes.mkdir(parents=True, exist_ok=True)
        kept = {key: (one.cosine, one.noise) for key, one in sorted(known.items())}
        part = notes / f".{file}.part"
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        part.replace(notes / file)
