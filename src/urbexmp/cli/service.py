"""`urbexmp watch --install-service`: keep a watch running from log-in to log-out."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.cli.options import PROFILE_VARIABLE, Choices, load, profile_path
from urbexmp.model.errors import UsageProblem, WriteFailed

if TYPE_CHECKING:
    from urbexmp.rules.service_units import Service

_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""Variables with such names never go into a file that others can read."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A service as one system keeps it."""

    path: Path
    content: bytes
    shown: str
    """The content as text."""
    next_steps: tuple[str, ...]
    """Commands that a person runs next."""


def install(
    choices: Choices,
    roots: Sequence[Path],
    *,
    print_only: bool,
    extra: Sequence[str] = (),
    platform: str = sys.platform,
) -> int:
    """Show the service for a watch over `roots`, and unless `print_only` put it in its place.

    `extra` are words that the watch gets beside those of `choices`, as `--poll`. It is written
    to the user's own place and started by nothing yet: the next commands are said. Returns the
    exit code. Raises `ConfigProblem`, `UsageProblem`, `WriteFailed`.
    """
    settings = load(choices)
    folders = [Path(os.path.abspath(root)) for root in roots or (Path.cwd(),)]  # noqa: PTH100
    for folder in folders:
        if not folder.is_dir():
            raise UsageProblem(
                folder,
                "is no folder" if folder.exists() else "is not there",
                "Name the folders to watch; mount what is not mounted first",
            )
    service = _service(choices, folders, extra, settings.profile.nice)
    try:
        unit = make_unit(service, platform, os.environ, Path.home())
    except ValueError as failure:
        raise UsageProblem("--install-service", str(failure), "Rename the folder") from failure
    if print_only:
        sys.stdout.write(unit.shown)
        return 0
    print(f"{unit.path}:\n")
    print("\n".join(f"    {line}" if line else "" for line in unit.shown.splitlines()))
    print()
    if platform == "win32":
        _create_task(service.name, unit)
        print(f"Made the task {service.name}.")
    else:
        print(f"{_put(unit)} {unit.path}.")
    print("Next:" if len(unit.next_steps) == 1 else "Next, in this order:")
    for step in unit.next_steps:
        print(f"    {step}")
    if platform == "win32" and service.environment:
        names = ", ".join(sorted(service.environment))
        print(f"A task knows no variables of this window: set {names} for your account (setx).")
    return 0


def make_unit(service: Service, platform: str, environ: Mapping[str, str], home: Path) -> Unit:
    """The service as the system of that name keeps it. Raises `ValueError`."""
    from urbexmp.rules.service_units import LABEL, launchd_job, systemd_unit, windows_task

    if platform == "win32":
        domain = environ.get("USERDOMAIN", "")
        user = environ.get("USERNAME") or getpass.getuser()
        content = windows_task(service, f"{domain}\\{user}" if domain else user)
        path = Path(f"Task Scheduler, {service.name}")
        step = f'schtasks /Run /TN "{service.name}"'
        return Unit(path, content, content.decode("utf-16").replace("\r\n", "\n"), (step,))
    if platform == "darwin":
        path = home / "Library" / "LaunchAgents" / f"{LABEL}{service.name}.plist"
        content = launchd_job(service)
        step = f"launchctl bootstrap gui/$(id -u) {shlex.quote(str(path))}"
        return Unit(path, content, content.decode(), (step,))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    path = config / "systemd" / "user" / f"{service.name}.service"
    text = systemd_unit(service)
    steps = (
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {service.name}",
        "loginctl enable-linger    # only if it shall run while you are logged out",
    )
    return Unit(path, text.encode(), text, steps)


def _service(choices: Choices, folders: Sequence[Path], extra: Sequence[str], nice: int) -> Service:
    from urbexmp.app import library_root, state_paths
    from urbexmp.rules.service_units import Service

    state = state_paths(library_root(folders[0], choices.state), choices.state)
    options: list[str] = []
    if choices.profile or os.environ.get(PROFILE_VARIABLE):
        path = profile_path(choices.profile)
        named = choices.profile or os.environ[PROFILE_VARIABLE]
        is_path = named.endswith(".toml") or "/" in named or os.sep in named
        options += ["--profile", os.path.abspath(path) if is_path else named]  # noqa: PTH100
    if choices.state is not None:
        options += ["--state", str(choices.state.absolute())]
    for key, value in choices.flags.items():
        if value is not None:
            options += ["--set", f"{key}={_flag_text(key, value)}"]
    return Service(
        name=_name(state.folder.name),
        command=(*program(sys.argv[0]), "watch", *options, *extra, "--", *map(str, folders)),
        what=", ".join(map(str, folders)),
        nice=nice,
        environment=_environment(os.environ),
        log=str(state.folder / "service.txt"),
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the watch must find as it is now: our own variables, and where Python finds us."""
    found = {
        name: value
        for name, value in environ.items()
        if name.startswith("URBEXMP_")
        and name != PROFILE_VARIABLE
        and not any(word in name for word in _SECRET)
    }
    if modules := environ.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, modules.split(os.pathsep)))
    return found


def program(argument: str) -> tuple[str, ...]:
    """How a service starts urbexmp: as the command was started, by full paths."""
    started = Path(os.path.abspath(argument))  # noqa: PTH100  (a link of pipx stays a link)
    if started.stem == "urbexmp" and started.suffix in ("", ".exe") and started.is_file():
        return (str(started),)
    return (sys.executable, "-m", "urbexmp")


def _flag_text(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if (key == "catalog" and text) or (key == "taxonomy" and text.endswith(".toml")):
        return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111
    return text


def _name(folder: str) -> str:
    """A service's name: that of the library's state folder, which differs for each library."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in folder)
    return f"urbexmp-watch-{plain}"


def _put(unit: Unit) -> str:
    """Write it whole or not at all; return what was done, in a word."""
    try:
        if unit.path.exists() and unit.path.read_bytes() == unit.content:
            return "Nothing to change in"
        done = "Replaced" if unit.path.exists() else "Wrote"
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temp = tempfile.mkstemp(prefix=".urbexmp-", dir=unit.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(unit.content)
            os.chmod(temp, 0o644)  # noqa: PTH101
            os.replace(temp, unit.path)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                Path(temp).unlink()
            raise
    except OSError as failure:
        raise WriteFailed(unit.path, detail=failure.strerror or str(failure)) from failure
    return done


def _create_task(name: str, unit: Unit) -> None:
    """Hand it to the Task Scheduler. Raises `UsageProblem` with what it said."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.xml"
        file.write_bytes(unit.content)
        command = ["schtasks", "/Create", "/TN", name, "/XML", str(file), "/F"]
        try:
            ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
        except (OSError, subprocess.SubprocessError) as failure:
            raise UsageProblem("schtasks", f"could not be run ({failure})", _BY_HAND) from failure
    if ran.returncode:
        said = (ran.stderr or ran.stdout).decode("utf-8", "replace").strip()
        raise UsageProblem("schtasks", f"refused the task ({said})", _BY_HAND)


_BY_HAND = "Save what `--print` shows and import it in the Task Scheduler"
