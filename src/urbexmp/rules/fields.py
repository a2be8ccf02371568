"""Between keywords and the two fields that hold them: what a packet says, and how to edit it.

`lr:hierarchicalSubject` holds the paths; `dc:subject` holds their words, flat, and says nothing of
where each belongs. So a word in `dc:subject` is a keyword of its own only when no path has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from urbexmp.model.change import NOTHING, PacketEdit
from urbexmp.model.keyword import SEPARATOR, Keyword, KeywordFields, fold


@lru_cache(maxsize=1 << 16)
def keyword_of(item: str) -> Keyword | None:
    """The keyword that an item of a field names; None for an item without any name.

    Remembered, because a library says the same few thousand keywords a million times.
    """
    names = tuple(name for name in item.split(SEPARATOR) if name.strip())
    return Keyword.of(names) if names else None


def found_keywords(
    fields: KeywordFields, expected: frozenset[Keyword] = NOTHING
) -> frozenset[Keyword]:
    """The keywords that a packet holds: its paths, and the flat words that are in no path (R16).

    Where `lr:hierarchicalSubject` is absent altogether, a program that knows only `dc:subject`
    has saved the packet; an `expected` keyword whose leaf is still in `dc:subject` counts as
    found, because a field that is not there says nothing about what a person wants (R23).
    """
    paths = {k: k for k in map(keyword_of, fields.hierarchical or ()) if k is not None}
    words = [k for k in map(keyword_of, fields.flat or ()) if k is not None]
    absent = fields.hierarchical is None
    if absent:
        present = {fold(word.leaf) for word in words if len(word.path) == 1}
        for keyword in sorted(expected):
            if len(keyword.path) > 1 and fold(keyword.leaf) in present:
                paths.setdefault(keyword, keyword)
    elements = elements_of(paths)
    found = dict(paths)
    for word in words:
        # A tool that wrote `A|B|C` into dc:subject meant the path.
        if len(word.path) > 1 or word.key[0] not in elements or (absent and word in expected):
            found.setdefault(word, word)
    return frozenset(found.values())


def hinted(
    fields: KeywordFields,
    keywords: frozenset[Keyword],
    flat: str,
    unlisted: frozenset[Keyword],
    least: int = 1,
) -> frozenset[Keyword]:
    """Those of `keywords` that `dc:subject` still tells of in full: every word it got is there.

    The leaf alone would not do: a person may have typed that word as a keyword of its own. Paths
    with fewer words than `least` are left out.
    """
    present = {fold(item) for item in fields.flat or ()}
    told = []
    for keyword in keywords:
        words = {fold(word) for word in flat_words(keyword, flat, unlisted)}
        if words <= present and (len(words) >= least or len(keyword.path) == 1):
            told.append(keyword)
    return frozenset(told)


def unsaid(
    fields: KeywordFields, told: frozenset[Keyword], put_there: Iterable[str]
) -> frozenset[Keyword]:
    """Those of `told` of which a packet says nothing, because the field for them is absent (R23).

    A flat keyword may have stood in `dc:subject` alone, a path in `lr:hierarchicalSubject` alone.
    Only a word that we know was there (`put_there`) and that is not there any more tells that
    somebody took a path out. A packet with neither field holds no keyword, and says so.
    """
    if fields.flat is None and fields.hierarchical is not None:
        return frozenset(keyword for keyword in told if len(keyword.path) == 1)
    if fields.hierarchical is None and fields.flat is not None:
        present = {fold(item) for item in fields.flat}
        taken = {fold(word) for word in put_there} - present
        return frozenset(
            keyword for keyword in told if len(keyword.path) > 1 and keyword.key[-1] not in taken
        )
    return NOTHING


def elements_of(keywords: Iterable[Keyword]) -> frozenset[str]:
    """The folded names that occur anywhere in the paths."""
    return frozenset[str]().union(*[keyword.key for keyword in keywords])


def lists_ancestors(fields: KeywordFields, without: frozenset[Keyword] = NOTHING) -> bool:
    """Whether the packet lists every ancestor of a path as a path of its own, as DxO does.

    Ancestors in `without` may lack: a person took them out, which does not end the custom. A root
    alone shows no custom: a person's flat `Urbex` beside `Urbex|Decay` looks the same.
    """
    paths = {k for k in map(keyword_of, fields.hierarchical or ()) if k is not None}
    above = [node for keyword in paths for node in keyword.ancestors()]
    return any(len(node.path) > 1 and node in paths for node in above) and all(
        node in paths or node in without for node in above
    )


_LARGE = 64
_large_trees: tuple[tuple[frozenset[Keyword], Mapping[tuple[str, ...], str]], ...] = ()
"""Names of the trees that every photo is spelled by, the library's and the taxonomy's."""
_small_tree: tuple[tuple[frozenset[Keyword], Mapping[tuple[str, ...], str]], ...] = ()
"""Those of one photo's own keywords, by which all that is suggested for it is spelled."""


