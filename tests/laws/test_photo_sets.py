"""Sets of photos of a stretch, in whatever form they come: the same photos in both, any, one."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.db.ask_planes import Stretch
from urbexmp.adapters.db.ask_some import as_bits, as_ids, joined, less, met, number
from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES

stretches = st.sampled_from(
    [Stretch(0, 0, 256), Stretch(0, 256, CHUNK_BYTES), Stretch(3, 0, CHUNK_BYTES)]
)
near = st.integers(0, 40) | st.integers(0, CHUNK - 1)
forms = st.sampled_from(("bits", "array", "set"))


def within(offsets: set[int], stretch: Stretch) -> set[int]:
    """Photo ids of a stretch."""
    size = (stretch.stop - stretch.start) * 8
    return {stretch.first + offset for offset in offsets if offset < size}


def formed(ids: set[int], form: str, stretch: Stretch) -> object:
    """The photos as a source might give them."""
    if form == "bits":
        return sum(1 << photo - stretch.first for photo in ids)
    places = sorted(photo - stretch.chunk * CHUNK + 1 for photo in ids)
    return array("H", places) if form == "array" else frozenset(places)


@given(stretches, st.sets(near, max_size=90), st.sets(near, max_size=90), forms, forms)
def test_sets_meet_in_every_form(
    stretch: Stretch, one: set[int], other: set[int], form: str, second: str
) -> None:
    left, right = within(one, stretch), within(other, stretch)
    first, then = formed(left, form, stretch), formed(right, second, stretch)
    for found, wanted in (
        (met(first, then, stretch), left & right),
        (joined([first, then], stretch), left | right),
        (less(first, then, stretch), left - right),
    ):
        assert as_ids(found, stretch) == sorted(wanted)
        assert number(found) == len(wanted)
        assert bool(found) is bool(wanted)
        assert as_bits(found, stretch) == formed(wanted, "bits", stretch)
        assert as_ids(found, stretch, 2, 5) == sorted(wanted)[2:7]
