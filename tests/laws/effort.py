"""How hard the laws are tried: quickly and alike each time, or with `URBEXMP_LAWS=deep` harder
and differently each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

DEEP = 12
"""How many times as many examples a deep run takes."""


def effort(examples: int, steps: int = 20) -> settings:
    deep = os.environ.get("URBEXMP_LAWS") == "deep"
    times = DEEP if deep else 1
    return settings(
        max_examples=examples * times,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=not deep,
        report_multiple_bugs=False,
    )
