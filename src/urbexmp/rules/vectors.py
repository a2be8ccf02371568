"""Vectors that stand for pictures, as stages say them and as the ledger keeps them. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from urbexmp.model.observation import Observation, ObservationKind, StageLook


def vector_said(model: str, vector: bytes, source: str = "") -> Observation:
    """A vector (float16, little-endian) of the model of that name, as an observation."""
    text = base64.b64encode(vector).decode("ascii")
    return Observation(ObservationKind.EMBEDDING, model, None, text, source)


def without_vectors(look: StageLook) -> tuple[StageLook, dict[str, bytes]]:
    """The look without its vectors, and these by model. What is no base64 is dropped."""
    vectors: dict[str, bytes] = {}
    kept: list[Observation] = []
    for one in look.observations:
        if one.kind is not ObservationKind.EMBEDDING:
            kept.append(one)
            continue
        try:
            vectors[one.label] = base64.b64decode(str(one.value), validate=True)
        except (binascii.Error, ValueError):
            continue
    if len(kept) == len(look.observations):
        return look, vectors
    return replace(look, observations=tuple(kept)), vectors
