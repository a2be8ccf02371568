"""Figures over many runs: how long things took, and how sure a share is.

`Latencies` is a quantile sketch in the manner of DDSketch (Masson, Rim, Lee, "DDSketch: a fast
and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019): durations are
counted in buckets whose bounds grow by a constant factor. A quantile is then right to within
`ACCURACY` of the true value whatever the durations are, sketches of several runs add up to the
sketch of all of them, and the memory does not grow with the number of photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, exp, log, sqrt
from typing import Any

ACCURACY = 0.01
"""Largest relative error of a quantile."""

SHORTEST = 1e-6
"""Seconds; anything shorter counts as this long."""

_GROWTH = log((1 + ACCURACY) / (1 - ACCURACY))

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
"""Names and shares of the quantiles that reports tell."""


class Latencies:
    """Durations in seconds, counted so that quantiles can be told."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        """All durations together."""
        self.longest = 0.0
        self._buckets: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Count one duration. One below zero (a clock that was set back) counts as zero."""
        seconds = max(0.0, seconds)
        self.count += 1
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
        number = ceil(log(max(seconds, SHORTEST)) / _GROWTH)
        self._buckets[number] = self._buckets.get(number, 0) + 1

    def quantile(self, share: float) -> float | None:
        """The duration that `share` (0..1) of all are no longer than; None when there is none.

        By nearest rank: of n durations in order, number ceil(share * n), at least the first.
        """
        if not self.count:
            return None
        rank = max(1, ceil(share * self.count))
        for number in sorted(self._buckets):
            rank -= self._buckets[number]
            if rank <= 0:
                break
        # The value that is off by the same factor from both bounds of the bucket.
        middle = exp(number * _GROWTH) * (1 - ACCURACY)
        return min(middle, self.longest)

    def add_all(self, other: Latencies) -> None:
        """Count all that `other` counted."""
        self.count += other.count
        self.seconds += other.seconds
        self.longest = max(self.longest, other.longest)
        for number, count in other._buckets.items():
            self._buckets[number] = self._buckets.get(number, 0) + count

    def data(self) -> dict[str, Any]:
        """As JSON; `from_data` reads it back. The quantiles are for people and other programs."""
        told: dict[str, Any] = {"count": self.count, "seconds": round(self.seconds, 6)}
        for name, share in QUANTILES:
            value = self.quantile(share)
            told[name] = None if value is None else _short(value)
        told["longest"] = _short(self.longest)
        told["buckets"] = {str(number): self._buckets[number] for number in sorted(self._buckets)}
        return told

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Latencies:
        """What `data` told. Raises `KeyError`, `TypeError`, `ValueError`, `AttributeError`."""
        made = cls()
        made.seconds = float(data["seconds"])
        made.longest = float(data["longest"])
        made._buckets = {int(number): int(count) for number, count in data["buckets"].items()}
        made.count = sum(made._buckets.values())
        return made


def _short(seconds: float) -> float:
    """Six significant digits: more than the sketch knows."""
    return float(f"{seconds:.6g}")


SURE = 1.959964
"""Standard deviations that hold 95 of 100 cases of a normal distribution."""


def wilson(right: int, of: int) -> tuple[float, float] | None:
    """The share `right / of` lies between these two with 95 % confidence; None for `of` 0.

    Wilson's score interval (E. B. Wilson, 1927): unlike the textbook's it stays within 0 and 1
    and says something sensible of three cases out of three.
    """
    if of <= 0:
        return None
    share, square = right / of, SURE * SURE
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = SURE / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    # At 0 and 1 the bound is the share itself, which rounding would miss by a hair.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
