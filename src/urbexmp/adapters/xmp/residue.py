"""What must be the same byte for byte before and after an edit, found without any XML parser.

A packet is cut into tokens by one regular expression. The properties that an edit may touch are
taken out with the blanks before them; what remains, the residue, has to be equal. The items of
the keyword lists are kept one by one with the blanks before each, so that every item that stays
is compared in its own spelling.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"""
    r"""|<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""",
    re.DOTALL,
)
_NAME = re.compile(r"</?([^\s/>]+)")
_ATTRIBUTE = re.compile(r"""\s+([^\s=/>"']+)\s*=\s*("[^"]*"|'[^']*')""")
_TRAILER = "<?xpacket end"
_CONTAINER = re.compile(r"<(?:[^\s<>/:]+:)?(?:Bag|Seq|Alt)[\s/>]")
_BLANKS = " \t\r\n"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DATE = ("http://ns.adobe.com/xap/1.0/", "MetadataDate")
_PLAIN_UNIT = re.compile(
    r"\s*<([^\s<>/]+)\s*>((?:[^<]++|<!\[CDATA\[.*?\]\]>)*+)</\1\s*>", re.DOTALL
)
_EMPTY_UNIT = re.compile(r"\s*<[^\s<>/]+\s*/>")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PIECE = re.compile(r"<!\[CDATA\[(.*?)\]\]>|&(#x[0-9A-Fa-f]+|#[0-9]+|\w+);|(\r\n?)", re.DOTALL)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}

Name = tuple[str, str]


class Untokened(Exception):  # noqa: N818  (says what it is)
    """The text is no packet of balanced tags with one rdf:RDF."""


@dataclass(slots=True)
class Listing:
    """One keyword property element."""

    start_tag: str = ""
    container_tag: str = ""
    """Start tag of the Bag, as if it were not closed in itself; empty for a single value."""
    units: list[str] = field(default_factory=list)
    """Each item, comment or instruction in the container, with the blanks before it."""
    closing: str = ""
    """Blanks before the container's end tag."""
    around: tuple[str, str] = ("", "")
    """Blanks before and behind the container."""


@dataclass(slots=True)
class Residue:
    """One packet with the touched properties taken out."""

    rest: str
    padding: str
    root_end: int
    skeletons: Counter[str]
    """Descriptions that held nothing but touched keywords, without them."""
    listings: dict[Name, list[Listing]]


def residue(text: str, keywords: frozenset[Name], ours: str | None, *, date: bool) -> Residue:
    """Take out the `keywords` properties, all of namespace `ours`, and the metadata date's value.

    Raises `Untokened`.
    """
    return _Cutter(text, keywords, ours, date).run()


def unit_value(unit: str) -> str | None:
    """The text of an item without attributes or elements inside; None for anything else."""
    if _EMPTY_UNIT.fullmatch(unit):
        return ""
    match = _PLAIN_UNIT.fullmatch(unit)
    if not match:
        return None
    return _SURROGATE.sub("\ufffd", _PIECE.sub(_resolved, match.group(2)))


def _resolved(piece: re.Match[str]) -> str:
    cdata, entity, _ = piece.groups()
    if cdata is not None:
        return str(cdata).replace("\r\n", "\n").replace("\r", "\n")
    if entity is None:
        return "\n"
    if entity.startswith("#x"):
        return chr(int(entity[2:], 16))
    if entity.startswith("#"):
        return chr(int(entity[1:]))
    return _ENTITIES.get(entity, piece.group())


@dataclass(slots=True)
class _Description:
    """A node directly inside rdf:RDF, while it is open."""

    start: int
    """Where the blanks before it begin."""
    cuts: list[tuple[int, int]]
    ours: bool = False
    keywords: bool = False
    foreign: bool = False
    """Whether it says anything that is not cut."""


