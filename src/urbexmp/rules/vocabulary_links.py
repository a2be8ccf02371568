"""How the terms of a vocabulary hang together: implications, exclusive groups, blind views."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from urbexmp.model.keyword import Keyword
from urbexmp.rules.terms import Term


class Links:
    """The graph of one vocabulary. `where` gives the place of each term in the file."""

    def __init__(self, terms: Mapping[Keyword, Term], where: Mapping[Keyword, int]) -> None:
        self._terms = terms
        self._order = sorted(terms, key=lambda keyword: where[keyword])
        self._closed: dict[Keyword, frozenset[Keyword]] = {}
        # The terms above each term, nearest first, without making a Keyword a time: this is
        # asked thousands of times while a vocabulary is loaded.
        by_key = {keyword.key: keyword for keyword in terms}
        self._above = {
            keyword: tuple(
                by_key[keyword.key[:depth]]
                for depth in range(len(keyword.key) - 1, 0, -1)
                if keyword.key[:depth] in by_key
            )
            for keyword in terms
        }

    def implied(self) -> dict[Keyword, frozenset[Keyword]]:
        """Map each term to all that it implies by others, where it implies anything.

        A term also implies what the terms above it imply.
        """
        found = {}
        for keyword in self._order:
            closed = self._close(keyword)
            if closed:
                found[keyword] = closed
        return found

    def groups(self) -> dict[Keyword, str]:
        """Map each term to its exclusive group, which it has from a term above it as well."""
        return {keyword: name for keyword in self._order if (name := self._group(keyword))}

    def blind_views(self) -> dict[Keyword, frozenset[str]]:
        """Map each term to the views that cannot show it; the nearest term above that says
        something decides, so an empty list lifts what the branch forbids."""
        written = {key for key, term in self._terms.items() if term.not_in_view is not None}
        found = {}
        for keyword in self._order:
            for node in (keyword, *self._above[keyword]):
                if node in written:
                    views = self._terms[node].not_in_view
                    if views:
                        found[keyword] = frozenset(views)
                    break
        return found

    def mistakes(self, lenient: Collection[Keyword]) -> Iterator[tuple[Keyword, str, str]]:
        """Yield what is wrong, with the term and the key at fault.

        Terms in `lenient` have been reported already.
        """
        for keyword in self._order:
            if keyword in lenient:
                continue
            for other in self._terms[keyword].implies:
                if other not in self._terms:
                    yield (
                        keyword,
                        "implies",
                        f"implies {other}, which is not a term{self._hint(other)}",
                    )
                elif keyword == other or keyword.is_under(other):
                    yield keyword, "implies", f"implies {other}, which is itself or above it anyway"
        yield from self._cycles()
        yield from self._bad_groups()

    def _close(self, keyword: Keyword) -> frozenset[Keyword]:
        known = self._closed.get(keyword)
        if known is not None:
            return known
        found: set[Keyword] = set()
        waiting = self._beside(keyword)
        while waiting:
            other = waiting.pop()
            if other in found or other not in self._terms or keyword.is_under(other):
                continue
            found.add(other)
            waiting += self._beside(other)
        closed = frozenset(found)
        self._closed[keyword] = closed
        return closed

    def _beside(self, keyword: Keyword) -> list[Keyword]:
        direct = list(self._terms[keyword].implies)
        for node in self._above[keyword]:
            direct += self._terms[node].implies
        return direct

    def _group(self, keyword: Keyword) -> str | None:
        for node in (keyword, *self._above[keyword]):
            if self._terms[node].exclusive:
                return self._terms[node].exclusive
        return None

    def _cycles(self) -> Iterator[tuple[Keyword, str, str]]:
        """A ring of implications; being below a term counts as implying it."""
        done: set[Keyword] = set()
        for start in self._order:
            if start in done or not self._terms[start].implies:
                continue
            trail: list[Keyword] = []
            yield from self._walk(start, trail, done)

    def _walk(
        self, keyword: Keyword, trail: list[Keyword], done: set[Keyword]
    ) -> Iterator[tuple[Keyword, str, str]]:
        if keyword in trail:
            ring = [*trail[trail.index(keyword) :], keyword]
            said = " -> ".join(str(node) for node in ring)
            yield keyword, "implies", f"implications run in a circle: {said}"
            return
        if keyword in done or keyword not in self._terms:
            return
        trail.append(keyword)
        for other in self._terms[keyword].implies:
            if not keyword.is_under(other):
                yield from self._walk(other, trail, done)
        for above in self._above[keyword][:1]:
            yield from self._walk(above, trail, done)
        trail.pop()
        done.add(keyword)

    def _bad_groups(self) -> Iterator[tuple[Keyword, str, str]]:
        members: dict[str, list[Keyword]] = {}
        for keyword in self._order:
            name = self._terms[keyword].exclusive
            if name:
                members.setdefault(name, []).append(keyword)
        for name, group in members.items():
            if len(group) == 1:
                yield group[0], "exclusive", f"exclusive group {name!r} has only this term"
            for keyword in group:
                for other in group:
                    if keyword != other and (
                        keyword.is_under(other) or other in self._close(keyword)
                    ):
                        said = f"holds wherever {keyword} does, yet both are in group {name!r}"
                        yield keyword, "exclusive", f"{other} {said}"

    def _hint(self, missing: Keyword) -> str:
        from difflib import get_close_matches

        near = get_close_matches(str(missing), [str(one) for one in self._terms], n=1, cutoff=0.6)
        return f" (did you mean {near[0]}?)" if near else ""
