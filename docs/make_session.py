"""Fill the terminal session of README.md with what the commands really print.

The commands run on copies of two samples, in a folder and with a home of their own. Times and the
names of runs differ every time, so the page is left alone where only these changed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from blocks import ROOT, content, filled, store

sys.path.insert(0, str(ROOT / "tests"))

from scripts.transcript import Copy, Part, Step, generalise, run

PAGE = ROOT / "README.md"

FOLDER = "photos/2024-05-11 Riverside Paper Mill"
PHOTOS = ("_DSC0412.NEF", "_DSC0412.xmp", "DJI_0031.JPG")

COMMANDS = (
    "urbexmp diff photos",
    "urbexmp sync photos",
    "urbexmp sync photos",
)


def session(folder: Path) -> tuple[list[str], list[str]]:
    """Run the session; return the lines to show, and the same without what always differs.

    Raises `RuntimeError` when a command fails.
    """
    parts: list[Part] = [Copy(f"samples/{FOLDER}/{name}", f"{FOLDER}/{name}") for name in PHOTOS]
    parts += [Step(number, [command]) for number, command in enumerate(COMMANDS, 1)]
    shown: list[str] = []
    for outcome in run(parts, folder):
        if outcome.code:
            raise RuntimeError("\n".join([*outcome.step.command, *outcome.lines]))
        lines = [line.replace(f"{folder}/here/", "") for line in outcome.lines]
        shown += [f"$ {outcome.step.command[0]}", *lines, ""]
    return shown[:-1], generalise(shown[:-1], folder)


def block(lines: list[str]) -> str:
    """Return the lines as the block's content."""
    return "\n```console\n" + "\n".join(lines) + "\n```\n\n"


def page_lines() -> list[str]:
    """Return the session as it stands on the page."""
    return content(PAGE, "session").strip().splitlines()[1:-1]


def main() -> None:
    """Run the session and fill the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        lines, without_times = session(folder)
        if generalise(page_lines(), folder) != without_times:
            store(PAGE, filled(PAGE, "session", block(lines)))


if __name__ == "__main__":
    main()
