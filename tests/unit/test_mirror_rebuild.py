"""The mirror follows what happens, and one that is built from the files alone says the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mirror_examples import dump
from mirror_library import DESCRIBED, Library, Quiet
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.inspect import FileInspector
from urbexmp.app import open_mirror
from urbexmp.drivers.follow import Follower
from urbexmp.drivers.keywords import edit
from urbexmp.drivers.mirror import rebuild
from urbexmp.drivers.undo import undo
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import MirrorDamaged, StateUnwritable, UsageProblem
from urbexmp.model.keyword import Keyword

WORDS = ("Urbex|Building|Hospital", "urbex|building|Healthcare", "Mine", "Urbex", "Trips|2024")

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "person adds",
                "person takes away",
                "person describes",
                "older packet",
                "keyword add",
                "keyword refuse",
                "keyword unveto",
                "undo",
                "new photo",
                "photo gone",
                "photo moved",
                "sync",
            )
        ),
        st.integers(0, 5),
        st.sampled_from(WORDS),
    ),
    max_size=7,
)


def do(library: Library, step: str, which: int, word: str) -> None:
    photos = library.photos()
    photo = photos[which % len(photos)] if photos else library.add(which)
    keyword, held = Keyword.parse(word), library.keywords(photo)
    if step == "person adds" and keyword not in held:
        library.write(photo, PacketEdit(hierarchical_add=(word,), flat_add=(keyword.leaf,)))
    elif step == "person takes away" and held:
        library.take_away(photo, held[which % len(held)])
    elif step == "person describes":
        library.sidecar(photo).write_text(DESCRIBED % (word, word.rpartition("|")[2]))
        library.touch(library.sidecar(photo))
    elif step == "older packet":
        library.sidecar(photo).unlink(missing_ok=True)
    elif step == "new photo":
        library.add(6 + which)
    elif step == "photo gone":
        photo.unlink()
    elif step == "photo moved":
        target = library.root / "Moved" / photo.name
        target.parent.mkdir(exist_ok=True)
        photo.rename(target)
        if library.sidecar(photo).exists():
            library.sidecar(photo).rename(library.sidecar(target))
    elif step == "sync":
        library.sync()
    elif step.startswith("keyword"):
        with library.house() as house:
            change = {step.split()[1]: (keyword,)}
            edit(house, (photo,), Quiet(), **change)  # type: ignore[arg-type]
    elif step == "undo":
        with library.house() as house:
            try:
                undo(house, None, Quiet())
            except UsageProblem:
                assert house.ledger.runs()


@given(STEPS)
@settings(
    max_examples=5,
    deadline=None,
    # Every try is a library on disk: shrinking one takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
def test_a_mirror_built_from_the_files_alone_gives_the_same_answers(
    steps: list[tuple[str, int, str]],
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        library = Library(folder, 4)
        library.sync()
        for step, which, word in steps:
            do(library, step, which, word)
        library.sync()
        lived = dump(library.mirror, ledger=False)
        assert lived == library.built_from_nothing()
        assert library.drift() == []
        library.rebuild()
        assert dump(library.mirror, ledger=False) == lived
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path, 5)


def test_a_veto_that_was_only_learned_is_mirrored_and_rebuilt(library: Library) -> None:
    library.sync()
    photo = library.photos()[0]
    taken = library.keywords(photo)[0]
    library.take_away(photo, taken)
    library.sync()
    vetoes = dump(library.mirror)["veto"]
    assert [row[2] for row in vetoes] == [str(taken)]
    assert library.built_from_nothing()["veto"] == vetoes


def test_undo_and_keyword_edits_are_followed_without_a_sync(library: Library) -> None:
    library.sync()
    photo = library.photos()[0]
    with library.house() as house:
        edit(house, (photo,), Quiet(), add=(Keyword.parse("Mine|Own"),))
    rows = [row for row in dump(library.mirror)["link"] if row[2] == "Mine|Own"]
    assert [(row[1], row[3]) for row in rows] == [(photo.name, "person")]
    with library.house() as house:
        undo(house, None, Quiet())
        undo(house, None, Quiet())
    assert dump(library.mirror)["link"] == []
    assert library.drift() == []


def test_photos_that_are_gone_and_whole_folders_leave_the_mirror(library: Library) -> None:
    library.sync()
    library.photos()[0].unlink()
    shutil.rmtree(library.root / "Paper Mill" / "Hall")
    library.sync()
    assert {row[2] for row in dump(library.mirror)["photo"]} == {
        path.name for path in library.photos()
    }
    assert library.drift() == []


def test_rows_that_were_lost_in_a_folder_where_nothing_changed_come_back(library: Library) -> None:
    library.sync()
    library.sync()  # now the folders are remembered as a whole
    before = dump(library.mirror)
    with SqliteMirror(library.mirror) as mirror:
        photo = library.photos()[1].relative_to(library.root)
        assert mirror.remove([photo]) == 1
    library.sync()
    assert dump(library.mirror)["photo"] == before["photo"]
    assert library.drift() == []


def test_a_photo_that_fails_keeps_its_row_and_says_so(library: Library) -> None:
    library.sync()
    photo = library.photos()[0]
    library.write(photo, PacketEdit(flat_add=("Mine",)))
    photo.write_bytes(b"no picture at all")
    (library.root / "junk.jpg").write_bytes(b"none either")
    library.sync()
    status = {row[2]: row[0] for row in dump(library.mirror)["photo"]}
    assert status[photo.name] == status["junk.jpg"] == "failed"
    assert set(status.values()) == {"failed", "completed"}
    library.rebuild()
    assert {row[2]: row[0] for row in dump(library.mirror)["photo"]} == status


@pytest.mark.parametrize("harm", ["deleted", "damaged"])
def test_a_sync_that_finds_no_mirror_builds_it_without_opening_photos(
    library: Library, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.sync()
    before = dump(library.mirror)
    if harm == "deleted":
        for path in library.mirror.parent.glob("mirror*"):
            path.unlink()
    else:
        library.mirror.write_bytes(b"this is no database" * 500)

    def opened(*_: object) -> None:
        raise AssertionError("a photo was opened")

    with monkeypatch.context() as patched:
        for question in ("verify", "photo_id", "facts", "preview"):
            patched.setattr(FileInspector, question, opened)
        show = library.sync()
    assert dump(library.mirror) == before
    assert any("built again" in note for note in show.notes) == (harm == "damaged")


def test_a_kill_before_the_mirror_leaves_the_row_behind_and_the_next_run_puts_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.sync()
    library.add(7)
    photo = library.photos()[0]
    library.write(photo, PacketEdit(hierarchical_add=("Mine|Own",)))

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Follower, "follow", killed)
        with pytest.raises(Killed):
            library.sync()
    behind = dump(library.mirror)
    assert len(behind["photo"]) == 5
    assert not [row for row in behind["link"] if row[2] == "Mine|Own"]
    assert {each.what for each in library.drift()} == {"missing", "stale"}
    library.sync()
    assert library.drift() == []
    assert dump(library.mirror, ledger=False) == library.built_from_nothing()


def test_photos_are_not_remembered_while_the_mirror_cannot_follow(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StateUnwritable("mirror.sqlite3", detail="the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteMirror, "put", full)
        show = library.sync()
    assert any("could not follow" in note for note in show.notes)
    assert show.problems == []
    assert all(library.keywords(photo) for photo in library.photos())
    assert library.sync().notes == []
    assert library.drift() == []
    assert {row[0] for row in dump(library.mirror)["photo"]} == {"completed"}


def test_a_rebuild_that_is_stopped_leaves_the_old_mirror(library: Library) -> None:
    library.sync()
    before = dump(library.mirror)
    library.add(8)
    with library.house(stopping=lambda: True) as house:
        report = rebuild(house, Quiet())
    assert report.interrupted
    assert dump(library.mirror) == before


def test_a_place_of_its_own_changes_the_rows_of_its_folder(library: Library) -> None:
    library.sync()
    text = 'name = "St Agnes"\ntype = "hospital"\ncity = "Boston"\n'
    (library.root / "Old Hospital" / "location.toml").write_text(text)
    library.sync()
    places = {row[2]: row[-2] for row in dump(library.mirror)["photo"]}
    assert {name for name, place in places.items() if place == "St Agnes"} == {
        path.name for path in (library.root / "Old Hospital").glob("*.jpg")
    }
    assert library.drift() == []


def test_check_lists_what_was_changed_behind_its_back(library: Library) -> None:
    library.sync()
    with SqliteMirror(library.mirror) as mirror:
        mirror._file.do("UPDATE photo SET view = 'aerial' WHERE name = 'IMG_0000.jpg'")
        mirror._file.do("UPDATE keyword SET below = below + 1 WHERE depth = 1")
    found = library.drift()
    assert {(each.path.name, each.what) for each in found} >= {("IMG_0000.jpg", "wrong")}
    assert any("photos below the keyword" in each.detail for each in found)
    library.rebuild()
    assert library.drift() == []


def test_a_mirror_to_read_only_is_neither_made_nor_mended(library: Library) -> None:
    with pytest.raises(UsageProblem):
        open_mirror(library.root, library.state)
    library.sync()
    library.mirror.write_bytes(b"this is no database" * 500)
    with pytest.raises(MirrorDamaged):
        open_mirror(library.root, library.state)
