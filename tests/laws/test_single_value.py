"""The laws of a single value: a person's text stays, and what they took out never returns."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from laws.effort import effort
from urbexmp.model.text import TextBase, text_digest
from urbexmp.rules.single_value import (
    EDITED,
    GONE,
    Decision,
    Place,
    clean,
    decide,
    listed_after,
    take,
)

OURS, NEWER, THEIRS = "a hall of ours", "a newer hall of ours", "a hall of theirs"
WANTED = st.sampled_from([None, OURS, NEWER])
EMPTY = Place("IMG.xmp", None)


def carried_out(
    places: tuple[Place, ...], base: TextBase, wanted: str | None
) -> tuple[tuple[Place, ...], TextBase]:
    """The places after a run, each with a new block."""
    decision = decide(places, base, wanted)
    after = []
    for number, place in enumerate(places):
        value = wanted if number in decision.targets else place.value
        if place.readonly or (place.absent and number not in decision.targets):
            after.append(place)
            continue
        listed = listed_after(place, decision.base, value)
        after.append(replace(place, value=value, listed=listed, block=True, absent=False))
    return tuple(after), decision.base


# --- single cases -------------------------------------------------------------------------------


def test_an_empty_field_is_written_and_then_kept() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    assert places[0].value == OURS
    assert places[0].listed == text_digest(OURS)
    assert base == TextBase(written=OURS, places=frozenset({"IMG.xmp"}))
    assert not decide(places, base, OURS).targets
    assert not decide(places, base, None).targets


def test_ours_unchanged_follows_the_stage_also_without_the_ledger() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    for known in (base, TextBase()):
        assert carried_out(places, known, NEWER)[0][0].value == NEWER


def test_what_a_person_wrote_stays() -> None:
    for place in (replace(EMPTY, value=THEIRS), replace(EMPTY, value=THEIRS, block=True)):
        assert not decide((place,), TextBase(), OURS).targets


def test_what_a_person_changed_stays_and_another_wish_is_held() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    edited = (replace(places[0], value=THEIRS),)
    for known in (base, TextBase()):
        assert decide(edited, known, OURS).hold == ""
        held = decide(edited, known, NEWER)
        assert held.hold == EDITED
        assert not held.targets


def test_what_a_person_took_out_never_returns() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    emptied = (replace(places[0], value=None),)
    for known in (base, TextBase()):
        decision = decide(emptied, known, NEWER)
        assert not decision.targets
        assert decision.base.vetoed
        again, after = carried_out(emptied, known, NEWER)
        assert not decide(again, TextBase(), NEWER).targets
        assert not decide((replace(EMPTY, block=False),), after, NEWER).targets


def test_an_older_packet_is_brought_up_to_date_once() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    older = (replace(EMPTY, older=True),)
    places, base = carried_out(older, base, OURS)
    assert places[0].value == OURS
    assert base.restored
    assert decide(older, base, OURS).hold == GONE


def test_what_went_away_with_the_block_alone_is_held_until_it_is_back() -> None:
    places, base = carried_out((EMPTY,), TextBase(), OURS)
    stripped, known = carried_out((EMPTY,), base, OURS)
    assert stripped[0].value is None
    assert known.gone
    assert decide(stripped, known, NEWER).hold == GONE
    assert not decide(places, known, OURS).base.gone


def test_places_that_contradict_each_other_are_left_alone() -> None:
    (one,), base = carried_out((EMPTY,), TextBase(), OURS)
    for other in (
        replace(one, name="IMG.JPG", value=THEIRS),
        replace(one, name="IMG.JPG", value=None),
    ):
        decision = decide((one, other), base, NEWER)
        assert not decision.targets


def test_a_place_that_cannot_be_set_holds_the_others_back_once_it_is_ours() -> None:
    (one,), base = carried_out((EMPTY,), TextBase(), OURS)
    fixed = replace(one, name="IMG.JPG", fixed="stands in its IPTC block too")
    decision = decide((one, fixed), base, NEWER)
    assert not decision.targets
    assert "IPTC" in decision.hold
    empty = Place("IMG.JPG", None, fixed="is an attribute")
    decision = decide((EMPTY, empty), TextBase(), OURS)
    assert decision.targets == (0,)
    assert "attribute" in decision.notes[0]


def test_a_text_is_cleaned_before_it_is_written() -> None:
    assert clean(" a\x07 hall\n\tof  e\u0301\ufffe ") == "a hall of \u00e9"


# --- any places ---------------------------------------------------------------------------------

VALUES = st.sampled_from([None, OURS, NEWER, THEIRS])
PLACES = st.lists(
    st.builds(
        Place,
        name=st.just(""),
        value=VALUES,
        listed=st.sampled_from(["", text_digest(OURS), text_digest(NEWER)]),
        block=st.booleans(),
        older=st.booleans(),
        fixed=st.sampled_from(["", "is odd"]),
        readonly=st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(lambda places: tuple(replace(p, name=f"{n}.xmp") for n, p in enumerate(places)))
BASES = st.builds(
    TextBase,
    written=st.sampled_from(["", OURS, NEWER]),
    vetoed=st.booleans(),
    gone=st.booleans(),
    restored=st.booleans(),
    places=st.frozensets(st.sampled_from(["0.xmp", "1.xmp", "2.xmp"])),
    kept=st.booleans(),
)


def taken(places: tuple[Place, ...], decision: Decision, wanted: str) -> tuple[Place, ...]:
    """The places after a person took the stage's text."""
    after = []
    for number, place in enumerate(places):
        value = wanted if number in decision.targets else place.value
        if place.readonly:
            after.append(place)
            continue
        listed = text_digest(wanted) if value == wanted else ""
        after.append(replace(place, value=value, listed=listed, block=True, older=False))
    return tuple(after)


