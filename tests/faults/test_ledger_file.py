"""The ledger's file: damaged, newer, full, unwritable, shared, and moved up a version."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contract.making import AT, RUN, base_of, change_to, intent_of, receipt_of
from contract.promises_ledger import PHOTO, known_file
from faults.full_disk import SmallDisk, small_disk
from urbexmp.adapters.backups import FolderBackups
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.db.schema import APPLICATION, KNOWN, STEPS, migrate, version_of
from urbexmp.adapters.lock import FileLock
from urbexmp.model.change import RunRecord
from urbexmp.model.errors import LedgerDamaged, LedgerNewer, Problem, StateUnwritable
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.photo import PhotoId

PLACE = Path("/p/a.cr3")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with something in it, closed."""
    path = tmp_path / "state" / "ledger.sqlite3"
    with SqliteLedger(path) as ledger:
        for number in range(60):
            place = Path(f"/p/{number}.cr3")
            ledger.record(receipt_of(change_to(place, {place: b"x" * number}, mark=f"w{number}")))
        ledger.put_base(PHOTO, PLACE, base_of("Urbex|Hospital"))
    return path


def opened_badly(path: Path, kind: type[Problem], *, readonly: bool) -> str:
    before = path.read_bytes()
    with pytest.raises(kind) as caught:
        SqliteLedger(path, readonly=readonly)
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    return str(caught.value)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_ledger_is_left_alone(path: Path, readonly: bool) -> None:
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA journal_mode = DELETE")
    raw.execute(f"PRAGMA user_version = {KNOWN + 3}")
    raw.close()
    said = opened_badly(path, LedgerNewer, readonly=readonly)
    assert f"has version {KNOWN + 3}, this urbexmp knows up to {KNOWN}" in said
    assert "Nothing was written. Install the newer urbexmp again." in said


