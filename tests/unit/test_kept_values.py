"""Values that are kept in memory say what the files and the ledger say, and no more are kept."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import MergeBase, PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import PhotoId
from urbexmp.model.record import from_plain, to_plain
from urbexmp.pipeline.readings import MOST, MOST_BYTES, KeptReadings

SUBJECT = Path("a.xmp")


class Counted(XmpCodec):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_packets: list[bytes] = []

    def read(self, packet: bytes, subject: Path):  # type: ignore[no-untyped-def]
        self.read_packets.append(packet)
        return super().read(packet, subject)


def packet(word: str) -> bytes:
    return XmpCodec().create(PacketEdit(flat_add=(word,), hierarchical_add=(f"A|{word}",)))


def test_the_same_bytes_are_read_once_and_other_bytes_anew() -> None:
    inner = Counted()
    codec = KeptReadings(inner)
    first = codec.read(packet("one"), SUBJECT)
    assert codec.read(bytes(bytearray(packet("one"))), SUBJECT) == first
    assert len(inner.read_packets) == 1
    assert codec.read(packet("two"), SUBJECT).fields.flat == ("two",)
    for number in range(MOST):
        codec.read(packet(f"w{number}"), SUBJECT)
    codec.read(packet("one"), SUBJECT)
    assert inner.read_packets.count(packet("one")) == 2, "it was given up for newer ones"


def test_what_cannot_be_read_and_what_is_large_is_not_kept() -> None:
    inner = Counted()
    codec = KeptReadings(inner)
    for _ in range(2):
        with pytest.raises(PacketRefused):
            codec.read(b"<x:xmpmeta", SUBJECT)
    large = packet("x") + b" " * MOST_BYTES
    assert codec.read(large, SUBJECT) == codec.read(large, SUBJECT)
    assert len(inner.read_packets) == 4


def test_a_merge_base_that_changed_is_read_as_it_is_now(tmp_path: Path) -> None:
    photo, path = PhotoId("p"), Path("/l/a.jpg")
    with SqliteLedger(tmp_path / "l.sqlite3") as one, SqliteLedger(tmp_path / "l.sqlite3") as other:
        before = MergeBase(agreed=frozenset({Keyword.parse("A|B")}))
        one.put_base(photo, path, before)
        assert one.base(photo, path) == before
        after = MergeBase(agreed=frozenset({Keyword.parse("A|C")}))
        other.put_base(photo, path, after)
        assert one.base(photo, path) == after


def test_words_of_a_dropped_transaction_are_not_those_of_the_next(tmp_path: Path) -> None:
    photo, path = PhotoId("p"), Path("/l/a.jpg")
    with SqliteLedger(tmp_path / "l.sqlite3") as ledger:

        def lose() -> None:
            with ledger.batch():
                lost = MergeBase(agreed=frozenset({Keyword.parse("Lost")}))
                ledger.put_base(photo, path, lost)
                assert ledger.base(photo, path) == lost
                raise RuntimeError

        with pytest.raises(RuntimeError):
            lose()
        ledger.put_base(photo, path, MergeBase(agreed=frozenset({Keyword.parse("Kept")})))
        found = ledger.base(photo, path)
        assert found is not None
        assert [str(keyword) for keyword in found.agreed] == ["Kept"]


names = st.text(min_size=1, max_size=6).filter(lambda name: "|" not in name)


@given(st.lists(names, min_size=1, max_size=4))
def test_a_keyword_keeps_its_spelling_whoever_asked_before(path: list[str]) -> None:
    shouted = [name.upper() for name in path]
    for spelled in (path, shouted, path):
        keyword = Keyword.parse("|".join(spelled))
        assert keyword.path == tuple(spelled)
        assert [above.path for above in keyword.ancestors()] == [
            tuple(spelled[:n]) for n in range(1, len(spelled))
        ]
        assert pickle.loads(pickle.dumps(keyword)) == keyword


def test_a_keyword_from_another_process_is_found_in_a_set() -> None:
    script = (
        "import pickle, sys; from urbexmp.model.keyword import Keyword;"
        " sys.stdout.buffer.write(pickle.dumps(Keyword.parse('Urbex|Décor')))"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, check=True
    ).stdout
    assert pickle.loads(said) in {Keyword.parse("urbex|décor")}


@dataclass(frozen=True)
class Nested:
    """Holds itself, and one of each kind."""

    share: float
    words: tuple[str, ...] = ()
    pair: tuple[int, str] | None = None
    inner: tuple[Nested, ...] = ()
    by_name: Mapping[str, frozenset[Keyword]] = field(default_factory=dict)


def test_plain_data_is_built_as_its_types_say_or_refused() -> None:
    value = Nested(1.5, ("a",), (2, "b"), (Nested(0.5),), {"p": frozenset({Keyword.parse("A|B")})})
    assert from_plain(Nested, to_plain(value)) == value
    assert from_plain(Nested, {"share": 2}).share == 2.0
    for wrong in (
        {"share": True},
        {"share": "x"},
        {"share": 1.0, "words": "abc"},
        {"share": 1.0, "pair": [1]},
        {"share": 1.0, "unknown": 1},
        {"share": 1.0, "by_name": {"p": ["A||B"]}},
        {"words": []},
        ["share"],
        "share",
        None,
    ):
        with pytest.raises((TypeError, ValueError, KeyError)):
            from_plain(Nested, wrong)
