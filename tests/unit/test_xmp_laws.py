"""Laws of the packet editor, over random packets and edits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry

CODEC = XmpCodec()
SUBJECT = Path("IMG.xmp")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")),
    min_size=1,
    max_size=8,
).filter(lambda text: text.strip() != "")
word_lists = st.lists(words, max_size=4, unique=True)


@dataclass(frozen=True)
class Packet:
    data: bytes
    flat: tuple[str, ...] | None
    hierarchical: tuple[str, ...] | None


@st.composite
def packets(draw: st.DrawFn, padded: bool = False) -> Packet:
    """A packet with keyword lists that hold something, or are absent."""
    unit = draw(st.sampled_from(["", " ", "  ", "\t"]))
    newline = draw(st.sampled_from(["\n", "\r\n"])) if unit else ""
    rdf, dc, lr = draw(st.sampled_from([("rdf", "dc", "lr"), ("r", "a", "b"), ("rdf", "x", "y")]))
    kinds = st.sampled_from(["Bag", "Bag", "Seq"])

    def line(depth: int, text: str) -> str:
        return f"{unit * depth}{text}{newline}"

    def listing(name: str, items: list[str]) -> str:
        kind = draw(kinds)
        lis = "".join(line(5, f"<{rdf}:li>{escape(item)}</{rdf}:li>") for item in items)
        return (
            line(3, f"<{name}>")
            + line(4, f"<{rdf}:{kind}>")
            + lis
            + line(4, f"</{rdf}:{kind}>")
            + line(3, f"</{name}>")
        )

    flat, hierarchical = draw(word_lists), draw(word_lists)
    parts = [
        draw(st.sampled_from(["", line(3, "<t:a>1 &amp; 2</t:a>"), line(3, "<!-- c -->")])),
        listing(f"{dc}:subject", flat) if flat else "",
        line(3, "<t:s><t:k/></t:s>") if draw(st.booleans()) else "",
        listing(f"{lr}:hierarchicalSubject", hierarchical) if hierarchical else "",
    ]
    if draw(st.booleans()):
        parts.reverse()
    body = "".join(parts)
    declared = (
        f'xmlns:{dc}="http://purl.org/dc/elements/1.1/" '
        f'xmlns:{lr}="http://ns.adobe.com/lightroom/1.0/" xmlns:t="http://e.org/t#" t:v="1"'
    )
    opened = f'<{rdf}:Description {rdf}:about="" {declared}'
    inner = line(2, f"{opened}>") + body + line(2, f"</{rdf}:Description>")
    if not body and draw(st.booleans()):
        inner = line(2, f"{opened}/>")
    text = (
        line(0, '<x:xmpmeta xmlns:x="adobe:ns:meta/">')
        + line(1, f'<{rdf}:RDF xmlns:{rdf}="{RDF}">')
        + inner
        + line(1, f"</{rdf}:RDF>")
        + "</x:xmpmeta>"
    )
    if padded:
        text += (newline or "\n") + (" " * 100 + "\n") * 20 + '<?xpacket end="w"?>'
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16-le", "utf-16"]))
    return Packet(
        text.encode(encoding),
        tuple(flat) if flat else None,
        tuple(hierarchical) if hierarchical else None,
    )


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    entries = tuple(
        BlockEntry(
            Keyword(tuple(path)),
            draw(st.none() | st.integers(0, 100).map(lambda n: n / 100)),
            draw(st.sampled_from(["pixels@1f2e3d4c", "person", ""])),
            draw(st.sampled_from(["offline", "full; odd", ""])),
            draw(st.sampled_from(["2026-11-20T09:00:00Z", "2026-11-21T09:00:00Z"])),
        )
        for path in draw(
            st.lists(
                st.lists(words.filter(lambda w: "|" not in w), min_size=1, max_size=3), max_size=3
            )
        )
    )
    vetoed = tuple(Keyword((word,)) for word in draw(word_lists) if "|" not in word)
    flats = tuple(draw(word_lists))
    facts = tuple(("view", word) for word in draw(word_lists)[:1])
    return Block("w1", entries, vetoed, flats, facts)


def new(items: list[str], standing: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(item for item in items if item not in (standing or ()))


@settings(max_examples=80, deadline=None)
@given(packets(), word_lists, word_lists, blocks())
def test_adding_then_removing_gives_the_same_bytes_back(
    packet: Packet, flat: list[str], hierarchical: list[str], block: Block
) -> None:
    flats, paths = new(flat, packet.flat), new(hierarchical, packet.hierarchical)
    add = PacketEdit(flat_add=flats, hierarchical_add=paths, block=block)
    after = CODEC.edit(packet.data, add, SUBJECT)
    CODEC.prove(packet.data, after, add, SUBJECT)
    remove = PacketEdit(flat_remove=flats, hierarchical_remove=paths, block=Block(""))
    back = CODEC.edit(after, remove, SUBJECT)
    CODEC.prove(after, back, remove, SUBJECT)
    assert back == packet.data


@settings(max_examples=80, deadline=None)
@given(packets(), word_lists, word_lists, st.data())
def test_an_edit_does_what_it_says_once(
    packet: Packet, flat: list[str], hierarchical: list[str], data: st.DataObject
) -> None:
    some = [
        data.draw(st.sets(st.sampled_from(items))) if items else set()
        for items in (packet.flat, packet.hierarchical)
    ]
    edit = PacketEdit(
        flat_add=new(flat, packet.flat),
        flat_remove=tuple(sorted(some[0])),
        hierarchical_add=new(hierarchical, packet.hierarchical),
        hierarchical_remove=tuple(sorted(some[1])),
    )
    after = CODEC.edit(packet.data, edit, SUBJECT)
    if not edit.empty:
        CODEC.prove(packet.data, after, edit, SUBJECT)
    assert CODEC.edit(after, edit, SUBJECT) == after
    fields = CODEC.read(after, SUBJECT).fields
    kept = [item for item in packet.flat or () if item not in some[0]]
    assert list(fields.flat or ()) == [*kept, *edit.flat_add]
    kept = [item for item in packet.hierarchical or () if item not in some[1]]
    assert list(fields.hierarchical or ()) == [*kept, *edit.hierarchical_add]


@settings(max_examples=60, deadline=None)
@given(packets(padded=True), word_lists, blocks())
def test_padding_keeps_the_size_and_gives_the_same_bytes_back(
    packet: Packet, flat: list[str], block: Block
) -> None:
    flats = new(flat, packet.flat)
    add = PacketEdit(flat_add=flats, block=block)
    after = CODEC.edit(packet.data, add, SUBJECT)
    assert len(after) == len(packet.data)
    CODEC.prove(packet.data, after, add, SUBJECT)
    remove = PacketEdit(flat_remove=flats, block=Block(""))
    assert CODEC.edit(after, remove, SUBJECT) == packet.data


@settings(max_examples=60, deadline=None)
@given(packets(), blocks(), word_lists)
def test_a_block_reads_as_it_was_written_and_a_scan_reads_as_a_parser(
    packet: Packet, block: Block, flat: list[str]
) -> None:
    edit = PacketEdit(flat_add=new(flat, packet.flat), block=block)
    after = CODEC.edit(packet.data, edit, SUBJECT)
    assert CODEC.read(after, SUBJECT).block == block
    quick = scan(after)
    assert quick is None or quick == read_document(parse(after, READ, SUBJECT))


@settings(max_examples=20, deadline=None)
@given(st.lists(packets(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_no_packet_leaves_a_trace_in_another(several: list[Packet], order: object) -> None:
    edit = PacketEdit(
        flat_add=("Zebra é",), hierarchical_add=("Animals|Zebra é",), block=Block("w")
    )
    alone = [XmpCodec().edit(packet.data, edit, SUBJECT) for packet in several]
    shuffled = list(enumerate(several))
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    together = {n: CODEC.edit(packet.data, edit, SUBJECT) for n, packet in shuffled}
    assert [together[n] for n in range(len(several))] == alone
