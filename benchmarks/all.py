"""Run every benchmark, and print one table of all goals at the end.

    python benchmarks/all.py [--quick]

`--quick` takes small numbers: to see that everything works, not to measure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = {
    "startup.py": (["5"], []),
    "read.py": (["500", "2"], []),
    "write.py": (["200", "2"], []),
    "resync.py": (["4000", "3"], []),
    "embed.py": (["4", "1"], []),
    "preview.py": (["1", "2"], []),
    "offline.py": (["4", "1"], []),
    "index.py": (["500", "2"], []),
    "million.py": (["--photos", "20000"], []),
    "watch.py": (["--quick"], []),
    "queries.py": ([], []),
}
"""Script to its arguments, when quick and else. Those that are not there are left out."""


def main() -> int:
    """Run them one after the other."""
    quick = "--quick" in sys.argv
    failed = []
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as kept:
        given = {**os.environ, "URBEXMP_BENCHMARK_GOALS": kept.name}
        for name, (small, full) in SCRIPTS.items():
            if not (HERE / name).exists():
                continue
            print(f"\n## {name}\n", flush=True)
            command = [sys.executable, str(HERE / name), *(small if quick else full)]
            if subprocess.run(command, env=given, check=False).returncode:
                failed.append(name)
        print("\n## All goals\n\n| goal | found | wanted | |\n|---|---|---|---|")
        for line in kept:
            print(json.loads(line))
    for name in failed:
        print(f"\n{name} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
