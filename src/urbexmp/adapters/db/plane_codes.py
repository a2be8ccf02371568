"""Bit planes: every field that `query` can name, for every photo, as a few bitmaps.

A field's value is a small number, its code; 0 is "none". Plane *b* of a field holds bit *b* of
the code of every photo, one bit a photo. A range of codes over a million photos is then some
twenty operations on long integers, whatever its size: no index can count 400,000 rows in the
milliseconds that this takes (O'Neil and Quass, "Improved Query Performance with Variant Indexes",
SIGMOD 1997, call it a bit-sliced index).

Planes are cut into chunks of `CHUNK` photos, so that a commit of one photo writes some 4 KB for
each plane that it changes and a first page reads one chunk. `mirror_planes` writes them,
`ask_sets` reads them.
"""

from __future__ import annotations

from datetime import date

CHUNK = 32_768
"""Photos in a chunk; the chunk of a photo is its id // CHUNK. Offsets within one are
characters: see `posting_codes`."""
CHUNK_BYTES = CHUNK // 8

SPANNED, SPAN = ("taken", "folder"), -1
"""Fields whose lowest and highest code of each chunk are kept, and the bit under which they are,
four bytes each: photos of one time and place mostly come together, so a question for a year need
look into few chunks."""
EXISTS = "photo"
"""Plane of all photos."""
WORDS = ("kind", "make", "camera", "lens", "view", "era", "city", "state", "country")
"""Fields whose words have codes in table `word`."""
FIRST_DAY = date(1800, 1, 1).toordinal()
LAST_DAY_CODE = (1 << 17) - 1
"""In the year 2158. What lies outside counts as the first or the last day."""
STATUSES = {"completed": 0, "pending": 1, "processing": 2, "failed": 3}
"""Codes of table `word`; the commonest takes no room."""
_EPOCH = date(1970, 1, 1).toordinal()
HAS = ("keywords", "veto", "held", "gps", "taken", "description", "text")
"""What `has:` can ask for; the planes are called `has:...`."""


def day_code(ordinal: int) -> int:
    """Code of a day, given as `datetime.date.toordinal` counts."""
    return min(max(ordinal - FIRST_DAY + 1, 1), LAST_DAY_CODE)


def number_code(value: float | None) -> int:
    """Code of a number from 0 to 100."""
    return 0 if value is None else min(max(int(value + 0.5), 0), 100) + 1


def taken_day(taken_at: str | int | None) -> int | None:
    """Ordinal of the day of a time, as a column has it; None where there is none."""
    if isinstance(taken_at, int):
        return taken_at // 86_400 + _EPOCH
    try:
        return date.fromisoformat(taken_at[:10]).toordinal() if taken_at else None
    except ValueError:
        return None