@given(PLACES, BASES, st.sampled_from([OURS, NEWER]))
def test_what_is_taken_stands_everywhere_and_a_second_run_writes_and_asks_nothing(
    places: tuple[Place, ...], base: TextBase, wanted: str
) -> None:
    decision = take(places, base, wanted)
    if decision.hold:
        assert not decision.targets
        assert decision.base == base
        assert any(place.fixed or place.readonly for place in places)
        return
    after = taken(places, decision, wanted)
    for was, now in zip(places, after, strict=True):
        if was.readonly or was.fixed:
            assert now.value == was.value
        else:
            assert now.value == wanted
    for known in (decision.base, TextBase()):
        again = decide(after, known, wanted)
        assert not again.targets
        assert not again.hold
        assert not again.base.vetoed


@given(PLACES, BASES, WANTED, WANTED)
def test_what_is_kept_is_neither_written_nor_asked_again(
    places: tuple[Place, ...], base: TextBase, wanted: str | None, later: str | None
) -> None:
    kept = replace(decide(places, base, wanted).base, kept=True)
    after, known = carried_out(places, kept, later)
    assert [place.value for place in after] == [place.value for place in places]
    assert known.kept
    assert not decide(places, kept, later).hold
    assert not decide(after, known, wanted).hold


@given(PLACES, BASES, WANTED, WANTED)
def test_what_is_kept_of_theirs_is_not_written_over_with_the_ledger_lost(
    places: tuple[Place, ...], base: TextBase, wanted: str | None, later: str | None
) -> None:
    after, _ = carried_out(places, replace(base, kept=True), wanted)
    alone = decide(after, TextBase(), later)
    assert all(after[number].value != THEIRS for number in alone.targets)


@given(PLACES, BASES, WANTED)
def test_only_what_is_empty_or_ours_is_set(
    places: tuple[Place, ...], base: TextBase, wanted: str | None
) -> None:
    decision = decide(places, base, wanted)
    assert not (decision.targets and (wanted is None or base.vetoed or decision.hold))
    assert base.vetoed <= decision.base.vetoed
    if decision.targets:
        assert all(place.value != THEIRS for place in places)
    for number in decision.targets:
        place = places[number]
        digests = {text_digest(base.written), *(each.listed for each in places)}
        assert not place.fixed
        assert not place.readonly
        assert place.value is None or text_digest(place.value) in digests


@given(PLACES, BASES, WANTED)
def test_a_second_pass_does_nothing(
    places: tuple[Place, ...], base: TextBase, wanted: str | None
) -> None:
    after, known = carried_out(places, base, wanted)
    again = decide(after, known, wanted)
    assert not again.targets
    assert again.base == known


@given(PLACES, BASES, WANTED)
def test_places_of_ours_never_come_to_differ(
    places: tuple[Place, ...], base: TextBase, wanted: str | None
) -> None:
    decision = decide(places, base, wanted)
    if decision.targets:
        after, _ = carried_out(places, base, wanted)
        assert {place.value for place in after} <= {wanted, None}


# --- a person, Lightroom and a model over time --------------------------------------------------


class TextMachine(RuleBasedStateMachine):
    """Two carriers of one photo over time."""

    @initialize()
    def begin(self) -> None:
        self.places: tuple[Place, ...] = (EMPTY, Place("IMG.JPG", None))
        self.base = TextBase()
        self.first = self.places
        self.refused = False
        """A run has seen that a person took ours out; the ledger, or a block, knows."""

    def put(self, number: int, place: Place) -> None:
        places = list(self.places)
        places[number] = place
        self.places = tuple(places)

    @rule(number=st.integers(0, 1))
    def person_writes(self, number: int) -> None:
        self.put(number, replace(self.places[number], value=THEIRS))

    @rule(number=st.integers(0, 1))
    def person_takes_out(self, number: int) -> None:
        self.put(number, replace(self.places[number], value=None))

    @rule(number=st.integers(0, 1))
    def an_older_packet_is_saved(self, number: int) -> None:
        self.put(number, replace(self.first[number], older=True))

    @rule(number=st.integers(0, 1))
    def a_program_drops_our_block(self, number: int) -> None:
        self.put(number, replace(self.places[number], listed="", block=False))

    @rule()
    def the_ledger_is_lost(self) -> None:
        self.base = TextBase()
        self.refused = False

    @rule(wanted=WANTED)
    def run(self, wanted: str | None) -> None:
        before = self.places
        taken_out = any(place.listed and place.value is None for place in before)
        asked = self.base.gone
        after, self.base = carried_out(before, self.base, wanted)
        for was, now in zip(before, after, strict=True):
            if was.value == THEIRS:
                assert now.value == THEIRS
            if self.refused or taken_out:
                assert now.value == was.value, "what was taken out came back"
        self.refused |= taken_out and not asked
        self.places = tuple(replace(place, older=False) for place in after)
        again, known = carried_out(self.places, self.base, wanted)
        assert [p.value for p in again] == [p.value for p in self.places]
        assert known == self.base

    @invariant()
    def a_refusal_is_remembered(self) -> None:
        assert not self.refused or self.base.vetoed


TestTexts = TextMachine.TestCase
TestTexts.settings = effort(150)
