"""Golden cases: namespaces, layout, and what is refused."""

# ruff: noqa: E501  (lines of packets are as long as programs write them)
from __future__ import annotations

from case_kit import ADD, DC, LR, RDF, SUBJECT, case, packet

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
