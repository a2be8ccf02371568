"""Between keywords and the two fields that hold them: what a packet says, and how to edit it.

`lr:hierarchicalSubject` holds the paths; `dc:subject` holds their words, flat, and says nothing of
where each belongs. So a word in `dc:subject` is a keyword of its own only when no path has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from urbexmp.model.change import NOTHING, PacketEdit
from urbexmp.model.keyword import SEPARATOR, Keyword, KeywordFields, fold


@lru_cache(maxsize=1 << 16)
def keyword_of(item: str) -> Keyword | None:
    """The keyword that an item of a field names; None for an item without any name.

    Remembered, because a library says the same few thousand keywords a million times.
    """
    names = tuple(name for name in item.split(SEPARATOR) if name.strip())
    return Keyword(names) if names else None


def found_keywords(
    fields: KeywordFields, expected: frozenset[Keyword] = NOTHING
) -> frozenset[Keyword]:
    """The keywords that a packet holds: its paths, and the flat words that are in no path (R16).

    Where `lr:hierarchicalSubject` is absent altogether, a program that knows only `dc:subject`
    has saved the packet; an `expected` path whose leaf is still in `dc:subject` counts as found,
    because a field that is not there says nothing about what a person wants (R23).
    """
    paths = {k: k for k in map(keyword_of, fields.hierarchical or ()) if k is not None}
    words = [k for k in map(keyword_of, fields.flat or ()) if k is not None]
    if fields.hierarchical is None:
        present = {fold(word.leaf) for word in words if len(word.path) == 1}
        for keyword in sorted(expected):
            if len(keyword.path) > 1 and fold(keyword.leaf) in present:
                paths.setdefault(keyword, keyword)
    elements = elements_of(paths)
    found = dict(paths)
    for word in words:
        # A tool that wrote `A|B|C` into dc:subject meant the path.
        if len(word.path) > 1 or word.key[0] not in elements:
            found.setdefault(word, word)
    return frozenset(found.values())


def elements_of(keywords: Iterable[Keyword]) -> frozenset[str]:
    """The folded names that occur anywhere in the paths."""
    return frozenset(name for keyword in keywords for name in keyword.key)


def lists_ancestors(fields: KeywordFields) -> bool:
    """Whether the packet lists every ancestor of a path as a path of its own, as DxO does."""
    paths = {k for k in map(keyword_of, fields.hierarchical or ()) if k is not None}
    deep = [keyword for keyword in paths if len(keyword.path) > 1]
    return bool(deep) and all(set(keyword.ancestors()) <= paths for keyword in deep)


@lru_cache(maxsize=8)
def _names_by_prefix(keywords: frozenset[Keyword]) -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for keyword in sorted(keywords):
        for length in range(1, len(keyword.path) + 1):
            names.setdefault(keyword.key[:length], keyword.path[length - 1])
    return names


def respell_path(keyword: Keyword, *known: frozenset[Keyword]) -> Keyword:
    """The keyword with each name spelled as the first of the `known` trees that has it does.

    Lightroom tells `Building` and `building` apart in one place and not in another; two spellings
    of one node in a library end as two nodes (R17).
    """
    names = list(keyword.path)
    for length in range(1, len(names) + 1):
        prefix = keyword.key[:length]
        for tree in known:
            spelled = _names_by_prefix(tree).get(prefix)
            if spelled is not None:
                names[length - 1] = spelled
                break
    return Keyword(tuple(names))


def flat_words(keyword: Keyword, flat: str, unlisted: frozenset[Keyword]) -> tuple[str, ...]:
    """The words of `dc:subject` that a path stands for, from the root down (R14).

    `flat` is the profile's choice: `leaf+ancestors`, `leaf`, `none`. Nodes in `unlisted` only
    group others and are not put there.
    """
    if flat == "none":
        return ()
    nodes = (keyword,) if flat == "leaf" else (*keyword.ancestors(), keyword)
    return tuple(node.leaf for node in nodes if node not in unlisted)


def edit_fields(
    fields: KeywordFields,
    found: frozenset[Keyword],
    add: frozenset[Keyword],
    remove: frozenset[Keyword],
    *,
    flat: str,
    unlisted: frozenset[Keyword],
    ours: frozenset[str] | None,
    protected: frozenset[str],
) -> PacketEdit:
    """The items to append and to take out so that the packet holds `found` + `add` - `remove`.

    A flat word goes only when no path that stays needs it (R20), when it is not protected (R21),
    and when it is in `ours`, the words that we added; `ours` None is a person's own removal,
    where every word of the path may go. Words already there are not added in another spelling.
    """
    stays = (found - remove) | add
    hierarchical_remove = _unique(
        item for item in fields.hierarchical or () if keyword_of(item) in remove
    )
    # Words of an untouched flat keyword are needed too: it has no path that would show them.
    needed = elements_of(stays)
    going = elements_of(remove) - needed - {fold(word) for word in protected}
    our_words = None if ours is None else {fold(word) for word in ours}
    flat_remove = _unique(
        item for item in fields.flat or () if _goes(item, remove, going, our_words)
    )
    kept_paths = {
        keyword_of(item) for item in fields.hierarchical or () if item not in hierarchical_remove
    }
    ordered = sorted(add)
    hierarchical_add = tuple(str(keyword) for keyword in ordered if keyword not in kept_paths)
    present = {fold(item) for item in fields.flat or () if item not in flat_remove}
    flat_add: list[str] = []
    for keyword in ordered:
        for word in flat_words(keyword, flat, unlisted):
            if fold(word) not in present:
                present.add(fold(word))
                flat_add.append(word)
    return PacketEdit(tuple(flat_add), flat_remove, hierarchical_add, hierarchical_remove)


def _goes(
    item: str, remove: frozenset[Keyword], going: frozenset[str], ours: set[str] | None
) -> bool:
    keyword = keyword_of(item)
    if keyword is None:
        return False
    if len(keyword.path) > 1:
        return keyword in remove
    return fold(item) in going and (ours is None or fold(item) in ours)


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def after_edit(fields: KeywordFields, edit: PacketEdit) -> KeywordFields:
    """The fields as they stand once `edit` is done: what the editor's result must read as."""

    def done(
        items: tuple[str, ...] | None, remove: tuple[str, ...], add: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        kept = tuple(item for item in items or () if item not in remove) + add
        return kept if kept or items is not None else None

    return KeywordFields(
        done(fields.flat, edit.flat_remove, edit.flat_add),
        done(fields.hierarchical, edit.hierarchical_remove, edit.hierarchical_add),
    )
