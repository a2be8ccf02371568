"""Sidecars of the samples, in the layout that Lightroom Classic 14 gives them.

No XML declaration, no packet wrapper, one description, one attribute a line, children indented
by a blank a level.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from containers import Shot

LIGHTROOM_NAMESPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}


@dataclass(frozen=True)
class Edited:
    """What a person did to one photo in Lightroom."""

    keywords: tuple[str, ...]
    """Paths `A|B|C`; an assigned keyword each."""
    rating: int = 0
    temperature: int = 4850
    exposure: str = "+0.35"
    faces: tuple[tuple[str, float, float], ...] = ()
    """Name, and the middle of the face as shares of width and height."""
    mask: bool = False
    crop: bool = False
    saved: str = "2024-05-19T21:14:08+02:00"


@dataclass
class Lines:
    """Text growing line by line."""

    said: list[str] = field(default_factory=list)

    def put(self, indent: int, *lines: str) -> None:
        self.said += [" " * indent + line for line in lines]


def hexdigits(*parts: object, length: int = 32) -> str:
    """Return digits that look like the ids programs give, the same on every run."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length].upper()


def uuid(*parts: object) -> str:
    digits = hexdigits(*parts).lower()
    return "-".join(
        (digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:32])
    )


def flat(keywords: tuple[str, ...]) -> list[str]:
    """Return leaf and ancestors of every path, as Lightroom lists them: by alphabet, once."""
    return sorted({name for path in keywords for name in path.split("|")}, key=str.casefold)


def lightroom(name: str, shot: Shot, size: tuple[int, int], edited: Edited) -> bytes:
    """Return the sidecar that Lightroom Classic 14 saves for the raw file `name`."""
    width, height = size
    instance = f"xmp.iid:{uuid(name, 'instance')}"
    out = Lines()
    out.put(
        0,
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000,'
        ' 0000/00/00-00:00:00        ">',
    )
    out.put(1, '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">')
    out.put(2, '<rdf:Description rdf:about=""')
    out.put(4, *[f'xmlns:{prefix}="{uri}"' for prefix, uri in LIGHTROOM_NAMESPACES.items()])
    attributes = {
        "xmp:ModifyDate": edited.saved,
        "xmp:CreateDate": iso(shot.taken),
        "xmp:CreatorTool": "Ver.01.00",
        "xmp:MetadataDate": edited.saved,
        "xmp:Rating": str(edited.rating) if edited.rating else None,
        "tiff:Make": shot.make,
        "tiff:Model": shot.model,
        "tiff:Orientation": "1",
        "tiff:ImageWidth": str(width),
        "tiff:ImageLength": str(height),
        "exif:ExifVersion": "0232",
        "exif:ExposureTime": str(shot.exposure),
        "exif:FNumber": f"{round((shot.f_number or 8) * 10)}/10",
        "exif:ExposureProgram": str(shot.program),
        "exif:FocalLength": f"{round((shot.focal or 24) * 10)}/10",
        "exif:DateTimeOriginal": iso(shot.taken),
        "exifEX:LensModel": shot.lens,
        "aux:SerialNumber": hexdigits(shot.model, length=7).translate(
            str.maketrans("ABCDEF", "012345")
        ),
        "photoshop:DateCreated": iso(shot.taken),
        "photoshop:SidecarForExtension": name.rpartition(".")[2],
        "photoshop:EmbeddedXMPDigest": "00000000000000000000000000000000",
        "xmpMM:DocumentID": f"xmp.did:{uuid(name, 'document')}",
        "xmpMM:OriginalDocumentID": hexdigits(name, "original"),
        "xmpMM:InstanceID": instance,
        "dc:format": f"image/x-{shot.make.split()[0].lower()}-{name.rpartition('.')[2].lower()}",
        **develop(edited),
        "crs:RawFileName": name,
    }
    written = [
        f"{key}={quoteattr(value)}" for key, value in attributes.items() if value is not None
    ]
    out.put(3, *written[:-1], written[-1] + ">")
    put_flash_and_iso(out, shot)
    put_history(out, name, instance, edited)
    put_keywords(out, edited.keywords)
    if edited.faces:
        put_faces(out, size, edited)
    put_curves(out)
    if edited.mask:
        put_mask(out, name)
    put_look(out)
    out.put(2, "</rdf:Description>")
    out.put(1, "</rdf:RDF>")
    out.put(0, "</x:xmpmeta>")
    return ("\n".join(out.said) + "\n").encode()


def iso(exif_date: str) -> str:
    """`2024:05:11 10:20:30` as ISO 8601."""
    return exif_date[:10].replace(":", "-") + "T" + exif_date[11:]


