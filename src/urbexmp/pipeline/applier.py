"""The only writer: carries changes out by the steps of the crash table.

0 read again, compare, edit, prove; 1 intent; 2 backup; 3 replace the carriers; 4 receipt and
merge base. A kill between any two leaves what `pipeline.recover` puts right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from urbexmp.model.change import CarrierReceipt, CarrierWrite, Change, MergeBase, Receipt
from urbexmp.model.errors import (
    BackupMissing,
    CarrierMoved,
    PlanStale,
    Problem,
    Unrecorded,
)
from urbexmp.model.ledger import Intent, Ledger
from urbexmp.model.photo import ABSENT, Carrier, CarrierKind, Fingerprint, fingerprint_of
from urbexmp.model.ports import Backups, CarrierStore, Clock, Codec, Copies, Replacement
from urbexmp.pipeline.recover import resolve, take_back

Outcome = Receipt | Problem | None
"""Of one change in a batch: carried out, failed, or nothing had to be written."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What will be done to one carrier."""

    carrier: Carrier
    before: bytes | None
    assumes: Fingerprint
    after: bytes | None
    """None: the sidecar is removed."""
    will_be: Fingerprint

    @property
    def receipt(self) -> CarrierReceipt:
        return CarrierReceipt(self.carrier, self.assumes, self.will_be)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A change after step 0: all that can be refused without an effect was not."""

    change: Change
    steps: tuple[_Step, ...]
    intent: Intent


class Applier:
    """Carries changes out, one at a time or many together. Not thread-safe: one writer."""

    def __init__(
        self,
        store: CarrierStore,
        codec: Codec,
        ledger: Ledger,
        backups: Backups,
        clock: Clock,
        copies: Copies | None = None,
    ) -> None:
        """`copies` keeps every image file whole before it is replaced."""
        self._store = store
        self._codec = codec
        self._ledger = ledger
        self._backups = backups
        self._clock = clock
        self._copies = copies
        self._open: list[Intent] | None = None
        """Intents whose outcome is not known; mostly none. None: to be read from the ledger, at
        first and after anything went wrong."""

    def apply(self, change: Change, run: str) -> Receipt | None:
        """Carry one change out. None when no carrier had to be written; a changed merge base
        is stored all the same.

        Raises `CarrierMoved` and `PlanStale` when the change was planned for something else,
        `PacketRefused`, `ProofFailed` and `BackupMissing` before any effect, and whatever the
        store and the ledger raise: then every carrier is as it was, or (`Unrecorded`, or a
        volume that went away in between) the intent stays and recovery finishes it.
        """
        try:
            return self._apply(change, run)
        except BaseException:
            self._open = None
            raise

    def _apply(self, change: Change, run: str) -> Receipt | None:
        ready = self._prepare(change, run)
        if not ready.steps:
            self._store_base(change)
            return None
        self._ledger.intend(ready.intent)
        try:
            for step in ready.steps:
                if step.before is not None:
                    self._backups.keep(step.before)
            self._copy(ready)
        except Problem:
            self._forget(ready.intent)
            raise
        done: list[_Step] = []
        for step in ready.steps:
            try:
                self._carry_out(step)
            except Problem as problem:
                self._give_up(ready, done, problem)
            done.append(step)
        return self._record(ready)

    def apply_batch(self, changes: Sequence[Change], run: str) -> tuple[Outcome, ...]:
        """Carry many changes out with a few syncs for all of them; one outcome for each.

        Each change keeps the meaning that `apply` gives it: the steps are the same, in the same
        order, done for all changes before the next step begins. A problem of one stops no
        other; a problem of the ledger or the backups is everybody's. Nothing is raised for it.
        """
        try:
            return self._apply_batch(changes, run)
        finally:
            self._open = None

    def _apply_batch(self, changes: Sequence[Change], run: str) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = [None] * len(changes)
        ready: dict[int, _Ready] = {}
        later: list[int] = []
        taken: set[Carrier] = set()
        for number, change in enumerate(changes):
            carriers = set(change.photo.carriers)
            if taken & carriers:
                later.append(number)
                continue
            taken |= carriers
            try:
                ready[number] = self._prepare(change, run)
            except Problem as problem:
                outcomes[number] = problem
        begun = self._begin(ready, outcomes)
        self._replace_all(begun, outcomes)
        with_receipt = {number: each for number, each in begun.items() if outcomes[number] is None}
        for number, outcome in self._record_all(with_receipt).items():
            outcomes[number] = outcome
        for number in later:
            try:
                outcomes[number] = self.apply(changes[number], run)
            except Problem as problem:
                outcomes[number] = problem
        return tuple(outcomes)

    # step 0

    def _prepare(self, change: Change, run: str) -> _Ready:
        self._finish_open(change)
        kept = self._ledger.base(change.photo_id, change.photo.path)
        # No base at all says that nobody decided anything here since: the ledger is new, or the
        # photo has moved, and the planner had the base from elsewhere.
        if kept is not None and _differ(kept, change.base):
            raise PlanStale(change.photo.path)
        steps = []
        for write in change.writes:
            before = self._store.read(write.carrier)
            if fingerprint_of(before) != write.assumes:
                raise CarrierMoved(write.carrier.path)
            after = self._bytes_of(write, before)
            if after != before:
                steps.append(
                    _Step(write.carrier, before, write.assumes, after, fingerprint_of(after))
                )
        will_be = tuple((step.carrier, step.will_be) for step in steps)
        # As `strftime` spells it, which takes ten times as long.
        at = self._clock.now().isoformat()[: len("2026-11-20T09:00:00")] + "Z"
        intent = Intent(run, at, change, will_be)
        return _Ready(change, tuple(steps), intent)

    def _bytes_of(self, write: CarrierWrite, before: bytes | None) -> bytes | None:
        """The bytes that the carrier will have, proven. Raises `Problem`."""
        path = write.carrier.path
        if write.restore is not None:
            if write.restore == ABSENT:
                return None
            try:
                return self._backups.fetch(write.restore)
            except BackupMissing as missing:
                raise BackupMissing(path, digest=write.restore) from missing
        if write.edit is None or write.edit.empty:
            return before
        if before is not None:
            return self._codec.edit_proven(before, write.edit, path)
        after = self._codec.create(write.edit)
        self._codec.prove(None, after, write.edit, path)
        return after

    def _finish_open(self, change: Change) -> None:
        """Settle what an earlier write of this photo left open, before it is written again.

        Else the old intent would later be taken for the newer one's. Raises `Problem` when its
        carriers still cannot be read.
        """
        if self._open is None:
            self._open = list(self._ledger.intents())
        for intent in tuple(self._open):
            its = intent.change
            if (its.photo_id, its.photo.path) == (change.photo_id, change.photo.path):
                resolve(intent, self._store, self._ledger, self._backups, self._clock)
                self._open.remove(intent)

    def _store_base(self, change: Change) -> None:
        kept = self._ledger.base(change.photo_id, change.photo.path)
        if _differ(change.after, kept or MergeBase()):
            self._ledger.put_base(change.photo_id, change.photo.path, change.after)

    # steps 3 and 4

    def _carry_out(self, step: _Step) -> None:
        if step.after is None:
            self._store.remove(step.carrier, step.assumes)
        else:
            self._store.replace(step.carrier, step.after, step.assumes)

    def _record(self, ready: _Ready) -> Receipt:
        receipt = _receipt(ready)
        try:
            self._ledger.record(receipt)
        except Problem as problem:
            raise _unrecorded(ready, problem) from problem
        return receipt

    def _forget(self, intent: Intent) -> None:
        # The reason why nothing was done is what the person must hear; should this fail too,
        # recovery will find that nothing happened.
        with suppress(Problem):
            self._ledger.forget(intent)

    def _give_up(self, ready: _Ready, done: Sequence[_Step], problem: Problem) -> None:
        """After `problem` with one carrier: take back the others, so that all or none is done.

        `done` are the steps that reported success. Returns when all turn out to be done (a
        folder that could not be synced after the rename); else raises `problem`.
        """
        try:
            found = {step: fingerprint_of(self._store.read(step.carrier)) for step in ready.steps}
            changed = [step for step in ready.steps if found[step] == step.will_be]
            if len(changed) == len(ready.steps):
                return
            if all(step in changed for step in done):
                take_back([step.receipt for step in changed], self._store, self._backups)
                self._forget(ready.intent)
            else:
                # Another program wrote over ours at once: it has been there, so it is recorded.
                self._ledger.record(_receipt(ready, [step for step in ready.steps if step in done]))
        except Problem:
            # The intent stays. It is settled before this photo is written again.
            pass
        raise problem

    # many at once

    def _begin(self, ready: dict[int, _Ready], outcomes: list[Outcome]) -> dict[int, _Ready]:
        """Steps 1 and 2 for all. Returns those that go on."""
        begun = {number: each for number, each in ready.items() if each.steps}
        try:
            with self._ledger.batch():
                for number, each in ready.items():
                    if number in begun:
                        self._ledger.intend(each.intent)
                    else:
                        self._store_base(each.change)
        except Problem as problem:
            return _all_failed(ready, outcomes, problem)
        try:
            self._backups.keep_many(
                [
                    step.before
                    for each in begun.values()
                    for step in each.steps
                    if step.before is not None
                ]
            )
        except Problem as problem:
            for each in begun.values():
                self._forget(each.intent)
            return _all_failed(begun, outcomes, problem)
        for number, each in tuple(begun.items()):
            try:
                self._copy(each)
            except Problem as problem:
                self._forget(each.intent)
                outcomes[number] = problem
                del begun[number]
        return begun

    def _copy(self, ready: _Ready) -> None:
        """The rest of step 2, where the profile wants it: image files whole."""
        for step in ready.steps:
            if self._copies is not None and step.carrier.kind is CarrierKind.EMBEDDED:
                self._copies.keep(step.carrier.path, step.assumes)

    def _replace_all(self, begun: dict[int, _Ready], outcomes: list[Outcome]) -> None:
        """Step 3 for all; a change that fails gets its problem among the outcomes."""
        wanted = [
            (number, step, Replacement(step.carrier, step.after, step.assumes))
            for number, each in begun.items()
            for step in each.steps
            if step.after is not None
        ]
        problems = self._store.replace_many([item for _, _, item in wanted])
        failed: dict[int, list[tuple[_Step, Problem]]] = {}
        for (number, step, _), problem in zip(wanted, problems, strict=True):
            if problem is not None:
                failed.setdefault(number, []).append((step, problem))
        for number, each in begun.items():
            for step in each.steps:
                if step.after is None and number not in failed:
                    try:
                        self._store.remove(step.carrier, step.assumes)
                    except Problem as problem:
                        failed.setdefault(number, []).append((step, problem))
        for number, troubles in failed.items():
            wrong = [step for step, _ in troubles]
            done = [step for step in begun[number].steps if step not in wrong]
            try:
                self._give_up(begun[number], done, troubles[0][1])
            except Problem as problem:
                outcomes[number] = problem

    def _record_all(self, done: dict[int, _Ready]) -> dict[int, Outcome]:
        receipts: dict[int, Outcome] = {}
        try:
            # Until this reaches the disk the intents stand, and recovery writes it again.
            with self._ledger.batch(durable=False):
                for number, each in done.items():
                    receipt = _receipt(each)
                    self._ledger.record(receipt)
                    receipts[number] = receipt
        except Problem as problem:
            return {number: _unrecorded(each, problem) for number, each in done.items()}
        return receipts


def _differ(one: MergeBase, other: MergeBase) -> bool:
    # What is equal has one digest, and is mostly the very same object: digests cost more.
    return one is not other and one != other and one.digest != other.digest


def _receipt(ready: _Ready, steps: Iterable[_Step] | None = None) -> Receipt:
    intent = ready.intent
    carriers = tuple(step.receipt for step in steps or ready.steps)
    return Receipt(intent.run, intent.at, ready.change, carriers)


def _unrecorded(ready: _Ready, problem: Problem) -> Problem:
    return Unrecorded(ready.change.photo.path, detail=problem.sentences[0])


def _all_failed(
    ready: dict[int, _Ready], outcomes: list[Outcome], problem: Problem
) -> dict[int, _Ready]:
    for number in ready:
        outcomes[number] = problem
    return {}
