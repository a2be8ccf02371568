"""`urbexmp text list|take|keep` over a RAW, its JPEG and a JPEG alone, read back by exiftool.

Lightroom (exiftool plays it) changes one description and takes another out; the stage then says
something else, so both wait for a person.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from oracles.test_text_oracles import (
    ALT,
    FIRST,
    Done,
    Library,
    by_exiftool,
    library,  # noqa: F401  (a fixture)
    lightroom,
)
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run

pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("clean_home")]

MINE, NEWER = "My own words", "Something else."


def answered(library: Library, *given: str) -> Done:  # noqa: F811
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run([*given, "--no-color", "--state", str(library.home / "st")])
    return Done(code, told.getvalue())


def text(library: Library, verb: str, path: Path, *more: str) -> Done:  # noqa: F811
    return answered(library, "text", verb, str(path), "-p", str(library.profile), *more)


def listed(library: Library) -> list[dict[str, str]]:  # noqa: F811
    done = answered(library, "text", "list", str(library.photos), "--json")
    assert done.code == 0
    return [json.loads(line) for line in done.output.splitlines()]


def contents(paths: Iterable[Path]) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in paths}


@pytest.fixture
def waiting(library: Library) -> Library:  # noqa: F811
    """The JPEG's description was changed, the one in the RAW's sidecar taken out."""
    assert library.run().code == 0
    lightroom(library.jpeg, f"-XMP-dc:Description={MINE}")
    lightroom(library.raw.with_suffix(".xmp"), "-XMP-dc:Description=")
    library.reply["description"] = NEWER
    done = library.run("--retag", "vlm")
    assert done.code == 0
    assert "`urbexmp text list` shows them, `urbexmp text take|keep` answers" in done.output
    assert [one["path"] for one in listed(library)] == ["DSC_1.NEF", "IMG_1.JPG"]
    return library


def test_what_waits_is_listed_and_counted(waiting: Library) -> None:
    taken_out, changed = listed(waiting)
    assert changed["before"] == MINE
    assert changed["after"] == taken_out["after"] == NEWER
    assert taken_out["before"] == FIRST
    assert changed["field"] == "description"
    assert changed["why"].startswith("you changed what was written there")
    told = answered(waiting, "text", "list", str(waiting.photos)).output
    assert f'stands there: "{MINE}"' in told
    assert f'the stage:    "{NEWER}"' in told
    told = answered(waiting, "status", str(waiting.photos)).output
    assert "2 descriptions and alt texts wait for you" in told
    assert "`urbexmp text take PATH` or `keep`" in told
    told = answered(waiting, "status", str(waiting.photos), "--json").output
    assert json.loads(told.splitlines()[-1])["held_texts"] == 2
    one = answered(waiting, "text", "list", str(waiting.jpeg)).output
    assert "DSC_1" not in one


def test_what_is_taken_stands_in_every_carrier_and_is_not_written_again(waiting: Library) -> None:
    before = contents(waiting.carriers)
    dry = text(waiting, "take", waiting.photos, "--dry-run")
    assert dry.code == 0
    assert f'"{MINE}" -> "{NEWER}"' in dry.output
    assert contents(waiting.carriers) == before
    assert text(waiting, "take", waiting.photos).code == 0
    assert all(by_exiftool(carrier) == [NEWER, ALT] for carrier in waiting.carriers)
    assert listed(waiting) == []
    written = contents(waiting.carriers)
    for again in ("--again", "--retag=vlm"):
        assert waiting.run(again).code == 0
        assert contents(waiting.carriers) == written
    assert listed(waiting) == []
    for word, there in (("something", True), ("own", False)):
        found = answered(waiting, "search", word, "--in", str(waiting.photos)).output
        assert ("IMG_1.JPG" in found) is there
    # And follows the stage from then on, the ledger lost or not.
    waiting.reply["description"] = "A third one."
    shutil.rmtree(waiting.home / "st")
    assert waiting.run("--retag", "vlm").code == 0
    assert all(by_exiftool(carrier) == ["A third one.", ALT] for carrier in waiting.carriers)


def test_undo_gives_back_what_was_taken_over(waiting: Library) -> None:
    before = contents(waiting.carriers)
    assert text(waiting, "take", waiting.photos).code == 0
    assert contents(waiting.carriers) != before
    assert waiting.run("--yes", command="undo").code == 0
    assert contents(waiting.carriers) == before
    assert waiting.run("--again").code == 0
    assert contents(waiting.carriers) == before
    assert [one["path"] for one in listed(waiting)] == ["DSC_1.NEF", "IMG_1.JPG"]


def test_undo_without_its_backups_gives_each_file_its_own_text(waiting: Library) -> None:
    assert text(waiting, "take", waiting.jpeg).code == 0
    for packs in (waiting.home / "st").rglob("backups"):
        shutil.rmtree(packs)
    assert waiting.run("--yes", command="undo").code == 0
    sidecar = waiting.carriers[2]
    assert [by_exiftool(each)[0] for each in (waiting.jpeg, sidecar)] == [MINE, FIRST]
    # A person's text is not ours for having been given back, also where only the files tell it.
    shutil.rmtree(waiting.home / "st")
    waiting.reply["description"] = "A third one."
    assert waiting.run("--retag", "vlm").code == 0
    assert by_exiftool(waiting.jpeg)[0] == MINE


def test_what_is_kept_stays_and_waits_no_more(waiting: Library) -> None:
    before = contents(waiting.carriers)
    done = text(waiting, "keep", waiting.photos)
    assert done.code == 0
    assert "IMG_1.JPG: the description stays as it is, and is not asked again" in done.output
    assert contents(waiting.carriers) == before
    assert listed(waiting) == []
    for says in (NEWER, "A third one."):
        waiting.reply["description"] = says
        done = waiting.run("--retag", "vlm")
        assert done.code == 0
        assert "not written" not in done.output
        assert contents(waiting.carriers) == before
        assert listed(waiting) == []
    told = answered(waiting, "status", str(waiting.photos)).output
    assert "Nothing waits." in told
    # With the ledger lost it is asked again, and nothing is written over.
    shutil.rmtree(waiting.home / "st")
    assert waiting.run("--retag", "vlm").code == 0
    assert contents(waiting.carriers) == before
    assert [one["path"] for one in listed(waiting)] == ["DSC_1.NEF", "IMG_1.JPG"]


def test_take_goes_back_on_keep_where_the_photo_is_named(waiting: Library) -> None:
    assert text(waiting, "keep", waiting.photos).code == 0
    before = contents(waiting.carriers)
    assert text(waiting, "take", waiting.photos).code == 0
    assert contents(waiting.carriers) == before
    assert text(waiting, "take", waiting.jpeg).code == 0
    assert by_exiftool(waiting.jpeg) == by_exiftool(waiting.carriers[2]) == [NEWER, ALT]
    assert by_exiftool(waiting.raw.with_suffix(".xmp")) == [None, ALT]


def test_a_text_that_was_taken_out_everywhere_returns_when_it_is_taken(
    library: Library,  # noqa: F811
) -> None:
    assert library.run().code == 0
    for carrier in (library.jpeg, library.carriers[2]):
        lightroom(carrier, "-XMP-dc:Description=")
    library.reply["description"] = NEWER
    assert library.run("--retag", "vlm").code == 0
    assert by_exiftool(library.jpeg) == [None, ALT]
    assert listed(library) == []
    assert text(library, "take", library.photos).code == 0
    assert by_exiftool(library.jpeg) == [None, ALT]
    assert text(library, "take", library.jpeg).code == 0
    assert by_exiftool(library.jpeg) == by_exiftool(library.carriers[2]) == [NEWER, ALT]
    written = contents(library.carriers)
    assert library.run("--again").code == 0
    assert contents(library.carriers) == written


def test_a_folder_is_not_written_over_and_a_photo_that_is_named_is(
    library: Library,  # noqa: F811
) -> None:
    lightroom(library.jpeg, f"-XMP-dc:Description={MINE}", "-XMP-dc:Description-de=Vorher")
    assert library.run().code == 0
    assert text(library, "take", library.photos).code == 0
    assert by_exiftool(library.jpeg)[0] == MINE
    assert text(library, "take", library.jpeg, "--field", "alt-text").code == 0
    assert by_exiftool(library.jpeg)[0] == MINE
    assert text(library, "take", library.jpeg, "--field", "description").code == 0
    assert by_exiftool(library.jpeg) == [FIRST, ALT]
    assert b"Vorher" in library.jpeg.read_bytes()
    assert listed(library) == []


def test_one_field_is_answered_and_the_other_goes_on_waiting(waiting: Library) -> None:
    lightroom(waiting.jpeg, "-XMP-iptcCore:AltTextAccessibility=Mine too")
    waiting.reply["alt_text"] = "Newer alt."
    assert waiting.run("--retag", "vlm").code == 0
    fields = [one["field"] for one in listed(waiting) if one["path"] == "IMG_1.JPG"]
    assert fields == ["description", "altText"]
    assert text(waiting, "keep", waiting.jpeg, "--field", "alt-text").code == 0
    fields = [one["field"] for one in listed(waiting) if one["path"] == "IMG_1.JPG"]
    assert fields == ["description"]
    assert text(waiting, "take", waiting.jpeg, "--field", "description").code == 0
    assert by_exiftool(waiting.jpeg) == [NEWER, "Mine too"]


def test_what_cannot_be_set_goes_on_waiting_and_nothing_is_written(
    library: Library,  # noqa: F811
) -> None:
    library.reply["description"] = "A plain hall."
    library.run()
    lightroom(library.jpeg, "-IPTC:Caption-Abstract=A plain hall.", "-codedcharacterset=utf8")
    library.reply["description"] = NEWER
    assert library.run("--retag", "vlm").code == 0
    before = contents(library.carriers)
    done = text(library, "take", library.jpeg)
    assert done.code == 0
    assert "IPTC" in done.output
    assert contents(library.carriers) == before
    assert "IPTC" in listed(library)[0]["why"]
    assert text(library, "keep", library.jpeg).code == 0
    assert listed(library) == []


def test_keywords_that_wait_are_not_lost_by_an_answer(waiting: Library) -> None:
    unsure = ("--threshold", "0.99", "--ask-from", "0.1")
    waiting.reply["labels"] = [{"term": "chapel", "confidence": 0.6}]
    assert waiting.run("--retag", "vlm", *unsure).code == 0
    ledger = next((waiting.home / "st").rglob("ledger.sqlite3"))

    def held() -> int:
        with contextlib.closing(sqlite3.connect(ledger)) as opened:
            return int(opened.execute("SELECT count(*) FROM held").fetchone()[0])

    before = held()
    assert before > 0
    assert text(waiting, "keep", waiting.raw, *unsure).code == 0
    assert text(waiting, "take", waiting.jpeg, *unsure).code == 0
    assert held() == before


def test_what_waits_goes_with_its_photo(waiting: Library) -> None:
    later = waiting.photos / "later"
    later.mkdir()
    for path in (waiting.jpeg, waiting.carriers[2]):
        path.rename(later / path.name)
    for path in (waiting.raw, waiting.companion, *waiting.carriers[:2]):
        path.unlink()
    assert waiting.run().code == 0
    assert [one["path"] for one in listed(waiting)] == ["later/IMG_1.JPG"]
    assert text(waiting, "take", waiting.photos).code == 0
    assert by_exiftool(later / "IMG_1.JPG")[0] == NEWER


@pytest.mark.parametrize("verb", ["take", "keep"])
def test_an_answer_needs_no_server(waiting: Library, verb: str) -> None:
    profile = waiting.profile.read_text()
    gone = re.sub(r'url = ".*"', 'url = "http://127.0.0.1:9/v1"', profile)
    waiting.profile.write_text(gone)
    assert text(waiting, verb, waiting.photos).code == 0
    assert listed(waiting) == []
    taken = verb == "take"
    assert by_exiftool(waiting.jpeg)[0] == (NEWER if taken else MINE)


def test_a_keyword_command_leaves_the_texts_waiting(waiting: Library) -> None:
    done = answered(waiting, "keyword", "add", "Mood|Quiet", str(waiting.photos))
    assert done.code == 0
    assert [one["path"] for one in listed(waiting)] == ["DSC_1.NEF", "IMG_1.JPG"]


def test_a_profile_without_texts_is_refused(waiting: Library) -> None:
    before = contents(waiting.carriers)
    done = text(waiting, "take", waiting.jpeg, "--set", "write_description=never")
    assert done.code == 0
    done = text(
        waiting, "take", waiting.jpeg, "--set", "write_description=never", "--field", "description"
    )
    assert done.code == 2
    assert "writes no description" in done.output
    assert contents(waiting.carriers) == before
