"""Running a command on each library that the given paths belong to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from urbexmp.cli.console import console_for
from urbexmp.cli.options import Choices
from urbexmp.model.errors import Problem, UsageProblem
from urbexmp.model.report import EXIT_DONE, EXIT_EDITS_FOUND, EXIT_SOME_FAILED

Deal = Callable[[Path, list[Path]], int]


def each_library(choices: Choices, paths: Sequence[Path], deal: Deal) -> int:
    """Call `deal` with every library's root and paths; return the exit code of all together.

    One library that fails does not keep the next from its turn.
    """
    from urbexmp.app import library_roots

    libraries = library_roots(paths or (Path(),), choices.state)
    if len(libraries) == 1:
        return deal(*libraries[0])
    codes: list[int] = []
    for root, below in libraries:
        if not choices.json and not choices.quiet:
            print(f"{root}:", file=sys.stderr)
        try:
            codes.append(deal(root, below))
        except Problem as problem:
            console_for(choices).trouble(problem)
            if choices.json:
                from urbexmp.rules.render_json import line, of_library, problem_data

                print(line(of_library(problem_data(problem, root), root)), flush=True)
            codes.append(problem.code)
        if codes[-1] >= 128:
            break
    return joint_code(codes)


def one_library(choices: Choices, paths: Sequence[Path]) -> tuple[Path, list[Path]]:
    """The one library that all paths belong to. Raises `UsageProblem` when there are several."""
    from urbexmp.app import library_roots

    libraries = library_roots(paths or (Path(),), choices.state)
    if len(libraries) > 1:
        named = ", ".join(str(root) for root, _ in libraries)
        raise UsageProblem("these paths", f"belong to several libraries: {named}", "Name one")
    return libraries[0]


def named_library(choices: Choices, folder: Path | None) -> tuple[Path, list[Path]]:
    """As `one_library`, for a folder that a person names to be told of its library.

    Raises `LibraryGone` for one that is not there, unless it is that of a volume that went away:
    of that the state still tells.
    """
    from urbexmp.app import state_paths
    from urbexmp.model.errors import LibraryGone

    root, below = one_library(choices, (folder,) if folder else ())
    known = state_paths(root, choices.state).ledger.exists()
    if not below[0].exists() and (root.is_dir() or not known):
        raise LibraryGone(below[0], detail="is not there")
    return root, below


def joint_code(codes: Sequence[int]) -> int:
    """The exit code of several libraries together."""
    for code in codes:
        if code >= 128:
            return code
    serious = {code for code in codes if code > EXIT_EDITS_FOUND}
    if not serious:
        return max(codes, default=EXIT_DONE)
    return serious.pop() if set(codes) == serious and len(serious) == 1 else EXIT_SOME_FAILED
