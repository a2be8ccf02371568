"""The tree keeps the rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from docs.pages import ROOT, project_files

SOURCE = ROOT / "src" / "urbexmp"
FILES = project_files()
PYTHON = [path for path in FILES if path.suffix == ".py"]

ROOMS = {
    "PIL": {"adapters", "adapters/inspect", "adapters/stages"},
    "click": {"cli"},
    "fastapi": {"adapters"},
    "exifread": {"adapters/inspect"},
    "google": {"adapters"},
    "huggingface_hub": {"adapters"},
    "keyring": {"adapters"},
    "lxml": {"adapters/xmp"},
    "numpy": {"adapters", "adapters/exporting", "adapters/stages"},
    "onnx": {"adapters/exporting"},
    "onnxruntime": {"adapters/exporting", "adapters/stages"},
    "openai": {"adapters"},
    "platformdirs": {"adapters", "cli", "."},
    "pyexiv2": {"adapters/inspect"},
    "rapidocr": {"adapters/stages"},
    "rawpy": {"adapters/inspect"},
    "requests": {"adapters"},
    "rich": {"cli"},
    "sqlite3": {"adapters/db"},
    "tokenizers": {"adapters/stages"},
    "tomlkit": {"adapters"},
    "torch": {"adapters/exporting", "adapters/stages"},
    "transformers": {"adapters/exporting", "adapters/stages"},
    "uvicorn": {"adapters"},
    "watchfiles": {"adapters"},
}
"""Where a library may be used, one file in each of these rooms."""

EVERYWHERE_IN_ITS_ROOM = {"click", "numpy", "sqlite3", "torch"}
"""The words that a room is written in: commands, arrays, tables, networks."""

TRANSLATING = "adapters/exporting"
"""Models go from one library to another here, a file for each model."""

OWN_PATHS = re.compile(
    r"(?<![\w.~$}>-])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/\w"
)


def text_of(path: Path) -> str | None:
    """The text of a file, None for one that is not text."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def test_no_paths_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        if (text := text_of(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if OWN_PATHS.search(line)
    ]
    assert found == []


def test_no_file_grows_too_long() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in PYTHON
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
        and "tests" not in path.parts
    }
    assert long == {}


def test_no_words_that_say_nothing() -> None:
    vague = [path.relative_to(ROOT).as_posix() for path in PYTHON
             if path.stem in {"utils", "helpers", "manager", "misc", "common"}]  # fmt: skip
    assert vague == []


def test_nothing_is_left_half_built() -> None:
    words = re.compile(
        r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")) + r")\b"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PYTHON
        if "tests" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def imported_by(path: Path) -> set[str]:
    """Top-level names of everything that a file imports, late imports included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def users() -> dict[tuple[str, str], list[str]]:
    """Library and room to the files that import it there."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        room = path.parent.relative_to(SOURCE).as_posix()
        for name in imported_by(path):
            if name == "sqlite3" or name not in sys.stdlib_module_names | {"urbexmp"}:
                found[name, room].append(path.name)
    return found


def test_libraries_are_used_where_they_belong() -> None:
    astray = {
        f"{name} in {room}": files
        for (name, room), files in users().items()
        if room not in ROOMS.get(name, set())
    }
    assert astray == {}


def test_one_library_one_file() -> None:
    shared = {
        f"{name} in {room}": files
        for (name, room), files in users().items()
        if len(files) > 1 and name not in EVERYWHERE_IN_ITS_ROOM and room != TRANSLATING
    }
    assert shared == {}


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from urbexmp.cli.start import main\n"
        "sys.argv = ['urbexmp', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True,
        env={"PYTHONPATH": str(SOURCE.parent), "PATH": ""},
    )  # fmt: skip
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert loaded & (set(ROOMS) - {"click"}) == set()


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_what_a_newcomer_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 500


def test_the_licence_is_the_same_everywhere() -> None:
    assert "GPL-3.0-or-later" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "GPL-3.0-or-later" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")
