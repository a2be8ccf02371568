"""Golden cases: adding, removing, the date, our block."""

from __future__ import annotations

from case_kit import ADD, BLOCK, HIERARCHICAL, SUBJECT, bag, case, packet

# --- adding and removing -----------------------------------------------------------------------
THREE = bag("<rdf:li>Owl</rdf:li>", "<rdf:li>Snow</rdf:li>", "<rdf:li>Tent</rdf:li>")
case("remove-first", packet(THREE + HIERARCHICAL), {"flat_remove": ["Owl"]})
case("remove-middle", packet(THREE + HIERARCHICAL), {"flat_remove": ["Snow"]})
case("remove-last-item", packet(THREE + HIERARCHICAL), {"flat_remove": ["Tent"]})
case(
    "remove-all",
    packet(THREE + HIERARCHICAL),
    {"flat_remove": ["Owl", "Snow", "Tent"], "hierarchical_remove": ["Animals|Owl"]},
)
case(
    "remove-all-but-add",
    packet(THREE),
    {"flat_remove": ["Owl", "Snow", "Tent"], "flat_add": ["Barn"]},
)
case(
    "remove-and-add",
    packet(THREE + HIERARCHICAL),
    {
        "flat_remove": ["Snow"],
        "flat_add": ["Barn"],
        "hierarchical_remove": ["Animals|Owl"],
        "hierarchical_add": ["Urbex|Barn"],
    },
)
case("add-what-stands", packet(THREE), {"flat_add": ["Snow", "Barn"]})
case("add-first-ever", packet(""), ADD)
case("add-only-hierarchical", packet(SUBJECT), {"hierarchical_add": ["Urbex|Barn"]})
case("add-only-flat", packet(HIERARCHICAL), {"flat_add": ["Barn"]})
case("add-markup", packet(), {"flat_add": ["a<b>&\"'c", "]]>"]})
case(
    "date-attribute",
    packet(SUBJECT, '\n   xmp:MetadataDate="2020-01-01T00:00:00+02:00"'),
    {**ADD, "metadata_date": "2026-11-20T10:00:00+01:00"},
)
case(
    "date-element",
    packet("   <xmp:MetadataDate>2020-01-01</xmp:MetadataDate>\n" + SUBJECT),
    {**ADD, "metadata_date": "2026-11-20T10:00:00+01:00"},
)
case("date-absent", packet(), {**ADD, "metadata_date": "2026-11-20T10:00:00+01:00"})
case("unwritable-keyword", packet(), {"flat_add": ["a\u0001b"], "refused": "unwritable"})

# --- our block -------------------------------------------------------------------------------
OURS = """\
  <rdf:Description rdf:about="" xmlns:urbexmp="http://ns.urbexmp.org/1.0/">
   <urbexmp:Mark>w20250101-000000-0001</urbexmp:Mark>
   <urbexmp:Profile>offline</urbexmp:Profile>
   <urbexmp:Written><rdf:Seq><rdf:li>Urbex|Barn;0.5;pixels@00000000;;2025-01-01T00:00:00Z</rdf:li></rdf:Seq></urbexmp:Written>
  </rdf:Description>
"""


def with_block(block: str) -> str:
    """A packet with our block, in some form, behind the description."""
    return packet().replace(" </rdf:RDF>", block + " </rdf:RDF>")


case("block-replaced", with_block(OURS), ADD)
case("block-removed", with_block(OURS), {"block": {"mark": ""}})
case("block-left-alone", with_block(OURS), {"flat_add": ["Barn"]})
case(
    "block-as-attributes",
    packet(
        SUBJECT,
        '\n   urbexmp:Mark="w20250101-000000-0001"\n   urbexmp:At="2025-01-01T00:00:00Z"',
        '\n    xmlns:urbexmp="http://ns.urbexmp.org/1.0/"',
    ),
)
case(
    "block-other-prefix-and-bag",
    with_block(
        OURS.replace("urbexmp:", "ns1:").replace("xmlns:urbexmp", "xmlns:ns1").replace("Seq", "Bag")
    ),
)
case(
    "block-among-others",
    packet(
        "   <urbexmp:Mark>w1</urbexmp:Mark>\n"
        + SUBJECT
        + "   <urbexmp:Flats><rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></urbexmp:Flats>\n",
        namespaces='\n    xmlns:urbexmp="http://ns.urbexmp.org/1.0/"',
    ),
)
case(
    "block-with-everything",
    packet(),
    {
        "block": {
            **BLOCK,
            "vetoed": ["Urbex|Graffiti", "Urbex|Hazard|50% open; beware"],
            "facts": [["view", "exterior"], ["era", "1930s; rebuilt"]],
        }
    },
)
case(
    "block-with-comment",
    with_block(OURS.replace("   <urbexmp:Profile>", "   <!-- mine -->\n   <urbexmp:Profile>")),
    note="A comment in our block stays; the block is written anew behind it.",
)
