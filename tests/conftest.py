"""What holds for every test."""

from __future__ import annotations

import os

# Reading signs takes seconds to load; tests that want it name the stage. Processes that a test
# begins inherit it.
os.environ.setdefault("URBEXMP_STAGES", "camera,pixels,place")
