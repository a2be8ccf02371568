"""The ledger's double: the same promises on dicts, with transactions and a fuse."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from urbexmp.adapters.memory import Fuse
from urbexmp.model.change import Edit, MergeBase, Receipt, RunRecord
from urbexmp.model.errors import InternalProblem
from urbexmp.model.feedback import Judged, Judgement, Tally
from urbexmp.model.keyword import Keyword
from urbexmp.model.ledger import Intent, KnownFile, SettledFolder, WaitingWork
from urbexmp.model.observation import StageLook
from urbexmp.model.photo import PhotoId
from urbexmp.model.report import Report
from urbexmp.model.text import TextChange
from urbexmp.rules.vectors import without_vectors

_Where = tuple[PhotoId, Path]


@dataclass(slots=True)
class _Tables:
    """All that is kept. Copied when a transaction begins."""

    runs: dict[str, RunRecord] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    intents: dict[_Where, Intent] = field(default_factory=dict)
    bases: dict[_Where, MergeBase] = field(default_factory=dict)
    marks: dict[str, tuple[_Where, frozenset[Keyword] | None]] = field(default_factory=dict)
    spellings: dict[Keyword, Keyword] = field(default_factory=dict)
    looks: dict[tuple[PhotoId, str, str], StageLook] = field(default_factory=dict)
    vectors: dict[tuple[PhotoId, str], bytes] = field(default_factory=dict)
    known: dict[Path, KnownFile] = field(default_factory=dict)
    folders: dict[Path, SettledFolder] = field(default_factory=dict)
    held: dict[_Where, tuple[Edit, ...]] = field(default_factory=dict)
    held_texts: dict[_Where, tuple[TextChange, ...]] = field(default_factory=dict)
    waiting: dict[Path, WaitingWork] = field(default_factory=dict)
    judged: dict[tuple[PhotoId, Keyword], Judgement] = field(default_factory=dict)


class MemoryLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self._tables = _Tables()
        self._in_batch = False

    @contextmanager
    def batch(self, *, durable: bool = True) -> Iterator[None]:
        """What is written inside is one effect; an exception drops all of it."""
        if self._in_batch:
            yield
            return
        before = _Tables(
            **{name: copy.copy(getattr(self._tables, name)) for name in _Tables.__slots__}
        )
        self._in_batch = True
        try:
            self.fuse.point("before ledger transaction")
            yield
        except BaseException:
            self._tables = before
            raise
        finally:
            self._in_batch = False
        self.fuse.point("after ledger transaction")

    # runs

    def open_run(self, record: RunRecord) -> None:
        """Record that a command began."""
        with self.batch():
            self._tables.runs[record.run] = record

    def close_run(self, run: str, ended: str, report: Report) -> None:
        """Record how it ended."""
        with self.batch():
            if run in self._tables.runs:
                self._tables.runs[run] = replace(
                    self._tables.runs[run],
                    ended=ended,
                    changed=report.changed,
                    failed=report.failed,
                )

    def runs(self, limit: int = 50) -> tuple[RunRecord, ...]:
        """Newest first; of a killed run the receipts are counted."""
        newest = list(reversed(self._tables.runs.values()))[:limit]
        return tuple(
            record
            if record.ended is not None
            else replace(record, changed=len(self.receipts(record.run)))
            for record in newest
        )

    def receipts(self, run: str) -> tuple[Receipt, ...]:
        """In the order they were carried out."""
        return tuple(receipt for receipt in self._tables.receipts if receipt.run == run)

    def mark_undone(self, run: str) -> None:
        """Record that a run was taken back."""
        with self.batch():
            if run in self._tables.runs:
                self._tables.runs[run] = replace(self._tables.runs[run], undone=True)

    # applying

    def intend(self, intent: Intent) -> None:
        """Record what is about to be done. Raises `InternalProblem` for a mark in use."""
        change = intent.change
        where = (change.photo_id, change.photo.path)
        with self.batch():
            if change.mark:
                its, agreed = self._tables.marks.get(change.mark, (where, None))
                if its != where:
                    raise InternalProblem(
                        change.photo.path, detail=f"the mark {change.mark} was given twice"
                    )
                self._tables.marks[change.mark] = (its, agreed)
            self._tables.intents.pop(where, None)
            self._tables.intents[where] = intent

    def intents(self) -> tuple[Intent, ...]:
        """Intents without a receipt, in the order they were recorded."""
        return tuple(self._tables.intents.values())

    def forget(self, intent: Intent) -> None:
        """Drop an intent of which nothing happened."""
        with self.batch():
            self._drop_intent(intent.change.photo_id, intent.change.photo.path)

    def record(self, receipt: Receipt) -> None:
        """One transaction: receipt, merge base, agreed set under the mark, intent gone."""
        change = receipt.change
        where = (change.photo_id, change.photo.path)
        with self.batch():
            self._tables.receipts.append(receipt)
            self._set_base(where, change.after)
            if change.mark:
                self._tables.marks[change.mark] = (where, change.after.agreed)
            self._drop_intent(*where)

    # merge bases

    def base(self, photo_id: PhotoId, path: Path) -> MergeBase | None:
        """The base of this photo at this path."""
        return self._tables.bases.get((photo_id, path))

    def bases_elsewhere(self, photo_id: PhotoId, path: Path) -> tuple[tuple[Path, MergeBase], ...]:
        """Bases of the same picture at other paths, by path."""
        found = [
            (place, base)
            for (its, place), base in self._tables.bases.items()
            if its == photo_id and place != path
        ]
        return tuple(sorted(found, key=lambda each: each[0]))

    def put_base(self, photo_id: PhotoId, path: Path, base: MergeBase) -> None:
        """Store a base without a write."""
        with self.batch():
            self._set_base((photo_id, path), base)

    def drop_base(self, photo_id: PhotoId, path: Path) -> None:
        """Forget the base of a photo that moved away."""
        with self.batch():
            self._tables.bases.pop((photo_id, path), None)

    def told(self, mark: str) -> frozenset[Keyword] | None:
        """All keywords agreed at the write of that name."""
        return self._tables.marks.get(mark, (None, None))[1]

    def keywords(self) -> frozenset[Keyword]:
        """Every keyword ever agreed, in the spelling that was seen last."""
        return frozenset(self._tables.spellings.values())

    # observations

    def look(self, photo_id: PhotoId, stage: str, inputs: str | None) -> StageLook | None:
        """What a stage said; without `inputs` the newest."""
        if inputs is None:
            kept = reversed(self._tables.looks.items())
            return next((look for key, look in kept if key[:2] == (photo_id, stage)), None)
        return self._tables.looks.get((photo_id, stage, inputs))

    def remember(self, photo_id: PhotoId, inputs: str, look: StageLook) -> None:
        """Keep a look; its vectors apart."""
        key = (photo_id, look.stage, inputs)
        look, vectors = without_vectors(look)
        with self.batch():
            self._tables.looks.pop(key, None)
            self._tables.looks[key] = look
            for model, vector in vectors.items():
                self.keep_vector(photo_id, model, vector)

    def keep_vector(self, photo_id: PhotoId, model: str, vector: bytes) -> None:
        """Keep the vector that a model gives a picture."""
        with self.batch():
            self._tables.vectors[photo_id, model] = vector

    def vector(self, photo_id: PhotoId, model: str) -> bytes | None:
        """The vector that was kept last."""
        return self._tables.vectors.get((photo_id, model))

    def stage_ids(self) -> Mapping[str, int]:
        """Every stage that ever looked, with the number of looks kept of it."""
        return Counter(stage for _, stage, _ in self._tables.looks)

    def looks_by(self, stage: str) -> Iterator[tuple[Path, StageLook]]:
        """The newest look of one stage at every photo that is in the library."""
        newest = {key[0]: look for key, look in self._tables.looks.items() if key[1] == stage}
        for path, known in sorted(self._tables.known.items()):
            if known.photo_id in newest:
                yield path, newest[known.photo_id]

    def looks(self) -> Iterator[tuple[PhotoId, StageLook]]:
        """All looks of photos that are in the library, the newest per photo and stage name."""
        here = {known.photo_id for known in self._tables.known.values()}
        newest = {
            (photo_id, stage.split("@")[0]): look
            for (photo_id, stage, _), look in self._tables.looks.items()
            if photo_id in here
        }
        for (photo_id, _), look in newest.items():
            yield photo_id, look

    # what was dealt with

    def known(self, folder: Path) -> Mapping[str, KnownFile]:
        """By file name, for one folder."""
        return {
            path.name: known for path, known in self._tables.known.items() if path.parent == folder
        }

    def known_count(self, root: Path) -> int:
        """How many photos below `root` were dealt with."""
        return sum(path.is_relative_to(root) for path in self._tables.known)

    def spared(self, root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Photos below `root` with an image file that is not written into, and why."""
        for path, known in sorted(self._tables.known.items()):
            if known.spared and path.is_relative_to(root):
                yield path, known.spared

    def settle(self, files: Iterable[KnownFile]) -> None:
        """Remember that these were dealt with."""
        with self.batch():
            for file in files:
                self._tables.known[file.path] = file
                self._tables.folders.pop(file.path.parent, None)

    def unsettle(self, paths: Iterable[Path]) -> None:
        """Forget that these were dealt with."""
        with self.batch():
            for path in paths:
                self._tables.known.pop(path, None)
                self._tables.folders.pop(path.parent, None)

    def settled_folder(self, folder: Path) -> SettledFolder | None:
        """What is remembered of a folder as a whole."""
        return self._tables.folders.get(folder)

    def settle_folder(self, settled: SettledFolder) -> None:
        """Remember that all photos of a folder were as they are known."""
        with self.batch():
            self._tables.folders[settled.folder] = settled

    # held edits

    def hold(self, photo_id: PhotoId, path: Path, edits: tuple[Edit, ...]) -> None:
        """Replace the held edits of a photo; an empty tuple clears them."""
        where = (photo_id, path)
        if self._tables.held.get(where, ()) == edits:
            return
        with self.batch():
            self._tables.held.pop(where, None)
            if edits:
                self._tables.held[where] = edits

    def held(self, under: Path | None = None) -> tuple[tuple[Path, Edit], ...]:
        """Held edits, by photo path."""
        found = [
            (path, edit)
            for (_, path), edits in self._tables.held.items()
            if under is None or path.is_relative_to(under)
            for edit in edits
        ]
        return tuple(sorted(found, key=lambda each: each[0]))

    def held_at(self, photo_id: PhotoId, path: Path) -> tuple[Edit, ...]:
        """Held edits of one photo."""
        return self._tables.held.get((photo_id, path), ())

    def hold_texts(self, photo_id: PhotoId, path: Path, texts: tuple[TextChange, ...]) -> None:
        """Replace the held texts of a photo; an empty tuple clears them."""
        where = (photo_id, path)
        if self._tables.held_texts.get(where, ()) == texts:
            return
        with self.batch():
            self._tables.held_texts.pop(where, None)
            if texts:
                self._tables.held_texts[where] = texts

    def held_texts(self, under: Path | None = None) -> tuple[tuple[Path, TextChange], ...]:
        """Held texts, by photo path."""
        found = [
            (path, text)
            for (_, path), texts in self._tables.held_texts.items()
            if under is None or path.is_relative_to(under)
            for text in texts
        ]
        return tuple(sorted(found, key=lambda each: each[0]))

    # what people did with our keywords

    def judge(self, photo_id: PhotoId, judgements: Iterable[Judgement]) -> None:
        """Remember what a person did with keywords of this photo."""
        with self.batch():
            for each in judgements:
                before = self._tables.judged.pop((photo_id, each.keyword), None)
                if each.kind is Judged.WITHDRAWN:
                    continue
                if before is not None:
                    each = replace(
                        each,
                        stage=each.stage or before.stage,
                        profile=each.profile or before.profile,
                    )
                self._tables.judged[photo_id, each.keyword] = each

    def tallies(self, under: Path | None = None) -> Iterator[Tally]:
        """Judgements, counted; then vetoes of which nobody knows whose keyword they were."""
        here = {
            known.photo_id
            for path, known in self._tables.known.items()
            if under is None or path.is_relative_to(under)
        }
        judged = {
            place: each
            for place, each in self._tables.judged.items()
            if under is None or place[0] in here
        }
        vetoes = {
            (photo_id, keyword)
            for (photo_id, _), base in self._tables.bases.items()
            if under is None or photo_id in here
            for keyword in base.vetoed
        }
        counts = Counter(judged.values())
        counts.update(Judgement(Judged.REMOVED, keyword) for _, keyword in vetoes - judged.keys())
        return (Tally(each, photos) for each, photos in counts.items())

    # waiting work

    def wait(self, work: WaitingWork) -> None:
        """Add or replace waiting work."""
        with self.batch():
            self._tables.waiting[work.path] = work

    def waiting(
        self, now: str, limit: int = 100, *, newest: bool = False, least: int = 0
    ) -> tuple[WaitingWork, ...]:
        """Due at `now`, most urgent first, then the one that waits longest, or shortest."""
        due = [
            work
            for work in self._tables.waiting.values()
            if work.next_try <= now and work.priority >= least
        ]
        due.sort(key=lambda work: work.path)
        due.sort(key=lambda work: work.next_try, reverse=newest)
        due.sort(key=lambda work: work.priority)
        return tuple(due[:limit])

    def waiting_on(self, path: Path) -> WaitingWork | None:
        """The waiting work of one photo."""
        return self._tables.waiting.get(path)

    def done_waiting(self, path: Path) -> None:
        """Take a photo off the waiting work."""
        if path in self._tables.waiting:
            with self.batch():
                del self._tables.waiting[path]

    def _set_base(self, where: _Where, base: MergeBase) -> None:
        self._tables.bases[where] = base
        for keyword in base.agreed:
            self._tables.spellings[keyword] = keyword

    def _drop_intent(self, photo_id: PhotoId, path: Path) -> None:
        self._tables.intents.pop((photo_id, path), None)
