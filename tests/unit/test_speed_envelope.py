"""Envelopes are the same bytes, and open to the same packet, by the short way and the long one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embed_cases import Case, cases
from urbexmp.adapters.embedded.envelope import MAGIC, opened, plain_packet
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.model.photo import Carrier, CarrierKind


@pytest.mark.parametrize("each", cases(), ids=lambda each: each.name)
def test_the_head_is_what_a_json_encoder_writes(each: Case, tmp_path: Path) -> None:
    path = tmp_path / "IMG.JPG"
    path.write_bytes(each.data)
    container = JpegContainer()
    envelope = EmbeddedStore((container,)).read(Carrier(CarrierKind.EMBEDDED, path))
    line = envelope[len(MAGIC) : envelope.index(b"\n", len(MAGIC))]
    said = json.loads(line)
    assert json.dumps(said).encode() == line
    _, sparse, _, _ = opened(envelope, path, (container,))
    packet = container.layout(sparse, path).packet
    plain = plain_packet(envelope)
    assert plain == (packet if said["plain"] else None)
    # Another spelling of the same head is read as well.
    longer = envelope.replace(line, line.replace(b": ", b":  "), 1)
    assert plain_packet(longer) == plain
