"""A sidecar as Lightroom Classic 14 lays it out; written by us."""

# ruff: noqa: E501  (lines of packets are as long as programs write them)
from __future__ import annotations

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def lightroom() -> str:
    """A sidecar in the layout of Lightroom Classic 14: look, curves, masks, history, faces."""
    curve = "".join(
        f"     <rdf:li>{x}, {min(255, x + x % 7)}</rdf:li>\n" for x in range(0, 256, 32)
    )
    channels = "".join(
        f"   <crs:ToneCurvePV2012{name}>\n    <rdf:Seq>\n{curve}    </rdf:Seq>\n"
        f"   </crs:ToneCurvePV2012{name}>\n"
        for name in ("", "Red", "Green", "Blue")
    )
    masks = "".join(
        f"""\
     <rdf:li>
      <rdf:Description
       crs:What="Correction"
       crs:CorrectionAmount="1"
       crs:CorrectionActive="true"
       crs:CorrectionName="Mask {n}"
       crs:CorrectionSyncID="4E4C{n:028X}"
       crs:LocalExposure2012="{n / 10}"
       crs:LocalContrast2012="-0.05">
      <crs:CorrectionMasks>
       <rdf:Seq>
        <rdf:li
         crs:What="Mask/Image"
         crs:MaskActive="true"
         crs:MaskName="Sky {n}"
         crs:MaskBlendMode="0"
         crs:MaskInverted="false"
         crs:MaskSyncID="A0{n:030X}"
         crs:MaskValue="1"
         crs:MaskVersion="1"
         crs:MaskSubType="2"
         crs:ReferencePoint="0.500000 0.250000"/>
        <rdf:li>
         <rdf:Description
          crs:What="Mask/Aggregate"
          crs:MaskActive="true"
          crs:MaskValue="0.75">
         <crs:Masks>
          <rdf:Seq>
           <rdf:li
            crs:What="Mask/Paint"
            crs:Radius="0.05"
            crs:Flow="1"
            crs:CenterWeight="0">
           <crs:Dabs>
            <rdf:Seq>
             <rdf:li>d 0.1 0.2</rdf:li>
             <rdf:li>d 0.3 0.4</rdf:li>
            </rdf:Seq>
           </crs:Dabs>
           </rdf:li>
          </rdf:Seq>
         </crs:Masks>
         </rdf:Description>
        </rdf:li>
       </rdf:Seq>
      </crs:CorrectionMasks>
      </rdf:Description>
     </rdf:li>
""".replace(
            '<rdf:li\n            crs:What="Mask/Paint"',
            '<rdf:li>\n            <rdf:Description\n            crs:What="Mask/Paint"',
        ).replace(
            "           </crs:Dabs>\n           </rdf:li>",
            "           </crs:Dabs>\n            </rdf:Description>\n           </rdf:li>",
        )
        for n in range(1, 4)
    )
    sliders = "".join(
        f'\n   crs:{name}="{value}"'
        for name, value in (
            ("Version", "17.0"),
            ("ProcessVersion", "15.4"),
            ("WhiteBalance", "As Shot"),
            ("Temperature", "5150"),
            ("Tint", "+7"),
            ("Exposure2012", "+0.35"),
            ("Contrast2012", "0"),
            ("Highlights2012", "-62"),
            ("Shadows2012", "+41"),
            ("Whites2012", "0"),
            ("Blacks2012", "-8"),
            ("Texture", "0"),
            ("Clarity2012", "+12"),
            ("Dehaze", "0"),
            ("Vibrance", "+5"),
            ("Saturation", "0"),
            ("Sharpness", "40"),
            ("LuminanceSmoothing", "0"),
            ("ColorNoiseReduction", "25"),
            ("GrainAmount", "0"),
            ("PostCropVignetteAmount", "0"),
            ("LensProfileEnable", "1"),
            ("HasSettings", "True"),
            ("CropTop", "0"),
            ("CropLeft", "0"),
            ("CropBottom", "1"),
            ("CropRight", "1"),
            ("HasCrop", "False"),
            ("AlreadyApplied", "False"),
            ("RawFileName", "IMG_0001.CR3"),
        )
    )
    history = "".join(
        f"""\
     <rdf:li
      stEvt:action="saved"
      stEvt:instanceID="xmp.iid:0000000{n}-1111-2222-3333-444444444444"
      stEvt:when="2026-10-0{n}T12:00:00+02:00"
      stEvt:softwareAgent="Adobe Photoshop Lightroom Classic 14.0 (Windows)"
      stEvt:changed="/metadata"/>
"""
        for n in range(1, 4)
    )
    return f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00        ">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
    xmlns:exifEX="http://cipa.jp/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   tiff:Make="Canon"
   tiff:Model="Canon EOS R5"
   tiff:Orientation="1"
   exif:ExifVersion="0231"
   exif:ExposureTime="1/125"
   exif:FNumber="56/10"
   exif:DateTimeOriginal="2026-10-01T10:11:12.34+02:00"
   exif:GPSLatitude="49,25.6178333333N"
   aux:Lens="RF24-105mm F4 L IS USM"
   exifEX:LensModel="RF24-105mm F4 L IS USM"
   xmp:ModifyDate="2026-10-01T10:11:12.34+02:00"
   xmp:CreatorTool="Adobe Photoshop Lightroom Classic 14.0 (Windows)"
   xmp:MetadataDate="2026-10-03T12:00:00+02:00"
   xmp:Rating="4"
   xmp:Label="Red"
   photoshop:DateCreated="2026-10-01T10:11:12.34+02:00"
   photoshop:SidecarForExtension="CR3"
   photoshop:EmbeddedXMPDigest="0123456789ABCDEF0123456789ABCDEF"
   xmpMM:DocumentID="xmp.did:00000001-1111-2222-3333-444444444444"
   xmpMM:InstanceID="xmp.iid:00000003-1111-2222-3333-444444444444"{sliders}>
   <exif:Flash
    exif:Fired="False"
    exif:Return="0"
    exif:Mode="2"
    exif:Function="False"
    exif:RedEyeMode="False"/>
   <dc:format>image/x-canon-cr3</dc:format>
   <dc:creator>
    <rdf:Seq>
     <rdf:li>A. Person</rdf:li>
    </rdf:Seq>
   </dc:creator>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Family</rdf:li>
     <rdf:li>Jane Doe</rdf:li>
     <rdf:li>Owl</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <dc:title>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">The old mill &amp; its owls</rdf:li>
    </rdf:Alt>
   </dc:title>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Animals|Owl</rdf:li>
     <rdf:li>Family|Jane Doe</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <lr:weightedFlatSubject>
    <rdf:Bag>
     <rdf:li>Jane Doe</rdf:li>
    </rdf:Bag>
   </lr:weightedFlatSubject>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions
     stDim:w="8192"
     stDim:h="5464"
     stDim:unit="pixel"/>
    <mwg-rs:RegionList>
     <rdf:Bag>
      <rdf:li>
       <rdf:Description
        mwg-rs:Rotation="0.00000"
        mwg-rs:Name="Jane Doe"
        mwg-rs:Type="Face">
       <mwg-rs:Area
        stArea:h="0.1"
        stArea:w="0.07"
        stArea:x="0.5"
        stArea:y="0.4"/>
       </rdf:Description>
      </rdf:li>
     </rdf:Bag>
    </mwg-rs:RegionList>
   </mwg-rs:Regions>
   <Iptc4xmpExt:LocationShown>
    <rdf:Bag>
     <rdf:li
      Iptc4xmpExt:City="Exampletown"
      Iptc4xmpExt:CountryCode="XX"/>
    </rdf:Bag>
   </Iptc4xmpExt:LocationShown>
   <xmpMM:History>
    <rdf:Seq>
{history}    </rdf:Seq>
   </xmpMM:History>
{channels}   <crs:MaskGroupBasedCorrections>
    <rdf:Seq>
{masks}    </rdf:Seq>
   </crs:MaskGroupBasedCorrections>
   <crs:Look>
    <rdf:Description
     crs:Name="Adobe Color"
     crs:Amount="1"
     crs:UUID="B952C231111CD8E0ECCF14B86BAA7077">
    <crs:Parameters>
     <rdf:Description
      crs:Version="17.0"
      crs:LookTable="E1095149FDB39D7A057BAB208837E2E1">
     <crs:ToneCurvePV2012>
      <rdf:Seq>
       <rdf:li>0, 0</rdf:li>
       <rdf:li>255, 255</rdf:li>
      </rdf:Seq>
     </crs:ToneCurvePV2012>
     </rdf:Description>
    </crs:Parameters>
    </rdf:Description>
   </crs:Look>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
