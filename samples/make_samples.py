"""Make the sample photos: `python samples/make_samples.py [FOLDER]`, default `samples/photos`.

Needs Pillow and numpy. Writes the same bytes on every run with the same Pillow; other versions
may compress a picture a little differently, but say the same facts. Every picture is drawn by
`scenes.py`; places, people, serial numbers and flights are invented.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from containers import RAW_WRITERS, Shot, jpeg, tiff
from lightroom import Edited, lightroom
from packets import darktable, dji
from scenes import HEIGHT, SCENES, WIDTH

MILL = "2024-05-11 Riverside Paper Mill"
HOSPITAL = "2024-09-02 St Agnes Hospital"
LOOSE = "Loose"

LOCATION = """\
# What is known of this place; `urbexmp` reads it for every photo in this folder and below.
name = "St Agnes Hospital"
type = "hospital"
era = "1920s"
city = "Millbrook"
county = "Hampden County"
state = "Massachusetts"
country = "United States"
"""


def nikon(taken: str, **facts: Any) -> Shot:
    known: dict[str, Any] = {
        "f_number": 4.0,
        "iso": 800,
        "focal": 20.0,
        "lens": "NIKKOR Z 14-30mm f/4 S",
    }
    return Shot("NIKON CORPORATION", "NIKON Z 6_2", taken, **{**known, **facts})


def canon(taken: str, **facts: Any) -> Shot:
    known: dict[str, Any] = {
        "f_number": 5.6,
        "iso": 800,
        "focal": 24.0,
        "lens": "EF16-35mm f/4L IS USM",
    }
    return Shot("Canon", "Canon EOS 5D Mark IV", taken, **{**known, **facts})


SHOTS: dict[str, tuple[str, Shot | None]] = {
    # EV 5.0, chosen by the camera: an interior
    f"{MILL}/_DSC0412.NEF": ("hall", nikon("2024:05:11 10:02:17", exposure=Fraction(1, 15))),
    # EV 13.6: an exterior; the camera saved a JPEG beside the raw file
    f"{MILL}/_DSC0413.NEF": (
        "facade",
        nikon("2024:05:11 10:31:40", exposure=Fraction(1, 400), f_number=8.0, iso=200),
    ),
    f"{MILL}/_DSC0413.JPG": (
        "facade",
        nikon("2024:05:11 10:31:40", exposure=Fraction(1, 400), f_number=8.0, iso=200),
    ),
    # Focused at 0.4 m: a detail
    f"{MILL}/_DSC0415.JPG": (
        "rust",
        nikon(
            "2024:05:11 10:44:03",
            exposure=Fraction(1, 160),
            iso=100,
            focal=50.0,
            distance=0.4,
        ),
    ),
    f"{MILL}/_DSC0421.JPG": (
        "warning_sign",
        nikon("2024:05:11 11:08:55", exposure=Fraction(1, 30), iso=1600),
    ),
    # From the air: 46 m above take-off, looking down
    f"{MILL}/DJI_0031.JPG": (
        "aerial",
        Shot(
            "DJI",
            "FC7303",
            "2024:05:11 11:40:12",
            Fraction(1, 640),
            2.8,
            100,
            flash=32,
            focal=4.5,
            focal_35=24,
            gps=(42.1712, -72.3311, 141.2),
            description="DCIM/100MEDIA/DJI_0031.JPG",
        ),
    ),
    f"{MILL}/mill-plan-scan.tif": (
        "stairwell",
        Shot("EPSON", "Perfection V600", "2024:05:20 20:15:00", flash=None),
    ),
    f"{HOSPITAL}/IMG_1021.CR2": (
        "corridor",
        canon("2024:09:02 13:20:31", exposure=Fraction(1, 13)),
    ),
    f"{HOSPITAL}/IMG_1022.JPG": (
        "ward_sign",
        canon("2024:09:02 13:24:10", exposure=Fraction(1, 15)),
    ),
    # Flash, in a dark dormitory
    f"{HOSPITAL}/IMG_1027.JPG": (
        "dormitory",
        canon("2024:09:02 13:52:46", exposure=Fraction(1, 60), iso=400, flash=9),
    ),
    f"{HOSPITAL}/IMG_1030-bw.jpg": (
        "stairwell",
        canon("2024:09:02 14:05:02", exposure=Fraction(1, 13)),
    ),
    f"{HOSPITAL}/IMG_1034.CR2": (
        "grey_wall",
        canon("2024:09:02 14:41:09", exposure=Fraction(1, 30)),
    ),
    # A phone, with a position
    f"{HOSPITAL}/PXL_20240902_151803.jpg": (
        "fence_sign",
        Shot(
            "Google",
            "Pixel 8",
            "2024:09:02 15:18:03",
            Fraction(1, 2000),
            1.68,
            50,
            focal=6.9,
            focal_35=25,
            gps=(42.1489, -72.4312, 88.0),
        ),
    ),
    # 25 seconds on a tripod, everything set by hand
    f"{HOSPITAL}/IMG_1055.JPG": (
        "night",
        canon("2024:09:02 21:47:33", exposure=Fraction(25), f_number=8.0, iso=100, program=1),
    ),
    f"{LOOSE}/DSC09981.ARW": (
        "hall",
        Shot(
            "SONY",
            "ILCE-7M3",
            "2023:11:05 12:11:48",
            Fraction(1, 30),
            4.0,
            1600,
            focal=24.0,
            lens="FE 24-105mm F4 G OSS",
        ),
    ),
    # A DJI that does not fly: a hand-held camera, inside
    f"{LOOSE}/DJI_0107.JPG": (
        "corridor",
        Shot("DJI", "DJI Pocket", "2023:07:14 18:30:12", Fraction(1, 50), 2.0, 400, focal_35=26),
    ),
    # Edited and saved by another program: no camera facts are left
    f"{LOOSE}/wall-edit.jpg": ("grey_wall", None),
    # Done long ago: its sidecar says already what the stages say
    f"{LOOSE}/DSC00007.ARW": (
        "dormitory",
        Shot("SONY", "ILCE-7M3", "2019:03:02 09:12:00", Fraction(1, 15), 4.0, 800, focal=24.0),
    ),
}


def sidecars() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every sidecar."""
    mill = Edited(
        (
            "Places|United States|Massachusetts|Millbrook",
            "Trips|2024|Spring",
            "People|Mara Ellison",
            "Portfolio",
        ),
        rating=4,
        faces=(("Mara Ellison", 0.412, 0.618),),
        mask=True,
        crop=True,
    )
    corridor = Edited(
        ("Places|United States|Massachusetts|Millbrook", "Trips|2024|Autumn", "to print"),
        rating=5,
        temperature=5200,
        exposure="+0.80",
        mask=True,
        saved="2024-09-08T18:40:55+02:00",
    )
    done = Edited(
        ("Places|United States|Vermont", "archive", "Urbex|View|Interior"),
        saved="2019-03-10T20:00:00+01:00",
    )
    for name, edited in (
        (f"{MILL}/_DSC0412.NEF", mill),
        (f"{HOSPITAL}/IMG_1021.CR2", corridor),
        (f"{LOOSE}/DSC00007.ARW", done),
    ):
        shot = SHOTS[name][1]
        assert shot is not None
        file = name.rpartition("/")[2]
        yield name.rpartition(".")[0] + ".xmp", lightroom(file, shot, (6048, 4024), edited)
    name = f"{HOSPITAL}/IMG_1034.CR2"
    yield name + ".xmp", darktable("IMG_1034.CR2", ("places|Millbrook", "darktable|format|cr2"))


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield relative path and content of every sample file."""
    pictures = {name: SCENES[name]() for name in {scene for scene, _ in SHOTS.values()}}
    assert all(picture.shape == (HEIGHT, WIDTH, 3) for picture in pictures.values())
    for name, (scene, shot) in SHOTS.items():
        pixels, extension = pictures[scene], name[name.rindex(".") :]
        if name == f"{LOOSE}/DSC09981.ARW":  # the other end of the hall: no two photos are equal
            pixels = pixels[:, ::-1].copy()
        if name == f"{LOOSE}/DJI_0107.JPG":
            pixels = pixels[40:, ::-1].copy()
        if name == f"{LOOSE}/DSC00007.ARW":
            pixels = pixels[:, 80:].copy()
        if extension in RAW_WRITERS:
            assert shot is not None
            yield name, RAW_WRITERS[extension](pixels, shot)
        elif extension == ".tif":
            assert shot is not None
            yield name, tiff(pixels, shot)
        else:
            flown = shot is not None and shot.model == "FC7303"
            packet = dji(shot, "+46.30", "-62.40") if shot is not None and flown else None
            yield name, jpeg(pixels, shot, packet)
    yield from sidecars()
    yield f"{HOSPITAL}/location.toml", LOCATION.encode()


def main(folder: Path) -> None:
    """Write all sample files below `folder`."""
    total = 0
    for name, content in contents():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        total += len(content)
    print(f"{folder}: {len(SHOTS)} photos, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "photos")
