"""Texts in a plan: what each carrier gets, what block and base keep, what undo takes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from urbexmp.model.change import Change, MergeBase, PacketEdit, Receipt
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.photo import (
    ABSENT,
    Carrier,
    CarrierKind,
    CarrierState,
    FileKind,
    FileStat,
    Fingerprint,
    Photo,
    PhotoId,
    Snapshot,
)
from urbexmp.model.profile import EMPTY_OR_OURS, Profile
from urbexmp.model.proposal import Proposal, Suggestion
from urbexmp.model.text import TextEdit, TextField, TextState, text_digest
from urbexmp.rules.fields import after_edit
from urbexmp.rules.plan import Policy, person_edit, plan
from urbexmp.rules.undo import undo

DESCRIPTION, ALT = TextField.DESCRIPTION, TextField.ALT_TEXT
FOLDER = Path("photos")
SIDECAR = Carrier(CarrierKind.SIDECAR, FOLDER / "IMG.JPG.xmp")
IMAGE = Carrier(CarrierKind.EMBEDDED, FOLDER / "IMG.JPG")
PHOTO = Photo(IMAGE.path, FileKind.JPEG, FileStat(1, 2, 3), (), (SIDECAR, IMAGE))
PROFILE = Profile(
    name="full", threshold=0.5, write_description=EMPTY_OR_OURS, write_alt_text=EMPTY_OR_OURS
)
HALL = Suggestion(Keyword.parse("Urbex|Hall"), 0.9, ())


class World:
    """Two carriers of one photo, and what the ledger knows."""

    def __init__(self) -> None:
        self.states = [
            CarrierState(SIDECAR, ABSENT, KeywordFields(), None),
            CarrierState(IMAGE, Fingerprint("0"), KeywordFields(), None),
        ]
        self.base: MergeBase | None = None
        self.told: dict[str, frozenset[Keyword]] = {}
        self.writes = 0
        self.caption: str | None = None

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(PHOTO, PhotoId("f" * 64), tuple(self.states), caption=self.caption)

    @property
    def policy(self) -> Policy:
        return Policy(PROFILE, f"w{self.writes}", "2026-11-20T09:00:00Z")

    def planned(self, description: str | None = None, **how: Any) -> Change:
        texts = () if description is None else ((DESCRIPTION, description, "vlm@12345678"),)
        policy = replace(self.policy, profile=replace(PROFILE, **how))
        said = Proposal(suggestions=(HALL,), texts=texts)
        return plan(self.snapshot, self.base, self.told.get, said, policy)

    def carry_out(self, change: Change) -> Change:
        for write in change.writes:
            number = [state.carrier for state in self.states].index(write.carrier)
            if write.edit is not None:
                self.states[number] = edited(self.states[number], write.edit, self.writes)
        if change.writes:
            self.told[change.mark] = change.after.agreed
            self.writes += 1
        self.base = change.after
        return change

    def sync(self, description: str | None = None, **how: Any) -> Change:
        return self.carry_out(self.planned(description, **how))

    def typed(self, number: int, text: str | None) -> None:
        """A person sets the description of a carrier, or takes it out."""
        texts = () if text is None else (TextState(DESCRIPTION, text),)
        state = self.states[number]
        fresh = Fingerprint(f"typed {text}")
        self.states[number] = replace(state, texts=texts, fingerprint=fresh)

    @property
    def descriptions(self) -> list[str | None]:
        return [
            next((text.value for text in state.texts if text.field is DESCRIPTION), None)
            for state in self.states
        ]


def edited(state: CarrierState, edit: PacketEdit, number: int) -> CarrierState:
    texts = {text.field: text for text in state.texts}
    for text in edit.texts:
        assert (texts[text.field].value if text.field in texts else None) == text.before
        texts[text.field] = TextState(text.field, text.after)
    return replace(
        state,
        fingerprint=Fingerprint(f"written {number}"),
        fields=after_edit(state.fields, edit),
        block=edit.block or state.block,
        texts=tuple(text for text in texts.values() if text.value is not None),
    )


@pytest.fixture
def world() -> World:
    return World()


def test_every_carrier_gets_the_text_and_its_digest(world: World) -> None:
    change = world.sync("A hall.")
    assert [write.edit and write.edit.texts for write in change.writes] == [
        (TextEdit(DESCRIPTION, None, "A hall."),)
    ] * 2
    blocks = [write.edit.block for write in change.writes if write.edit]
    assert [block and block.texts for block in blocks] == [
        (("description", text_digest("A hall.")),)
    ] * 2
    assert world.base is not None
    assert world.base.texts["description"].places == {"IMG.JPG", "IMG.JPG.xmp"}
    assert world.planned("A hall.").is_noop
    assert world.planned(None).is_noop


def test_a_profile_that_says_never_writes_none(world: World) -> None:
    change = world.sync("A hall.", write_description="never")
    assert change.texts == ()
    assert world.descriptions == [None, None]


def test_a_text_alone_is_a_reason_to_write(world: World) -> None:
    world.sync()
    assert world.sync("A hall.").writes
    assert world.descriptions == ["A hall."] * 2
    assert world.sync("Another hall.").texts[0].before == "A hall."
    assert world.descriptions == ["Another hall."] * 2


def test_a_person_s_text_holds_ours_back_everywhere(world: World) -> None:
    world.typed(1, "Mine")
    assert world.sync("A hall.").texts == ()
    assert world.descriptions == [None, "Mine"]


def test_what_a_person_changed_is_shown_and_left(world: World) -> None:
    world.sync("A hall.")
    world.typed(1, "Mine")
    change = world.sync("Another hall.")
    assert change.waits
    assert (change.texts[0].before, change.texts[0].after) == ("Mine", "Another hall.")
    assert change.writes == ()
    assert world.descriptions == ["A hall.", "Mine"]


@pytest.mark.parametrize("lost", [False, True])
def test_what_a_person_took_out_stays_out(world: World, lost: bool) -> None:
    world.sync("A hall.")
    for number in (0, 1):
        world.typed(number, None)
    if lost:
        world.base, world.told = None, {}
    for said in ("A hall.", "Another hall."):
        world.sync(said)
        assert world.descriptions == [None, None]
    assert world.base is not None
    assert world.base.texts["description"].vetoed


def test_a_person_s_command_on_keywords_leaves_texts_and_what_is_known_of_them(
    world: World,
) -> None:
    world.sync("A hall.")
    before = world.base
    mine = (Keyword.parse("Mine"),)
    change = person_edit(world.snapshot, world.base, world.told.get, world.policy, add=mine)
    world.carry_out(change)
    assert before is not None
    assert change.after.texts == before.texts
    assert world.descriptions == ["A hall."] * 2
    assert world.planned("A hall.").is_noop


def test_undo_spares_what_came_later(world: World) -> None:
    made = world.sync("A hall.")
    receipt = Receipt("r1", "2026-11-20T09:00:00Z", made, ())
    world.typed(1, "Mine")
    taken = undo(
        receipt, world.snapshot, world.base, world.told.get, world.policy, bytes_kept=False
    )
    world.carry_out(taken)
    assert world.descriptions == [None, "Mine"]
    assert taken.after.texts == {}
    assert world.sync("A hall.").texts == ()


def test_undo_of_a_newer_text_gives_the_older_one_back(world: World) -> None:
    world.sync("A hall.")
    receipt = Receipt("r2", "2026-11-20T09:00:00Z", world.sync("Another hall."), ())
    world.typed(0, "Another hall.")
    taken = undo(
        receipt, world.snapshot, world.base, world.told.get, world.policy, bytes_kept=False
    )
    world.carry_out(taken)
    assert world.descriptions == ["A hall."] * 2
    assert world.planned("A hall.").is_noop


def test_undo_leaves_a_text_where_its_run_did_not_write_it(world: World) -> None:
    sidecar, image = world.states
    world.states = [sidecar]
    world.sync("A hall.")
    world.states.append(image)  # image files are written from now on
    receipt = Receipt("r2", "2026-11-20T09:00:00Z", world.sync("A hall."), ())
    assert world.descriptions == ["A hall."] * 2
    taken = undo(
        receipt, world.snapshot, world.base, world.told.get, world.policy, bytes_kept=False
    )
    world.carry_out(taken)
    assert world.descriptions == ["A hall.", None]


def test_an_older_packet_gets_its_text_back(world: World) -> None:
    older = world.states[1]
    world.sync("A hall.")
    world.states[1] = replace(older, fingerprint=Fingerprint("older"))
    world.sync("A hall.")
    assert world.descriptions == ["A hall."] * 2


def test_a_description_in_exif_holds_ours_back(world: World) -> None:
    world.caption = "The old boiler house"
    assert world.sync("A hall.").texts == ()
    assert world.descriptions == [None, None]
    world.caption = None
    world.sync("A hall.")
    world.caption = "A hall."  # as Lightroom copies it
    assert world.planned("A hall.").is_noop
    assert world.planned("Another hall.").waits


def test_alt_text_and_description_do_not_hang_together(world: World) -> None:
    world.typed(1, "Mine")
    texts = ((DESCRIPTION, "A hall.", "vlm@1"), (ALT, "Hall", "vlm@1"))
    said = Proposal(texts=texts)
    change = plan(world.snapshot, None, world.told.get, said, world.policy)
    assert [text.field for text in change.texts] == [ALT]
    assert len(change.writes) == 2
