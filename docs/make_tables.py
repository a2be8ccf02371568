"""Write the tables of docs/profiles.md and docs/exit-codes.md from what the program knows."""

from __future__ import annotations

from collections.abc import Iterator

from blocks import ROOT, filled, store

PROFILES = ROOT / "docs" / "profiles.md"
EXIT_CODES = ROOT / "docs" / "exit-codes.md"


def problems() -> Iterator[type]:
    """Yield every kind of problem, by number."""
    import urbexmp.model.stage_errors  # noqa: F401  (so that its kinds exist)
    from urbexmp.model.errors import Problem

    def below(kind: type) -> Iterator[type]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    # A kind that keeps the word of the one above it is the same thing, told more closely.
    ours = (
        kind
        for kind in below(Problem)
        if kind.__module__.startswith("urbexmp.") and kind.slug != kind.__mro__[1].slug  # type: ignore[attr-defined]
    )
    yield from sorted(ours, key=lambda kind: (kind.code, kind.slug))  # type: ignore[attr-defined]


def problem_table() -> str:
    """Return the table of numbers, slugs and meanings."""
    rows = ["| code | slug | meaning |", "|---|---|---|"]
    for kind in problems():
        meaning = (kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        rows.append(f"| {kind.code} | `{kind.slug}` | {meaning} |")  # type: ignore[attr-defined]
    return "\n" + "\n".join(rows) + "\n\n"


def key_table() -> str:
    """Return the table of profile keys."""
    from urbexmp.rules.profile_keys import reference

    rows = [
        "| key | default | may be | flag | environment | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for key, default in reference():
        by_stage = key.kind == "numbers by stage"
        cells = (
            f"`{key.name}`",
            f"`{default}`",
            key.allowed,
            f"`{key.flag_name}{'.STAGE' if by_stage else ''}`",
            "" if by_stage else f"`{key.env}`",
            key.help,
        )
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n" + "\n".join(rows) + "\n\n"


if __name__ == "__main__":
    store(EXIT_CODES, filled(EXIT_CODES, "problems", problem_table()))
    store(PROFILES, filled(PROFILES, "keys", key_table()))
