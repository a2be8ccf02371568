"""Changes to render."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import strategies as st

from urbexmp.model.change import Author, CarrierWrite, Change, Edit, EditKind, MergeBase
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import (
    ABSENT,
    Carrier,
    CarrierKind,
    FileKind,
    FileStat,
    Fingerprint,
    Photo,
    PhotoId,
)
from urbexmp.model.proposal import Reason

ROOT = Path("/photos/2026")


def photo(name: str = "Heilstätten/IMG_0412.CR3", root: Path = ROOT) -> Photo:
    path = root / name
    carrier = Carrier(CarrierKind.SIDECAR, path.with_suffix(".xmp"))
    return Photo(path, FileKind.RAW, FileStat(1, 2, 3), (), (carrier,))


def change(
    name: str = "Heilstätten/IMG_0412.CR3",
    *,
    new: bool = False,
    root: Path = ROOT,
    notes: tuple[str, ...] = (),
) -> Change:
    shown = photo(name, root)
    hospital = Keyword.parse("Urbex|Building|Healthcare|Hospital")
    interior = Keyword.parse("Urbex|View|Interior")
    asbestos = Keyword.parse("Urbex|Hazard|Asbestos")
    old = Keyword.parse("Urbex|View|Aerial")
    return Change(
        photo=shown,
        photo_id=PhotoId("0123abcd"),
        profile="offline",
        base=MergeBase(),
        after=MergeBase(agreed=frozenset({hospital})),
        edits=(
            Edit(
                EditKind.REMOVE,
                old,
                Author.MODEL,
                0.1,
                (Reason("camera@12345678", "aerial", 0.1),),
            ),
            Edit(
                EditKind.ADD,
                hospital,
                Author.MODEL,
                0.95,
                (
                    Reason("place@1f2e3d4c", "hospital", 0.95, "folder name"),
                    Reason("pixels@99999999", "ward <b>", 0.61),
                ),
            ),
        ),
        held=(
            Edit(
                EditKind.ADD,
                interior,
                Author.MODEL,
                0.44,
                (Reason("pixels@1f2e3d4c", "interior", 0.44, "light & colour"),),
                hold="below the threshold 0.50",
            ),
        ),
        keeps=(Keyword.parse("People|Anna"), Keyword.parse("Beelitz")),
        writes=(CarrierWrite(shown.carriers[0], ABSENT if new else Fingerprint("f" * 64)),),
        mark="m1",
        learned=(asbestos,),
        notes=notes,
    )


hostile = st.text(min_size=1, max_size=30).filter(lambda text: "|" not in text)
"""Any text at all: markup, control characters, lone surrogates, direction overrides."""


@pytest.fixture
def clean_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the user's own settings or state is seen or touched."""
    for name in list(os.environ):
        if name.startswith("URBEXMP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("URBEXMP_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("URBEXMP_STATE", str(tmp_path / "state"))
    # Reading signs takes seconds to load; tests that want it name the stage.
    monkeypatch.setenv("URBEXMP_STAGES", "camera,pixels,place")
    monkeypatch.delenv("NO_COLOR", raising=False)
