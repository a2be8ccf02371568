"""What every implementation of the ledger's port promises about looks and vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

import pytest

from urbexmp.model.ledger import KnownFile, Ledger
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.photo import FileStat, PhotoId
from urbexmp.rules.vectors import vector_said

PHOTO = PhotoId("a" * 64)


class LooksPromises(ABC):
    """The part of `Ledger` that keeps what stages say."""

    @pytest.fixture
    @abstractmethod
    def ledger(self, tmp_path: Path) -> Ledger: ...

    def again(self, ledger: Ledger) -> Ledger:
        """The ledger as the next process finds it."""
        return ledger

    def test_looks_by_photo_stage_and_inputs(self, ledger: Ledger) -> None:
        said = StageLook(
            "pixels@00000001",
            (
                Observation(ObservationKind.LABEL, "rust", 0.25, region=(0.0, 0.5, 1.0, 1.0)),
                Observation(ObservationKind.MEASURE, "quality", value=71.5, source="sharpness"),
                Observation(ObservationKind.TEXT, "sign", 1.0, "Röntgen"),
                Observation(ObservationKind.FACT, "long exposure"),
            ),
            0.25,
        )
        ledger.remember(PHOTO, "", said)
        ledger.remember(PHOTO, "ctx", replace(said, observations=()))
        again = self.again(ledger)
        assert again.look(PHOTO, "pixels@00000001", "") == said
        assert again.look(PHOTO, "pixels@00000001", "ctx") == replace(said, observations=())
        assert again.look(PHOTO, "pixels@00000002", "") is None
        assert again.look(PhotoId("b" * 64), "pixels@00000001", "") is None

    def test_the_newest_look_whatever_it_used(self, ledger: Ledger) -> None:
        def label(word: str) -> StageLook:
            return StageLook("vlm@00000001", (Observation(ObservationKind.LABEL, word, 0.5),))

        assert ledger.look(PHOTO, "vlm@00000001", None) is None
        for inputs, word in (("a", "rust"), ("b", "moss"), ("a", "ivy")):
            ledger.remember(PHOTO, inputs, label(word))
            assert self.again(ledger).look(PHOTO, "vlm@00000001", None) == label(word)
        assert ledger.look(PHOTO, "vlm@00000002", None) is None

    def test_looks_gives_the_newest_of_photos_in_the_library(self, ledger: Ledger) -> None:
        gone = PhotoId("b" * 64)
        ledger.settle((known_file("/p/a.cr3"),))
        old, new = StageLook("pixels@00000001", ()), StageLook("pixels@00000002", ())
        other = StageLook("place@00000001", ())
        for photo_id in (PHOTO, gone):
            for look in (new, other, old, new):
                ledger.remember(photo_id, "", look)
        assert sorted(self.again(ledger).looks(), key=str) == [(PHOTO, new), (PHOTO, other)]

    def test_a_vector_is_kept_apart_from_its_look(self, ledger: Ledger) -> None:
        rust = Observation(ObservationKind.LABEL, "rust", 0.25)
        vector = bytes(range(256)) * 6
        said = StageLook("siglip@00000001", (rust, vector_said("siglip2-base", vector)), 0.5)
        ledger.remember(PHOTO, "", said)
        again = self.again(ledger)
        assert again.look(PHOTO, "siglip@00000001", "") == replace(said, observations=(rust,))
        assert again.vector(PHOTO, "siglip2-base") == vector
        assert again.vector(PHOTO, "siglip-base") is None
        assert again.vector(PhotoId("b" * 64), "siglip2-base") is None
        ledger.keep_vector(PHOTO, "siglip2-base", b"\0\1")
        ledger.keep_vector(PHOTO, "siglip-base", b"")
        assert self.again(ledger).vector(PHOTO, "siglip2-base") == b"\0\1"
        assert self.again(ledger).vector(PHOTO, "siglip-base") == b""

    def test_looks_of_a_replaced_stage_stay(self, ledger: Ledger) -> None:
        assert dict(ledger.stage_ids()) == {}
        ledger.settle((known_file("/p/a.cr3"), known_file("/p/copy/a.cr3")))
        rust = Observation(ObservationKind.LABEL, "rust", 0.25)
        old = StageLook("florence@00000001", (rust,), 1.0)
        new = StageLook("florence@00000002", (), 2.0)
        ledger.remember(PHOTO, "another place", replace(old, observations=()))
        ledger.remember(PHOTO, "", old)
        ledger.remember(PHOTO, "", new)
        ledger.remember(PhotoId("b" * 64), "", new)
        again = self.again(ledger)
        assert dict(again.stage_ids()) == {old.stage: 2, new.stage: 2}
        both = [Path("/p/a.cr3"), Path("/p/copy/a.cr3")]
        assert list(again.looks_by(old.stage)) == [(path, old) for path in both]
        assert list(again.looks_by(new.stage)) == [(path, new) for path in both]
        assert list(again.looks_by("florence@00000003")) == []


def known_file(path: str, *, held: bool = False) -> KnownFile:
    place = Path(path)
    return KnownFile(
        place,
        FileStat(24_000_000, 1_790_000_000_123_456_789, 77),
        PHOTO,
        (
            (place.with_suffix(".xmp"), FileStat(9000, 1_790_000_000_000_000_000, 78)),
            (place.with_suffix(".jpg"), None),
        ),
        "policy:1",
        held,
    )
