"""What all benchmarks share: processes run in turn, their CPU time, and the table.

CPU time (user and system together, of a process and its children) is the figure that counts: on a
machine that does other work too, the clock on the wall says little. The commands of one table run
in turn, A B C A B C, so that what disturbs one disturbs all, and medians are compared.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Used:
    """What one process used."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds by the clock."""
    peak_mb: float
    """Largest resident size."""
    output: bytes
    code: int


@dataclass
class Runs:
    """All runs of one command."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    output: bytes = b""

    @property
    def median(self) -> float:
        """CPU seconds."""
        return statistics.median(self.cpu)

    @property
    def peak(self) -> float:
        """Megabytes."""
        return max(self.peak_mb)


def environment() -> dict[str, str]:
    """The environment of the measured processes: this checkout, with compiled modules."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("URBEXMP_", "PYTHON"))}
    given["PYTHONPATH"] = str(REPOSITORY / "src")
    # An installed package is compiled; a checkout may be read-only or told not to be.
    given["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "urbexmp-benchmark-pyc")
    given["LC_ALL"] = "C.UTF-8"
    return given


LONG = 5.0
"""CPU seconds."""

_LAUNCHER = """
import json, os, sys, time
began = time.monotonic()
child = os.fork()
if child == 0:
    os.close(3)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
code = os.waitstatus_to_exitcode(status)
wall = time.monotonic() - began
os.write(
    3, json.dumps([used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, code]).encode()
)
"""
"""Starts a command from a small process: what a process used begins with its parent's size."""


def run(command: Sequence[str | Path], *, ok: Sequence[int] = (0,)) -> Used:
    """Run one command and say what it used. Raises `SystemExit` when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        reading, writing = os.pipe()
        launched = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" 3>&{writing}', "sh", sys.executable, "-ISc", _LAUNCHER]
            + [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment(),
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading, "rb") as said:
            told = said.read()
        launched.wait()
        cpu, wall, peak_mb, code = json.loads(told) if told else (0, 0, 0, launched.returncode)
        out.seek(0)
        err.seek(0)
        if code not in ok:
            problem = err.read().decode("utf-8", "replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))}\nfailed: {code}\n{problem}")
        return Used(cpu, wall, peak_mb, out.read(), code)


def in_turn(
    commands: Mapping[str, Sequence[str | Path]],
    rounds: int,
    *,
    before: Callable[[str], None] | None = None,
    ok: Sequence[int] = (0,),
) -> dict[str, Runs]:
    """Run the commands in turn, after one round that is not counted; `before` prepares each.

    Of a command that takes `LONG` the first run counts as well: what it reads was written a moment
    ago, and what its start reads is nothing beside that.
    """
    found = {name: Runs() for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if len(found[name].cpu) == rounds:
                continue
            if before is not None:
                before(name)
            used = run(command, ok=ok)
            if number or used.cpu >= LONG:
                found[name].cpu.append(used.cpu)
                found[name].wall.append(used.wall)
                found[name].peak_mb.append(used.peak_mb)
            found[name].output = used.output
    return found


def urbexmp(*arguments: str | Path) -> list[str | Path]:
    """The command line of this checkout's urbexmp, as the installed script starts it."""
    return [sys.executable, "-c", "from urbexmp.cli.start import main; main()", *arguments]


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder that goes away."""
    folder = Path(tempfile.mkdtemp(prefix=f"urbexmp-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def needs(*programs: str) -> None:
    """Leave with a word when a program that is compared with is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"install {', '.join(missing)} to compare with")


@dataclass(frozen=True)
class Goal:
    """One line of the summary."""

    name: str
    found: float
    wanted: float
    at_least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted

    @property
    def ratio(self) -> float:
        """Reached beside asked: 1 and more is met, 2 is twice as good, a half is half way."""
        if self.met and not (self.found > 0 and self.wanted > 0):
            return 1.0
        over, under = (self.found, self.wanted) if self.at_least else (self.wanted, self.found)
        return over / under if under else 0.0

    def row(self) -> str:
        """As a row of the table of goals."""
        sign = ">=" if self.at_least else "<="
        asked = f"{sign} {_short(self.wanted)}{self.unit}"
        reached = f"{_short(self.found)}{self.unit}"
        verdict = "met" if self.met else "**missed**"
        return f"| {self.name} | {asked} | {reached} | {self.ratio:.2f} | {verdict} |"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


GOALS_HEAD = "| goal | asked | reached | ratio | |\n|---|---|---|---|---|"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def goals(found: Sequence[Goal]) -> None:
    """Print the goals, and keep them for `all.py` where it asks for that."""
    print(f"\n{GOALS_HEAD}")
    for goal in found:
        print(goal.row())
    kept = os.environ.get("URBEXMP_BENCHMARK_GOALS")
    if kept:
        with Path(kept).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(goal)) + "\n" for goal in found)


def tool(name: str) -> str | None:
    """A program beside this Python, else on the path; NAME_TOOL in the environment names it."""
    if given := os.environ.get(f"{name.upper().replace('-', '_')}_TOOL"):
        return given
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def versions() -> str:
    """Versions of what is compared with and of what decides about speed, in a line."""
    import sqlite3
    from importlib import metadata

    told = [f"SQLite {sqlite3.sqlite_version}"]
    for name, flag in (("exiftool", "-ver"), ("sqlite-utils", "--version")):
        if program := tool(name):
            said = subprocess.run([program, flag], capture_output=True, text=True, check=False)
            told.append(f"{name} {said.stdout.split()[-1] if said.stdout.split() else '?'}")
    for package in ("click", "lxml", "pillow", "pyexiv2", "numpy", "simplejpeg"):
        try:
            told.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            told.append(f"{package} not installed")
    return ", ".join(told)


def machine() -> str:
    """The machine, in a line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{model}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"
