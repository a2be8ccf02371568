"""Whole packets as programs leave them, all written by us: imported by make_cases.py."""

# ruff: noqa: E501  (lines of packets are as long as programs write them)
from __future__ import annotations

from lightroom_packet import lightroom

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
Case = tuple[bytes, dict[str, object], str]


THIRD_PARTY = f"""\
<?xml version="1.0" encoding="utf-8"?>
<!-- made by a program that comments everything -->
<?robot on="1"?>
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Hand made &amp; proud'>
<!-- <dc:subject> in a comment is no keyword -->
<rdf:RDF xmlns:rdf='{RDF}'>
	<!-- first thing -->
	<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:t='http://ns.example.org/t#'>
		<?inside the description?>
		<t:script><![CDATA[<dc:subject><rdf:Bag><rdf:li>not a keyword</rdf:li></rdf:Bag></dc:subject>]]></t:script>
		<t:mixed>a<!-- b -->c<![CDATA[ & d]]></t:mixed>
		<dc:subject><!-- words --><rdf:Bag><!-- one --><rdf:li>Owl</rdf:li><?and so?><rdf:li><![CDATA[R&B]]></rdf:li></rdf:Bag></dc:subject>
	</rdf:Description>
	<!-- last thing -->
</rdf:RDF>
<!-- goodbye -->
</x:xmpmeta>
<?xpacket end='w'?>
<!-- even here -->
"""

PADDING = "\n" + (" " * 100 + "\n") * 20

SEVERAL = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="3.1.2-113">
   <rdf:RDF xmlns:rdf="{RDF}">
      <rdf:Description rdf:about=""
            xmlns:a="http://ns.adobe.com/tiff/1.0/">
         <a:Make>Canon</a:Make>
      </rdf:Description>
      <rdf:Description rdf:about=""
            xmlns:a="http://purl.org/dc/elements/1.1/">
         <a:creator>
            <rdf:Seq>
               <rdf:li>A. Person</rdf:li>
            </rdf:Seq>
         </a:creator>
         <a:subject>
            <rdf:Bag>
               <rdf:li>Owl</rdf:li>
            </rdf:Bag>
         </a:subject>
      </rdf:Description>
      <rdf:Description rdf:about=""
            xmlns:dc="http://ns.example.org/not-dublin-core/">
         <dc:subject>not a keyword</dc:subject>
      </rdf:Description>
   </rdf:RDF>
</x:xmpmeta>{PADDING}<?xpacket end="w"?>"""


def small(inner: str = "", about: str = ' rdf:about=""', outer: str = "x:xmpmeta") -> str:
    """A small packet with one keyword list, or with `inner` instead."""
    inner = inner or "<dc:subject><rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></dc:subject>"
    return f"""\
<{outer} xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description{about}
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmp:Rating="3">
   {inner}
  </rdf:Description>
 </rdf:RDF>
</{outer}>
"""


def wrapped(text: str, padding: str = "\n", end: str = "w") -> str:
    """A packet in its wrapper."""
    head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    return head + text.rstrip("\n") + padding + f'<?xpacket end="{end}"?>'


ATTRIBUTES_ONLY = f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:MetadataDate="2026-10-03T12:00:00+02:00"
   crs:Version="17.0"
   crs:RawFileName="IMG_0001.NEF"/>
 </rdf:RDF>
</x:xmpmeta>
"""

DOCTYPE = """\
<!DOCTYPE x:xmpmeta [
 <!ENTITY a "aaaaaaaaaa">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>
"""

LONE = small().replace("Owl", "Ow\ud83dl").replace('xmp:Rating="3"', 'xmp:Label="\udc00 damaged"')

