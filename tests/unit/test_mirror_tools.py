"""The same answers from `urbexmp query` and from plain SQL over the views, whoever asks it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mirror_library import Library
from urbexmp.cli.main import run
from urbexmp.model.change import PacketEdit

Capture = pytest.CaptureFixture[str]

QUESTIONS = {
    "Urbex": "SELECT DISTINCT photo FROM photo_keywords"
    " WHERE keyword = 'Urbex' OR keyword LIKE 'Urbex|%'",
    'is:"Mine|Own"': "SELECT photo FROM photo_keywords WHERE keyword = 'Mine|Own'",
    "Mine": "SELECT photos.path FROM photos, json_each(photos.keywords) AS has"
    " WHERE has.value = 'Mine' OR has.value LIKE 'Mine|%'",
    "own": "SELECT DISTINCT photo FROM photo_keywords JOIN keyword_tree USING (keyword)"
    " WHERE keyword IN (SELECT path FROM keyword WHERE id IN"
    " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH 'own'))",
    "text:0001": "SELECT path FROM photos WHERE id IN"
    " (SELECT rowid FROM photo_text WHERE photo_text MATCH '0001')",
    "source:ai": "SELECT DISTINCT photo FROM photo_keywords WHERE source = 'ai'",
    "source:person": "SELECT DISTINCT photo FROM photo_keywords WHERE source = 'person'",
    "score>=90": "SELECT photo FROM photo_keywords GROUP BY photo HAVING max(score) >= 90",
    "stage:place": "SELECT DISTINCT photo FROM photo_keywords WHERE stage = 'place'",
    "untagged": "SELECT photo FROM untagged",
    "has:veto": "SELECT DISTINCT photo FROM vetoes",
    "kind:jpeg": "SELECT path FROM photos WHERE kind = 'jpeg'",
    "status:completed": "SELECT path FROM photos WHERE status = 'completed'",
    "quality>=50": "SELECT path FROM photos WHERE round(quality) >= 50",
    "name:IMG_0000.jpg": "SELECT path FROM photos WHERE name = 'IMG_0000.jpg'",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("tools"), 6)
    photos = library.photos()
    library.write(photos[0], PacketEdit(hierarchical_add=("Mine|Own", "Urbex")))
    library.write(photos[1], PacketEdit(hierarchical_add=("mine|own",)))
    library.sync()
    return library


def ours(library: Library, question: str, capsys: Capture) -> list[str]:
    capsys.readouterr()
    words = ["query", question, "--format", "paths", "--limit", "1000"]
    code = run([*words, "--state", str(library.state), "--in", str(library.root)])
    out, err = capsys.readouterr()
    assert code in (0, 1), err
    return sorted(Path(line).relative_to(library.root).as_posix() for line in out.splitlines())


@pytest.mark.parametrize("question", QUESTIONS)
def test_python_asks_the_views(question: str, library: Library, capsys: Capture) -> None:
    connection = sqlite3.connect(f"{library.mirror.as_uri()}?mode=ro", uri=True)
    theirs = sorted(row[0] for row in connection.execute(QUESTIONS[question]))
    connection.close()
    found = ours(library, question, capsys)
    assert found == theirs


def test_every_view_gives_what_its_page_says(library: Library) -> None:
    page = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text(encoding="utf-8")
    connection = sqlite3.connect(f"{library.mirror.as_uri()}?mode=ro", uri=True)
    views = [row[0] for row in connection.execute("SELECT name FROM sqlite_master"
                                                  " WHERE type = 'view'")]  # fmt: skip
    for view in views:
        rows = connection.execute(f"SELECT * FROM {view}")
        columns = [column[0] for column in rows.description]
        assert len(rows.fetchall()) >= 0
        line = next((line for line in page.splitlines() if line.startswith(f"| `{view}` |")), page)
        assert all(f"`{column}`" in line for column in columns), (view, columns)
    connection.close()


def test_a_copy_in_a_folder_that_nobody_may_write_answers_too(
    library: Library, tmp_path: Path
) -> None:
    """As `datasette -i` opens it: no log beside it, nothing of ours loaded."""
    copy = tmp_path / "copy.sqlite3"
    assert (
        run(["mirror", "backup", str(copy), str(library.root), "--state", str(library.state)]) == 0
    )
    connection = sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)
    found = connection.execute("SELECT photo FROM photo_keywords WHERE keyword = 'Mine|Own'")
    assert len(found.fetchall()) == 2
    connection.close()


@pytest.mark.parametrize("tool", ["sqlite3", "datasette", "sqlite_utils"])
def test_other_tools_say_the_same(tool: str, library: Library, capsys: Capture) -> None:
    asked = QUESTIONS['is:"Mine|Own"'].replace("SELECT photo ", "SELECT photo AS path ")
    place = str(library.mirror)
    if tool == "sqlite3":
        shell = shutil.which("sqlite3")
        if shell is None:
            pytest.skip("the sqlite3 shell is not installed")
        command = [shell, "-readonly", "-json", place, asked]
    elif find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed")
    elif tool == "datasette":
        words = f"/{library.mirror.stem}.json?_shape=array&sql=" + asked.replace(" ", "+")
        command = [sys.executable, "-m", "datasette", place, "--get", words.replace("|", "%7C")]
    else:
        command = [sys.executable, "-m", "sqlite_utils", "query", place, asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = sorted(row["path"] for row in json.loads(done.stdout))
    assert theirs == ours(library, 'is:"Mine|Own"', capsys)
