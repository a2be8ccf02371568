"""Run every benchmark, print one table of all goals, and write it down where asked.

    python benchmarks/all.py [--quick] [--only NAME,NAME] [--write FILE]

A quarter of an hour on quiet cores. `--quick` takes small numbers: to see that everything works,
not to measure. `--only` runs some of the scripts, and is the way to those of `LATER`, which take as
long again and are left out else. `--write` puts goals and tables between the two marker lines of a
Markdown file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from timing import GOALS_HEAD, Goal, machine, versions

HERE = Path(__file__).parent
SCRIPTS: dict[str, tuple[list[str], list[str]]] = {
    "read.py": (["500", "2"], ["5000", "2"]),
    "index.py": (["500", "2"], ["5000", "2"]),
    "resync.py": (["4000", "3"], ["100000", "5"]),
    "replan.py": (["500"], []),
    "write.py": (["200", "2"], ["1000", "3"]),
    "embed.py": (["4", "1"], ["60", "2"]),
    "mirror.py": (["20000"], []),
    "preview.py": (["1", "2"], ["3", "4"]),
    "startup.py": (["5"], ["15"]),
    "offline.py": (["4", "1"], ["8", "2"]),
    "watch.py": (["--quick"], []),
    "vlm.py": (["--quick"], ["1600"]),
}
"""Script to its arguments, when quick and else, by the numbers of their goals."""

LATER = ("replan.py", "watch.py")
"""Left out unless they are asked for: many minutes each, by the clock more than of CPU."""

BEGIN = "<!-- measured: made by benchmarks/all.py --write -->"
END = "<!-- end -->"


def run(name: str, arguments: Sequence[str], environ: dict[str, str]) -> tuple[int, list[str]]:
    """Run one script, showing what it prints as it comes."""
    command = [sys.executable, "-u", str(HERE / name), *arguments]
    said = []
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            said.append(line.rstrip("\n"))
    return running.returncode, said


def number_of(goal: Goal) -> tuple[int, str]:
    """Where a goal stands in the table: by its number; those without one come last."""
    first = goal.name.partition(":")[0]
    return (int(first) if first.isdigit() else 99, "")


def without_goals(said: Sequence[str]) -> list[str]:
    """What a script printed, less its own table of goals, which stands in the big one."""
    head = GOALS_HEAD.splitlines()[0]
    kept = list(said[: said.index(head)] if head in said else said)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def page(found: Sequence[Goal], told: dict[str, list[str]], about: Sequence[str]) -> str:
    """The Markdown that stands between the markers."""
    parts = [BEGIN, *about, "", "### All goals", "", GOALS_HEAD, *(goal.row() for goal in found)]
    for name, said in told.items():
        lines = [f"#{line}" if line.startswith("### ") else line for line in without_goals(said)]
        parts += ["", f"### `benchmarks/{name}`", "", *lines]
    return "\n".join([*parts, "", END])


def write(path: Path, text: str) -> None:
    """Replace what stands between the markers. Raises `SystemExit` where they are missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(before + text + after, encoding="utf-8")


def main() -> int:
    """Run them one after the other."""
    parser = argparse.ArgumentParser(description="Run every benchmark.")
    parser.add_argument("--quick", action="store_true", help="small numbers")
    parser.add_argument("--only", default="", help="names of scripts, with commas")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown with the markers")
    given = parser.parse_args()
    wanted = [name for name in given.only.replace(".py", "").split(",") if name]
    scripts = [
        name
        for name in SCRIPTS
        if (name.removesuffix(".py") in wanted if wanted else name not in LATER)
    ]
    failed, told = [], {}
    began, load = time.monotonic(), f"{os.getloadavg()[0]:.1f}"
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as kept:
        environ = {**os.environ, "URBEXMP_BENCHMARK_GOALS": kept.name}
        for number, name in enumerate(scripts, 1):
            since = time.monotonic()
            print(f"\n## {name} ({number} of {len(scripts)})\n", flush=True)
            small, full = SCRIPTS[name]
            code, told[name] = run(name, small if given.quick else full, environ)
            if code:
                failed.append(name)
            minutes = (time.monotonic() - began) / 60
            print(
                f"\n{name}: {time.monotonic() - since:.0f} s; {minutes:.1f} minutes so far",
                flush=True,
            )
        found = sorted((Goal(**json.loads(line)) for line in kept), key=number_of)
    minutes = (time.monotonic() - began) / 60
    loads = f"Load when it began {load}, when it ended {os.getloadavg()[0]:.1f}"
    about = [
        f"- Machine: {machine()}. {loads}; {minutes:.0f} minutes.",
        f"- Versions: {versions()}.",
        "- CPU time of whole processes, medians. Ratio: reached beside asked; 1 and more is met.",
    ]
    if given.quick:
        about.append("- **Quick: with numbers too small to say anything.**")
    if left_out := [name for name in SCRIPTS if name not in scripts]:
        names = ",".join(name.removesuffix(".py") for name in left_out)
        about.append(f"- Not run this time: `benchmarks/all.py --only {names}`.")
    about += [f"- {name} failed: its goals are not below." for name in failed]
    print("\n## All goals\n", *about, "", GOALS_HEAD, sep="\n")
    for goal in found:
        print(goal.row())
    if given.write is not None:
        write(given.write, page(found, told, about))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
