"""`query`, `search` and `keyword complete|popular|tree` as a person and a program see them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import platformdirs
import pytest

from urbexmp.adapters.db.ask import Asker
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.dirs import library_state, state_folder
from urbexmp.app import state_paths
from urbexmp.cli.main import run
from urbexmp.model.errors import MirrorAbsent, MirrorDamaged
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts
from urbexmp.model.photo import FileKind, FileStat
from urbexmp.rules.query import Everything, KeywordTerm
from urbexmp.rules.query_parse import parse_query

HOSPITAL = Keyword(("Urbex", "Building", "Hospital"))
MILL = Keyword(("Urbex", "Building", "Old mill"))


def row(path: str, *keywords: MirrorKeyword, **more: object) -> MirrorRow:
    return MirrorRow(
        path=Path(path),
        photo_id="p",
        kind=FileKind.RAW,
        stat=FileStat(1, 2, 3),
        keywords=keywords,
        version=f"{path} {keywords} {more}",
        **more,  # type: ignore[arg-type]
    )


ROWS = (
    row(
        "2024/A/_DSC1.NEF",
        MirrorKeyword(HOSPITAL, "ai", 87, "pixels"),
        MirrorKeyword(Keyword(("Mine",)), "person"),
        facts=CaptureFacts(make="NIKON", model="NIKON Z 6_2", taken_at="2024-05-11T10:02:17"),
        view="interior",
        view_score=0.95,
        quality=88.0,
        description="The ward, at dawn",
    ),
    row("2024/A/_DSC2.NEF", MirrorKeyword(MILL, "ai", 55, "place"), quality=40.0),
    row("2024/B/x\ny\x1b[31m.NEF", MirrorKeyword(HOSPITAL, "both", 60, "pixels")),
    row("plain.jpg", facts=CaptureFacts(taken_at="2019-01-02T03:04:05")),
)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root, state = tmp_path / "photos", tmp_path / "state"
    root.mkdir()
    monkeypatch.setenv("URBEXMP_STATE", str(state))
    monkeypatch.chdir(root)
    folder = library_state(root, state)
    with SqliteMirror(folder / "mirror.sqlite3", posting_least=2) as mirror:
        mirror.put(ROWS)
    return root


def said(capfd: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    assert run(list(args)) == code
    return capfd.readouterr()


def test_a_table_shows_what_a_person_looks_for(
    library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, err = said(capfd, "query", "Hospital")
    lines = out.splitlines()
    assert lines[0].split() == ["photo", "taken", "view", "quality", "keywords"]
    assert "2024/A/_DSC1.NEF" in lines[1]
    assert "2024-05-11 10:02" in lines[1]
    assert "interior" in lines[1]
    assert lines[1].endswith("Mine, Hospital")
    assert "\\x1b" in lines[2]
    assert len(lines) == 3
    assert err == "2 photos.\n"


def test_pages_say_where_they_are(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = said(capfd, "query", "--limit", "2", "--offset", "1")
    assert len(out.splitlines()) == 3
    assert err == "2 to 3 of 4 photos. More: --offset 3\n"
    assert said(capfd, "query", "--offset", "9") == ("", "No photo from 10 on; there are 4.\n")
    assert said(capfd, "query", "camera:none") == ("", "No photo.\n")


def test_count_prints_a_number(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "query", "Building", "NOT", "quality>=80", "--count") == ("2\n", "")


def test_paths_are_whole_and_can_be_handed_on(
    library: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["query", "Hospital", "--format", "null-separated"]) == 0
    out, _ = capfdbinary.readouterr()
    wanted = [ROWS[0].path, ROWS[2].path]
    assert out == b"".join(os.fsencode(library / path) + b"\0" for path in wanted)
    assert run(["query", "_none_", "--format", "paths"]) == 0
    assert capfdbinary.readouterr().out == b""


def test_json_has_everything_and_scores_from_0_to_1(
    library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capfd, "query", "Mine", "--format", "json")
    (data,) = map(json.loads, out.splitlines())
    assert data["event"] == "photo"
    assert data["path"] == "2024/A/_DSC1.NEF"
    assert data["view_score"] == 0.95
    assert data["keywords"] == [
        {"keyword": "Mine", "source": "person", "score": None, "stage": ""},
        {"keyword": str(HOSPITAL), "source": "ai", "score": 0.87, "stage": "pixels"},
    ]
    assert said(capfd, "query", "Mine", "--json")[0] == out


def test_csv_is_read_back_by_any_reader(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capfd, "query", "--format", "csv", "--sort", "name")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [one["path"] for one in rows][:2] == ["plain.jpg", "2024/A/_DSC1.NEF"]
    assert rows[1]["keywords"] == f"Mine;{HOSPITAL}"
    assert rows[0]["quality"] == ""


def test_sorting(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def first(*args: str) -> str:
        return Path(
            said(capfd, "query", "--format", "paths", "--limit", "1", *args)[0].strip()
        ).name

    assert first("--sort", "taken") == "plain.jpg"
    assert first("--sort", "taken", "--reverse") == "_DSC1.NEF"
    assert first("--sort", "quality") == "_DSC1.NEF"
    assert first("--sort", "quality", "--reverse") == "_DSC2.NEF"
    assert first("--sort", "score") == "_DSC1.NEF"


def test_search_ranks_sure_keywords_first(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = said(capfd, "search", "hospital")
    assert "_DSC1" in out.splitlines()[1]
    assert err == "1 to 2 of 2 photos.\n"
    assert "_DSC1" in said(capfd, "search", "WARD", "dawn")[0]
    assert said(capfd, "search", "nothing") == ("", "No photo.\n")
    assert said(capfd, "search", "!!") == ("", "No photo.\n")


def test_keywords_of_the_library(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "keyword", "complete", "mi")[0].splitlines() == [
        "Mine                     1",
        "Urbex|Building|Old mill  1",
    ]
    assert "Hospital" in said(capfd, "keyword", "complete", "Urbex|Building|h")[0]
    assert said(capfd, "keyword", "complete", "zz") == ("", "No keyword.\n")
    popular = said(capfd, "keyword", "popular", "--limit", "1")[0]
    assert popular == f"{HOSPITAL}  2\n"
    below = said(capfd, "keyword", "popular", "--under", "Building", "--json")[0].splitlines()
    assert [json.loads(one)["keyword"] for one in below] == [str(HOSPITAL), str(MILL)]
    assert said(capfd, "keyword", "tree", "--depth", "2")[0].splitlines() == [
        "Mine        1",
        "Urbex       3",
        "  Building  3",
    ]


def test_a_mistake_is_told_and_is_no_crash(
    library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, err = said(capfd, "query", "Hospital", "AND", code=2)
    assert err.startswith("column 13 of 'Hospital AND': wants a keyword")
    assert err.count("\n") == 1


HOSTILE = (
    '"x\' OR 1=1 --"',
    '"; DROP TABLE photo; --"',
    'text:"a AND b OR NEAR(x y)"',
    'text:"name:x"*',
    'camera:"%"',
    'lens:"_"',
    'name:"* OR *"',
    "folder:\"' || path || '\"*",
    '"\\"\\\\"',
    '"]]>|<x>"',
    '"\u202e\u0000"'.replace("\u0000", "\ufffd"),
    'city:"[a-z]"*',
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_is_asked_becomes_sql(
    library: Path, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    assert said(capfd, "query", text, "--count") == ("0\n", "")
    assert said(capfd, "query", f"NOT {text}", "--count") == ("4\n", "")
    assert run(["search", text]) == 0
    assert run(["keyword", "complete", text]) == 0
    assert run(["keyword", "popular", "--under", text]) == 0


def test_without_a_mirror_the_command_that_builds_one_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run(["query", "x", "--state", str(tmp_path / "s"), "--in", str(tmp_path)])
    assert code == MirrorAbsent.code
    assert "urbexmp mirror rebuild" in capfd.readouterr().err


def test_a_file_that_is_no_mirror_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite3"
    path.write_bytes(b"")
    with pytest.raises(MirrorAbsent):
        Asker(path)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(MirrorDamaged):
        Asker(path)


def test_the_state_is_where_the_other_commands_have_it(tmp_path: Path) -> None:
    root = tmp_path / "a b"
    assert state_paths(root, tmp_path).folder == library_state(root, tmp_path)
    assert state_folder({}) == platformdirs.user_state_path("urbexmp", appauthor=False)


HEAVY = {
    "numpy", "PIL", "lxml", "rich", "tomlkit", "pyexiv2", "exifread", "rawpy", "watchfiles",
    "platformdirs", "concurrent", "logging", "hashlib", "dis", "difflib", "json", "csv",
}  # fmt: skip
"""What a query must not import; of these click itself imports some, which are taken out below."""


def test_a_query_imports_little(library: Path) -> None:
    script = (
        "import sys, click; before = set(sys.modules); from urbexmp.cli.main import run;"
        " run(['query', 'Hospital taken:2024 camera:*nikon*']);"
        " print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stderr.splitlines()[-1].split())
    assert "sqlite3" in imported
    assert not {name.partition(".")[0] for name in imported} & HEAVY
    outside = {
        name.partition(".")[0] for name in imported if name.partition(".")[0] not in _STANDARD
    }
    assert outside == {"urbexmp"}


_STANDARD = sys.stdlib_module_names


def test_readers_see_whole_states_while_a_writer_commits(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite3"
    many = 40
    asked = parse_query("Hospital")
    with SqliteMirror(path, posting_least=3) as mirror:
        mirror.put([row("0.jpg", MirrorKeyword(HOSPITAL, "person"))])
        seen: list[list[tuple[int, int, int]]] = [[] for _ in range(10)]
        failures: list[BaseException] = []
        stop = threading.Event()

        def read(into: list[tuple[int, int, int]]) -> None:
            try:
                with Asker(path) as asker:
                    while True:
                        last = stop.is_set()
                        with asker.one_state():
                            ids = asker.ids(asked, limit=None)
                            into.append((len(ids), asker.count(asked), asker.total()))
                            assert len(asker.keywords(ids)) == len(ids)
                        if last:
                            return
            except BaseException as failure:
                failures.append(failure)

        readers = [threading.Thread(target=read, args=(into,)) for into in seen]
        for reader in readers:
            reader.start()
        # Three photos a commit, so a number that is no 1 + 3n would be half a commit.
        for n in range(many):
            mirror.put([row(f"{n}-{k}.jpg", MirrorKeyword(HOSPITAL, "person")) for k in range(3)])
        stop.set()
        for reader in readers:
            reader.join()
    assert not failures
    for states in seen:
        assert all(a == b == c and a % 3 == 1 for a, b, c in states)
        assert states == sorted(states)
        assert states[-1] == (1 + 3 * many,) * 3


def test_everything_and_a_term_count_alike(library: Path) -> None:
    with Asker(library_state(library, library.parent / "state") / "mirror.sqlite3") as asker:
        assert asker.count(Everything()) == asker.total() == len(ROWS)
        assert asker.count(KeywordTerm(("urbex",))) == 3