WHOLE: dict[str, Case] = {
    "whole-lightroom": (
        lightroom().encode(),
        {"metadata_date": "2026-11-20T10:00:00+01:00"},
        "Words of faces are protected; the sidecar belongs to the CR3.",
    ),
    "whole-lightroom-remove": (
        lightroom().encode(),
        {
            "flat_add": [],
            "hierarchical_add": [],
            "block": None,
            "flat_remove": ["Owl"],
            "hierarchical_remove": ["Animals|Owl"],
        },
        "",
    ),
    "whole-third-party": (
        THIRD_PARTY.encode(),
        {"flat_remove": ["R&B"], "reads": {"flat": ["Owl", "R&B"]}},
        "",
    ),
    "whole-several-descriptions": (SEVERAL.encode(), {"reads": {"flat": ["Owl"]}}, ""),
    "whole-read-only": (wrapped(small(), PADDING, "r").encode(), {}, ""),
    "whole-utf16le-bom": (b"\xff\xfe" + wrapped(small()).encode("utf-16-le"), {}, ""),
    "whole-utf16be": (wrapped(small(), PADDING).encode("utf-16-be"), {}, ""),
    "whole-utf16le-lone-surrogates": (
        b"\xff\xfe" + LONE.encode("utf-16-le", "surrogatepass"),
        {},
        "Unpaired surrogates stay as they are.",
    ),
    "whole-utf16le-odd-byte": (b"\xff\xfe" + small().encode("utf-16-le") + b"\0", {}, ""),
    "whole-utf32be": (small().encode("utf-32-be"), {}, ""),
    "whole-utf16-declared": (
        b"\xff\xfe" + ('<?xml version="1.0" encoding="UTF-16"?>\n' + small()).encode("utf-16-le"),
        {},
        "",
    ),
    "whole-bom-crlf": (b"\xef\xbb\xbf" + small().replace("\n", "\r\n").encode(), {}, ""),
    "whole-cr-only": (small().replace("\n", "\r").encode(), {}, "Line ends of old Macintoshes."),
    "whole-attributes-only": (
        ATTRIBUTES_ONLY.encode(),
        {"metadata_date": "2026-11-20T10:00:00+01:00"},
        "The self-closed description is not opened; the keywords get one of their own.",
    ),
    "whole-empty-bag": (small("<dc:subject><rdf:Bag/></dc:subject>").encode(), {}, ""),
    "whole-seq": (
        small("<dc:subject><rdf:Seq><rdf:li>Owl</rdf:li></rdf:Seq></dc:subject>").encode(),
        {},
        "",
    ),
    "whole-subject-attribute": (
        ATTRIBUTES_ONLY.replace("   crs:Version", '   dc:subject="Owl, Snow"\n   crs:Version')
        .replace("    xmlns:crs", '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n    xmlns:crs')
        .encode(),
        {"reads": {"flat": ["Owl, Snow"]}},
        "One item, not two: it is not split at the comma.",
    ),
    "whole-subject-text": (small("<dc:subject>Owl, Snow</dc:subject>").encode(), {}, ""),
    "whole-bare-rdf": (
        "\n".join(small().split("\n")[1:-2]).encode() + b"\n",
        {"reads": {"flat": ["Owl"]}},
        "Adobe programs read nothing from it; the others do.",
    ),
    "whole-xapmeta": (small(outer="x:xapmeta").encode(), {}, ""),
    "whole-doctype": ((DOCTYPE + small()).encode(), {"refused": "doctype"}, ""),
    "whole-trailing-junk": (
        wrapped(small()).encode() + b"\nleft over from a longer file</x:xmpmeta>\xff\xfe\0",
        {},
        "",
    ),
    "whole-trailing-junk-no-wrapper": (small().encode() + b"/x:xmpmeta>\n\x01junk", {}, ""),
    "whole-second-trailer": (
        wrapped(small(), PADDING).encode() + b'\n   <dc:subject>junk<?xpacket end="w"?>',
        {},
        "The first trailer is the packet's end.",
    ),
    "whole-truncated": (lightroom().encode()[:4000], {"refused": "truncated"}, ""),
    "whole-truncated-before-end": (
        small().encode()[:-4],
        {"refused": "truncated"},
        "",
    ),
    "whole-empty": (b"", {"refused": "empty"}, ""),
    "whole-blank": (b" \n\0\0", {"refused": "empty"}, ""),
    "whole-control-character": (
        small("<dc:subject>a\x02b</dc:subject>").encode(),
        {"refused": "control-character"},
        "",
    ),
    "whole-nul-inside": (
        small("<dc:subject>a\0b</dc:subject>").encode(),
        {"refused": "control-character"},
        "",
    ),
    "whole-two-subjects": (
        small(
            "<dc:subject><rdf:Bag><rdf:li>Owl</rdf:li></rdf:Bag></dc:subject>\n  "
            '</rdf:Description>\n  <rdf:Description rdf:about="" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/">\n   '
            "<dc:subject><rdf:Bag><rdf:li>Tent</rdf:li></rdf:Bag></dc:subject>"
        ).encode(),
        {"refused": "two-properties", "reads": {"flat": ["Owl", "Tent"]}},
        "",
    ),
    "whole-rdf-other-prefix": (
        small().replace("rdf:", "r:").replace("xmlns:rdf", "xmlns:r").encode(),
        {},
        "",
    ),
    "whole-nul-padded": (small().encode() + b"\0" * 400, {}, ""),
    "whole-latin1-mislabelled": (
        small("<dc:subject>caf\u00e9</dc:subject>").encode("latin-1"),
        {"refused": "encoding"},
        "",
    ),
    "whole-not-xml": (b"This is no XMP at all.\n", {"refused": "not-well-formed"}, ""),
    "whole-jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", {"refused": "encoding"}, ""),
    "whole-padding-takes-growth": (
        wrapped(small(), PADDING).encode(),
        {},
        "The file keeps its size.",
    ),
    "whole-padding-too-small": (
        wrapped(small(), "\n" + " " * 60 + "\n").encode(),
        {},
        "Too little padding: the file grows and the padding stays.",
    ),
    "whole-padding-gets-back": (
        wrapped(small(), PADDING).encode(),
        {"flat_add": [], "hierarchical_add": [], "block": None, "flat_remove": ["Owl"]},
        "The file keeps its size.",
    ),
    "whole-padding-one-line": (wrapped(small(), " " * 2000).encode(), {}, ""),
    "whole-padding-crlf": (
        wrapped(small(), PADDING).replace("\n", "\r\n").encode(),
        {},
        "",
    ),
}
