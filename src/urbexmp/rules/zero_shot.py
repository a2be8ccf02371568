"""From cosines between a picture and sentences to a view type and scores of terms: arithmetic only.

A SigLIP model was trained to answer "does this sentence belong to this picture?" by
`sigmoid(scale * cosine + bias)`, with a scale and a bias of its own (Zhai et al., 2023,
arXiv:2303.15343). The number before the sigmoid is called z here. What follows from that:

- A free term is scored by that sigmoid and nothing else. Stretching the cosines of one photo
  between their least and largest makes the best sentence "100 %" whatever the picture shows, and
  lets a sentence such as "something unknown" win every near tie.
- Of several sentences for one thing the mean of the cosines counts. The mean of the unit vectors
  must not be brought to length one again: that makes all cosines larger, and the sigmoids with
  them.
- A view type excludes the others, so the views share one softmax. It decides only with enough
  probability, a margin before the second, and enough z on its own; else the view stays open.
  "Unsure" is that outcome, never a sentence of its own.

No accuracy was measured: the limits below are cautious choices, not fitted ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log
from types import MappingProxyType

VERSION = "1"

VIEW_PROMPTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "interior": (
            "a photo of the inside of a building",
            "a photo taken indoors in an abandoned room",
            "a photo of an empty corridor inside a derelict building",
            "a photo of a large hall seen from within",
        ),
        "exterior": (
            "a photo of the outside of a building",
            "a photo taken outdoors in front of an abandoned building",
            "a photo of the facade of a derelict building",
            "a photo of overgrown ruins under the open sky",
        ),
        "aerial": (
            "an aerial photo of buildings",
            "a drone photo looking down on an abandoned site",
            "a photo of roofs seen from high above",
            "a bird's eye view of a derelict factory",
        ),
        "detail": (
            "a close-up photo of a small object",
            "a macro photo of peeling paint",
            "a close-up of a rusty old machine part",
            "a detail shot of things left behind on a table",
        ),
    }
)
"""What is asked for each view, beside the prompts of the taxonomy's own term for it."""

LEAST_KEPT = 0.005
"""Scores from here up are kept, so that a threshold can be changed without a new look."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one model's cosines are to be read."""

    scale: float
    """Factor of the cosine: e to the power of the checkpoint's `logit_scale`."""
    bias: float
    """The checkpoint's `logit_bias`."""
    offset: float = 0.0
    """Added to every term's z: how much likelier a term is here than a sentence was in training
    (natural logarithm of the odds)."""
    offsets: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """The same for single terms, by path."""
    temperature: float = 1.0
    """Divides the views' z before their softmax; above 1 makes it less sure."""
    view_least: float = 0.6
    """Least probability of a view that is decided."""
    view_margin: float = 0.2
    """Least difference to the next view's probability."""
    view_floor: float = -9.0
    """Least z of the decided view on its own, without offset: sigmoid(-9) is 1 in 8,000, where
    sentences that do not fit at all lie near -11."""


@dataclass(frozen=True, slots=True)
class ViewVerdict:
    """What the views' softmax says of one photo."""

    view: str | None
    """None: unsure."""
    probabilities: Mapping[str, float]
    """By view; they add up to 1 whatever the picture shows."""
    z: float
    """Of the best view on its own."""


def z_of(cosine: float, calibration: Calibration) -> float:
    """The number before the sigmoid, without any offset."""
    return calibration.scale * cosine + calibration.bias


def sigmoid(z: float) -> float:
    """1 / (1 + e^-z), for every z without overflow."""
    if z >= 0:
        return 1.0 / (1.0 + exp(-z))
    grown = exp(max(z, -700.0))
    return grown / (1.0 + grown)


def z_at(score: float) -> float:
    """The z whose sigmoid is `score`; infinite at 0 and 1."""
    if score <= 0:
        return float("-inf")
    if score >= 1:
        return float("inf")
    return log(score / (1.0 - score))


def term_z(path: str, cosine: float, calibration: Calibration) -> float:
    """z of a term, its offsets included."""
    own = calibration.offsets.get(path, 0.0)
    return z_of(cosine, calibration) + calibration.offset + own


def score_terms(
    cosines: Mapping[str, float], calibration: Calibration, least: float = LEAST_KEPT
) -> tuple[tuple[str, float, float], ...]:
    """(path, score, z) of every term scored `least` or more, the best first.

    `cosines`: mean over a term's sentences, by the term's path.
    """
    floor = z_at(least)
    all_z = {path: term_z(path, cosine, calibration) for path, cosine in cosines.items()}
    kept = [(path, sigmoid(z), z) for path, z in all_z.items() if z >= floor]
    return tuple(sorted(kept, key=lambda one: (-one[2], one[0])))


def decide_view(cosines: Mapping[str, float], calibration: Calibration) -> ViewVerdict:
    """Weigh the views against each other; `cosines` as for the terms, by view."""
    z = {view: z_of(cosine, calibration) for view, cosine in cosines.items()}
    highest = max(z.values())
    weights = {view: exp((one - highest) / calibration.temperature) for view, one in z.items()}
    total = sum(weights.values())
    shares = {view: weight / total for view, weight in weights.items()}
    ranked = sorted(shares, key=lambda view: -shares[view])
    best = ranked[0]
    second = shares[ranked[1]] if len(ranked) > 1 else 0.0
    sure = (
        shares[best] >= calibration.view_least
        and shares[best] - second >= max(calibration.view_margin, 1e-9)
        and z[best] >= calibration.view_floor
    )
    return ViewVerdict(best if sure else None, MappingProxyType(shares), z[best])
