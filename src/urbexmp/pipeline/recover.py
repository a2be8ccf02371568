"""Put right what a killed run left, by the crash table.

The ledger's open intents name the photos concerned; the fingerprints of their carriers say how
far it came. Nothing here edits a packet: a carrier is left, or gets back its backed-up bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from urbexmp.model.change import CarrierReceipt, Receipt
from urbexmp.model.errors import (
    BackupMissing,
    FileVanished,
    InternalProblem,
    LedgerDamaged,
    Problem,
    StateUnwritable,
)
from urbexmp.model.ledger import Intent, Ledger
from urbexmp.model.photo import ABSENT, fingerprint_of
from urbexmp.model.ports import Backups, CarrierStore, Clock


class _Found(Enum):
    """What a carrier holds, seen from an intent."""

    OLD = "as before"
    NEW = "as intended"
    OTHER = "neither: someone else wrote, or took it away"


def recover(store: CarrierStore, ledger: Ledger, backups: Backups, clock: Clock) -> tuple[str, ...]:
    """Finish or forget every intent without a receipt; one sentence for each.

    A photo whose carriers cannot be read now keeps its intent, and its sentence says so. Raises
    only what the ledger and the backups raise about themselves.
    """
    intents = ledger.intents()
    folders = dict.fromkeys(
        carrier.path.parent for intent in intents for carrier, _ in intent.will_be
    )
    for folder in folders:
        store.tidy(folder)
    said = []
    for intent in intents:
        try:
            said.append(resolve(intent, store, ledger, backups, clock))
        except (LedgerDamaged, StateUnwritable, InternalProblem):
            raise
        except Problem as problem:
            said.append(
                f"{intent.change.photo.path}: an interrupted write cannot be settled yet"
                f" ({problem.subject}: {problem.sentences[0]}). It is tried again with the next"
                " run."
            )
    return tuple(said)


def resolve(
    intent: Intent, store: CarrierStore, ledger: Ledger, backups: Backups, clock: Clock
) -> str:
    """Finish or forget one intent; say which. Raises `Problem` when that is not possible now."""
    path = intent.change.photo.path
    carriers = _receipts(intent)
    found = [_found(each, store) for each in carriers]
    done = tuple(
        each for each, state in zip(carriers, found, strict=True) if state is not _Found.OLD
    )
    if _Found.OTHER in found:
        # Whether ours was there first cannot be told. Recording it is the safe mistake: were it
        # forgotten, a keyword of ours that a person has since taken away would not be known as
        # refused. Recorded in vain, it is found missing, and asked about.
        _record(intent, done, ledger, clock)
        return (
            f"{path}: a write was interrupted, and another program has written since."
            " It was recorded as done; the next sync compares."
        )
    if not done:
        ledger.forget(intent)
        return f"{path}: an interrupted write had not happened. Nothing was changed."
    if _Found.OLD not in found:
        _record(intent, done, ledger, clock)
        return f"{path}: an interrupted write had happened. Its receipt was added."
    try:
        take_back(done, store, backups)
    except BackupMissing:
        _record(intent, done, ledger, clock)
        return (
            f"{path}: a write was interrupted half-way and could not be taken back, because the"
            " backup is missing. It was recorded as done; the next sync completes it."
        )
    ledger.forget(intent)
    return f"{path}: a write was interrupted half-way. It was taken back."


def take_back(done: Iterable[CarrierReceipt], store: CarrierStore, backups: Backups) -> None:
    """Give carriers their former bytes back, the last one first. Raises `Problem`."""
    for receipt in reversed(tuple(done)):
        if receipt.before == ABSENT:
            store.remove(receipt.carrier, receipt.after)
        else:
            store.replace(receipt.carrier, backups.fetch(receipt.before), receipt.after)


def _receipts(intent: Intent) -> tuple[CarrierReceipt, ...]:
    assumed = {write.carrier: write.assumes for write in intent.change.writes}
    return tuple(
        CarrierReceipt(carrier, assumed[carrier], will_be) for carrier, will_be in intent.will_be
    )


def _found(receipt: CarrierReceipt, store: CarrierStore) -> _Found:
    try:
        now = fingerprint_of(store.read(receipt.carrier))
    except FileVanished:
        # The whole folder is gone: moved, most likely, with all that is in it.
        return _Found.OTHER
    if now == receipt.after:
        return _Found.NEW
    return _Found.OLD if now == receipt.before else _Found.OTHER


def _record(
    intent: Intent, carriers: tuple[CarrierReceipt, ...], ledger: Ledger, clock: Clock
) -> None:
    at = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    ledger.record(Receipt(intent.run, at, intent.change, carriers))