def develop(edited: Edited) -> dict[str, str]:
    """Return the settings of the Develop module."""
    plain = {
        "Version": "17.0",
        "ProcessVersion": "15.4",
        "WhiteBalance": "Custom",
        "Temperature": str(edited.temperature),
        "Tint": "+6",
        "Exposure2012": edited.exposure,
        "Contrast2012": "+8",
        "Highlights2012": "-62",
        "Shadows2012": "+41",
        "Whites2012": "+12",
        "Blacks2012": "-9",
        "Texture": "+14",
        "Clarity2012": "+18",
        "Dehaze": "+5",
        "Vibrance": "-6",
        "Saturation": "0",
        "ParametricShadows": "0",
        "ParametricDarks": "0",
        "ParametricLights": "0",
        "ParametricHighlights": "0",
        "ParametricShadowSplit": "25",
        "ParametricMidtoneSplit": "50",
        "ParametricHighlightSplit": "75",
        "Sharpness": "40",
        "SharpenRadius": "+1.0",
        "SharpenDetail": "25",
        "SharpenEdgeMasking": "30",
        "LuminanceSmoothing": "12",
        "ColorNoiseReduction": "25",
    }
    for kind in ("Hue", "Saturation", "Luminance"):
        for colour in ("Red", "Orange", "Yellow", "Green", "Aqua", "Blue", "Purple", "Magenta"):
            plain[f"{kind}Adjustment{colour}"] = "-12" if colour == "Green" else "0"
    plain |= {
        "SplitToningShadowHue": "220",
        "SplitToningShadowSaturation": "6",
        "SplitToningHighlightHue": "44",
        "SplitToningHighlightSaturation": "8",
        "SplitToningBalance": "+10",
        "ColorGradeMidtoneHue": "0",
        "ColorGradeMidtoneSat": "0",
        "ColorGradeBlending": "50",
        "LensProfileEnable": "1",
        "AutoLateralCA": "1",
        "PerspectiveUpright": "4",
        "PerspectiveVertical": "0",
        "PerspectiveScale": "100",
        "GrainAmount": "0",
        "PostCropVignetteAmount": "-7",
        "ConvertToGrayscale": "False",
        "OverrideLookVignette": "False",
        "ToneCurveName2012": "Custom",
        "CameraProfile": "Adobe Standard",
        "CameraProfileDigest": hexdigits("Adobe Standard"),
        "LensProfileSetup": "LensDefaults",
        "HasSettings": "True",
    }
    if edited.crop:
        plain |= {"CropTop": "0.041667", "CropLeft": "0.0125", "CropBottom": "0.958333"}
        plain |= {"CropRight": "0.9875", "CropAngle": "-0.84", "CropConstrainToWarp": "0"}
    plain |= {"HasCrop": str(edited.crop), "AlreadyApplied": "False"}
    return {f"crs:{key}": value for key, value in plain.items()}


def put_flash_and_iso(out: Lines, shot: Shot) -> None:
    fired = bool((shot.flash or 0) & 1)
    out.put(
        3,
        "<exif:ISOSpeedRatings>",
        " <rdf:Seq>",
        f"  <rdf:li>{shot.iso}</rdf:li>",
        " </rdf:Seq>",
        "</exif:ISOSpeedRatings>",
    )
    out.put(
        3,
        "<exif:Flash",
        f' exif:Fired="{fired}"',
        ' exif:Return="0"',
        ' exif:Mode="2"',
        ' exif:Function="False"',
        ' exif:RedEyeMode="False"/>',
    )


def put_history(out: Lines, name: str, instance: str, edited: Edited) -> None:
    out.put(3, "<xmpMM:History>", " <rdf:Seq>")
    events = (
        ("derived", None, None, None),
        ("saved", f"xmp.iid:{uuid(name, 'first')}", "2024-05-18T09:02:51+02:00", "/"),
        ("saved", instance, edited.saved, "/metadata"),
    )
    for action, made, when, changed in events:
        out.put(5, "<rdf:li")
        if made is None:
            out.put(
                6,
                f'stEvt:action="{action}"',
                f'stEvt:parameters="converted from {name} to image/tiff"/>',
            )
            continue
        out.put(
            6,
            f'stEvt:action="{action}"',
            f'stEvt:instanceID="{made}"',
            f'stEvt:when="{when}"',
            'stEvt:softwareAgent="Adobe Photoshop Lightroom Classic 14.0 (Macintosh)"',
            f'stEvt:changed="{changed}"/>',
        )
    out.put(3, " </rdf:Seq>", "</xmpMM:History>")


