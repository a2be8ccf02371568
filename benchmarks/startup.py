"""How long a short command takes to start, beside `exiftool -ver` and a bare `import click` (goal 12).

python benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import subprocess
import sys

import timing
from timing import Goal, goals, in_turn, machine, needs, table, urbexmp

HEAVY = {"numpy", "PIL", "lxml", "onnxruntime", "openai", "torch", "exifread", "rich", "tomlkit"}


def imported(*arguments: str) -> set[str]:
    """Top-level packages that a command imports."""
    command = [sys.executable, "-X", "importtime", *map(str, urbexmp(*arguments)[1:])]
    said = subprocess.run(
        command, capture_output=True, env=timing.environment(), check=False
    ).stderr
    lines = said.decode("utf-8", "replace").splitlines()
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if "|" in line}


def main() -> None:
    """Measure."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 31
    needs("exiftool")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import click": [sys.executable, "-c", "import click"],
        "exiftool -ver": ["exiftool", "-ver"],
        "urbexmp --help": urbexmp("--help"),
        "urbexmp sync --help": urbexmp("sync", "--help"),
    }
    found = in_turn(commands, rounds)
    click, exiftool = found["import click"].median, found["exiftool -ver"].median
    print(f"median of {rounds}; {machine()}")
    table(
        "Start",
        ("", "CPU ms", "x `exiftool -ver`", "x `import click`", "MB"),
        [
            (f"`{name}`", f"{runs.median * 1e3:.1f}", f"{runs.median / exiftool:.2f}",
             f"{runs.median / click:.2f}", f"{runs.peak:.0f}")
            for name, runs in found.items()
        ],
    )  # fmt: skip
    ours = found["urbexmp --help"].median
    heavy = imported("--help") & HEAVY
    goals(
        [
            Goal("12: --help, CPU of `exiftool -ver`", ours / exiftool, 0.9, False),
            Goal("12: --help, CPU of `import click`", ours / click, 1.3, False),
            Goal("12: --help, heavy imports", len(heavy), 0, False, ""),
        ]
    )


if __name__ == "__main__":
    main()
