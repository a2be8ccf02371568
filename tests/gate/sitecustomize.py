"""Python imports this before anything else, where this folder is on its path.

Every process in which a stage looks writes its number into the fifo `URBEXMP_TEST_BORN`, and then
waits for a byte from the fifo `URBEXMP_TEST_GATE`, where they are named: so that a test knows of
each, and can end one in the middle of its first look.
"""

import os
import sys
from pathlib import Path

if "urbexmp.stage_process" in sys.orig_argv:
    if named := os.environ.get("URBEXMP_TEST_BORN"):
        Path(named).write_text(f"{os.getpid()}\n")
    if named := os.environ.get("URBEXMP_TEST_GATE"):
        with Path(named).open("rb", buffering=0) as gate:
            gate.read(1)
