"""What `doctor` looks at. Each check says what it found and, where needed, what to do."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from urbexmp import __version__
from urbexmp.adapters import probe
from urbexmp.cli.options import OTHER_VARIABLES, Choices
from urbexmp.model.errors import Problem
from urbexmp.model.profile import Settings

Level = Literal["ok", "note", "bad"]

REQUIRED = (
    "click",
    "exifread",
    "lxml",
    "numpy",
    "pillow",
    "platformdirs",
    "pyexiv2",
    "rich",
    "tomlkit",
    "watchfiles",
)
OPTIONAL = {"rawpy": "decodes raw files that hold no preview: pip install 'urbexmp[raw]'"}

LEAST_FREE = 200 * 2**20
"""Bytes: below this a run over a large library may fill the disk with backups."""

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock before this is wrong: this program did not exist then."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `note` is worth knowing, `bad` needs doing."""

    name: str
    told: str
    level: Level = "ok"
    advice: str = ""
    paths: tuple[Path, ...] = ()
    """The files it is about, where they are many."""


def all_checks(choices: Choices, root: Path) -> Iterator[Check]:
    """Every check, for the library at `root`. Raises nothing that a person could cause."""
    yield from _versions()
    settings: Settings | None = None
    try:
        from urbexmp.cli.options import load, profile_path

        settings = load(choices)
        path = profile_path(choices.profile)
        yield Check("profile", f"{settings.profile.name} ({path})")
    except Problem as problem:
        yield _bad("profile", problem)
    yield from _variables()
    yield from _folders(choices, root)
    yield from _library(root)
    if settings:
        words = tuple(_taxonomy(settings))
        yield from words
        if all(check.level == "ok" for check in words):  # else each stage would say the same
            yield from _stages(choices, settings)
        yield from _server(choices, settings)
        yield from _catalog(settings)
        yield from _sight(settings)
    yield from _ledger(choices, root)


def preflight_checks(choices: Choices, settings: Settings) -> Iterator[Check]:
    """What a run needs of its stages: that they can look, and that their servers answer."""
    words = tuple(_taxonomy(settings))
    yield from words
    if all(check.level == "ok" for check in words):
        yield from _stages(choices, settings)
    yield from _server(choices, settings)


def _bad(name: str, problem: Problem) -> Check:
    what, _, advice = problem.sentences
    return Check(name, f"{problem.subject}: {what}", "bad", advice)


def _versions() -> Iterator[Check]:
    yield Check("urbexmp", __version__)
    yield Check("python", f"{platform.python_version()} ({sys.executable})")
    yield Check("system", platform.platform())
    for package in REQUIRED:
        found = probe.version_of(package)
        if found:
            yield Check(package, found)
        else:
            yield Check(package, "not installed", "bad", f"pip install {package}")
    for package, what in OPTIONAL.items():
        found = probe.version_of(package)
        yield Check(
            package, found or f"not installed (optional; {what})", "ok" if found else "note"
        )
    exiftool = probe.program_version("exiftool", "-ver")
    yield Check("exiftool", exiftool or "not installed (optional; never needed)")


def _variables() -> Iterator[Check]:
    from urbexmp.rules.profile_keys import env_mistakes

    for sentence in env_mistakes(os.environ, OTHER_VARIABLES):
        yield Check("environment", sentence, "note", "Correct its name or unset it")


def _folders(choices: Choices, root: Path) -> Iterator[Check]:
    from urbexmp.adapters.dirs import config_folder
    from urbexmp.app import state_base, state_paths
    from urbexmp.cli.log import log_path

    config = config_folder(os.environ)
    yield _writable("settings", config, needed=False)
    base = state_base(choices.state)
    yield _writable("state", base, needed=True)
    paths = state_paths(root, choices.state)
    yield Check("ledger", f"{paths.ledger}{'' if paths.ledger.exists() else ' (not made yet)'}")
    log = log_path()
    size = f"{log.stat().st_size:,} bytes" if log.exists() else "empty"
    yield Check("log", f"{log} ({size})")
    kind = probe.filesystem(base)
    if kind in probe.NETWORK_FILESYSTEMS:
        yield Check(
            "state",
            f"lies on a network share ({kind}), where locks and the ledger are not safe",
            "bad",
            "Choose a folder on a local disk with --state or URBEXMP_STATE",
        )
    if base.absolute().is_relative_to(root):
        yield Check(
            "state",
            "lies inside the library",
            "note",
            "Another folder is better: choose one with --state or URBEXMP_STATE",
        )
    holder = probe.lock_holder(paths.lock)
    yield Check("lock", f"held by process {holder}" if holder else "free")


def _writable(name: str, folder: Path, *, needed: bool) -> Check:
    missing = "" if folder.exists() else " (not made yet)"
    if not probe.writable(folder):
        level: Level = "bad" if needed else "note"
        return Check(name, f"{folder} cannot be written", level, "Correct its permissions")
    free = probe.free_bytes(folder)
    if needed and free is not None and free < LEAST_FREE:
        told = f"{folder}: only {free / 2**20:,.0f} MB free"
        return Check(name, told, "bad", "Free some space, or choose another folder with --state")
    space = f", {free / 2**30:,.1f} GB free" if needed and free is not None else ""
    return Check(name, f"{folder}{missing}, writable{space}")


