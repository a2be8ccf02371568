"""`urbexmp taxonomy`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from unit.words_examples import SMALL, labels, small
from urbexmp.cli.main import run
from urbexmp.model.observation import StageLook
from urbexmp.rules.keyword_list import import_text
from urbexmp.rules.unmapped import count_unmapped


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["taxonomy", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_check_says_that_all_is_well(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    code, out, _ = typed(capsys, "check", str(file))
    assert (code, out) == (0, f"{file}: 29 terms, no mistakes.\n")


def test_check_lists_every_mistake_with_its_line(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    file.write_text('[[term]]\npath = "A"\ncolour = 1\nsynonyms = ["x;y"]\n', encoding="utf-8")
    code, out, err = typed(capsys, "check", str(file))
    assert (code, out) == (2, "")
    assert "line 3: unknown key `colour`" in err
    assert "line 4: synonym 'x;y' contains a semicolon" in err


def test_check_without_a_file_checks_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "check")
    assert code == 0
    assert "no mistakes" in out


def test_tree_shows_levels_and_grouping_nodes(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    code, out, _ = typed(capsys, "tree", "--depth", "2", "--taxonomy", str(file))
    assert code == 0
    assert out.startswith("Urbex\n  [Building]\n  Decay\n")
    code, out, _ = typed(capsys, "tree", "decay", "--taxonomy", str(file))
    assert out == "Decay\n  Collapse\n  Peeling Paint\n"
    code, _, err = typed(capsys, "tree", "Urbex|Buildin", "--taxonomy", str(file))
    assert code == 2
    assert "is no term of the vocabulary" in err


def test_explain_says_what_a_label_means_and_why(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    code, out, _ = typed(
        capsys, "explain", "wooden_bench", "bar", "person", "hospitl", "--taxonomy", str(file)
    )
    assert code == 0
    for part in (
        "Urbex|Object|Bench  (by name 'bench')",
        "Urbex|Wood  (by the word before 'bench')",
        "'bar' may mean Urbex|Object|Bars,",
        "where the photo also shows one of: Urbex|Building|Prison",
        "People are never made a keyword",
        "'hospitl' has no term; it would be listed as unmapped. Words like it: hospital",
    ):
        assert part in out


def test_export_and_import_by_file_are_byte_for_byte(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    for form in ("text", "csv"):
        first, toml, second = (tmp_path / f"{form}.{end}" for end in ("1", "toml", "2"))
        chosen = ("--format", form, "--taxonomy")
        assert typed(capsys, "export", *chosen, str(file), "-o", str(first))[0] == 0
        assert typed(capsys, "import", str(first), "-o", str(toml))[0] == 0
        assert typed(capsys, "check", str(toml))[0] == 0
        assert typed(capsys, "export", *chosen, str(toml), "-o", str(second))[0] == 0
        assert first.read_bytes() == second.read_bytes()
        assert b"\r" not in first.read_bytes()


def test_export_never_replaces_a_file(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "mine.txt"
    taken.write_text("mine", encoding="utf-8")
    code, _, err = typed(capsys, "export", "--taxonomy", str(file), "-o", str(taken))
    assert code == 2
    assert "exists already" in err
    assert taken.read_text(encoding="utf-8") == "mine"
    nowhere = str(tmp_path / "no" / "list.txt")
    assert typed(capsys, "export", "--taxonomy", str(file), "-o", nowhere)[0] == 36


def test_export_prints_a_list_that_can_be_read(
    capfdbinary: pytest.CaptureFixture[bytes], file: Path
) -> None:
    assert run(["taxonomy", "export", "--taxonomy", str(file)]) == 0
    text = capfdbinary.readouterr().out.decode("utf-8")
    assert len(import_text(text).entries) == 29


def test_import_warns_and_refuses_what_holds_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_bytes("Küche\n\t\t\tTisch\n".encode("cp1252"))
    code, out, err = typed(capsys, "import", str(odd))
    assert code == 0
    assert 'path = "Küche|Tisch"' in out
    assert "Windows-1252" in err
    assert "line 2: 'Tisch' is 3 levels deep, 1 used" in err
    odd.write_bytes(b"\n\n")
    code, _, err = typed(capsys, "import", str(odd))
    assert code == 2
    assert "holds no keyword" in err
    assert typed(capsys, "import", str(tmp_path / "none.txt"))[0] == 20


def test_unmapped_of_a_library_without_any_look(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = ("--state", str(tmp_path / "state"))
    library = tmp_path / "photos"
    library.mkdir()
    code, out, _ = typed(capsys, "unmapped", str(library), *state)
    assert (code, out) == (0, "No photo was looked at yet; `urbexmp sync` does.\n")
    code, out, _ = typed(capsys, "unmapped", str(library), *state, "--json")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (0, [])


def test_unmapped_lists_what_a_sync_saw(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    library = tmp_path / "photos"
    library.mkdir()
    Image.new("RGB", (64, 48), (90, 120, 60)).save(library / "a.jpg")
    (library / "location.toml").write_text('type = "hosptal"\n', encoding="utf-8")
    assert run(["sync", str(library), *state]) == 3
    assert "no term of the taxonomy is a place called 'hosptal'" in capsys.readouterr().err
    code, out, _ = typed(capsys, "unmapped", str(library), *state)
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["1", "hosptal", "place", "hospital,"]
    code, out, _ = typed(capsys, "unmapped", str(library), *state, "--json")
    assert json.loads(out) == {
        "event": "unmapped",
        "root": library.as_posix(),
        "label": "hosptal",
        "photos": 1,
        "stages": ["place"],
        "ambiguous": False,
        "near": ["hospital", "tb hospital"],
    }
    (library / "location.toml").unlink()
    run(["sync", str(library), *state])
    capsys.readouterr()
    code, out, _ = typed(capsys, "unmapped", str(library), *state)
    assert out == "The vocabulary knows every label that was seen.\n"


def test_unmapped_labels_are_counted_over_photos() -> None:
    looks: list[StageLook] = [
        labels("ram", hospitl=0.9, xyzzy=0.9, bench=0.9, person=0.9),
        labels("florence", hospitl=None, bar=None),
        labels("ram", xyzzy=0.1, hospitl=0.9),
    ]
    found = count_unmapped(iter(looks), small(), 0.35)
    assert [(one.label, one.photos, one.stages, one.ambiguous) for one in found] == [
        ("hospitl", 3, ("florence", "ram"), False),
        ("bar", 1, ("florence",), True),
        ("xyzzy", 1, ("ram",), False),
    ]
    assert found[0].near == ("hospital",)
