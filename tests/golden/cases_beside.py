"""Golden cases: constructs that stand beside the keywords and must come through."""

from __future__ import annotations

from case_kit import other

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
other("relative-namespace", "<r:a><r:b>1</r:b></r:a>", '\n    xmlns:r="no-absolute-uri"')
other("xml-base", '<t:a xml:base="http://example.org/">v</t:a>')
other("attribute-without-namespace", '<t:a odd="1">v</t:a>')
other("inner-xmlns", '<u:a xmlns:u="http://example.org/u#">v</u:a>')
other("greater-than-in-attribute", '<t:a t:x="1 > 0" t:y="/>"/>')
other(
    "relative-namespace-literal",
    '<t:a rdf:parseType="Literal"><r:b xmlns:r="no-absolute-uri">1</r:b></t:a>',
)
