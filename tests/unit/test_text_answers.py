"""Answers about texts of a photo in two carriers: what is written, agreed and taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from unit.test_text_plan import ALT, DESCRIPTION, PROFILE, World
from urbexmp.model.change import Change, MergeBase, Receipt
from urbexmp.model.keyword import Keyword
from urbexmp.model.text import TextAnswer, TextBase, TextChange, TextField, TextState, text_digest
from urbexmp.rules.answer_texts import answer_texts
from urbexmp.rules.photo_texts import Said
from urbexmp.rules.render_texts import held_text_data, held_text_lines
from urbexmp.rules.undo import undo

TAKE, KEEP = TextAnswer(take=True), TextAnswer(take=False)
NAMED = replace(TAKE, named=True)


def answered(world: World, answer: TextAnswer, said: str | None = "Newer.") -> Change:
    wanted = {} if said is None else {DESCRIPTION: Said(said, "vlm@12345678")}
    return world.carry_out(
        answer_texts(world.snapshot, world.base, world.told.get, wanted, answer, world.policy)
    )


@pytest.fixture
def waiting() -> World:
    """The second carrier's text was changed, and the stage says something else."""
    world = World()
    world.sync("A hall.")
    world.typed(1, "Mine")
    assert world.sync("Newer.").waits
    return world


def test_take_writes_all_carriers_and_is_agreed(waiting: World) -> None:
    change = answered(waiting, TAKE)
    assert [(text.before, text.after, text.taken) for text in change.texts] == [
        ("Mine", "Newer.", True)
    ]
    assert waiting.descriptions == ["Newer."] * 2
    assert waiting.base is not None
    assert waiting.base.texts["description"] == TextBase(
        "Newer.", places=frozenset({"IMG.JPG", "IMG.JPG.xmp"})
    )
    blocks = [state.block for state in waiting.states]
    assert [block and block.texts for block in blocks] == [
        (("description", text_digest("Newer.")),)
    ] * 2
    assert waiting.planned("Newer.").is_noop
    assert answered(waiting, TAKE).is_noop


def test_keep_changes_the_base_alone(waiting: World) -> None:
    before = waiting.base
    change = answered(waiting, KEEP)
    assert change.writes == ()
    assert not change.waits
    assert not change.is_noop
    assert before is not None
    assert change.after == replace(
        before, texts={"description": replace(before.texts["description"], kept=True)}
    )
    for said in ("Newer.", "A hall.", "Third."):
        assert waiting.sync(said).texts == ()
    assert waiting.descriptions == ["A hall.", "Mine"]
    assert answered(waiting, TAKE).texts == ()
    answered(waiting, NAMED)
    assert waiting.descriptions == ["Newer."] * 2
    assert waiting.base is not None
    assert not waiting.base.texts["description"].kept


def test_keep_keeps_what_went_away_empty(waiting: World) -> None:
    world = World()
    world.sync("A hall.")
    for number, state in enumerate(world.states):
        world.states[number] = replace(state, block=None, texts=())
    assert world.sync("Newer.").waits
    answered(world, KEEP)
    assert not world.sync("Newer.").waits
    assert world.descriptions == [None, None]
    answered(world, NAMED)
    assert world.descriptions == ["Newer."] * 2


def test_take_lifts_a_veto_where_the_photo_is_named() -> None:
    world = World()
    world.sync("A hall.")
    for number in (0, 1):
        world.typed(number, None)
    world.sync("A hall.")
    assert answered(world, TAKE).texts == ()
    assert world.descriptions == [None, None]
    answered(world, NAMED, "A hall.")
    assert world.descriptions == ["A hall."] * 2
    world.base, world.told = None, {}
    world.sync("A hall.")
    assert world.base is not None
    assert not world.base.texts["description"].vetoed


def test_what_is_left_over_is_taken_though_it_was_taken_out_elsewhere() -> None:
    world = World()
    world.sync("A hall.")
    world.typed(0, None)
    held = world.sync("Newer.").texts[0]
    assert held.after is None
    assert held.said == "Newer."
    answered(world, TAKE)
    assert world.descriptions == ["Newer."] * 2
    assert world.planned("Newer.").is_noop


def test_a_stage_that_says_nothing_writes_nothing(waiting: World) -> None:
    change = answered(waiting, NAMED, None)
    assert change.writes == ()
    assert "the stages say nothing for the description" in change.notes
    assert waiting.descriptions == ["A hall.", "Mine"]