class _Cutter:
    def __init__(self, text: str, keywords: frozenset[Name], ours: str | None, date: bool) -> None:
        self.text = text
        self.keywords = keywords
        self.ours = ours
        self.date = date
        self.scopes: list[dict[str, str]] = [{"xml": "http://www.w3.org/XML/1998/namespace"}]
        self.cuts: list[tuple[int, int]] = []
        self.skeletons: Counter[str] = Counter()
        self.listings: dict[Name, list[Listing]] = {}
        self.description: _Description | None = None
        self.tokens: list[tuple[int, str, int]] = []
        """Depth, token and its offset, within the property being cut."""
        self.name: Name = ("", "")
        self.kind = ""
        self.start = 0

    def run(self) -> Residue:
        depth, rdf, root_end, closed = 0, -1, -1, False
        text = self.text
        for match in _TOKEN.finditer(text):
            token = match.group()
            second = token[1]
            if second == "!" or second == "?":
                if self.kind:
                    self.tokens.append((depth, token, match.start()))
                elif self.description and depth == rdf + 2:
                    self.description.foreign = True
                continue
            if second == "/":
                depth -= 1
                level = depth - rdf if rdf >= 0 and not closed else -1
                closed |= level == 0
                if level <= 2:
                    self.close(level, match.start(), match.end())
            else:
                level = depth - rdf if rdf >= 0 and not closed else -1
                empty = token.endswith("/>")
                if level <= 2:
                    name = self.open(level, token, match.start(), match.end(), empty)
                    if rdf < 0 and name == (_RDF, "RDF"):
                        rdf = depth
                elif self.kind:
                    self.tokens.append((depth, token, match.start()))
                if not empty:
                    depth += 1
            if self.kind and second == "/":
                self.tokens.append((depth, token, match.start()))
            if depth == 0:
                root_end = match.end()
                break
            if depth < 0:
                raise Untokened("an end tag without a start tag")
        if root_end < 0 or rdf < 0:
            raise Untokened("no whole root element with an rdf:RDF")
        trailer = text.find(_TRAILER, root_end)
        padding = text[root_end:trailer] if trailer >= 0 else ""
        if padding.strip(_BLANKS):
            padding = ""
        self.cuts.append((root_end, root_end + len(padding)))
        return Residue(
            "".join(_kept(text, 0, len(text), self.cuts)),
            padding,
            root_end,
            self.skeletons,
            self.listings,
        )

    # --- tags down to the properties --------------------------------------------------------------

    def open(self, level: int, token: str, start: int, end: int, empty: bool) -> Name:
        scope = self.scopes[-1]
        if "xmlns" in token:
            scope = dict(scope)
            for spelled, quoted in _ATTRIBUTE.findall(token):
                if spelled == "xmlns" or spelled.startswith("xmlns:"):
                    scope[spelled[6:]] = quoted[1:-1]
        if not empty:
            self.scopes.append(scope)
        name = _resolve(_spelled(token), scope, scope.get("", ""))
        if level == 1:
            self.open_description(name, token, start, scope)
            if empty:
                self.close_description(end)
        elif level == 2:
            self.open_property(name, token, start, end, empty)
        return name

    def close(self, level: int, start: int, end: int) -> None:
        self.scopes.pop()
        if level == 2 and self.kind:
            self.close_property(start, end)
        elif level == 2 and self.name == _DATE and self.date and self.description:
            self.description.cuts.append((self.start, start))
            self.name = ("", "")
        elif level == 1:
            self.close_description(end)

    def open_description(self, name: Name, token: str, start: int, scope: dict[str, str]) -> None:
        description = _Description(self.before(start), [], foreign=name != (_RDF, "Description"))
        for match in _ATTRIBUTE.finditer(token):
            spelled = match.group(1)
            if spelled == "xmlns" or spelled.startswith("xmlns:"):
                continue
            attribute = _resolve(spelled, scope, "")
            at = start + match.start(), start + match.end()
            if attribute in self.keywords or attribute[0] == self.ours:
                description.cuts.append(at)
                description.ours |= attribute[0] == self.ours
            elif attribute == _DATE and self.date:
                value = start + match.start(2) + 1, start + match.end(2) - 1
                description.cuts.append(value)
                description.foreign = True
            elif attribute not in {(_RDF, "about"), ("", "about")}:
                description.foreign = True
        self.description = description

    def close_description(self, end: int) -> None:
        description = self.description
        if description is None:
            raise Untokened("tags that cross")
        self.description = None
        if description.foreign:
            self.cuts += description.cuts
            return
        self.cuts.append((description.start, end))
        if not description.ours:
            skeleton = "".join(_kept(self.text, description.start, end, description.cuts))
            self.skeletons[skeleton] += 1

    def open_property(self, name: Name, token: str, start: int, end: int, empty: bool) -> None:
        description = self.description
        if description is None:
            raise Untokened("tags that cross")
        self.name = name
        if name in self.keywords:
            self.kind = "keywords"
        elif name[0] == self.ours:
            self.kind = "ours"
            description.ours = True
        else:
            description.foreign = True
            self.start = end
            return
        self.start = self.before(start)
        self.tokens = [(0, token, start)]
        if empty:
            self.close_property(end, end)

    def close_property(self, start: int, end: int) -> None:
        description = self.description
        if description is None:
            raise Untokened("tags that cross")
        description.cuts.append((self.start, end))
        if self.kind == "keywords":
            self.listings.setdefault(self.name, []).append(self.listing(start))
        self.kind, self.tokens = "", []

    def listing(self, close: int) -> Listing:
        """Take the inside of a keyword property apart; `close` is where its end tag begins."""
        _, start_tag, at = self.tokens[0]
        found = Listing(start_tag)
        inside = at + len(start_tag)
        tags = [token for token in self.tokens[1:] if token[2] < close]
        if not tags:
            return found
        first = next((n for n, token in enumerate(tags) if token[1][1] not in "!?"), 0)
        depth, container, begin = tags[first]
        if container[1] in "!?" or not _CONTAINER.match(container):
            return found
        found.container_tag = _opened(container)
        last = begin + len(container)
        before = self.text[inside:begin]
        if container.endswith("/>"):
            found.around = before, self.text[last:close]
            return found
        ends = close
        for level, token, offset in tags[first + 1 :]:
            stop = offset + len(token)
            if level == depth and token.startswith("</"):
                ends = offset
                found.around = before, self.text[stop:close]
                break
            whole = token.endswith("/>") or token[1] in "!?" or token.startswith("</")
            if level == depth + 1 and whole:
                found.units.append(self.text[last:stop])
                last = stop
        found.closing = self.text[last:ends]
        return found

    def before(self, offset: int) -> int:
        """Where the blanks that end at `offset` begin."""
        while offset and self.text[offset - 1] in _BLANKS:
            offset -= 1
        return offset


def _kept(text: str, start: int, end: int, cuts: list[tuple[int, int]]) -> Iterator[str]:
    """The pieces of `text[start:end]` that are not cut."""
    at = start
    for begin, stop in sorted(cuts):
        yield text[at:begin]
        at = stop
    yield text[at:end]


def _spelled(token: str) -> str:
    match = _NAME.match(token)
    if not match:
        raise Untokened(f"a tag without a name: {token[:20]!r}")
    return match.group(1)


def _resolve(spelled: str, scope: dict[str, str], default: str) -> Name:
    prefix, colon, local = spelled.rpartition(":")
    return (scope.get(prefix, ""), local) if colon else (default, local)


def _opened(tag: str) -> str:
    """A start tag as if it were not closed in itself."""
    return tag[:-2].rstrip() + ">" if tag.endswith("/>") else tag
