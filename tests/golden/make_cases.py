"""Makes the bulk of the golden cases: `python tests/golden/make_cases.py`.

Writes before.xmp, edit.json and note.txt of every case below, and never an after.xmp: that is
made by hand, or by `--after`, which runs the editor for the cases that have none yet; look at
every one of them (`git diff --no-index before.xmp after.xmp`) before it is committed.
Cases that are not listed here are folders like the others, made by hand.
"""

# ruff: noqa: E501  (lines of packets are as long as programs write them)
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from whole_files import WHOLE

HERE = Path(__file__).parent
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
LR = "http://ns.adobe.com/lightroom/1.0/"
SUBJECT = """\
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Owl</rdf:li>
    </rdf:Bag>
   </dc:subject>
"""
HIERARCHICAL = """\
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Animals|Owl</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
"""
BLOCK = {
    "mark": "w20261120-090000-0001",
    "written": [
        {
            "keyword": "Urbex|Decay & Rust",
            "score": 0.87,
            "stage": "pixels@1f2e3d4c",
            "profile": "offline",
            "at": "2026-11-20T09:00:00Z",
        }
    ],
    "flats": ["Urbex", "Decay & Rust"],
}
ADD = {
    "flat_add": ["Urbex", "Decay & Rust"],
    "hierarchical_add": ["Urbex|Decay & Rust"],
    "block": BLOCK,
}


def packet(body: str = SUBJECT, attributes: str = "", namespaces: str = "") -> str:
    """A small sidecar in Lightroom's layout; every value in it must come through."""
    return f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00        ">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:dc="{DC}"
    xmlns:lr="{LR}"
    xmlns:t="http://ns.example.org/test/1.0/"{namespaces}
   xmp:Rating="4"
   photoshop:SidecarForExtension="CR3"{attributes}>
{body}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def bag(*items: str, kind: str = "Bag", name: str = "dc:subject") -> str:
    """A keyword property with raw items."""
    lines = "".join(f"     {item}\n" for item in items)
    return f"   <{name}>\n    <rdf:{kind}>\n{lines}    </rdf:{kind}>\n   </{name}>\n"


CASES: dict[str, dict[str, object]] = {}


def case(name: str, before: str | bytes, edit: dict[str, object] = ADD, note: str = "") -> None:
    """Register a case. `edit` may hold `refused` and `reads` beside the edit."""
    data = before.encode("utf-8", "surrogatepass") if isinstance(before, str) else before
    CASES[name] = {"before": data, "edit": edit, "note": note}


def other(name: str, element: str, namespaces: str = "", note: str = "") -> None:
    """A construct beside the keywords."""
    case(f"beside-{name}", packet(f"   {element}\n{SUBJECT}", namespaces=namespaces), note=note)


# --- constructs beside the keywords (XMP.md 5.3) ---------------------------------------------
other("comment", "<!-- a note of the photographer's -->")
other("instruction", "<?keep this?>")
other("xml-space", '<t:a xml:space="preserve">  kept  </t:a>')
other("leading-trailing-blanks", "<t:a>  two before, one after </t:a>")
other("newline-in-value", "<t:a>first\nsecond</t:a>")
other("cr-charref", "<t:a>first&#xD;second&#13;third</t:a>")
other("u2028", "<t:a>line\u2028separator\u2029paragraph\u0085next</t:a>")
other("cdata", "<t:a><![CDATA[a < b && c > d]]></t:a>")
other("empty-element", "<t:a></t:a>")
other("self-closed", "<t:a/>")
other("rdf-resource", '<t:a rdf:resource="http://example.org/a?b=1&amp;c=2"/>')
other("lang-simple", '<t:a xml:lang="en-GB">colour</t:a>')
other(
    "value-parsetype",
    '<t:a rdf:parseType="Resource"><rdf:value>v</rdf:value><t:q>q</t:q></t:a>',
)
other("value-description-attribute", '<t:a><rdf:Description rdf:value="v" t:q="q"/></t:a>')
other(
    "value-description-element",
    "<t:a><rdf:Description><rdf:value>v</rdf:value><t:q>q</t:q></rdf:Description></t:a>",
)
other("value-empty-attribute", '<t:a rdf:value="v" t:q="q"/>')
other(
    "struct-qualifier",
    '<t:a rdf:parseType="Resource"><rdf:value rdf:parseType="Resource"><t:x>1</t:x></rdf:value>'
    "<t:q>q</t:q></t:a>",
)
other("empty-bag", "<t:a><rdf:Bag/></t:a>")
other("empty-seq-open", "<t:a><rdf:Seq></rdf:Seq></t:a>")
other("empty-struct", '<t:a rdf:parseType="Resource"/>')
other("struct-attributes", '<t:a t:x="1" t:y="2"/>')
other("struct-in-array", '<t:a><rdf:Seq><rdf:li t:x="1" t:y="2"/><rdf:li t:x="3"/></rdf:Seq></t:a>')
other("struct-description", "<t:a><rdf:Description><t:x>1</t:x></rdf:Description></t:a>")
other(
    "nested-arrays",
    "<t:a><rdf:Seq><rdf:li><rdf:Bag><rdf:li>1</rdf:li></rdf:Bag></rdf:li></rdf:Seq></t:a>",
)
for label, items in {
    "no-lang": "<rdf:li>a</rdf:li><rdf:li>b</rdf:li>",
    "no-default": '<rdf:li xml:lang="en">a</rdf:li><rdf:li xml:lang="de">b</rdf:li>',
    "default-last": '<rdf:li xml:lang="de">b</rdf:li><rdf:li xml:lang="x-default">a</rdf:li>',
    "lang-case": '<rdf:li xml:lang="x-default">a</rdf:li><rdf:li xml:lang="de-DE">b</rdf:li>',
    "same-lang-twice": '<rdf:li xml:lang="en">a</rdf:li><rdf:li xml:lang="en">b</rdf:li>',
}.items():
    other(f"alt-{label}", f"<dc:title><rdf:Alt>{items}</rdf:Alt></dc:title>")
