"""What holds for every test."""

from __future__ import annotations

import os
import signal

# Reading signs takes seconds to load; tests that want it name the stage. Processes that a test
# begins inherit it.
os.environ.setdefault("URBEXMP_STAGES", "camera,pixels,place")

# A shell starts what it runs in the background deaf to Ctrl-C, and the programs under test would
# inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