def test_an_answer_for_one_field_leaves_the_other_alone(waiting: World) -> None:
    wanted = {DESCRIPTION: Said("Newer."), ALT: Said("Hall")}
    answer = TextAnswer(take=True, fields=(ALT,), named=True)
    change = waiting.carry_out(
        answer_texts(
            waiting.snapshot, waiting.base, waiting.told.get, wanted, answer, waiting.policy
        )
    )
    assert [(text.field, text.hold is None) for text in change.texts] == [
        (ALT, True),
        (DESCRIPTION, False),
    ]
    assert waiting.descriptions == ["A hall.", "Mine"]


def test_a_place_that_cannot_be_set_holds_all_back(waiting: World) -> None:
    fixed = TextState(DESCRIPTION, "Mine", fixed="stands in its IPTC block too")
    waiting.states[1] = replace(waiting.states[1], texts=(fixed,))
    change = answered(waiting, TAKE)
    assert change.writes == ()
    assert "IPTC" in (change.texts[0].hold or "")
    assert waiting.descriptions == ["A hall.", "Mine"]


def test_a_caption_that_is_only_read_is_named_and_stays(waiting: World) -> None:
    waiting.caption = "The old boiler house"
    change = answered(waiting, NAMED)
    assert waiting.descriptions == ["Newer."] * 2
    assert any("the EXIF of IMG.JPG, which is only read" in note for note in change.notes)


def test_nothing_is_answered_while_the_carriers_contradict_each_other(waiting: World) -> None:
    for number, name in ((0, "A|B"), (0, "A|C")):
        fields = waiting.states[number].fields
        hierarchical = (*(fields.hierarchical or ()), name)
        waiting.states[number] = replace(
            waiting.states[number], fields=replace(fields, hierarchical=hierarchical)
        )
    waiting.sync("Newer.")
    for state in range(2):
        fields = waiting.states[state].fields
        waiting.states[state] = replace(
            waiting.states[state], fields=replace(fields, flat=(), hierarchical=())
        )
    before = waiting.descriptions
    for answer in (NAMED, KEEP):
        change = answered(waiting, answer)
        assert change.writes == ()
        assert "went away at once" in change.notes[-1]
    assert waiting.descriptions == before


@pytest.mark.parametrize("kept", [False, True])
def test_undo_gives_each_carrier_its_own_and_a_persons_stays_theirs(
    waiting: World, kept: bool
) -> None:
    receipt = Receipt("r1", "2026-11-20T09:00:00Z", answered(waiting, TAKE), ())
    if kept:
        waiting.typed(0, "Newer.")
    taken = undo(
        receipt, waiting.snapshot, waiting.base, waiting.told.get, waiting.policy, bytes_kept=False
    )
    waiting.carry_out(taken)
    assert waiting.descriptions == ["A hall.", "Mine"]
    assert waiting.planned("Newer.").waits
    waiting.base, waiting.told = None, {}
    waiting.sync("Third.")
    assert waiting.descriptions == ["A hall.", "Mine"]


def test_bases_from_before_keep_existed_have_the_same_digest() -> None:
    def digest(**how: bool) -> str:
        return MergeBase(texts={"description": TextBase("A hall.", **how)}).digest

    assert digest() == digest(kept=False) != digest(kept=True)


def test_keywords_that_wait_go_on_waiting(waiting: World) -> None:
    from urbexmp.model.change import Edit, EditKind

    held = (Edit(EditKind.ADD, Keyword.parse("Urbex|Chapel"), hold="below the threshold"),)
    wanted = {DESCRIPTION: Said("Newer.")}
    for answer in (TAKE, KEEP):
        change = answer_texts(
            waiting.snapshot,
            waiting.base,
            waiting.told.get,
            wanted,
            answer,
            waiting.policy,
            held=held,
        )
        assert change.held == held
        assert change.profile == PROFILE.name


def test_what_waits_is_shown_without_codes_of_the_terminal() -> None:
    text = TextChange(
        TextField.ALT_TEXT, None, None, "vlm@12345678", "it \x1b[31mwent away", "A\x1b[31m hall."
    )
    path = Path("photos", "a.jpg")
    lines = [
        "".join(span.text for span in line) for line in held_text_lines([(path, text)], path.parent)
    ]
    assert lines[0] == "a.jpg"
    assert lines[1].startswith("  ? alt text  it ")
    assert lines[2] == "      stands there: (nothing)"
    assert lines[3].startswith('      the stage:    "A')
    assert "\x1b" not in "".join(lines)
    data = held_text_data("a.jpg", text)
    assert (data["before"], data["after"], data["stage"]) == (None, text.said, "vlm@12345678")