def _library(root: Path) -> Iterator[Check]:
    if not root.is_dir():
        yield Check(
            "library", f"{root} is no folder", "bad", "Mount the volume or correct the path"
        )
        return
    kind = probe.filesystem(root)
    matters = probe.case_matters(root)
    told = [str(root), kind or "filesystem unknown"]
    told.append(
        {True: "case matters", False: "case does not matter", None: "case unknown"}[matters]
    )
    yield Check("library", ", ".join(told))
    if not os.access(root, os.R_OK | os.X_OK):
        yield Check("library", "cannot be read", "bad", "Correct its permissions")
    elif not os.access(root, os.W_OK):
        advice = "Sidecars cannot be written there: correct the permissions"
        yield Check("library", "cannot be written", "bad", advice)
    if kind in probe.NETWORK_FILESYSTEMS:
        yield Check(
            "library",
            f"lies on a network share ({kind})",
            "note",
            "It works; after a power failure the last writes may be missing there",
        )
    free = probe.free_bytes(root)
    if free is not None and free < LEAST_FREE:
        told_free = f"only {free / 2**20:,.0f} MB free on its disk"
        yield Check("library", told_free, "bad", "Free some space there")


def _taxonomy(settings: Settings) -> Iterator[Check]:
    from urbexmp.app import open_taxonomy

    try:
        taxonomy = open_taxonomy(settings.profile)
    except Problem as problem:
        yield _bad("taxonomy", problem)
    else:
        yield Check("taxonomy", f"{settings.profile.taxonomy}, {len(taxonomy.terms):,} terms")


def _stages(choices: Choices, settings: Settings) -> Iterator[Check]:
    """The profile's stages; what is optional, or may be skipped, is a note where it is missing."""
    from urbexmp.app_stages import stage_states

    profile = settings.profile
    for each in stage_states(profile, choices.state):
        if not each.listed:
            continue
        if each.problem is None:
            yield Check("stage", f"{each.id} is ready")
            continue
        what, _, advice = each.problem.sentences
        may_lack = each.name in profile.optional or profile.without == "skip"
        yield Check("stage", f"{each.name}: {what}", "note" if may_lack else "bad", advice)


def _server(choices: Choices, settings: Settings) -> Iterator[Check]:
    """Servers of `vlm` and `google_vision`: a few questions, and a drawing to look at."""
    profile = settings.profile
    if not {"vlm", "google_vision"} & set(profile.stages):
        return
    from urbexmp.app_vlm import try_google, try_server

    levels: dict[str, Level] = {"ok": "ok", "note": "note"}
    for tried in (*try_server(profile, choices.state), *try_google(profile)):
        yield Check("server", tried.told, levels.get(tried.level, "bad"), tried.advice)


def _catalog(settings: Settings) -> Iterator[Check]:
    from urbexmp.cli.lightroom import open_catalog_note

    if not settings.profile.catalog:
        yield Check("lightroom", "no catalog named (profile key catalog)")
    elif not Path(settings.profile.catalog).is_file():
        told = f"{settings.profile.catalog}: there is no such catalog"
        yield Check("lightroom", told, "note", "Correct it with `urbexmp profile set catalog PATH`")
    elif note := open_catalog_note(settings.profile):
        yield Check("lightroom", note, "note")
    else:
        yield Check("lightroom", f"{settings.profile.catalog} is closed")


def _sight(settings: Settings) -> Iterator[Check]:
    """Each choice that keeps keywords from Lightroom; a note where it is not the default."""
    from urbexmp.rules.sight import hidden

    for told, setting, usual in hidden(settings.profile):
        if usual:
            yield Check("lightroom", f"{told} ({setting} changes that)")
        else:
            key, value = setting.replace('"', "").split(" = ")
            yield Check("lightroom", told, "note", f"`urbexmp profile set {key} {value}`")


def _spared(found: Sequence[tuple[Path, tuple[str, ...]]]) -> Iterator[Check]:
    """Photos whose keywords Lightroom cannot see because of the file, as the last run met them."""
    from urbexmp.rules.render import counted
    from urbexmp.rules.sight import advice, told

    by_reason: dict[str, list[Path]] = {}
    for path, reasons in found:
        for reason in reasons:
            by_reason.setdefault(reason, []).append(path)
    for reason, paths in sorted(by_reason.items()):
        said = f"{counted(len(paths), 'photo')} with keywords in the sidecar alone: {told(reason)}"
        yield Check("not embedded", said, "note", advice(reason), tuple(paths))


def _ledger(choices: Choices, root: Path) -> Iterator[Check]:
    """The ledger is opened to read only, so that a look at it cannot change it."""
    from urbexmp.app import state_paths
    from urbexmp.cli.ledger import reading

    now = datetime.now(UTC)
    if now < BUILT:
        yield Check("clock", f"says {now:%Y-%m-%d}", "bad", "Set the clock of this machine")
    path = state_paths(root, choices.state).ledger
    if not path.exists():
        yield Check("known", "nothing yet: no run wrote to this library")
        return
    try:
        with reading(root, choices.state) as ledger:
            faults = ledger.faults()
            known = ledger.known_count(root)
            held = len(ledger.held())
            left = len(ledger.intents())
            last = ledger.runs(1)
            spared = tuple(ledger.spared(root))
    except Problem as problem:
        yield _bad("ledger", problem)
        return
    if faults:
        yield Check(
            "ledger",
            f"is damaged: {faults[0]}",
            "bad",
            f"Move {path} away; what was ours and what was refused is read back from the packets",
        )
    yield Check("known", f"{known:,} photos, {held:,} suggestions waiting for you")
    yield from _spared(spared)
    if left and not probe.lock_holder(state_paths(root, choices.state).lock):
        told = f"{left:,} writes of a stopped run are not settled"
        yield Check("ledger", told, "note", "The next `urbexmp sync` puts that right by itself")
    if last and last[0].started > f"{now:%Y-%m-%dT%H:%M:%SZ}":
        told = f"the last run began at {last[0].started}, which is still to come"
        yield Check("clock", told, "bad", "Set the clock of this machine")