other(
    "qualifier-on-item",
    '<t:a><rdf:Bag><rdf:li rdf:parseType="Resource"><rdf:value>v</rdf:value><t:q>q</t:q></rdf:li>'
    "<rdf:li>plain</rdf:li></rdf:Bag></t:a>",
)
other(
    "uri-without-terminator",
    "<MicrosoftPhoto:Rating>50</MicrosoftPhoto:Rating>",
    '\n    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0"',
)
other("typed-node", '<t:a><t:Kind rdf:about=""><t:x>1</t:x></t:Kind></t:a>')
other("literal", '<t:a rdf:parseType="Literal">a <t:b>marked</t:b> text</t:a>')
other("collection", '<t:a rdf:parseType="Collection"><rdf:Description rdf:about="x"/></t:a>')
other("numbered-items", "<t:a><rdf:Seq><rdf:_1>a</rdf:_1><rdf:_2>b</rdf:_2></rdf:Seq></t:a>")
other("rdf-id", '<t:a rdf:ID="i1">v</t:a>')
other("datatype", '<t:a rdf:datatype="http://www.w3.org/2001/XMLSchema#int">5</t:a>')
EXIF = '\n    xmlns:exif="http://ns.adobe.com/exif/1.0/"'
other("gps-precise", "<exif:GPSLatitude>49,25.6178333333N</exif:GPSLatitude>", EXIF)
other("colorspace", "<exif:ColorSpace>-1</exif:ColorSpace>", EXIF)
other(
    "exif-digitized",
    "<exif:DateTimeDigitized>2012-09-12T15:25:31+00:30</exif:DateTimeDigitized>",
    EXIF,
)
other(
    "tiff-artist",
    "<tiff:Artist>A. Person</tiff:Artist>",
    '\n    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"',
)
other("long-value", f"<t:a>{'0123456789abcdef' * 1024}</t:a>")
other("deep", "<t:a>" + "<rdf:Seq><rdf:li>" * 30 + "x" + "</rdf:li></rdf:Seq>" * 30 + "</t:a>")
other("emoji-rtl-astral", "<t:a>🏚️ \u202eabc\u202c \U00010348 עברית</t:a>")
other("same-name-twice", "<t:a>1</t:a>\n   <t:a>2</t:a>")
other("unused-namespace", "<t:a>1</t:a>", '\n    xmlns:unused="http://example.org/unused#"')
other("xml-base", '<t:a xml:base="http://example.org/">v</t:a>')
other("attribute-without-namespace", '<t:a odd="1">v</t:a>')
other("inner-xmlns", '<u:a xmlns:u="http://example.org/u#">v</u:a>')
other("greater-than-in-attribute", '<t:a t:x="1 > 0" t:y="/>"/>')

