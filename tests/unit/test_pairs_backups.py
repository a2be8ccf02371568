"""What is given up of the backups, and what never is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.making import change_to, intent_of, photo_id_of, sidecar
from urbexmp.adapters.memory import MemoryBackups, MemoryCopies
from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.drivers.backups import Kept, Pruning, listing, pruning, receipt_of
from urbexmp.model.change import CarrierReceipt, Receipt
from urbexmp.model.errors import UsageProblem
from urbexmp.model.photo import ABSENT, Fingerprint, fingerprint_of
from urbexmp.model.report import Report, RunRecord

PHOTOS = tuple(Path(f"/photos/IMG_{n}.CR3") for n in range(3))


class Library:
    """Photos whose packets are counters; each run writes some of them."""

    def __init__(self) -> None:
        self.ledger, self.backups, self.copies = MemoryLedger(), MemoryBackups(), MemoryCopies()
        self.packets: dict[Path, bytes | None] = dict.fromkeys(PHOTOS)
        self.runs: list[str] = []
        self.befores: dict[str, dict[Path, Fingerprint]] = {}

    def write(self, photos: set[int], *, same: bool = False) -> str:
        """A run; `same` writes bytes that stood in a packet before."""
        number = len(self.runs)
        run, day = f"r{number:03}", f"2026-11-{number + 1:02}T09:00:00Z"
        self.ledger.open_run(RunRecord(run, "sync", "offline", day))
        self.befores[run] = {}
        for at in sorted(photos):
            photo = PHOTOS[at]
            before = self.packets[photo]
            after = b"path A\n" if same else f"path N{number}-{at}\n".encode()
            change = change_to(photo, {photo.with_suffix(".xmp"): before}, mark=f"w{number}-{at}")
            if before is not None:
                self.backups.keep(before)
            carrier = sidecar(photo.with_suffix(".xmp"))
            done = CarrierReceipt(carrier, fingerprint_of(before), fingerprint_of(after))
            self.ledger.record(Receipt(run, day, change, (done,)))
            self.befores[run][photo] = fingerprint_of(before)
            self.packets[photo] = after
        self.ledger.close_run(run, day, Report(changed=len(photos)))
        self.runs.append(run)
        return run

    def pruning(self, **words: object) -> Pruning:
        return pruning(self.ledger, self.backups, self.copies, **words)  # type: ignore[arg-type]

    def give_up(self, found: Pruning) -> None:
        for version, _ in found.backups:
            self.backups.discard(version)


@settings(max_examples=60, deadline=None, database=None)
@given(
    runs=st.lists(st.tuples(st.sets(st.integers(0, 2)), st.booleans(), st.booleans()), max_size=8),
    keep=st.integers(0, 8) | st.none(),
    day=st.integers(1, 9) | st.none(),
)
def test_every_run_that_is_kept_can_still_be_taken_back(
    runs: list[tuple[set[int], bool, bool]], keep: int | None, day: int | None
) -> None:
    library = Library()
    for photos, same, undone in runs:
        run = library.write(photos, same=same)
        if undone:
            library.ledger.mark_undone(run)
    before = None if day is None else f"2026-11-{day:02}T00:00:00Z"
    found = library.pruning(before=before, keep_runs=keep)
    library.give_up(found)
    wrote = [r for r, (photos, _, _) in zip(library.runs, runs, strict=True) if photos]
    undone_runs = {r for r, (_, _, gone) in zip(library.runs, runs, strict=True) if gone}
    kept = set(wrote if keep is None else wrote[len(wrote) - min(keep, len(wrote)) :])
    if day is not None:
        kept &= {run for n, run in enumerate(library.runs) if n + 1 >= day}
    lost = {record.run for record, _ in found.lost}
    for run in wrote:
        missing = [
            version
            for version in library.befores[run].values()
            if version != ABSENT and library.backups.size(version) is None
        ]
        if run in kept and run not in undone_runs:
            assert not missing, f"{run} was to be kept"
        assert (run in lost) == (bool(missing) and run not in undone_runs), run
    assert found.kept_runs == len(kept)
    assert library.pruning(before=before, keep_runs=keep).backups == ()


def test_what_an_unfinished_write_needs_is_kept() -> None:
    library = Library()
    library.write({0})
    packet = library.packets[PHOTOS[0]]
    assert packet is not None
    where = PHOTOS[0].with_suffix(".xmp")
    change = replace(change_to(PHOTOS[0], {where: packet}, mark="open"))
    library.backups.keep(packet)
    library.ledger.intend(intent_of(change, {where: b"path new\n"}))
    assert library.pruning(keep_runs=0).backups == ()
    assert photo_id_of(PHOTOS[0]) == change.photo_id


def test_whole_copies_go_with_the_runs_that_made_them(tmp_path: Path) -> None:
    library = Library()
    library.write({0})
    first, image = library.packets[PHOTOS[0]], tmp_path / "IMG_0.jpg"
    image.write_bytes(b"a picture")
    library.copies.keep(image, fingerprint_of(first))
    library.write({0})
    assert library.pruning(keep_runs=1).copies == ()
    found = library.pruning(keep_runs=0)
    assert found.copies == ((fingerprint_of(first), 9),)
    assert found.bytes == 9 + sum(size for _, size in found.backups)


def test_what_is_kept_is_listed_newest_first_with_sizes() -> None:
    library = Library()
    first = library.write({0, 1})
    second = library.write({1})

    def listed(**words: object) -> list[Kept]:
        return list(listing(library.ledger, library.backups, library.copies, **words))  # type: ignore[arg-type]

    assert [(kept.run, kept.photo) for kept in listed()] == [
        (second, PHOTOS[1]),
        (first, PHOTOS[0]),
        (first, PHOTOS[1]),
    ]
    (newest,) = listed(run=second)
    assert newest.size == len(b"path N0-1\n")
    assert [kept.version for kept in listed(run=first)] == [ABSENT, ABSENT]
    assert {kept.photo for kept in listed(below=(PHOTOS[0],))} == {PHOTOS[0]}
    library.backups.discard(newest.version)
    assert listed(run=second)[0].size is None


def test_a_photo_is_named_by_any_of_its_files_and_a_wrong_run_is_told() -> None:
    library = Library()
    run = library.write({0})
    by_raw = receipt_of(library.ledger, run, PHOTOS[0])
    assert receipt_of(library.ledger, run, PHOTOS[0].with_suffix(".xmp")) == by_raw
    with pytest.raises(UsageProblem, match="wrote nothing to it"):
        receipt_of(library.ledger, run, PHOTOS[1])