def put_keywords(out: Lines, keywords: tuple[str, ...]) -> None:
    if not keywords:
        return
    out.put(3, "<dc:subject>", " <rdf:Bag>")
    out.put(5, *[f"<rdf:li>{escape(word)}</rdf:li>" for word in flat(keywords)])
    out.put(3, " </rdf:Bag>", "</dc:subject>", "<lr:hierarchicalSubject>", " <rdf:Bag>")
    paths = sorted(keywords, key=str.casefold)
    out.put(5, *[f"<rdf:li>{escape(path)}</rdf:li>" for path in paths])
    out.put(3, " </rdf:Bag>", "</lr:hierarchicalSubject>")


def put_faces(out: Lines, size: tuple[int, int], edited: Edited) -> None:
    out.put(
        3,
        '<mwg-rs:Regions rdf:parseType="Resource">',
        " <mwg-rs:AppliedToDimensions",
        f'  stDim:w="{size[0]}"',
        f'  stDim:h="{size[1]}"',
        '  stDim:unit="pixel"/>',
        " <mwg-rs:RegionList>",
        "  <rdf:Bag>",
    )
    for name, x, y in edited.faces:
        out.put(
            6,
            "<rdf:li>",
            " <rdf:Description",
            '  mwg-rs:Rotation="0.00000"',
            f"  mwg-rs:Name={quoteattr(name)}",
            '  mwg-rs:Type="Face">',
            " <mwg-rs:Area",
            '  stArea:h="0.11200"',
            '  stArea:w="0.07500"',
            f'  stArea:x="{x:.5f}"',
            f'  stArea:y="{y:.5f}"/>',
            " </rdf:Description>",
            "</rdf:li>",
        )
    out.put(3, "  </rdf:Bag>", " </mwg-rs:RegionList>", "</mwg-rs:Regions>")


def put_curves(out: Lines) -> None:
    curves = {
        "ToneCurvePV2012": ("0, 9", "48, 42", "128, 131", "205, 212", "255, 250"),
        "ToneCurvePV2012Red": ("0, 0", "255, 255"),
        "ToneCurvePV2012Green": ("0, 0", "255, 255"),
        "ToneCurvePV2012Blue": ("0, 4", "255, 249"),
    }
    for name, points in curves.items():
        out.put(3, f"<crs:{name}>", " <rdf:Seq>")
        out.put(5, *[f"<rdf:li>{point}</rdf:li>" for point in points])
        out.put(3, " </rdf:Seq>", f"</crs:{name}>")


def put_mask(out: Lines, name: str) -> None:
    """One correction with two masks: the windows brightened, a brushed corner taken out."""
    out.put(3, "<crs:MaskGroupBasedCorrections>", " <rdf:Seq>", "  <rdf:li>", "   <rdf:Description")
    out.put(
        7,
        'crs:What="Correction"',
        'crs:CorrectionAmount="1"',
        'crs:CorrectionActive="true"',
        'crs:CorrectionName="Windows &amp; sills"',
        f'crs:CorrectionSyncID="{hexdigits(name, "correction")}"',
        'crs:LocalExposure2012="-0.212"',
        'crs:LocalContrast2012="0"',
        'crs:LocalHighlights2012="-0.48"',
        'crs:LocalShadows2012="0.1"',
        'crs:LocalClarity2012="0.08"',
        'crs:LocalTemperature="-0.04">',
    )
    out.put(6, "<crs:CorrectionMasks>", " <rdf:Seq>")
    for number, (what, inverted) in enumerate((("Mask/Image", False), ("Mask/Aggregate", True)), 1):
        out.put(
            8,
            "<rdf:li",
            f' crs:What="{what}"',
            ' crs:MaskActive="true"',
            f' crs:MaskName="Mask {number}"',
            f' crs:MaskBlendMode="{number - 1}"',
            f' crs:MaskInverted="{str(inverted).lower()}"',
            f' crs:MaskSyncID="{hexdigits(name, "mask", number)}"',
            ' crs:MaskValue="1"',
            ' crs:MaskVersion="1"',
            ' crs:MaskSubType="1"',
            f' crs:MaskDigest="{hexdigits(name, "raster", number)}"/>',
        )
    out.put(6, " </rdf:Seq>", "</crs:CorrectionMasks>", "</rdf:Description>")
    out.put(3, "  </rdf:li>", " </rdf:Seq>", "</crs:MaskGroupBasedCorrections>")


def put_look(out: Lines) -> None:
    out.put(
        3,
        "<crs:Look>",
        " <rdf:Description",
        '  crs:Name="Adobe Color"',
        '  crs:Amount="1"',
        f'  crs:UUID="{hexdigits("Adobe Color")}"',
        '  crs:SupportsAmount="false"',
        '  crs:Group="Profiles">',
        " <crs:Parameters",
        '  crs:Version="17.0"',
        '  crs:ProcessVersion="15.4"',
        '  crs:ConvertToGrayscale="False"',
        '  crs:CameraProfile="Adobe Standard"/>',
        " </rdf:Description>",
        "</crs:Look>",
    )
