"""Photos of a set in another order than that in which they came."""

from __future__ import annotations

from urbexmp.adapters.db.ask_planes import Planes
from urbexmp.adapters.db.ask_sets import listed
from urbexmp.adapters.db.mirror_schema import TAKEN
from urbexmp.adapters.db.plane_codes import LAST_DAY_CODE
from urbexmp.adapters.db.posting_codes import ids_of

ORDERS = ("taken", "name", "quality", "score")
_WIDTHS = {"taken": LAST_DAY_CODE.bit_length(), "quality": 7, "score": 7}
FEW = 4000
"""So many photos are fetched and sorted; of more, the folders are walked in order."""


def in_order(
    planes: Planes, found: int, order: str, *, reverse: bool, limit: int | None, offset: int
) -> list[int]:
    """A page of the set `found`, an integer with a bit for each photo."""
    count = found.bit_count()
    wanted = count if limit is None else min(count, limit + offset)
    if not order:
        ids = ids_of(found)[::-1]
    elif order == "name":
        ids = _by_path(planes, found, wanted, reverse=reverse)
    elif order == "taken":
        ids = _by_time(planes, found, wanted, newest=reverse)
    else:
        ids = _by_number(planes, found, order, wanted, highest=not reverse)
    return ids[offset : None if limit is None else offset + limit]


def _groups(planes: Planes, found: int, field: str, wanted: int, *, highest: bool) -> list[int]:
    """The set in groups, each photo of a group before all of the next, enough for `wanted`.

    Halves by plane from the highest; a half that lies behind what is wanted is never looked into.
    Those without a value are the last group.
    """
    width = _WIDTHS[field]
    by_bit = [planes.whole(field, bit) for bit in range(width)]
    valued = 0
    for plane in by_bit:
        valued |= plane
    groups: list[int] = []
    left = wanted
    stack = [(found & valued, width - 1)]
    while stack and left > 0:
        among, bit = stack.pop()
        if not among:
            continue
        if bit < 0:
            groups.append(among)
            left -= among.bit_count()
            continue
        ones = among & by_bit[bit]
        halves = (ones, among ^ ones) if highest else (among ^ ones, ones)
        stack.append((halves[1], bit - 1))
        stack.append((halves[0], bit - 1))
    if left > 0:
        groups.append(found ^ (found & valued))
    return groups


def _by_number(planes: Planes, found: int, field: str, wanted: int, *, highest: bool) -> list[int]:
    ids: list[int] = []
    for group in _groups(planes, found, field, wanted, highest=highest):
        ids += ids_of(group, limit=wanted - len(ids))
    return ids


def _by_time(planes: Planes, found: int, wanted: int, *, newest: bool) -> list[int]:
    ids: list[int] = []
    for group in _groups(planes, found, "taken", wanted, highest=newest):
        day = ids_of(group)
        times = dict(
            planes.connection.execute(
                f"SELECT id, coalesce({TAKEN}, '') FROM photo"
                " WHERE id IN (SELECT value FROM json_each(?))",
                (listed(day),),
            ).fetchall()
        )
        ids += sorted(day, key=lambda photo: str(times.get(photo, "")), reverse=newest)
    return ids


def _by_path(planes: Planes, found: int, wanted: int, *, reverse: bool) -> list[int]:
    if found.bit_count() <= FEW:
        rows = planes.connection.execute(
            "SELECT photo.id FROM json_each(?) AS wanted JOIN photo ON photo.id = wanted.value"
            " JOIN folder ON folder.id = photo.folder ORDER BY folder.path, photo.name",
            (listed(ids_of(found)),),
        )
        ids = [photo for (photo,) in rows]
        return ids[::-1] if reverse else ids
    raw = found.to_bytes((found.bit_length() + 7) >> 3, "little")
    direction = " DESC" if reverse else ""
    ids = []
    for (folder,) in planes.connection.execute(f"SELECT id FROM folder ORDER BY path{direction}"):
        for (photo,) in planes.connection.execute(
            f"SELECT id FROM photo WHERE folder = ? ORDER BY name{direction}", (folder,)
        ):
            if photo >> 3 < len(raw) and raw[photo >> 3] >> (photo & 7) & 1:
                ids.append(photo)
        if len(ids) >= wanted:
            break
    return ids
