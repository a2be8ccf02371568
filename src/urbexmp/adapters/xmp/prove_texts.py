"""The proof of texts: only the `x-default` of a list of languages is another, as it was asked for.

A part of `prove`, on what that has found: what both packets say (`canonical`), and the items of
the property in their own spelling (`residue`).
"""

from __future__ import annotations

import re

from urbexmp.adapters.xmp.canonical import Value
from urbexmp.adapters.xmp.residue import Listing
from urbexmp.model.text import TextEdit, TextField

PROPERTIES = {
    TextField.DESCRIPTION: ("http://purl.org/dc/elements/1.1/", "description"),
    TextField.ALT_TEXT: ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "AltTextAccessibility"),
}
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DEFAULT = (("qualifier", _LANG, ("text", "x-default", ())),)
_UNIT = re.compile(
    r"""(\s*<[^\s<>/]+\s+xml:lang\s*=\s*(?:"x-default"|'x-default')\s*)"""
    r"""(?:/>|>((?:[^<]++|<!\[CDATA\[.*?\]\]>)*+)</[^\s<>/]+\s*>)""",
    re.DOTALL | re.IGNORECASE,
)
"""An item in x-default that is text and nothing else: its beginning, and the text as spelled."""


def meaning(edit: TextEdit, said: list[Value], says: list[Value]) -> str | None:
    """What is wrong with what a text says now; None: it says what it should."""
    if said == says and _default(said) == edit.after:
        return None  # it stood there
    if len(said) > 1 or len(says) > 1:
        return "occurs twice"
    kind, old = _items(said)
    if kind not in ("", "Alt"):
        return "was no list of languages"
    if _default(said) != edit.before:
        return "was not what it was planned for"
    places = [n for n, item in enumerate(old) if item[2] == _DEFAULT]
    if len(places) > 1 or (old and len(places) != 1):
        return "had no single text in x-default"
    fresh: tuple[Value, ...] = () if edit.after is None else (("text", edit.after, _DEFAULT),)
    at = places[0] if places else 0
    expected = (*old[:at], *fresh, *old[at + 1 :])
    if not expected:
        return "is still there" if says else None
    if says != [("Alt", expected, said[0][2] if said else ())]:
        return "does not say what it should"
    return None


def spelling(edit: TextEdit, old: list[Listing], new: list[Listing]) -> str | None:
    """What is wrong with the bytes of a text's property; None: nothing else has changed."""
    if len(old) > 1 or len(new) > 1:
        return "occurs twice"
    if not old:
        plain = not new or (len(new[0].units) == 1 and _UNIT.fullmatch(new[0].units[0]))
        return None if plain else "is not as we write it"
    was = old[0]
    if not new:
        return None if len(was.units) == 1 and edit.after is None else "has gone"
    now = new[0]
    if (was.start_tag, was.container_tag, was.around, was.closing) != (
        now.start_tag,
        now.container_tag,
        now.around,
        now.closing,
    ):
        return "has changed around its texts"
    if was.units == now.units:
        return None
    at = [n for n, unit in enumerate(was.units) if _UNIT.fullmatch(unit)]
    if len(at) != 1:
        return "had no single plain text in x-default"
    before, behind = was.units[: at[0]], was.units[at[0] + 1 :]
    if edit.after is None:
        same = now.units == before + behind
        return None if same else "has changed in another language"
    here = len(before)
    if now.units[:here] != before or now.units[here + 1 :] != behind:
        return "has changed in another language"
    one, other = _UNIT.fullmatch(was.units[here]), _UNIT.fullmatch(now.units[here])
    if one is None or other is None or one[1] != other[1]:
        return "has changed around its text"
    return None


def _default(values: list[Value]) -> str | None:
    """The text in x-default, as far as it is plain; None for a blank."""
    items = _items(values)[1]
    text = next((str(i[1]) for i in items if i[0] == "text" and i[2] == _DEFAULT), "")
    return text if text.strip() else None


def _items(values: list[Value]) -> tuple[str, tuple[Value, ...]]:
    if not values:
        return "", ()
    kind, items, qualifiers = values[0]
    return (kind, items) if kind == "Alt" and not qualifiers else ("other", ())
