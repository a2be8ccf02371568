"""The short ways of a first index give what the long ones give."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_examples import NAMES, dump, rows
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.mirror import PERSON, MirrorRow
from urbexmp.model.photo import FileKind, FileStat
from urbexmp.model.ports import PacketReading
from urbexmp.rules.fields import found_keywords
from urbexmp.rules.mirrored import mirror_row

ITEMS = st.lists(
    st.lists(st.sampled_from((*NAMES, "", " ")), min_size=1, max_size=3).map("|".join)
    | st.sampled_from(("|", "  ", "Hall", "hall")),
    max_size=6,
)


@settings(max_examples=100)
@given(st.none() | ITEMS, st.none() | ITEMS)
def test_a_packet_without_a_block_holds_what_its_fields_say(
    flat: list[str] | None, hierarchical: list[str] | None
) -> None:
    fields = KeywordFields(
        None if flat is None else tuple(flat),
        None if hierarchical is None else tuple(hierarchical),
    )
    reading = PacketReading(fields, None, frozenset(), (), None)
    row = mirror_row(Path("a.nef"), "", FileKind.RAW, FileStat(1, 2, 3), [reading])
    assert sorted(each.keyword.path for each in row.keywords) == sorted(
        keyword.path for keyword in found_keywords(fields)
    )
    assert {each.source for each in row.keywords} <= {PERSON}


@settings(max_examples=25)
@given(st.lists(st.lists(rows(), max_size=4), max_size=4))
def test_a_mirror_built_in_any_order_of_folders_is_as_one_that_was_followed(
    batches: list[list[MirrorRow]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with SqliteMirror(folder / "followed", posting_least=2, leaf_least=3) as followed:
            for batch in batches:
                followed.put(batch)
        with SqliteMirror(folder / "built", posting_least=2, leaf_least=3) as built:
            with built.anew() as new:
                for batch in batches:
                    new.put(batch)
            assert built.faults() == ()
        assert dump(folder / "built") == dump(folder / "followed")