def _names_by_prefix(keywords: frozenset[Keyword]) -> Mapping[tuple[str, ...], str]:
    # Kept by identity: sets that differ in spelling alone are equal, and one photo's spelling
    # must not be taken for another's.
    global _large_trees, _small_tree
    for tree, known in (*_small_tree, *_large_trees):
        if tree is keywords:
            return known
    names: dict[tuple[str, ...], str] = {}
    for keyword in sorted(keywords):
        for length in range(1, len(keyword.path) + 1):
            names.setdefault(keyword.key[:length], keyword.path[length - 1])
    if len(keywords) >= _LARGE:
        _large_trees = ((keywords, names), *_large_trees[:3])
    else:
        _small_tree = ((keywords, names),)
    return names


def respell_path(keyword: Keyword, *known: frozenset[Keyword]) -> Keyword:
    """The keyword with each name spelled as the first of the `known` trees that has it does.

    Lightroom tells `Building` and `building` apart in one place and not in another; two spellings
    of one node in a library end as two nodes (R17).
    """
    trees = [_names_by_prefix(tree) for tree in known]
    names = list(keyword.path)
    for length in range(1, len(names) + 1):
        prefix = keyword.key[:length]
        for tree in trees:
            spelled = tree.get(prefix)
            if spelled is not None:
                names[length - 1] = spelled
                break
    spelling = tuple(names)
    return keyword if spelling == keyword.path else Keyword.of(spelling)


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
    ours: frozenset[str],
    freely: frozenset[Keyword] = NOTHING,
    protected: frozenset[str],
) -> PacketEdit:
    """The items to append and to take out so that the packet holds `found` + `add` - `remove`.

    A flat word goes only when no keyword that stays needs it (R20), when it is not protected
    (R21), and when it is in `ours`, the words that we added, or belongs to a keyword in `freely`,
    which a person took out. Words already there are not added in another spelling.

    A keyword that would no longer be read from the packet gets an item of its own in
    `lr:hierarchicalSubject`: a person's flat `Hospital` once a path contains that name, and paths
    that only `dc:subject` still told of, once the field is there again.
    """
    stays = (found - remove) | add
    hierarchical_remove = _unique(
        item for item in fields.hierarchical or () if keyword_of(item) in remove
    )
    # Words of an untouched flat keyword are needed too: it has no path that would show them.
    kept = elements_of(stays) | {fold(word) for word in protected}
    may_go = (elements_of(remove) & {fold(word) for word in ours}) | elements_of(freely)
    going = may_go - kept
    flat_remove = _unique(item for item in fields.flat or () if _goes(item, remove, going))
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
    edit = PacketEdit(tuple(flat_add), flat_remove, hierarchical_add, hierarchical_remove)
    return edit if edit.empty else _keep_readable(fields, edit, stays)


def _keep_readable(
    fields: KeywordFields, edit: PacketEdit, stays: frozenset[Keyword]
) -> PacketEdit:
    while True:
        hidden = stays - found_keywords(after_edit(fields, edit), stays)
        if not hidden:
            return edit
        items = tuple(str(keyword) for keyword in sorted(hidden))
        edit = replace(edit, hierarchical_add=edit.hierarchical_add + items)


def _goes(item: str, remove: frozenset[Keyword], going: frozenset[str]) -> bool:
    keyword = keyword_of(item)
    if keyword is None:
        return False
    return keyword in remove if len(keyword.path) > 1 else fold(item) in going


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
