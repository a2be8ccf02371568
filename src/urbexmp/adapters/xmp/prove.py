"""The proof: an edited packet is the old one plus exactly the edit (R2).

Independent of the reader and the editor. It decodes for itself, reads with lxml instead of
expat, and finds with its own tokens the bytes that must have stayed. Three things must hold:

1. what both packets say, apart from the edited properties, is the same, and the edited
   properties say exactly what was asked for (`canonical`);
2. every byte outside the edited items, our block, the metadata date's value and the padding is
   the same and in the same place (`residue`);
3. encoding and byte order mark are the same, and where padding changed, the size is too.

`prove_usual` shows the same for packets in the usual form, at a fraction of the cost; what it
does not decide is decided here.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import NoReturn

from urbexmp.adapters.xmp.block import LISTS, SIMPLE, as_read, block_of, is_nothing
from urbexmp.adapters.xmp.canonical import Canonical, Unreadable, Value, canonical
from urbexmp.adapters.xmp.prove_texts import PROPERTIES, meaning, spelling
from urbexmp.adapters.xmp.prove_usual import proven
from urbexmp.adapters.xmp.residue import Listing, Residue, Untokened, residue, unit_value
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import ProofFailed
from urbexmp.model.photo import Block

_DC, _LR = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/lightroom/1.0/"
_OURS = "http://ns.urbexmp.org/1.0/"
_BLOCK = f"{{{_OURS}}}"
_DATE = "{http://ns.adobe.com/xap/1.0/}MetadataDate"
_OWNER = "{http://ns.adobe.com/photoshop/1.0/}SidecarForExtension"
_KINDS = {"Bag", "Seq"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def prove_edit(before: bytes, after: bytes, edit: PacketEdit, subject: object) -> None:
    """Raise `ProofFailed` unless `after` is `before` with exactly `edit` done to it."""
    if (before == after and edit.empty) or proven(before, after, edit):
        return
    _Proof(edit, subject).of_edit(before, after)


def prove_new(after: bytes, edit: PacketEdit, subject: object) -> None:
    """Raise `ProofFailed` unless a new sidecar says exactly what `edit` asks for."""
    _Proof(edit, subject).of_new(after)


class _Proof:
    def __init__(self, edit: PacketEdit, subject: object) -> None:
        self.edit = edit
        self.subject = subject
        fields = (
            ((_DC, "subject"), edit.flat_add, edit.flat_remove),
            ((_LR, "hierarchicalSubject"), edit.hierarchical_add, edit.hierarchical_remove),
        )
        self.fields = tuple(field for field in fields if field[1] or field[2])
        self.texts = {PROPERTIES[text.field]: text for text in edit.texts}
        names = (*(name for name, _, _ in self.fields), *self.texts)
        self.names = frozenset({_DATE, *(f"{{{uri}}}{local}" for uri, local in names)})

    def fail(self, detail: str) -> NoReturn:
        raise ProofFailed(self.subject, detail=detail)

    def of_edit(self, before: bytes, after: bytes) -> None:
        """Compare what both say, then their bytes."""
        if self.edit.empty:
            self.fail("it changed although nothing was asked for")
        (old_text, old_form), (new_text, new_form) = self.decode(before), self.decode(after)
        if old_form != new_form:
            self.fail("the encoding changed")
        keywords = frozenset((*(name for name, _, _ in self.fields), *self.texts))
        ours = _OURS if self.edit.block is not None else None
        date = self.edit.metadata_date is not None
        try:
            old = residue(old_text, keywords, ours, date=date)
            new = residue(new_text, keywords, ours, date=date)
            said = canonical(self.document(old_text, old, old_form), self.edited)
            says = canonical(self.document(new_text, new, new_form), self.edited)
        except (Untokened, Unreadable) as failure:
            raise ProofFailed(self.subject, detail=f"it cannot be read: {failure}") from failure
        self.meaning(said, says)
        self.outside(old, new, len(before), len(after))
        for name, _, remove in self.fields:
            self.items(old.listings.get(name, []), new.listings.get(name, []), remove)
        for name, text in self.texts.items():
            fault = spelling(text, old.listings.get(name, []), new.listings.get(name, []))
            if fault is not None:
                self.fail(f"{name[1]} {fault}")

    def of_new(self, after: bytes) -> None:
        """A new sidecar says what was asked for and nothing else."""
        edit = self.edit
        text, (encoding, mark) = self.decode(after)
        if encoding != "utf-8" or mark:
            self.fail("it is not plain UTF-8")
        try:
            says = canonical(text)
        except Unreadable as failure:
            raise ProofFailed(self.subject, detail=f"it cannot be read: {failure}") from failure
        if says.root != "{adobe:ns:meta/}xmpmeta" or says.abouts:
            self.fail("it is not the frame of a new sidecar")
        said = Canonical()
        for name, value in ((_DATE, edit.metadata_date), (_OWNER, edit.sidecar_for)):
            if value is not None:
                said.properties[name] = [("text", value, ())]
        said.root, said.root_attributes = says.root, says.root_attributes
        self.meaning(said, says)

    def edited(self, name: str) -> bool:
        """Whether a property is one that the edit is about, in Clark notation."""
        return name in self.names or name.startswith(_BLOCK)

    # --- what it says -----------------------------------------------------------------------------

    def meaning(self, said: Canonical, says: Canonical) -> None:
        """Everything equal but the edit."""
        if (said.root, said.root_attributes, said.abouts) != (
            says.root,
            says.root_attributes,
            says.abouts,
        ):
            self.fail("what surrounds the properties changed")
        edited = set(self.names)
        if self.edit.metadata_date is None:
            edited.remove(_DATE)
        old, new = self.others(said, edited), self.others(says, edited)
        if old != new:
            names = {*old, *new}
            name = min(name for name in names if old.get(name) != new.get(name))
            self.fail(f"{name} changed")
        for (uri, local), add, remove in self.fields:
            name = f"{{{uri}}}{local}"
            self.keywords(name, said.values(name), says.values(name), add, remove)
        for (uri, local), text in self.texts.items():
            name = f"{{{uri}}}{local}"
            fault = meaning(text, said.values(name), says.values(name))
            if fault is not None:
                self.fail(f"{local} {fault}")
        self.date(said.values(_DATE), says.values(_DATE))
        if self.edit.block is not None:
            self.block(self.edit.block, says)

    def others(self, says: Canonical, edited: set[str]) -> dict[str, list[Value]]:
        """Properties that no part of the edit may change."""
        ours = _BLOCK if self.edit.block is not None else "\0"
        return {
            name: values
            for name, values in says.properties.items()
            if name not in edited and not name.startswith(ours)
        }

    def keywords(
        self,
        name: str,
        said: list[Value],
        says: list[Value],
        add: tuple[str, ...],
        remove: tuple[str, ...],
    ) -> None:
        """One keyword property says what it said, less `remove`, and `add`."""
        if len(said) > 1 or len(says) > 1:
            self.fail(f"{name} occurs twice")
        unwanted = frozenset(remove)
        kind, items = _items(said)
        expected = [
            item
            for item in items
            if not (item[0] == "text" and item[1] in unwanted and not item[2])
        ]
        standing = {item[1] for item in expected if item[0] == "text"}
        expected += [("text", word, ()) for word in dict.fromkeys(add) if word not in standing]
        now, found = _items(says)
        if Counter(found) != Counter(expected):
            self.fail(f"{name} does not hold the items it should")
        untouched = kind == "text" and said == says
        if says and not untouched and says[0][2] != (said[0][2] if kind in _KINDS else ()):
            self.fail(f"{name} has gained or lost a qualifier")
        if says and not untouched and now != (kind if kind in _KINDS else "Bag"):
            self.fail(f"{name} changed its kind of list")

    def date(self, said: list[Value], says: list[Value]) -> None:
        """The metadata date is the old or the new one, in the same place and number."""
        if self.edit.metadata_date is None or said == says:
            return
        if len(said) != 1 or says != [("text", self.edit.metadata_date, ())]:
            self.fail("xmp:MetadataDate is not as it should be")

    def block(self, block: Block, says: Canonical) -> None:
        """Our block reads as it was given."""
        found: dict[str, list[str]] = {}
        for name, values in says.properties.items():
            uri, _, local = name[1:].rpartition("}")
            if uri == _OURS:
                texts = [item[1] for item in _items(values)[1]]
                plain = all(isinstance(text, str) for text in texts) and not values[0][2]
                if len(values) > 1 or not plain:
                    self.fail("our block is damaged")
                found[local] = texts
        if not found.keys() <= {*SIMPLE, *LISTS}:
            self.fail("our block holds something that is not ours")
        read, damage = block_of(found)
        wanted = None if is_nothing(block) else as_read(block)
        if read != wanted or damage:
            self.fail("our block does not say what it should")

    # --- bytes ------------------------------------------------------------------------------------

    def outside(self, old: Residue, new: Residue, size: int, new_size: int) -> None:
        """Everything outside the edited properties is equal."""
        if old.rest != new.rest:
            self.fail("bytes outside the keywords changed")
        gone, come = old.skeletons - new.skeletons, new.skeletons - old.skeletons
        if gone and come:
            self.fail("bytes around the keywords changed")
        if old.padding != new.padding and (
            old.padding.replace(" ", "") != new.padding.replace(" ", "") or size != new_size
        ):
            self.fail("the padding is not as it should be")

    def items(self, old: list[Listing], new: list[Listing], remove: tuple[str, ...]) -> None:
        """Every item that stays is spelled as before, at its place."""
        if len(old) > 1 or len(new) > 1:
            self.fail("a keyword property occurs twice")
        was, now = old[0] if old else Listing(), new[0] if new else Listing()
        unwanted = frozenset(remove)
        kept = [unit for unit in was.units if unit_value(unit) not in unwanted]
        fresh = len(now.units) - len(kept)
        if fresh < 0:
            self.fail("an item is missing")
        at = next((n for n, unit in enumerate(kept) if now.units[n] != unit), len(kept))
        if now.units[:at] + now.units[at + fresh :] != kept:
            self.fail("an item that stays is spelled differently")
        if any(unit_value(unit) is None for unit in now.units[at : at + fresh]):
            self.fail("a new item is not plain")
        if not (old and new) or not was.container_tag:
            return
        if (was.start_tag, was.container_tag, was.around) != (
            now.start_tag,
            now.container_tag,
            now.around,
        ):
            self.fail("the list around the keywords changed")
        if was.units and was.closing != now.closing:
            self.fail("the blanks behind the keywords changed")

    # --- characters -------------------------------------------------------------------------------

    def document(self, text: str, cut: Residue, form: tuple[str, bytes]) -> str:
        """The XML document of a packet, without what follows it, fit for lxml."""
        document = text[: cut.root_end]
        if form[0] == "utf-8":
            if _SURROGATE.search(document):
                self.fail("it is not valid UTF-8")
            return document
        return _SURROGATE.sub("\ufffd", document)

    def decode(self, packet: bytes) -> tuple[str, tuple[str, bytes]]:
        """Text, and encoding with byte order mark."""
        for mark, encoding in (
            (codecs.BOM_UTF32_LE, "utf-32-le"),
            (codecs.BOM_UTF32_BE, "utf-32-be"),
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if packet.startswith(mark):
                return self.characters(packet[len(mark) :], encoding), (encoding, mark)
        head = packet[:4]
        if head[1:4] == b"\0\0\0":
            encoding = "utf-32-le"
        elif head[:3] == b"\0\0\0":
            encoding = "utf-32-be"
        elif head[1:2] == b"\0":
            encoding = "utf-16-le"
        elif head[:1] == b"\0":
            encoding = "utf-16-be"
        else:
            encoding = "utf-8"
        return self.characters(packet, encoding), (encoding, b"")

    def characters(self, body: bytes, encoding: str) -> str:
        """Decode; bytes that are no characters become surrogates, one for one."""
        if encoding == "utf-8":
            return body.decode("utf-8", "surrogateescape")
        unit = 4 if "32" in encoding else 2
        whole = len(body) - len(body) % unit
        rest = body[whole:].decode("latin-1")
        try:
            return body[:whole].decode(encoding, "surrogatepass") + rest
        except UnicodeDecodeError as failure:
            self.fail(f"it is not valid {failure.encoding}")


def _items(values: list[Value]) -> tuple[str, tuple[Value, ...]]:
    """Kind and items of a property's only value; a single text is one item."""
    if not values:
        return "", ()
    kind, value, _ = values[0]
    if kind in {"Bag", "Seq", "Alt"}:
        return kind, value
    if kind == "text" and not str(value).strip():
        return "text", ()
    return kind, (values[0],)