# --- forms of the keyword list itself ----------------------------------------------------------
case(
    "list-lang-on-item",
    packet(bag('<rdf:li xml:lang="de">Eule</rdf:li>', "<rdf:li>Owl</rdf:li>")),
    {**ADD, "reads": {"flat": ["Eule", "Owl"]}},
)
QUALIFIED = '<rdf:li rdf:parseType="Resource"><rdf:value>Eule</rdf:value><t:q>q</t:q></rdf:li>'
case(
    "list-qualified-item",
    packet(bag(QUALIFIED, "<rdf:li>Owl</rdf:li>")),
    {**ADD, "reads": {"flat": ["Eule", "Owl"]}},
)
case(
    "list-qualified-item-removed",
    packet(bag(QUALIFIED, "<rdf:li>Owl</rdf:li>")),
    {"flat_remove": ["Eule"], "refused": "qualified-item"},
)
case(
    "list-comment-in-item-removed",
    packet(bag("<rdf:li>O<!-- ? -->wl</rdf:li>")),
    {"flat_remove": ["Owl"], "refused": "qualified-item", "reads": {"flat": ["Owl"]}},
)
case("list-comment", packet(bag("<!-- birds -->", "<rdf:li>Owl</rdf:li>", "<!-- end -->")))
case(
    "list-comment-last-removed",
    packet(bag("<!-- birds -->", "<rdf:li>Owl</rdf:li>", "<!-- end -->")),
    {"flat_remove": ["Owl"]},
    "The bag stays, for the comments in it.",
)
case("list-empty-item", packet(bag("<rdf:li/>", "<rdf:li></rdf:li>", "<rdf:li>Owl</rdf:li>")))
case("list-duplicates", packet(bag("<rdf:li>Owl</rdf:li>", "<rdf:li>Owl</rdf:li>")))
case(
    "list-duplicates-removed",
    packet(bag("<rdf:li>Owl</rdf:li>", "<rdf:li>Tent</rdf:li>", "<rdf:li>Owl</rdf:li>")),
    {"flat_remove": ["Owl"]},
)
case(
    "list-blanks-in-item",
    packet(bag("<rdf:li> Owl </rdf:li>", "<rdf:li>\n</rdf:li>")),
    {**ADD, "reads": {"flat": [" Owl ", "\n"]}},
)
case(
    "list-blanks-in-item-removed",
    packet(bag("<rdf:li> Owl </rdf:li>", "<rdf:li>Owl</rdf:li>")),
    {"flat_remove": [" Owl "]},
)
case(
    "list-nfc-nfd",
    packet(bag("<rdf:li>caf\u00e9</rdf:li>", "<rdf:li>cafe\u0301</rdf:li>")),
    {"flat_remove": ["cafe\u0301"], "flat_add": ["th\u00e9"]},
)
case(
    "list-comma-semicolon-quotes",
    packet(bag("<rdf:li>Owl, Snow; \"x\" 'y'</rdf:li>", "<rdf:li>a &amp; b &lt; c</rdf:li>")),
    {**ADD, "reads": {"flat": ["Owl, Snow; \"x\" 'y'", "a & b < c"]}},
)
case(
    "list-entity-removed",
    packet(bag("<rdf:li>a &#38; b</rdf:li>", "<rdf:li>Owl</rdf:li>")),
    {"flat_remove": ["a & b"]},
)
case(
    "list-cdata-removed",
    packet(bag("<rdf:li><![CDATA[a & b]]></rdf:li>", "<rdf:li>Owl</rdf:li>")),
    {"flat_remove": ["a & b"], "flat_add": ["c & d"]},
)
case(
    "list-numbered",
    packet(bag("<rdf:_1>Owl</rdf:_1>", "<rdf:_2>Tent</rdf:_2>")),
    {**ADD, "flat_remove": ["Owl"], "reads": {"flat": ["Owl", "Tent"]}},
)
case("list-seq", packet(bag("<rdf:li>Owl</rdf:li>", kind="Seq")), note="The kind of list is kept.")
case(
    "list-alt",
    packet(bag("<rdf:li>Owl</rdf:li>", kind="Alt")),
    {**ADD, "refused": "property-form", "reads": {"flat": ["Owl"]}},
)
case(
    "list-hierarchical-seq",
    packet(bag("<rdf:li>Animals|Owl</rdf:li>", kind="Seq", name="lr:hierarchicalSubject")),
)
case("list-empty-bag", packet("   <dc:subject>\n    <rdf:Bag/>\n   </dc:subject>\n"))
case("list-empty-bag-open", packet("   <dc:subject>\n    <rdf:Bag></rdf:Bag>\n   </dc:subject>\n"))
case(
    "list-empty-bag-blanks",
    packet("   <dc:subject>\n    <rdf:Bag>\n    </rdf:Bag>\n   </dc:subject>\n"),
)
case(
    "list-empty-bag-comment",
    packet(
        "   <dc:subject>\n    <rdf:Bag>\n     <!-- none -->\n    </rdf:Bag>\n   </dc:subject>\n"
    ),
)
case(
    "list-one-line", packet("   <dc:subject><rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></dc:subject>\n")
)
case(
    "list-scalar-text",
    packet("   <dc:subject>Owl, Snow &amp; Ice</dc:subject>\n"),
    {**ADD, "reads": {"flat": ["Owl, Snow & Ice"]}},
)
case("list-scalar-cdata", packet("   <dc:subject><![CDATA[Owl & Snow]]></dc:subject>\n"))
case(
    "list-scalar-attribute",
    packet(HIERARCHICAL, '\n   dc:subject="Owl, Snow &amp; &quot;Ice&quot;"'),
    {**ADD, "reads": {"flat": ['Owl, Snow & "Ice"']}},
)
case("list-scalar-removed", packet("   <dc:subject>Owl</dc:subject>\n"), {"flat_remove": ["Owl"]})
case(
    "list-scalar-attribute-removed",
    packet(HIERARCHICAL, '\n   dc:subject="Owl"'),
    {"flat_remove": ["Owl"]},
)
case("list-scalar-empty", packet("   <dc:subject/>\n"))
case(
    "list-scalar-lang",
    packet('   <dc:subject xml:lang="en">Owl</dc:subject>\n'),
    {**ADD, "refused": "property-form"},
)
case(
    "list-struct",
    packet('   <dc:subject rdf:parseType="Resource"><t:x>Owl</t:x></dc:subject>\n'),
    {**ADD, "refused": "property-form"},
)
case(
    "list-resource",
    packet('   <dc:subject rdf:resource="http://example.org/owl"/>\n'),
    {**ADD, "refused": "property-form"},
)
case("list-of-structs", packet(bag('<rdf:li t:x="Owl"/>')), {**ADD, "refused": "property-form"})
case(
    "list-two-elements",
    packet(SUBJECT + bag("<rdf:li>Tent</rdf:li>")),
    {**ADD, "refused": "two-properties", "reads": {"flat": ["Owl", "Tent"]}},
)
case(
    "list-attribute-and-element",
    packet(SUBJECT, '\n   dc:subject="Tent"'),
    {**ADD, "refused": "two-properties"},
)
case(
    "list-rdf-value-text",
    packet("   <dc:subject>words<rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></dc:subject>\n"),
    {**ADD, "refused": "property-form"},
)

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

