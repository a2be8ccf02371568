"""Namespaces and property names, as pairs of URI and local name; prefixes mean nothing."""

from __future__ import annotations

Name = tuple[str, str]
"""URI and local name; the URI is empty for a name in no namespace."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"
DC = "http://purl.org/dc/elements/1.1/"
LR = "http://ns.adobe.com/lightroom/1.0/"
XMP = "http://ns.adobe.com/xap/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
CRS = "http://ns.adobe.com/camera-raw-settings/1.0/"
META = "adobe:ns:meta/"
URBEXMP = "http://ns.urbexmp.org/1.0/"
"""Our own namespace; it ends with a slash because tools append one to a URI that does not."""

SUBJECT: Name = (DC, "subject")
HIERARCHICAL: Name = (LR, "hierarchicalSubject")
WEIGHTED: Name = (LR, "weightedFlatSubject")
CAPTION: Name = (DC, "description")
"""The description that people see; not `rdf:Description`."""
ALT_TEXT: Name = ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "AltTextAccessibility")
METADATA_DATE: Name = (XMP, "MetadataDate")
SIDECAR_FOR: Name = (PHOTOSHOP, "SidecarForExtension")
RAW_FILE: Name = (CRS, "RawFileName")
REGIONS: Name = ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions")
REGION_NAME: Name = (REGIONS[0], "Name")
MP_REGIONS: Name = ("http://ns.microsoft.com/photo/1.2/", "RegionInfo")
MP_NAME: Name = ("http://ns.microsoft.com/photo/1.2/t/Region#", "PersonDisplayName")
PERSON: Name = ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "PersonInImage")

RDF_RDF: Name = (RDF, "RDF")
DESCRIPTION: Name = (RDF, "Description")
ABOUT: Name = (RDF, "about")
VALUE: Name = (RDF, "value")
RESOURCE: Name = (RDF, "resource")
LI: Name = (RDF, "li")
LANGUAGE: Name = (XML, "lang")
CONTAINERS: dict[Name, str] = {
    (RDF, "Bag"): "Bag",
    (RDF, "Seq"): "Seq",
    (RDF, "Alt"): "Alt",
}

READ = frozenset(
    {
        SUBJECT,
        HIERARCHICAL,
        WEIGHTED,
        CAPTION,
        ALT_TEXT,
        METADATA_DATE,
        SIDECAR_FOR,
        RAW_FILE,
        REGIONS,
        MP_REGIONS,
        PERSON,
    }
)
"""Properties that a reading looks into, beside all of our own."""


def is_item(name: Name) -> bool:
    """Whether an element of that name is an item of an array: `rdf:li`, or `rdf:_1`."""
    return name == LI or (name[0] == RDF and name[1][:1] == "_" and name[1][1:].isdigit())


def is_namespace_attribute(raw_name: str) -> bool:
    """Whether an attribute as spelled declares a namespace."""
    return raw_name == "xmlns" or raw_name.startswith("xmlns:")
