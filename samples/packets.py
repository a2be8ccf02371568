"""XMP packets of the samples that other programs would have written: darktable, a DJI aircraft."""

from __future__ import annotations

from xml.sax.saxutils import escape

from containers import Shot
from lightroom import flat, hexdigits


def darktable(name: str, keywords: tuple[str, ...]) -> bytes:
    """Return a sidecar `NAME.EXT.xmp` in the way of darktable 4: history and tags."""
    words = "\n".join(f"     <rdf:li>{escape(word)}</rdf:li>" for word in flat(keywords))
    paths = "\n".join(f"     <rdf:li>{escape(path)}</rdf:li>" for path in keywords)
    history = "\n".join(
        f"""     <rdf:li
      darktable:num="{number}"
      darktable:operation="{operation}"
      darktable:enabled="1"
      darktable:modversion="{version}"
      darktable:params="{hexdigits(name, operation, length=24).lower()}"
      darktable:multi_name=""
      darktable:multi_priority="0"/>"""
        for number, (operation, version) in enumerate(
            (("rawprepare", 2), ("demosaic", 4), ("colorin", 7), ("filmicrgb", 6), ("lens", 9))
        )
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   exif:DateTimeOriginal="2024:09:02 14:41:09.000"
   xmp:Rating="3"
   xmpMM:DerivedFrom="{name}"
   darktable:xmp_version="5"
   darktable:raw_params="0"
   darktable:auto_presets_applied="1"
   darktable:history_end="5">
   <dc:subject>
    <rdf:Bag>
{words}
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
{paths}
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <darktable:history>
    <rdf:Seq>
{history}
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()


def dji(shot: Shot, altitude: str, pitch: str) -> bytes:
    """Return the packet that a DJI aircraft puts into its JPEGs."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="DJI Meta Data"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"
   xmp:CreateDate="{shot.taken[:10].replace(":", "-")}"
   tiff:Make="{shot.make}"
   tiff:Model="{shot.model}"
   dc:format="image/jpg"
   drone-dji:AbsoluteAltitude="+141.20"
   drone-dji:RelativeAltitude="{altitude}"
   drone-dji:GimbalRollDegree="+0.00"
   drone-dji:GimbalYawDegree="-31.40"
   drone-dji:GimbalPitchDegree="{pitch}"
   drone-dji:FlightRollDegree="+1.10"
   drone-dji:FlightYawDegree="-29.80"
   drone-dji:FlightPitchDegree="-2.30"
   drone-dji:CamReverse="0"
   drone-dji:GimbalReverse="0">
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
