"""Facts that only XMP holds: drone flight data, and the names of a place.

By namespace URI, never by prefix: Autel writes DJI's namespace under another prefix. Read with
expat, because nothing is edited here and a packet may be as broken as it likes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.parsers import expat

from urbexmp.adapters.inspect import jpeg, tiff
from urbexmp.adapters.inspect.reader import Reader

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DJI = "http://www.dji.com/drone-dji/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_DRONE_WORDS = ("drone-parrot", "drone-skydio")
"""Of these makers' namespaces only the names are known to us, not the exact URIs."""
_APP1 = b"http://ns.adobe.com/xap/1.0/\0"
_APP13 = b"Photoshop 3.0\0"
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class XmpFacts:
    """What XMP and IPTC say; None: nothing."""

    drone: bool = False
    relative_altitude: float | None = None
    gimbal_pitch: float | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    sublocation: str | None = None


def read_xmp_facts(reader: Reader, found: str) -> XmpFacts:
    """Facts from the packet of a JPEG or TIFF whose content is `found` (`magic.sniff`).

    IPTC (IIM 2:90, 2:92, 2:95, 2:101) fills in place names that XMP lacks, in a JPEG.
    """
    properties: dict[tuple[str, str], str] = {}
    iptc: dict[int, str] = {}
    if found == "a JPEG":
        for segment in jpeg.segments(reader):
            if segment.marker == jpeg.APP1 and reader.at(segment.offset, len(_APP1)) == _APP1:
                packet = reader.at(segment.offset + len(_APP1), segment.size - len(_APP1))
                properties |= read_properties(packet)
            elif segment.marker == jpeg.APP13:
                iptc |= _iptc(reader.at(segment.offset, segment.size))
    else:
        directory = tiff.read_tiff(reader)
        entry = directory.ifds[0].entries.get(tiff.XMP) if directory and directory.ifds else None
        if entry is not None and entry.size <= _MOST_BYTES:
            properties = read_properties(reader.at(entry.at, entry.size))
    return XmpFacts(
        drone=any(_is_drone(uri) for uri, _ in properties),
        relative_altitude=_number(properties.get((_DJI, "RelativeAltitude")), 20_000.0),
        gimbal_pitch=_number(properties.get((_DJI, "GimbalPitchDegree")), 180.0),
        city=_name(properties.get((_PHOTOSHOP, "City")) or iptc.get(90)),
        state=_name(properties.get((_PHOTOSHOP, "State")) or iptc.get(95)),
        country=_name(properties.get((_PHOTOSHOP, "Country")) or iptc.get(101)),
        sublocation=_name(properties.get((_IPTC_CORE, "Location")) or iptc.get(92)),
    )


def read_properties(packet: bytes) -> dict[tuple[str, str], str]:
    """Simple properties of a packet by (namespace URI, name); what was read before it breaks.

    A property with parts (a structure, a list) has the text of its parts, or none.
    """
    found: dict[tuple[str, str], str] = {}
    path: list[str] = []
    current: list[str] = []
    parser = expat.ParserCreate(namespace_separator="\n")

    def begin(name: str, attributes: dict[str, str]) -> None:
        inside_description = bool(path) and path[-1] == f"{_RDF}\nDescription"
        path.append(name)
        if name == f"{_RDF}\nDescription":
            for key, value in attributes.items():
                uri, _, local = key.rpartition("\n")
                if uri and uri != _RDF:
                    found.setdefault((uri, local), value)
        elif inside_description:
            current.clear()

    def finish(name: str) -> None:
        path.pop()
        if path and path[-1] == f"{_RDF}\nDescription" and name != f"{_RDF}\nDescription":
            uri, _, local = name.rpartition("\n")
            found.setdefault((uri, local), "".join(current).strip())

    def refuse(*_: object) -> None:
        raise ValueError("a document type is no part of XMP, and can be a trap")

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = current.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(packet.rstrip(b"\0"), True)
    except (expat.ExpatError, ValueError):
        # Half a packet is still half the facts.
        return found
    return found


def _is_drone(uri: str) -> bool:
    return uri == _DJI or any(word in uri.lower() for word in _DRONE_WORDS)


def _number(text: str | None, most: float) -> float | None:
    """A number as drones write it: `+39.80`."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= most else None


def _name(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None


def _iptc(segment: bytes) -> dict[int, str]:
    """Datasets of IIM record 2 in a Photoshop segment, the first of each number."""
    if not segment.startswith(_APP13):
        return {}
    found: dict[int, str] = {}
    at = len(_APP13)
    while segment[at : at + 4] == b"8BIM" and at + 12 <= len(segment):
        kind = segment[at + 4 : at + 6]
        name = segment[at + 6] + 1
        at += 6 + name + (name & 1)
        size = int.from_bytes(segment[at : at + 4], "big")
        if kind == b"\x04\x04":
            found |= _datasets(segment[at + 4 : at + 4 + size])
        at += 4 + size + (size & 1)
    return found


def _datasets(data: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size & 0x8000:  # extended datasets are for pictures inside
            return found
        if data[at + 1] == 2:
            raw = data[at + 5 : at + 5 + size]
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = raw.decode("latin-1")
            found.setdefault(data[at + 2], text)
        at += 5 + size
    return found
