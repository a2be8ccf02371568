"""Capture facts: what files say, what they must not be believed, and who is no drone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from PIL.TiffImagePlugin import IFDRational

from look_files import DJI, crw, jpeg_bytes, quadrants, tiff_raw, written, xmp
from urbexmp.adapters.inspect import FileInspector
from urbexmp.adapters.inspect.tags import Tags, capture_facts
from urbexmp.adapters.inspect.xmp_facts import XmpFacts, read_properties
from urbexmp.model.observation import CaptureFacts

LOOK = FileInspector()


def facts(tmp_path: Path, data: bytes, name: str = "a.jpg") -> CaptureFacts:
    return LOOK.facts(written(tmp_path / name, data))


def from_tags(**tags: Any) -> CaptureFacts:
    plain: Tags = {
        name: value
        if isinstance(value, str)
        else tuple(v if isinstance(v, tuple) else (v, 1) for v in value)
        for name, value in tags.items()
    }
    return capture_facts(plain, XmpFacts())


def test_everything_a_camera_says_is_read(tmp_path: Path) -> None:
    seen = facts(
        tmp_path,
        jpeg_bytes(
            quadrants(64, 48),
            ifd0={0x010F: "Testcam", 0x0110: "T 1", 0x0112: 6},
            exif={
                0x829A: IFDRational(1, 125),
                0x829D: IFDRational(28, 10),
                0x8827: 400,
                0x8822: 2,
                0x9209: 16,
                0x9003: "2024:05:01 12:34:56",
                0xA405: 35,
                0x9206: IFDRational(5, 2),
                0xA40C: 2,
                0xA434: "35mm f/2",
            },
            gps={
                1: "S",
                2: (IFDRational(33), IFDRational(30), IFDRational(0)),
                3: "W",
                4: (IFDRational(70), IFDRational(45), IFDRational(36)),
            },
            xmp=xmp(
                'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Beelitz"',
                "<photoshop:State> Brandenburg </photoshop:State>",
            ),
        ),
    )
    assert seen == CaptureFacts(
        make="Testcam",
        model="T 1",
        lens="35mm f/2",
        taken_at="2024-05-01T12:34:56",
        exposure_time=pytest.approx(1 / 125),
        f_number=pytest.approx(2.8),
        iso=400,
        exposure_program=2,
        flash=16,
        focal_length_35mm=35.0,
        subject_distance=2.5,
        subject_distance_range=2,
        orientation=6,
        width=64,
        height=48,
        latitude=-33.5,
        longitude=pytest.approx(-70.76),
        city="Beelitz",
        state="Brandenburg",
    )
    assert seen.ev100 == pytest.approx(math.log2(2.8**2 * 125) - 2)


def test_a_file_that_says_nothing_gives_nothing(tmp_path: Path) -> None:
    seen = facts(tmp_path, jpeg_bytes(quadrants(64, 48)))
    assert seen == CaptureFacts(width=64, height=48)
    assert seen.ev100 is None


def test_raw_files_built_like_tiff_are_read(tmp_path: Path) -> None:
    seen = facts(tmp_path, tiff_raw(orientation=8, make="Testcam", size=(6000, 4000)), "a.nef")
    assert (seen.make, seen.orientation, seen.width, seen.height) == ("Testcam", 8, 6000, 4000)


def test_files_that_exifread_does_not_know_are_given_to_exiv2(tmp_path: Path) -> None:
    seen = facts(tmp_path, crw(jpeg_bytes()), "a.crw")
    assert (seen.width, seen.height) == (64, 48)


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"ExposureTime": [(0, 0)]}, "exposure_time"),
        ({"ExposureTime": [(1, 0)]}, "exposure_time"),
        ({"ExposureTime": [(0, 1)]}, "exposure_time"),
        ({"ExposureTime": [(-1, 125)]}, "exposure_time"),
        ({"FNumber": [(0, 1)]}, "f_number"),
        ({"FNumber": [(0xFFFFFFFF, 1)]}, "f_number"),
        ({"FNumber": "unknown"}, "f_number"),
        ({"ISOSpeedRatings": [0]}, "iso"),
        ({"ISOSpeedRatings": [65535]}, "iso"),
        ({"ISOSpeedRatings": []}, "iso"),
        ({"SubjectDistance": [(0, 1)]}, "subject_distance"),
        ({"SubjectDistance": [(0, 0)]}, "subject_distance"),
        ({"SubjectDistance": [(5, 0)]}, "subject_distance"),
        ({"SubjectDistanceRange": [0]}, "subject_distance_range"),
        ({"FocalLengthIn35mmFilm": [0]}, "focal_length_35mm"),
        ({"DateTimeOriginal": "0000:00:00 00:00:00"}, "taken_at"),
        ({"DateTimeOriginal": "    :  :     :  :  "}, "taken_at"),
        ({"Make": "  \0\0"}, "make"),
        ({"GPSLatitude": [(0, 0), (0, 0), (0, 0)], "GPSLatitudeRef": "N"}, "latitude"),
        ({"GPSLatitude": [95, 0, 0], "GPSLatitudeRef": "N"}, "latitude"),
        ({"GPSLatitude": [50, 0, 0]}, "latitude"),
    ],
)
def test_what_cannot_be_true_is_not_said(tags: dict[str, Any], name: str) -> None:
    assert getattr(from_tags(**tags), name) is None


def test_odd_but_true_values_are_kept() -> None:
    assert from_tags(ISOSpeedRatings=[65535], RecommendedExposureIndex=[102400]).iso == 102400
    assert from_tags(ISOSpeedRatings=[200, 0]).iso == 200
    assert from_tags(SubjectDistance=[(0xFFFFFFFF, 1)]).subject_distance == math.inf
    assert from_tags(SubjectDistance=[(0xFFFFFFFF, 0xFFFFFFFF)]).subject_distance == math.inf
    assert from_tags(SubjectDistance="+1.50 m").subject_distance == 1.5
    assert from_tags(Orientation=[0]).orientation == 1
    assert from_tags(Orientation=[9]).orientation == 1
    assert from_tags(Make="NIKON  CORPORATION\0\0 ").make == "NIKON CORPORATION"


def test_shutter_and_aperture_values_do_not_stand_in() -> None:
    seen = from_tags(ShutterSpeedValue=[(7, 1)], ApertureValue=[(4, 1)], ISOSpeedRatings=[100])
    assert seen.ev100 is None


# Who is a drone.
@pytest.mark.parametrize(
    ("make", "model", "drone"),
    [
        ("DJI", "FC300S", True),
        ("DJI", "FC7303", True),
        ("Hasselblad", "L1D-20c", True),
        ("Hasselblad", "L2D-20c", True),
        (None, "FC7203", True),
        ("DJI", "DJI Pocket", False),
        ("DJI", "Osmo Action", False),
        ("GoPro", "HERO7 Black", False),
        ("Hasselblad", "X1D", False),
        ("Canon", "FC300", False),
        ("Autel Robotics", "XT705", False),
        ("DJI", None, False),
    ],
)
def test_drones_by_their_camera(
    tmp_path: Path, make: str | None, model: str | None, drone: bool
) -> None:
    entries = {tag: text for tag, text in ((0x010F, make), (0x0110, model)) if text}
    seen = facts(tmp_path, jpeg_bytes(quadrants(64, 48), ifd0=entries))
    assert seen.drone is drone


@pytest.mark.parametrize(
    "packet",
    [
        xmp(f'{DJI} drone-dji:RelativeAltitude="+39.80" drone-dji:GimbalPitchDegree="-89.90"'),
        xmp(
            DJI,
            "<drone-dji:RelativeAltitude>+39.80</drone-dji:RelativeAltitude>"
            "<drone-dji:GimbalPitchDegree>-89.90</drone-dji:GimbalPitchDegree>",
        ),
        xmp(
            'xmlns:drone="http://www.dji.com/drone-dji/1.0/"'
            ' drone:RelativeAltitude="39.8" drone:GimbalPitchDegree="-89.9"'
        ),
    ],
)
def test_flight_data_is_known_by_its_namespace(tmp_path: Path, packet: str) -> None:
    seen = facts(tmp_path, jpeg_bytes(quadrants(64, 48), xmp=packet))
    assert (seen.drone, seen.relative_altitude, seen.gimbal_pitch) == (True, 39.8, -89.9)


def test_other_makers_flight_data_makes_a_drone_without_numbers(tmp_path: Path) -> None:
    packet = xmp(
        'xmlns:drone-parrot="http://www.parrot.com/drone-parrot/1.0/"'
        ' drone-parrot:CameraPitchDegree="-82.0" xmlns:Camera="http://pix4d.com/camera/1.0/"'
        ' Camera:Pitch="0"'
    )
    seen = facts(tmp_path, jpeg_bytes(quadrants(64, 48), xmp=packet))
    assert (seen.drone, seen.gimbal_pitch, seen.relative_altitude) == (True, None, None)


def test_the_prefix_alone_makes_no_drone(tmp_path: Path) -> None:
    packet = xmp('xmlns:drone-dji="http://example.org/x/" drone-dji:RelativeAltitude="50"')
    assert not facts(tmp_path, jpeg_bytes(quadrants(64, 48), xmp=packet)).drone


@pytest.mark.parametrize("value", ["nan", "inf", "", "high", "1e9"])
def test_flight_numbers_that_are_none(tmp_path: Path, value: str) -> None:
    packet = xmp(f'{DJI} drone-dji:RelativeAltitude="{value}"')
    seen = facts(tmp_path, jpeg_bytes(quadrants(64, 48), xmp=packet))
    assert (seen.drone, seen.relative_altitude) == (True, None)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"not xml at all",
        b"\xff\xfe\x00",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        xmp('broken:prefix="1"').encode(),
    ],
)
def test_broken_packets_say_nothing(packet: bytes) -> None:
    assert read_properties(packet) == {}


def test_half_a_packet_is_half_the_facts() -> None:
    packet = xmp(f'{DJI} drone-dji:RelativeAltitude="+5"').encode()
    cut = packet[: packet.index(b"</rdf:Description>")]
    assert read_properties(cut) == {("http://www.dji.com/drone-dji/1.0/", "RelativeAltitude"): "+5"}


def test_place_names_come_from_iptc_where_xmp_has_none(tmp_path: Path) -> None:
    records = b""
    for number, text in ((90, "Münster".encode()), (101, "Köln".encode("latin-1"))):
        records += b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    data = jpeg_bytes(quadrants(64, 48))
    segment = b"\xff\xed" + (len(resource) + 2).to_bytes(2, "big") + resource
    seen = facts(tmp_path, data[:2] + segment + data[2:])
    assert (seen.city, seen.state, seen.country) == ("Münster", None, "Köln")


@pytest.mark.parametrize(
    "text",
    ["Kesselhaus", "KESSELHAUS", "BOILER HOUSE", "schornstein", "Kessel/Turbine", "C:\\ alt"],
)
def test_a_description_of_a_person_may_be_one_word_or_in_capitals(text: str) -> None:
    assert from_tags(ImageDescription=text, Make="SONY").image_description == text


@pytest.mark.parametrize(
    "text",
    [
        "OLYMPUS DIGITAL CAMERA",
        "SONY DSC",
        "DCIM\\100MEDIA\\DJI_0001.JPG",
        "DCIM/PANORAMA/101_0230/DJI_0012.JPG",
        "Exif_JPEG_PICTURE",
        "<KENOX S630  / Samsung S630>",
        "default",
        "oznor",
        "Testcam",
    ],
)
def test_what_a_camera_writes_is_no_description(text: str) -> None:
    found = from_tags(ImageDescription=text, Make="Testcam", Model="KENOX S630")
    assert found.image_description is None