# --- namespaces and layout -----------------------------------------------------------------------
case(
    "ns-prefix-taken",
    packet(SUBJECT).replace(f'xmlns:lr="{LR}"', 'xmlns:lr="http://other.example/"'),
)
case(
    "ns-none-declared",
    f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
   <xmp:Rating>3</xmp:Rating>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""",
)
case(
    "ns-default",
    f"""\
<xmpmeta xmlns="adobe:ns:meta/">
 <RDF xmlns="{RDF}" xmlns:r="{RDF}">
  <Description r:about="">
   <subject xmlns="{DC}">
    <r:Bag>
     <r:li>Owl</r:li>
    </r:Bag>
   </subject>
  </Description>
 </RDF>
</xmpmeta>
""",
)
case(
    "ns-default-rdf-no-prefix",
    f"""\
<xmpmeta xmlns="adobe:ns:meta/">
 <RDF xmlns="{RDF}">
  <Description>
   <subject xmlns="{DC}"><Bag xmlns="{RDF}"><li>Owl</li></Bag></subject>
  </Description>
 </RDF>
</xmpmeta>
""",
)
case("ns-other-prefix-for-dc", packet().replace("xmlns:dc=", "xmlns:purl=").replace("dc:", "purl:"))
case(
    "ns-declared-on-property",
    packet(f"""\
   <k:subject xmlns:k="{DC}">
    <q:Bag xmlns:q="{RDF}">
     <q:li>Owl</q:li>
    </q:Bag>
   </k:subject>
"""),
)
case(
    "ns-same-local-name",
    packet("   <t:subject><rdf:Bag><rdf:li>x</rdf:li></rdf:Bag></t:subject>\n"),
)
case(
    "ns-nested-subject",
    packet(
        "   <t:source><rdf:Description>\n    <dc:subject><rdf:Bag><rdf:li>not ours</rdf:li></rdf:Bag>"
        "</dc:subject>\n   </rdf:Description></t:source>\n"
    ),
    {**ADD, "reads": {"flat": None}},
)
case("layout-minified", " ".join(packet().split()).replace("> <", "><"))
case(
    "layout-tabs",
    packet().replace("    ", "\t\t\t\t").replace("   ", "\t\t\t").replace("  ", "\t\t"),
)
case("layout-single-quotes", packet().replace('"', "'"))
case("layout-blank-lines", packet().replace("   <dc:subject>", "\n\n   <dc:subject>"))
case("layout-no-final-newline", packet().rstrip("\n"))
case("layout-empty-description", packet(""))
case("layout-about-missing", packet().replace(' rdf:about=""', ""))
case("layout-about-old", packet().replace(' rdf:about=""', ' about=""'))
case("layout-about-uuid", packet().replace('rdf:about=""', 'rdf:about="uuid:1234"'))
case(
    "layout-two-abouts",
    packet()
    .replace('rdf:about=""', 'rdf:about="a"')
    .replace(
        " </rdf:RDF>",
        '  <rdf:Description rdf:about="b" t:x="1" xmlns:t="http://e.org/"/>\n </rdf:RDF>',
    ),
    {**ADD, "refused": "two-abouts"},
)
case(
    "layout-only-typed-node",
    f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
  <t:Thing rdf:about="" xmlns:t="http://ns.example.org/test/1.0/">
   <t:a>1</t:a>
  </t:Thing>
 </rdf:RDF>
</x:xmpmeta>
""",
)
case(
    "layout-no-description",
    f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
 </rdf:RDF>
</x:xmpmeta>
""",
)
case(
    "layout-empty-rdf",
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>',
    {**ADD, "refused": "empty-rdf"},
)
case("refused-nonchar", packet("   <t:a>x\ufffey</t:a>\n"), {**ADD, "refused": "encoding"})
case(
    "refused-nonchar-charref",
    packet("   <t:a>&#xFFFE;</t:a>\n"),
    {**ADD, "refused": "not-well-formed"},
)
case(
    "refused-unbound-prefix",
    packet("   <nowhere:a>1</nowhere:a>\n"),
    {**ADD, "refused": "not-well-formed"},
)
case(
    "refused-undefined-entity",
    packet("   <t:a>&nbsp;</t:a>\n"),
    {**ADD, "refused": "not-well-formed"},
)
case(
    "refused-too-deep",
    packet("   <t:a>" + "<t:b>" * 250 + "</t:b>" * 250 + "</t:a>\n"),
    {**ADD, "refused": "too-deep"},
)
case(
    "refused-two-rdf",
    packet().replace("</x:xmpmeta>", f'<rdf:RDF xmlns:rdf="{RDF}"></rdf:RDF>\n</x:xmpmeta>'),
    {**ADD, "refused": "several-rdf"},
)
case(
    "refused-no-rdf",
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>\n',
    {**ADD, "refused": "not-xmp"},
)
case(
    "refused-other-xml",
    "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>\n",
    {**ADD, "refused": "not-xmp"},
)
case(
    "refused-declared-latin1",
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + packet(),
    {**ADD, "refused": "encoding"},
)
case("declared-utf8", '<?xml version="1.0" encoding="UTF-8"?>\n' + packet())

for name, (before, edit, note) in WHOLE.items():
    case(name, before, {**ADD, **edit}, note)


def main() -> None:
    """Write the cases."""
    for name, made in CASES.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        before, edit, note = made["before"], made["edit"], made["note"]
        assert isinstance(before, bytes)
        (folder / "before.xmp").write_bytes(before)
        text = json.dumps(edit, indent=1, ensure_ascii=True) + "\n"
        (folder / "edit.json").write_text(text, encoding="utf-8")
        if note:
            (folder / "note.txt").write_text(f"{note}\n", encoding="utf-8")
    if "--after" in sys.argv:
        add_missing_afters(redo="--redo" in sys.argv)
    print(f"{len(CASES)} cases")


def add_missing_afters(*, redo: bool) -> None:
    """Run the editor where after.xmp is missing and no refusal is expected."""
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.model.change import PacketEdit
    from urbexmp.model.record import from_plain

    for folder in sorted(path for path in HERE.iterdir() if (path / "edit.json").exists()):
        plain = json.loads((folder / "edit.json").read_text("utf-8"))
        after = folder / "after.xmp"
        if plain.pop("refused", None):
            after.unlink(missing_ok=True)
            continue
        plain.pop("reads", None)
        if redo or not after.exists():
            before = (folder / "before.xmp").read_bytes()
            after.write_bytes(XmpCodec().edit(before, from_plain(PacketEdit, plain), folder))


if __name__ == "__main__":
    main()
    shutil.rmtree(HERE / "__pycache__", ignore_errors=True)
