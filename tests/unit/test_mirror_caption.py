"""The description of a photo, read by the scan and by the parser alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.names import CAPTION, READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan

SUBJECT = Path("IMG.xmp")


def packet(body: str, attributes: str = "") -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"{attributes}>
   {body}
   <dc:subject><rdf:Bag><rdf:li>Mill</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>""".encode()


def alt(*items: str) -> str:
    return f"<dc:description><rdf:Alt>{''.join(items)}</rdf:Alt></dc:description>"


def li(text: str, language: str = "x-default") -> str:
    return f'<rdf:li xml:lang="{language}">{text}</rdf:li>'


USUAL = {
    "none": (packet(""), None),
    "one": (packet(alt(li("The boiler house, 1912"))), "The boiler house, 1912"),
    "entities": (packet(alt(li("A &amp; B &lt;C&gt;\n second line"))), "A & B <C>\n second line"),
    "letters": (packet(alt(li("Żyrardów – łaźnia"))), "Żyrardów – łaźnia"),
    "blank": (packet(alt(li("  "))), None),
    "self-closed": (packet(alt('<rdf:li xml:lang="x-default"/>')), None),
}
ODD = {
    "languages": (packet(alt(li("Kesselhaus", "de"), li("Boiler house"))), "Boiler house"),
    "only another": (packet(alt(li("Kesselhaus", "de"))), "Kesselhaus"),
    "attribute": (packet("", ' dc:description="Boiler house"'), "Boiler house"),
    "plain": (packet("<dc:description>Boiler house</dc:description>"), "Boiler house"),
    "entity": (packet(alt(li("Boiler&#32;house"))), "Boiler house"),
    "inside": (
        packet("<lr:x rdf:parseType='Resource'>" + alt(li("of a part")) + "</lr:x>"),
        None,
    ),
}


@pytest.mark.parametrize("name", [*USUAL, *ODD])
def test_scan_and_parser_read_the_same_description(name: str) -> None:
    given, expected = (USUAL | ODD)[name]
    assert XmpCodec().read(given, SUBJECT).description == expected
    parsed = read_document(parse(given, READ | {CAPTION}, SUBJECT))
    assert parsed.description == expected
    assert XmpCodec().read(given, SUBJECT) == parsed


@pytest.mark.parametrize("name", USUAL)
def test_usual_descriptions_are_only_scanned(name: str) -> None:
    assert scan(USUAL[name][0]) is not None
