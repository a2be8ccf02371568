"""Golden cases: forms of the keyword list itself."""

from __future__ import annotations

from case_kit import ADD, HIERARCHICAL, SUBJECT, bag, case, packet

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
