"""What every implementation of the ledger's port promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contract.making import (
    AT,
    RUN,
    base_of,
    change_to,
    intent_of,
    keywords,
    receipt_of,
)
from contract.promises_looks import PHOTO, LooksPromises, known_file
from urbexmp.model.change import Edit, EditKind, RunRecord
from urbexmp.model.errors import (
    InternalProblem,
)
from urbexmp.model.feedback import Judged, Judgement
from urbexmp.model.keyword import Keyword
from urbexmp.model.ledger import Ledger, SettledFolder, WaitingWork
from urbexmp.model.photo import FileStat, PhotoId
from urbexmp.model.report import Report
from urbexmp.model.text import TextChange, TextField

OLD, NEW = b"old packet", b"new packet"


class LedgerPromises(LooksPromises):
    """`Ledger`."""

    def test_runs(self, ledger: Ledger) -> None:
        for number in range(3):
            ledger.open_run(RunRecord(f"r{number}", "sync", "offline", AT))
        ledger.close_run("r0", AT, Report(changed=5))
        ledger.mark_undone("r0")
        found = self.again(ledger).runs()
        assert [record.run for record in found] == ["r2", "r1", "r0"]
        assert found[2] == RunRecord("r0", "sync", "offline", AT, AT, 5, 0, undone=True)
        assert found[0].ended is None
        assert [record.run for record in ledger.runs(limit=1)] == ["r2"]

    def test_the_last_judgement_of_a_pictures_keyword_counts(self, ledger: Ledger) -> None:
        hospital, interior = Keyword.parse("Urbex|Hospital"), Keyword.parse("Urbex|Interior")
        stage = "place@1f2e3d4c"
        ledger.judge(PHOTO, [Judgement(Judged.KEPT, hospital, stage, "offline")])
        ledger.judge(PHOTO, [Judgement(Judged.REMOVED, hospital)])
        ledger.judge(PHOTO, [Judgement(Judged.ADDED, interior, missed_by=(stage, "camera@1"))])
        ledger.judge(PhotoId("b" * 64), [Judgement(Judged.REMOVED, hospital, stage, "offline")])
        tallies = {tally.judgement: tally.photos for tally in self.again(ledger).tallies()}
        assert tallies == {
            Judgement(Judged.REMOVED, hospital, stage, "offline"): 2,
            Judgement(Judged.ADDED, interior, missed_by=(stage, "camera@1")): 1,
        }
        ledger.judge(PHOTO, [Judgement(Judged.WITHDRAWN, hospital)])
        assert {tally.judgement.keyword: tally.photos for tally in ledger.tallies()} == {
            hospital: 1,
            interior: 1,
        }

    def test_a_veto_without_a_judgement_was_somebodys_removal(self, ledger: Ledger) -> None:
        hospital = Keyword.parse("Urbex|Hospital")
        for name in ("a", "b"):
            base = base_of(vetoed=("Urbex|Hospital", "Urbex|School"))
            ledger.put_base(PhotoId(name * 64), Path(f"/p/{name}.cr3"), base)
        ledger.judge(PhotoId("a" * 64), [Judgement(Judged.DECLINED, hospital, "place@1")])
        # The same picture at a second place is the same picture.
        ledger.put_base(PhotoId("a" * 64), Path("/q/copy.cr3"), base_of(vetoed=("Urbex|hospital",)))
        tallies = {tally.judgement: tally.photos for tally in self.again(ledger).tallies()}
        assert tallies == {
            Judgement(Judged.DECLINED, hospital, "place@1"): 1,
            Judgement(Judged.REMOVED, hospital): 1,
            Judgement(Judged.REMOVED, Keyword.parse("Urbex|School")): 2,
        }

    def test_judgements_of_a_part_of_the_library(self, ledger: Ledger) -> None:
        hospital = Keyword.parse("Urbex|Hospital")
        places = [Path(f"/lib/{name}.cr3") for name in ("a/1", "a/b/2", "a0/3", "a b/4")]
        for number, place in enumerate(places):
            photo = PhotoId(str(number) * 64)
            ledger.settle([replace(known_file(place), photo_id=photo)])
            ledger.judge(photo, [Judgement(Judged.KEPT, hospital)])
            ledger.put_base(photo, place, base_of(vetoed=("Urbex|School",)))

        def photos(under: str) -> list[int]:
            return [tally.photos for tally in ledger.tallies(Path(under))]

        assert photos("/lib") == [4, 4]
        assert photos("/lib/a") == [2, 2]
        assert photos("/lib/a/b") == [1, 1]
        assert photos("/lib/a0/3.cr3") == [1, 1]
        assert photos("/lib/nothing") == []

    def test_held_edits_of_one_photo(self, ledger: Ledger) -> None:
        edit = Edit(EditKind.ADD, Keyword.parse("Urbex|Hospital"), hold="unsure")
        ledger.hold(PHOTO, Path("/p/a.cr3"), (edit,))
        assert self.again(ledger).held_at(PHOTO, Path("/p/a.cr3")) == (edit,)
        assert ledger.held_at(PHOTO, Path("/p/b.cr3")) == ()

    def test_a_run_that_was_killed_counts_what_it_did(self, ledger: Ledger) -> None:
        ledger.open_run(RunRecord(RUN, "sync", "offline", AT))
        for name in ("a", "b"):
            path = Path(f"/p/{name}.cr3")
            ledger.record(receipt_of(change_to(path, {path.with_suffix(".xmp"): OLD}, mark=name)))
        assert self.again(ledger).runs()[0].changed == 2
        assert ledger.runs()[0].ended is None

    def test_an_intent_stays_until_its_receipt(self, ledger: Ledger) -> None:
        path = Path("/p/a.cr3")
        change = change_to(path, {path.with_suffix(".xmp"): OLD})
        intent = intent_of(change, {path.with_suffix(".xmp"): NEW})
        ledger.intend(intent)
        assert self.again(ledger).intents() == (intent,)
        assert ledger.told("w1") is None
        ledger.record(receipt_of(change))
        assert self.again(ledger).intents() == ()
        assert ledger.receipts(RUN) == (receipt_of(change),)
        assert ledger.base(change.photo_id, path) == change.after
        assert ledger.told("w1") == change.after.agreed

    def test_a_forgotten_intent_leaves_nothing(self, ledger: Ledger) -> None:
        path = Path("/p/a.cr3")
        change = change_to(path, {path.with_suffix(".xmp"): OLD})
        intent = intent_of(change, {path.with_suffix(".xmp"): NEW})
        ledger.intend(intent)
        ledger.forget(intent)
        assert ledger.intents() == ()
        assert ledger.base(change.photo_id, path) is None
        assert ledger.told("w1") is None
        ledger.intend(intent)
        assert ledger.intents() == (intent,)

    def test_intents_come_back_in_order(self, ledger: Ledger) -> None:
        for name in ("c", "a", "b"):
            path = Path(f"/p/{name}.cr3")
            ledger.intend(intent_of(change_to(path, {path: OLD}, mark=name), {path: NEW}))
        assert [intent.change.mark for intent in self.again(ledger).intents()] == ["c", "a", "b"]

    def test_one_mark_cannot_name_the_writes_of_two_photos(self, ledger: Ledger) -> None:
        first, second = Path("/p/a.cr3"), Path("/p/b.cr3")
        ledger.record(receipt_of(change_to(first, {first: OLD})))
        with pytest.raises(InternalProblem):
            ledger.intend(intent_of(change_to(second, {second: OLD}), {second: NEW}))
        assert ledger.intents() == ()

    def test_what_was_told_outlives_the_base(self, ledger: Ledger) -> None:
        path = Path("/p/a.cr3")
        change = change_to(path, {path: OLD}, mark="w1")
        ledger.record(receipt_of(change))
        ledger.put_base(change.photo_id, path, base_of())
        later = change_to(path, {path: OLD}, "Urbex|School", mark="w2")
        ledger.record(receipt_of(later))
        ledger.drop_base(change.photo_id, path)
        again = self.again(ledger)
        assert again.told("w1") == keywords("Urbex|Hospital")
        assert again.told("w2") == keywords("Urbex|School")
        assert again.told("w3") is None

    def test_bases_by_photo_and_place(self, ledger: Ledger) -> None:
        here, there, far = Path("/p/a.cr3"), Path("/q/a.cr3"), Path("/r/a.cr3")
        base = replace(
            base_of("Urbex|Hospital", "Straße", vetoed=("Urbex|School",)),
            missing=keywords("A|B"),
            restored=keywords("C"),
            flats=frozenset({"Hospital", "12"}),
        )
        ledger.put_base(PHOTO, here, base)
        ledger.put_base(PHOTO, there, base_of("X"))
        ledger.put_base(PhotoId("b" * 64), far, base_of("Y"))
        again = self.again(ledger)
        assert again.base(PHOTO, here) == base
        assert again.base(PHOTO, here).digest == base.digest  # type: ignore[union-attr]
        assert again.base(PHOTO, far) is None
        assert again.bases_elsewhere(PHOTO, far) == ((here, base), (there, base_of("X")))
        assert again.bases_elsewhere(PHOTO, here) == ((there, base_of("X")),)
        ledger.drop_base(PHOTO, there)
        assert ledger.bases_elsewhere(PHOTO, here) == ()

    def test_keywords_are_known_in_the_last_spelling(self, ledger: Ledger) -> None:
        ledger.put_base(PHOTO, Path("/p/a"), base_of("urbex|hospital", "Rust"))
        ledger.put_base(PHOTO, Path("/p/a"), base_of("Urbex|Hospital"))
        found = {str(keyword) for keyword in self.again(ledger).keywords()}
        assert found == {"Urbex|Hospital", "Rust"}
        ledger.put_base(PHOTO, Path("/p/b"), base_of("urbex|hospital"))
        assert "urbex|hospital" in {str(keyword) for keyword in ledger.keywords()}

    def test_a_batch_is_all_or_nothing(self, ledger: Ledger) -> None:
        path = Path("/p/a.cr3")
        ledger.put_base(PHOTO, path, base_of("Kept"))

        def dropped() -> None:
            with ledger.batch():
                ledger.put_base(PHOTO, path, base_of("Never kept", "Kept"))
                ledger.wait(WaitingWork(path, 1, 1, AT, "x"))
                assert ledger.base(PHOTO, path) == base_of("Never kept", "Kept")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            dropped()
        assert ledger.base(PHOTO, path) == base_of("Kept")
        assert ledger.waiting_on(path) is None
        with ledger.batch():
            ledger.put_base(PHOTO, path, base_of("Other"))
            ledger.put_base(PHOTO, Path("/p/b.cr3"), base_of("Kept", "Other"))
        again = self.again(ledger)
        assert again.base(PHOTO, path) == base_of("Other")
        assert again.base(PHOTO, Path("/p/b.cr3")) == base_of("Kept", "Other")

    def test_known_files_folder_by_folder(self, ledger: Ledger) -> None:
        files = (
            known_file("/p/a.cr3"),
            known_file("/p/b.cr3", held=True),
            replace(known_file("/p/ü.jpg"), carriers=((Path("/elsewhere/ü.xmp"), None),)),
            known_file("/p/sub/a.cr3"),
            known_file("/pp/a.cr3"),
        )
        ledger.settle(files)
        again = self.again(ledger)
        assert again.known(Path("/p")) == {file.path.name: file for file in files[:3]}
        assert again.known(Path("/q")) == {}
        assert again.known_count(Path("/p")) == 4
        assert again.known_count(Path("/")) == 5
        changed = replace(files[0], policy="p2", stat=FileStat(2**40, 2**62, 2**64 - 1))
        ledger.settle((changed,))
        ledger.unsettle((Path("/p/b.cr3"), Path("/p/never.cr3")))
        assert ledger.known(Path("/p")) == {"a.cr3": changed, "ü.jpg": files[2]}
        assert ledger.known_count(Path("/p")) == 3

    def test_why_files_are_spared_is_known_with_them(self, ledger: Ledger) -> None:
        files = (
            replace(known_file("/p/a.jpg"), spared=("signed",)),
            replace(known_file("/p/sub/b.cr3"), spared=("read-only", "iptc-newer")),
            known_file("/p/c.jpg"),
            replace(known_file("/pp/a.jpg"), spared=("signed",)),
        )
        ledger.settle(files)
        again = self.again(ledger)
        assert again.known(Path("/p")) == {"a.jpg": files[0], "c.jpg": files[2]}
        assert tuple(again.spared(Path("/p"))) == (
            (Path("/p/a.jpg"), ("signed",)),
            (Path("/p/sub/b.cr3"), ("read-only", "iptc-newer")),
        )
        ledger.settle((replace(files[0], spared=()),))
        assert [path.name for path, _ in ledger.spared(Path("/p"))] == ["b.cr3"]

    def test_a_settled_folder_is_forgotten_with_any_change_in_it(self, ledger: Ledger) -> None:
        files = (known_file("/p/a.cr3"), known_file("/p/b.cr3"), known_file("/p/sub/a.cr3"))
        folder, below = (SettledFolder(Path(p), b"\0" * 16, "p1", 2) for p in ("/p", "/p/sub"))
        ledger.settle(files)
        assert ledger.settled_folder(Path("/p")) is None
        for forget in (
            lambda: ledger.settle((known_file("/p/new.cr3"),)),
            lambda: ledger.settle((files[0],)),
            lambda: ledger.unsettle((Path("/p/b.cr3"),)),
            lambda: ledger.unsettle((Path("/p/never.cr3"),)),
        ):
            ledger.settle_folder(folder)
            ledger.settle_folder(below)
            assert self.again(ledger).settled_folder(Path("/p")) == folder
            forget()
            assert ledger.settled_folder(Path("/p")) is None
            assert self.again(ledger).settled_folder(Path("/p/sub")) == below
        ledger.settle_folder(replace(folder, digest=b"1" * 16, policy="p2", photos=3))
        ledger.settle_folder(folder)
        assert ledger.settled_folder(Path("/p")) == folder

    def test_a_name_that_is_no_text(self, ledger: Ledger) -> None:
        path = Path("/p\udcff/a\udce4.cr3")
        change = change_to(path, {path.with_suffix(".xmp"): OLD})
        ledger.settle((known_file(str(path)),))
        ledger.intend(intent_of(change, {path.with_suffix(".xmp"): NEW}))
        ledger.wait(WaitingWork(path, 1, 1, AT, f"{path}: no"))
        again = self.again(ledger)
        assert again.known(path.parent) == {path.name: known_file(str(path))}
        assert again.known_count(Path("/")) == 1
        assert again.intents()[0].change == change
        assert [work.path for work in again.waiting(AT)] == [path]
        ledger.record(receipt_of(change))
        assert again.base(change.photo_id, path) == change.after

    def test_held_edits(self, ledger: Ledger) -> None:
        edits = tuple(
            Edit(EditKind.ADD, Keyword.parse(text), confidence=0.4, hold="unsure")
            for text in ("B|C", "A")
        )
        ledger.hold(PHOTO, Path("/p/b.cr3"), edits)
        ledger.hold(PHOTO, Path("/p/a.cr3"), edits[:1])
        ledger.hold(PHOTO, Path("/q/a.cr3"), edits[1:])
        again = self.again(ledger)
        assert again.held(Path("/p")) == (
            (Path("/p/a.cr3"), edits[0]),
            (Path("/p/b.cr3"), edits[0]),
            (Path("/p/b.cr3"), edits[1]),
        )
        assert again.held(Path("/p/a.cr3")) == ((Path("/p/a.cr3"), edits[0]),)
        assert len(again.held()) == 4
        ledger.hold(PHOTO, Path("/p/b.cr3"), edits[1:])
        ledger.hold(PHOTO, Path("/q/a.cr3"), ())
        assert [edit for _, edit in ledger.held()] == [edits[0], edits[1]]

    def test_held_texts(self, ledger: Ledger) -> None:
        texts = tuple(
            TextChange(field, "Mine", "A hall.", "vlm@1f2e3d4c", "you changed it")
            for field in TextField
        )
        ledger.hold_texts(PHOTO, Path("/p/b.cr3"), texts)
        ledger.hold_texts(PHOTO, Path("/p/a.cr3"), texts[:1])
        ledger.hold_texts(PHOTO, Path("/q/a.cr3"), texts[1:])
        again = self.again(ledger)
        assert again.held_texts(Path("/p")) == (
            (Path("/p/a.cr3"), texts[0]),
            (Path("/p/b.cr3"), texts[0]),
            (Path("/p/b.cr3"), texts[1]),
        )
        assert again.held() == ()
        ledger.hold(PHOTO, Path("/p/b.cr3"), ())
        ledger.hold_texts(PHOTO, Path("/p/b.cr3"), texts[1:])
        ledger.hold_texts(PHOTO, Path("/q/a.cr3"), ())
        assert [text for _, text in ledger.held_texts()] == [texts[0], texts[1]]
        assert ledger.held_texts(Path("/q")) == ()

    def test_waiting_work_in_its_turn(self, ledger: Ledger) -> None:
        works = [
            WaitingWork(Path("/p/later"), 0, 1, "2026-11-20T11:00:00Z", ""),
            WaitingWork(Path("/p/background"), 90, 1, "2026-11-20T08:00:00Z", ""),
            WaitingWork(Path("/p/asked"), 0, 3, "2026-11-20T09:00:00Z", "no space"),
            WaitingWork(Path("/p/import"), 50, 1, "2026-11-20T08:30:00Z", ""),
        ]
        for work in works:
            ledger.wait(work)
        again = self.again(ledger)
        due = [work.path.name for work in again.waiting("2026-11-20T10:00:00Z")]
        assert due == ["asked", "import", "background"]
        assert len(again.waiting("2026-11-20T10:00:00Z", limit=1)) == 1
        newest = [work.path.name for work in again.waiting("2026-11-20T12:00:00Z", newest=True)]
        assert newest == ["later", "asked", "import", "background"]
        late = again.waiting("2026-11-20T12:00:00Z", least=90)
        assert [work.path.name for work in late] == ["background"]
        assert again.waiting_on(Path("/p/asked")) == works[2]
        ledger.wait(replace(works[2], attempts=4))
        assert ledger.waiting_on(Path("/p/asked")) == replace(works[2], attempts=4)
        ledger.done_waiting(Path("/p/asked"))
        ledger.done_waiting(Path("/p/asked"))
        assert ledger.waiting_on(Path("/p/asked")) is None