@pytest.mark.parametrize("readonly", [False, True])
def test_what_is_no_ledger_is_left_alone(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "state" / "ledger.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"this is a letter, and no ledger at all\n" * 200)
    said = opened_badly(path, LedgerDamaged, readonly=readonly)
    assert "the ledger is damaged" in said
    assert "read back from the packets" in said


@pytest.mark.parametrize("readonly", [False, True])
def test_another_programs_file_is_left_alone(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "state" / "ledger.sqlite3"
    path.parent.mkdir()
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE Adobe_images (id)")
    raw.close()
    assert "another program" in opened_badly(path, LedgerDamaged, readonly=readonly)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_ledger_cut_short_is_said_to_be_damaged(path: Path, keep: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])

    def faults() -> tuple[str, ...]:
        try:
            with SqliteLedger(path) as ledger:
                ledger.receipts(RUN)
                return ledger.faults()
        except LedgerDamaged as damaged:
            return (str(damaged),)

    assert faults()


@pytest.mark.parametrize("place", range(2, 12))
def test_a_damaged_page_is_never_a_traceback(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    # From the head of a page: behind it an empty table has nothing that could be damaged.
    start = len(content) * place // 13 // 4096 * 4096
    content[start : start + 3000] = b"\xa5" * 3000
    path.write_bytes(content)
    problems = 0
    # Where the page that describes the tables is damaged, opening says so.
    with suppress(LedgerDamaged), SqliteLedger(path) as ledger:
        for act in (
            lambda: ledger.receipts(RUN),
            lambda: [ledger.told(f"w{number}") for number in range(60)],
            lambda: ledger.base(PHOTO, PLACE),
            ledger.keywords,
            ledger.intents,
            lambda: ledger.put_base(PHOTO, PLACE, base_of("Urbex|School")),
        ):
            try:
                act()
            except LedgerDamaged:
                problems += 1
        assert problems or ledger.faults()
        return
    with pytest.raises(LedgerDamaged):
        SqliteLedger(path)


def test_a_value_that_nobody_can_read_is_said(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("""UPDATE base SET body = '{"agreed":[99999]}'""")
    raw.execute("UPDATE receipt SET change = x'00'")
    raw.commit()
    raw.close()
    with SqliteLedger(path) as ledger:
        with pytest.raises(LedgerDamaged):
            ledger.base(PHOTO, PLACE)
        with pytest.raises(LedgerDamaged):
            ledger.receipts(RUN)


def test_a_state_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    below = tmp_path / "file" / "state"
    for act in (
        lambda: SqliteLedger(below / "ledger.sqlite3"),
        lambda: FolderBackups(below / "backups").keep(b"packet"),
        lambda: FileLock(below / "lock").__enter__(),
    ):
        with pytest.raises(StateUnwritable) as caught:
            act()
        assert "choose another with --state" in str(caught.value)


def test_a_ledger_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StateUnwritable):
        SqliteLedger(tmp_path)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def test_a_full_disk_loses_nothing_that_was_kept(disk: SmallDisk) -> None:
    ledger = SqliteLedger(disk.folder / "ledger.sqlite3")
    ledger.put_base(PHOTO, PLACE, base_of("Kept"))
    backups = FolderBackups(disk.folder / "backups")
    first = backups.keep(b"first")
    words = tuple(f"{number:x}" * 40 for number in range(2000))
    with disk.full():
        with pytest.raises(StateUnwritable):
            ledger.put_base(PHOTO, PLACE, base_of(*words))
        with pytest.raises(StateUnwritable):
            backups.keep(bytes(range(256)) * 100)
        assert ledger.base(PHOTO, PLACE) == base_of("Kept")
        assert backups.fetch(first) == b"first"
    assert not list(disk.folder.rglob("*.tmp"))
    # What was numbered in the dropped transaction must not be taken for something else now.
    ledger.put_base(PHOTO, PLACE, base_of("Other", "Kept"))
    assert ledger.base(PHOTO, PLACE) == base_of("Other", "Kept")
    ledger.close()
    with SqliteLedger(disk.folder / "ledger.sqlite3") as again:
        assert again.base(PHOTO, PLACE) == base_of("Other", "Kept")
        assert again.faults() == ()


def test_a_disk_that_fills_up_at_any_moment_is_never_taken_for_damage(disk: SmallDisk) -> None:
    path = disk.folder / "ledger.sqlite3"
    opened = 0
    for room in range(0, 400_000, 12_288):
        with disk.full(room), suppress(StateUnwritable), SqliteLedger(path) as ledger:
            opened += 1
            for number in range(30):
                place = Path(f"/p/{number}.cr3")
                change = change_to(place, {place: b"x" * number}, mark=f"w{number}")
                ledger.intend(intent_of(change, {place: b"y"}))
                ledger.record(receipt_of(change))
        with SqliteLedger(path) as ledger:
            assert ledger.faults() == ()
            kept = ledger.receipts(RUN)
            assert [receipt.change.mark for receipt in kept] == [f"w{n}" for n in range(len(kept))]
            assert all(ledger.told(receipt.change.mark) for receipt in kept)
        for found in disk.folder.glob("ledger*"):
            found.unlink()
    assert opened


def test_reading_where_no_ledger_is_gives_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "never" / "ledger.sqlite3"
    with SqliteLedger(path, readonly=True) as ledger:
        assert ledger.runs() == ()
        assert ledger.base(PHOTO, PLACE) is None
        assert ledger.known(Path("/p")) == {}
        with pytest.raises(StateUnwritable):
            ledger.put_base(PHOTO, PLACE, base_of("A"))
    assert not path.parent.exists()


def test_reading_cannot_write(path: Path) -> None:
    before = path.read_bytes()
    with SqliteLedger(path, readonly=True) as ledger:
        with pytest.raises(StateUnwritable):
            ledger.put_base(PHOTO, PLACE, base_of("A"))
        with pytest.raises(StateUnwritable), ledger.batch():
            pytest.fail("a batch was opened")
        assert ledger.base(PHOTO, PLACE) == base_of("Urbex|Hospital")
    assert path.read_bytes() == before


def test_reading_an_empty_file_gives_an_empty_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"")
    with SqliteLedger(path, readonly=True) as ledger:
        assert ledger.runs() == ()
    assert path.read_bytes() == b""


def test_readers_see_what_was_last_finished_and_never_wait(path: Path) -> None:
    with SqliteLedger(path) as writer, SqliteLedger(path, readonly=True) as reader:
        with writer.batch():
            writer.put_base(PHOTO, PLACE, base_of("New"))
            # The writer is in the middle of it; waiting would end in an error here.
            assert reader.base(PHOTO, PLACE) == base_of("Urbex|Hospital")
            late = SqliteLedger(path, readonly=True)
            assert late.base(PHOTO, PLACE) == base_of("Urbex|Hospital")
            late.close()
        assert reader.base(PHOTO, PLACE) == base_of("New")


def test_many_threads_may_use_one_ledger(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    troubles: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(40):
                photo_id = PhotoId(f"{number}-{step}")
                said = (Observation(ObservationKind.LABEL, "rust", 0.5),)
                ledger.remember(photo_id, "", StageLook(f"pixels@{number}", said))
                assert ledger.look(photo_id, f"pixels@{number}", "") is not None
                ledger.settle((known_file(f"/p/{number}-{step}.cr3"),))
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert ledger.known_count(Path("/p")) == 240
    ledger.close()


def test_a_second_process_may_keep_looks_while_one_writes(path: Path) -> None:
    with SqliteLedger(path) as first, SqliteLedger(path) as second:
        first.remember(PHOTO, "", StageLook("a@1", ()))
        second.remember(PHOTO, "", StageLook("b@1", ()))
        assert first.look(PHOTO, "b@1", "") is not None
        assert second.look(PHOTO, "a@1", "") is not None


def test_each_step_of_a_migration_happens_wholly_or_not_at_all(tmp_path: Path) -> None:
    steps = (*STEPS, "ALTER TABLE run ADD COLUMN host TEXT; CREATE TABLE extra (id); NONSENSE")
    raw = sqlite3.connect(tmp_path / "l", isolation_level=None)
    with pytest.raises(sqlite3.Error):
        migrate(raw, steps)
    assert version_of(raw) == len(STEPS)
    assert raw.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    assert "host" not in [row[1] for row in raw.execute("PRAGMA table_info(run)")]
    assert migrate(raw, (*STEPS, "ALTER TABLE run ADD COLUMN host TEXT")) == 1
    assert version_of(raw) == len(STEPS) + 1
    assert migrate(raw, (*STEPS, "ALTER TABLE run ADD COLUMN host TEXT")) == 0
    raw.close()


def test_an_older_ledger_can_be_read_without_changing_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.db import database, schema

    monkeypatch.setattr(schema, "STEPS", (*STEPS, "ALTER TABLE run ADD COLUMN host TEXT"))
    monkeypatch.setattr(schema.migrate, "__defaults__", (schema.STEPS,))
    monkeypatch.setattr(database, "KNOWN", len(STEPS) + 1)
    before = path.read_bytes()
    with SqliteLedger(path, readonly=True) as ledger:
        assert ledger.base(PHOTO, PLACE) == base_of("Urbex|Hospital")
    assert path.read_bytes() == before
    with SqliteLedger(path) as ledger:
        ledger.open_run(RunRecord("r1", "sync", "offline", AT))
        assert ledger.base(PHOTO, PLACE) == base_of("Urbex|Hospital")
    raw = sqlite3.connect(path)
    assert version_of(raw) == len(STEPS) + 1
    raw.close()


def test_backups_are_plain_gzip_files_in_two_levels(tmp_path: Path) -> None:
    import gzip

    digest = FolderBackups(tmp_path).keep(b"<packet/>")
    (path,) = (found for found in tmp_path.rglob("*") if found.is_file())
    assert path == tmp_path / digest[:2] / f"{digest}.xmp.gz"
    assert gzip.decompress(path.read_bytes()) == b"<packet/>"
