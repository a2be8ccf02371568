"""What the cases are made with; see make_cases.py."""

# ruff: noqa: E501  (lines of packets are as long as programs write them)
from __future__ import annotations

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
