"""What people did with our keywords, learned from sidecars as Lightroom would leave them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.ledger import reading
from urbexmp.cli.main import run
from urbexmp.model.feedback import Judged, Tally

pytestmark = pytest.mark.usefixtures("clean_home")

HOSPITAL = "Urbex|Building|Healthcare|Hospital"
SCHOOL = "Urbex|Building|Education|School"


class Library:
    """A hospital of three photos, its state, and what a person can do."""

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        self.root = folder / "library"
        self.state = folder / "state"
        place = self.root / "Old Hospital"
        place.mkdir(parents=True)
        for number in range(3):
            picture = Image.linear_gradient("L").resize((64, 48 + number)).convert("RGB")
            picture.save(place / f"IMG_{number}.JPG")

    def photo(self, number: int) -> Path:
        return self.root / "Old Hospital" / f"IMG_{number}.JPG"

    def sidecar(self, number: int) -> Path:
        return self.photo(number).with_name(self.photo(number).name + ".xmp")

    def do(self, *words: object) -> None:
        assert run([*map(str, words), "--state", str(self.state), "-q"]) == 0

    def sync(self, *words: object) -> None:
        self.do("sync", self.root, "--stages", "camera,place", *words)

    def takes_out(self, number: int, keyword: str) -> None:
        """The person removes a keyword in another program, which keeps the rest of the packet."""
        self.edits(number, f"     <rdf:li>{keyword}</rdf:li>\n", "")
        leaf = keyword.rpartition("|")[2]
        self.edits(number, f"     <rdf:li>{leaf}</rdf:li>\n", "")

    def puts_in(self, number: int, keyword: str) -> None:
        here = "   <lr:hierarchicalSubject>\n    <rdf:Bag>\n"
        self.edits(number, here, f"{here}     <rdf:li>{keyword}</rdf:li>\n")

    def edits(self, number: int, before: str, after: str) -> None:
        path = self.sidecar(number)
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    def told(self, under: Path | None = None) -> dict[tuple[Judged, str], int]:
        """Kind of judgement and keyword to photos."""
        return {(t.judgement.kind, str(t.judgement.keyword)): t.photos for t in self.tallies(under)}

    def tallies(self, under: Path | None = None) -> list[Tally]:
        with reading(self.root, self.state) as ledger:
            return list(ledger.tallies(under))

    def stages(self, kind: Judged) -> set[str]:
        """Names of the stages whose keywords were judged so."""
        return {
            tally.judgement.stage.partition("@")[0]
            for tally in self.tallies()
            if tally.judgement.kind is kind
        }


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path)
    library.sync()
    assert f"<rdf:li>{HOSPITAL}</rdf:li>" in library.sidecar(0).read_text()
    return library


def test_keywords_that_nobody_touched_are_not_judged(library: Library) -> None:
    library.sync()
    library.sync("--again")
    assert library.told() == {}


def test_what_a_person_takes_out_counts_against_the_stage_that_said_it(library: Library) -> None:
    library.takes_out(0, HOSPITAL)
    library.sync()
    assert library.told() == {(Judged.REMOVED, HOSPITAL): 1}
    assert library.stages(Judged.REMOVED) == {"place"}
    library.sync("--again")
    assert library.told() == {(Judged.REMOVED, HOSPITAL): 1}


def test_what_they_left_while_they_worked_on_the_photo_was_kept(library: Library) -> None:
    library.puts_in(1, "Urbex|View|Interior")
    library.sync()
    assert library.told() == {
        (Judged.ADDED, "Urbex|View|Interior"): 1,
        (Judged.KEPT, HOSPITAL): 1,
    }
    (added,) = (t.judgement for t in library.tallies() if t.judgement.kind is Judged.ADDED)
    assert [stage.partition("@")[0] for stage in added.missed_by] == ["camera", "place"]
    library.takes_out(1, HOSPITAL)
    library.sync()
    assert library.told() == {
        (Judged.ADDED, "Urbex|View|Interior"): 1,
        (Judged.REMOVED, HOSPITAL): 1,
    }, "the last thing they did counts"


def test_keywords_outside_the_vocabulary_say_nothing(library: Library) -> None:
    library.puts_in(0, "Trips|2026|Autumn")
    library.sync()
    assert library.told() == {}


def test_what_stood_there_before_us_was_not_missed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.do("keyword", "add", SCHOOL, library.photo(0), "--stages", "camera,place")
    shutil.rmtree(library.state)
    library.sync()
    assert library.told() == {}


def test_the_commands_are_answers_too(library: Library) -> None:
    library.do("keyword", "confirm", HOSPITAL, library.photo(0))
    library.do("keyword", "refuse", HOSPITAL, library.photo(1))
    library.do("keyword", "add", SCHOOL, library.photo(2))
    assert library.told() == {
        (Judged.CONFIRMED, HOSPITAL): 1,
        (Judged.REMOVED, HOSPITAL): 1,
        (Judged.ADDED, SCHOOL): 1,
    }, "a command says nothing of the photo's other keywords"
    assert library.stages(Judged.CONFIRMED) == {"place"}
    library.sync()
    library.do("keyword", "unveto", HOSPITAL, library.photo(1))
    assert (Judged.REMOVED, HOSPITAL) not in library.told()


def test_a_keyword_respelled_is_a_keyword_confirmed(library: Library) -> None:
    library.edits(0, f"<rdf:li>{HOSPITAL}</rdf:li>", f"<rdf:li>{HOSPITAL.upper()}</rdf:li>")
    library.sync()
    assert library.told() == {(Judged.CONFIRMED, HOSPITAL): 1}
    assert library.stages(Judged.CONFIRMED) == {"place"}


def test_answers_to_what_waited_are_told_apart(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.sync("--threshold", "0.99", "--ask-from", "0.3", "--set", "thresholds.place=0.999")
    library.do("keyword", "confirm", HOSPITAL, library.photo(0))
    library.do("keyword", "refuse", HOSPITAL, library.photo(1))
    assert library.told() == {(Judged.ACCEPTED, HOSPITAL): 1, (Judged.DECLINED, HOSPITAL): 1}
    assert library.stages(Judged.ACCEPTED) == library.stages(Judged.DECLINED) == {"place"}


def test_taking_a_run_back_is_no_judgement(library: Library) -> None:
    library.do("undo", "--in", library.root, "--yes")
    library.sync()
    assert library.told() == {}


def test_taking_a_refusal_back_takes_the_judgement_back(library: Library) -> None:
    library.do("keyword", "refuse", HOSPITAL, library.photo(0))
    assert (Judged.REMOVED, HOSPITAL) in library.told()
    library.do("undo", "--in", library.root, "--yes")
    vetoes = (Judged.REMOVED, HOSPITAL) in library.told()
    listed = HOSPITAL in library.sidecar(0).read_text()
    assert listed != vetoes


def test_a_photo_that_moves_keeps_its_judgements(library: Library) -> None:
    library.takes_out(0, HOSPITAL)
    library.sync()
    elsewhere = library.root / "Other Hospital"
    elsewhere.mkdir()
    for path in (library.photo(0), library.sidecar(0)):
        shutil.move(path, elsewhere / path.name)
    library.sync()
    assert library.told() == {(Judged.REMOVED, HOSPITAL): 1}
    assert library.told(elsewhere) == {(Judged.REMOVED, HOSPITAL): 1}
    assert library.told(library.root / "Old Hospital") == {}


def test_with_the_state_lost_the_packets_still_tell_what_they_can(library: Library) -> None:
    # One refusal is in the packet's block; one removal can be seen in it, not yet learned; one
    # confirmation leaves no trace in the packet.
    library.do("keyword", "refuse", HOSPITAL, library.photo(0))
    library.takes_out(1, HOSPITAL)
    library.do("keyword", "confirm", HOSPITAL, library.photo(2))
    shutil.rmtree(library.state)
    library.sync()
    removed = {t.judgement.stage.partition("@")[0]: t.photos for t in library.tallies()}
    assert removed == {"": 1, "place": 1}
    assert library.told().keys() == {(Judged.REMOVED, HOSPITAL)}
