"""Packets made to do harm, or merely huge: refused, or done with in a moment."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.canonical import Unreadable, canonical
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, ProofFailed
from urbexmp.model.photo import Block

CODEC = XmpCodec()
SUBJECT = Path("IMG.xmp")
EDIT = PacketEdit(flat_add=("Barn",), hierarchical_add=("Urbex|Barn",), block=Block("w1"))


def packet(body: str, attributes: str = "", before: str = "") -> bytes:
    return f"""{before}<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:t="http://e.org/t#" {attributes}>
   {body}
   <dc:subject><rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(12)
)


@pytest.mark.parametrize(
    "before",
    [
        f"<!DOCTYPE x [{LAUGHS}]>",
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        f'<!DOCTYPE x [<!ENTITY q "{"q" * 100000}">]>',
        '<?xml version="1.0"?>\n<!-- c --><!DOCTYPE x>',
    ],
)
@pytest.mark.parametrize("value", ["&l11;", "&f;", "&q;" * 1000, "nothing"])
def test_a_doctype_is_refused(before: str, value: str) -> None:
    data = packet(f"<t:a>{value}</t:a>", before=before)
    for attempt in (
        lambda: CODEC.read(data, SUBJECT),
        lambda: CODEC.edit(data, EDIT, SUBJECT),
    ):
        with pytest.raises(PacketRefused) as caught:
            attempt()
        assert caught.value.reason == "doctype"


def test_the_proof_reads_no_entities_either() -> None:
    data = packet("<t:a>&f;</t:a>", before='<!DOCTYPE x [<!ENTITY f SYSTEM "/etc/hostname">]>')
    with pytest.raises(Unreadable):
        canonical(data.decode())
    with pytest.raises(ProofFailed):
        CODEC.prove(packet(""), data, EDIT, SUBJECT)


@pytest.mark.parametrize("depth", [250, 5000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    for inner in ("t:a", "dc:subject"):
        data = packet(f"<{inner}>" + "<t:b>" * depth + "</t:b>" * depth + f"</{inner}>")
        with pytest.raises(PacketRefused) as caught:
            CODEC.edit(data, EDIT, SUBJECT)
        assert caught.value.reason == "too-deep"


def test_deep_nesting_outside_of_rdf_is_refused() -> None:
    data = b"<a>" * 50_000 + b"</a>" * 50_000
    with pytest.raises(PacketRefused) as caught:
        CODEC.read(data, SUBJECT)
    assert caught.value.reason == "too-deep"


def test_nesting_of_sixty_levels_is_fine() -> None:
    data = packet("<t:a>" + "<t:b>" * 60 + "x" + "</t:b>" * 60 + "</t:a>")
    after = CODEC.edit(data, EDIT, SUBJECT)
    CODEC.prove(data, after, EDIT, SUBJECT)


@pytest.mark.parametrize("where", ["element", "attribute", "item"])
def test_a_value_of_five_megabytes_is_kept(where: str) -> None:
    value = "0123456789abcdef" * (5 << 16)
    data = {
        "element": lambda: packet(f"<t:a>{value}</t:a>"),
        "attribute": lambda: packet("", f't:a="{value}"'),
        "item": lambda: packet("").replace(b">Owl<", b">Owl</rdf:li><rdf:li>%b<" % value.encode()),
    }[where]()
    tracemalloc.start()
    after = CODEC.edit(data, EDIT, SUBJECT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    CODEC.prove(data, after, EDIT, SUBJECT)
    assert value.encode() in after
    assert peak < 12 * len(data)


def test_five_thousand_items_are_kept_in_order() -> None:
    words = [f"word {n}" for n in range(5000)]
    lis = "</rdf:li><rdf:li>".join(words).encode()
    data = packet("").replace(b">Owl<", b">" + lis + b"<")
    edit = PacketEdit(flat_add=("Barn",), flat_remove=tuple(words[::7]))
    after = CODEC.edit(data, edit, SUBJECT)
    CODEC.prove(data, after, edit, SUBJECT)
    kept = [word for n, word in enumerate(words) if n % 7]
    assert CODEC.read(after, SUBJECT).fields.flat == (*kept, "Barn")


def test_many_attributes_and_namespaces_are_kept() -> None:
    attributes = " ".join(f'xmlns:n{n}="http://e.org/{n}#" n{n}:a="{n}"' for n in range(500))
    data = packet("", attributes)
    after = CODEC.edit(data, EDIT, SUBJECT)
    CODEC.prove(data, after, EDIT, SUBJECT)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"\xff\xfe",
        b"\xff\xfe<",
        b"\x00\x00\xfe\xff\xff\xff\xff\xff",
        b"<",
        b"<x:xmpmeta",
        b"<a b='c",
        b"<?xpacket begin=''?>",
        b"<a>&#xD800;</a>",
        b"<a>&#0;</a>",
        b"\xef\xbb\xbf",
        bytes(range(256)),
    ],
)
def test_rubbish_is_refused_with_a_reason(data: bytes) -> None:
    for attempt in (
        lambda: CODEC.read(data, SUBJECT),
        lambda: CODEC.edit(data, EDIT, SUBJECT),
    ):
        with pytest.raises(PacketRefused) as caught:
            attempt()
        assert caught.value.reason
    with pytest.raises(ProofFailed):
        CODEC.prove(packet(""), data, EDIT, SUBJECT)


def test_every_truncation_is_refused_or_leaves_the_packet_whole() -> None:
    data = packet("<t:a>1</t:a>")
    for end in range(0, len(data.rstrip()), 3):
        with pytest.raises(PacketRefused):
            CODEC.edit(data[:end], EDIT, SUBJECT)


def test_what_stands_behind_the_packet_is_of_no_account() -> None:
    data = packet("") + b"<!DOCTYPE x [" + LAUGHS.encode() + b"]><a>&l11;</a>\xff\0"
    after = CODEC.edit(data, EDIT, SUBJECT)
    CODEC.prove(data, after, EDIT, SUBJECT)
    assert after.endswith(data[len(packet("")) :])
