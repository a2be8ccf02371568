"""What the tests of the docs share: where pages are, and the scripts that make parts of them."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])


def maker(name: str) -> ModuleType:
    """Import one of the scripts in docs/."""
    folder = str(ROOT / "docs")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def project_files() -> list[Path]:
    """All files of the project: tracked, or new and not ignored; all but caches without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return [path for path in (ROOT / name for name in names) if path.is_file()]
    hidden = re.compile(r"/(\.(?!ci/|gitignore)|__pycache__|demo/|build/|dist/)")
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not hidden.search("/" + path.relative_to(ROOT).as_posix())
    ]


def commands_shown(text: str) -> Iterator[list[str]]:
    """Yield the words of every `urbexmp` command that a page shows, without its redirections."""
    lines = re.findall(r"^\s*\$ (urbexmp\b.*)$", text, re.MULTILINE)
    inline = re.findall(r"`(urbexmp [a-z][^`|.]*)`", text)
    for line in [*lines, *inline]:
        words = shlex.split(line)
        for stop in ("|", ">", ">>", "&&"):
            if stop in words:
                words = words[: words.index(stop)]
        yield words
