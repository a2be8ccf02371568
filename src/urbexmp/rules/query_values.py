"""The values of an expression: whole numbers, days, and the words of a text."""

from __future__ import annotations

import unicodedata
from datetime import date

from urbexmp.rules.query import HIGHEST_DAY

HIGHEST = 100


def numbers(operator: str, text: str) -> tuple[int, int]:
    """Lowest and highest whole number of `>= 80`, `: 60..80`, `= 70`; an empty span is (1, 0).

    Raises `ValueError` with what is wanted.
    """
    if operator in (":", "=") and ".." in text:
        first, _, last = text.partition("..")
        if first or last:
            return _span(_number(first) if first else 0, _number(last) if last else HIGHEST)
    return _compared(operator, _number(text), _number(text), HIGHEST)


def days(operator: str, text: str) -> tuple[int, int]:
    """First and last day of `: 2024`, `: 2024-05..2024-09`, `>= 2024-05-01`, as ordinals.

    Raises `ValueError` with what is wanted.
    """
    if operator in (":", "=") and ".." in text:
        first, _, last = text.partition("..")
        if first or last:
            return _span(_days(first)[0] if first else 1, _days(last)[1] if last else HIGHEST_DAY)
    return _compared(operator, *_days(text), HIGHEST_DAY)


def _compared(operator: str, first: int, last: int, highest: int) -> tuple[int, int]:
    lowest = 1 if highest == HIGHEST_DAY else 0
    return _span(
        *{
            ":": (first, last),
            "=": (first, last),
            ">=": (first, highest),
            ">": (last + 1, highest),
            "<=": (lowest, last),
            "<": (lowest, first - 1),
        }[operator]
    )


def _span(low: int, high: int) -> tuple[int, int]:
    return (low, high) if low <= high else (1, 0)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= HIGHEST):
        raise ValueError("wants a whole number from 0 to 100")
    return int(text)


def _days(text: str) -> tuple[int, int]:
    """First and last day of a year, a month or a day."""
    parts = text.split("-")
    widths = [len(part) for part in parts]
    if widths not in ([4], [4, 2], [4, 2, 2]) or not (text.replace("-", "").isdecimal()):
        raise ValueError("wants a day such as 2024, 2024-05 or 2024-05-11")
    year, month, day = (*(int(part) for part in parts), None, None)[:3]
    months = (1, 12) if month is None else (month, month)
    try:
        first = date(year or 0, months[0], 1 if day is None else day)
        import calendar  # late: with `locale`, a twentieth of a whole query

        end = calendar.monthrange(first.year, months[1])[1]
        return first.toordinal(), date(first.year, months[1], day or end).toordinal()
    except ValueError:
        raise ValueError("wants a day that the calendar has") from None


def text_words(text: str) -> tuple[str, ...]:
    """The words of a text, as the full-text index splits it: runs of letters and digits.

    Combining accents and private characters belong to a word there, too.
    """
    composed = unicodedata.normalize("NFC", text)
    return tuple("".join(char if _in_word(char) else " " for char in composed).split())


def _in_word(char: str) -> bool:
    return char.isalnum() or "\u0300" <= char <= "\u0331" or "\ue000" <= char <= "\uf8ff"
