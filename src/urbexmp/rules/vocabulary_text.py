"""A vocabulary as text for people: the tree, what a label means, and a TOML file from a list."""

from __future__ import annotations

import json
from collections.abc import Iterator

from urbexmp.model.keyword import Keyword
from urbexmp.rules.keyword_list import KeywordList
from urbexmp.rules.terms import Guard, Meaning, Taxonomy, Term

_GUARDS = {
    Guard.PEOPLE: "People are never made a keyword: models see them in empty rooms.",
    Guard.CAMERA: "Words about the picture or the camera are never made a keyword.",
    Guard.IGNORED: "It says nothing about a place, and is left out.",
}


def tree_lines(taxonomy: Taxonomy, under: Keyword | None, depth: int | None) -> Iterator[str]:
    """Yield the terms as an indented tree; `[name]` is a grouping node."""
    top = len(under.path) if under else 1
    for keyword, term in taxonomy.terms.items():
        level = len(keyword.path) - top
        if under is not None and not keyword.is_under(under):
            continue
        if depth is not None and level >= depth:
            continue
        name = keyword.leaf if term.export else f"[{keyword.leaf}]"
        yield f"{'  ' * level}{name}"


def explain(label: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Say what a label of a model, or a word of a person, means here."""
    meanings = taxonomy.lookup(label)
    lines = [line for meaning in meanings for line in _explained(meaning, taxonomy)]
    for sense in taxonomy.lookup_senses(label):
        company = ", ".join(str(one) for one in sense.company)
        lines.append(f"{label!r} may mean {sense.keyword},")
        lines.append(f"  where the photo also shows one of: {company}")
    guard = taxonomy.guard(label)
    if guard is not None and not meanings:
        lines.append(f"{label!r} has no term. {_GUARDS[guard]}")
    if lines:
        return tuple(lines)
    near = taxonomy.near(label)
    hint = f" Words like it: {', '.join(near)}." if near else ""
    return (f"{label!r} has no term; it would be listed as unmapped.{hint}",)


def _explained(meaning: Meaning, taxonomy: Taxonomy) -> Iterator[str]:
    term = taxonomy.terms[meaning.keyword]
    yield f"{term.keyword}  (by {meaning.how})"
    yield from (f"  {line}" for line in _facts(term, taxonomy))


def _facts(term: Term, taxonomy: Taxonomy) -> Iterator[str]:
    if term.synonyms:
        yield f"synonyms: {', '.join(term.synonyms)}"
    if term.labels:
        yield f"labels: {', '.join(term.labels)}"
    if term.place is not None:
        yield f"a sort of place; also: {', '.join(term.place) or '-'}"
    if term.prompts:
        yield f"prompts: {'; '.join(term.prompts)}"
    if term.thresholds:
        told = ", ".join(f"{stage} {score:g}" for stage, score in sorted(term.thresholds.items()))
        yield f"thresholds: {told}"
    implied = taxonomy.implied.get(term.keyword)
    if implied:
        yield f"implies: {', '.join(str(one) for one in sorted(implied))}"
    group = taxonomy.groups.get(term.keyword)
    if group:
        yield f"one of the group {group!r} at most"
    if term.condition is not None:
        severity = f", severity {term.severity}" if term.severity else ""
        yield f"condition: takes {term.condition:g} %{severity}"
    if term.era:
        yield f"era: {term.era}"


def list_as_toml(listed: KeywordList) -> str:
    """Return a keyword list as the TOML of a taxonomy, to be filled in by hand."""
    parts = []
    for entry in listed.entries:
        lines = ["[[term]]", f"path = {_quoted(str(entry.keyword))}"]
        if entry.synonyms:
            lines.append(f"synonyms = [{', '.join(_quoted(name) for name in entry.synonyms)}]")
        if not entry.export:
            lines.append("export = false")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which no keyword name may hold.
    return json.dumps(text, ensure_ascii=False)
