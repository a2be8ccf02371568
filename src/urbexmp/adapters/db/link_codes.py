"""The links of a photo to its keywords, as columns of its row.

A row for each of eight million links would take a third of a gigabyte and most of a rebuild. So a
photo's row has its keywords' numbers as text (`posting_codes`), and what is said of each of them
as texts of the same length, or as "" where all are alike: origins "" are all a person's, scores ""
are none. What is not like the others stands in table `odd_link`.
"""

from __future__ import annotations

from collections import Counter

from urbexmp.adapters.db.posting_codes import as_numbers, as_text

Link = tuple[int, int | None, int | str | None, int | None]
"""Origin, score, time, spelling."""
Odd = dict[int, tuple[int | str | None, int | None]]
"""Time and spelling of the links of a photo that are not like the others, by keyword."""

Columns = tuple[str, str, str, int | str | None]
"""`links`, `origins`, `scores`, `written_at`."""


def packed_links(links: dict[int, Link]) -> tuple[Columns, Odd]:
    """Links as columns, and those that are odd.

    The time that most links of ours have is the photo's; an odd one's `None` is the photo's.
    """
    if not links:
        return _NO_LINKS
    keywords = sorted(links)
    said = [links[keyword] for keyword in keywords]
    text = as_text(keywords)
    times = {link[2] for link in said if link[0] != 1}
    odd: Odd = {}
    at: int | str | None = None
    if times:
        if len(times) == 1:
            (at,) = times
        else:
            counted = Counter(link[2] for link in said if link[0] != 1)
            at = min(counted, key=lambda time: (-counted[time], str(time)))
        origins = as_text([link[0] for link in said])
        scored = any(link[1] is not None for link in said)
    else:
        origins, scored = "", any(link[1] is not None for link in said)
    scores = "".join(["\1" if one[1] is None else chr(one[1] + 2) for one in said])
    for keyword, link in links.items():
        other = link[0] != 1 and link[2] != at
        if other or link[3] is not None:
            odd[keyword] = ("" if link[2] is None else link[2]) if other else None, link[3]
    return (text, origins, scores if scored else "", at), odd


_NO_LINKS: tuple[Columns, Odd] = (("", "", "", None), {})


def unpacked_links(columns: Columns, odd: Odd) -> dict[int, Link]:
    """What `packed_links` was given, in the order of the keywords' numbers."""
    links, origins, scores, at = columns
    found: dict[int, Link] = {}
    for place, keyword in enumerate(as_numbers(links)):
        origin = as_numbers(origins[place])[0] if origins else 1
        score = ord(scores[place]) - 2 if scores else -1
        time, spelling = odd.get(keyword, (None, None))
        time = at if time is None and origin != 1 else (time or None)
        found[keyword] = (origin, None if score < 0 else score, time, spelling)
    return found
