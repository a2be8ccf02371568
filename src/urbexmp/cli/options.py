"""Options that many commands share, and how they become settings."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from urbexmp.cli.choices import Choices as Choices
from urbexmp.model.errors import ConfigProblem, UsageProblem

if TYPE_CHECKING:
    from urbexmp.model.profile import Profile, Settings

PROFILE_VARIABLE = "URBEXMP_PROFILE"
DEFAULT_PROFILE = "offline"

OTHER_VARIABLES = (
    PROFILE_VARIABLE,
    "URBEXMP_STATE",
    "URBEXMP_CONFIG",
    "URBEXMP_MODELS",
    "URBEXMP_SERVE_TOKEN",
    "URBEXMP_VLM_KEY",
    "URBEXMP_GOOGLE_KEY",
    "URBEXMP_REAL_FILES",
)
"""Environment variables of ours beside those of the profile's keys."""

_FLAGS = (
    "threshold",
    "ask_from",
    "max_keywords",
    "stages",
    "taxonomy",
    "flat",
    "retract",
    "embed",
    "pairs",
    "catalog",
    "recursive",
    "workers",
)


Command = Callable[..., Any]


def shared(*, settings: bool = False, json: bool = False) -> Callable[[Command], Command]:
    """Give a command the shared options; it gets them as its first argument, a `Choices`.

    `settings` adds `--profile`, `--set` and one flag for each important key of a profile.
    Place it next to the function, below the command's own options.
    """

    def decorate(command: Command) -> Command:
        def call(**given: Any) -> Any:
            flags = {name: given.pop(name) for name in _FLAGS if name in given}
            flags |= dict(_assignment(text) for text in given.pop("assignments", ()))
            given.pop("debug")
            choices = Choices(
                profile=given.pop("profile_name", None),
                state=given.pop("state"),
                quiet=given.pop("quiet"),
                verbose=given.pop("verbose"),
                color=False if given.pop("no_color") else None,
                json=given.pop("as_json", False),
                flags=flags,
            )
            return command(choices, **given)

        wrapped: Command = functools.wraps(command)(call)
        for option in reversed(_options(settings=settings, json=json)):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def _options(*, settings: bool, json: bool) -> list[Callable[[Command], Command]]:
    options: list[Callable[[Command], Command]] = []
    if json:
        options.append(
            click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
        )
    if settings:
        options.append(
            click.option(
                "-p",
                "--profile",
                "profile_name",
                metavar="NAME|FILE",
                help=f"The profile to use. Default: {DEFAULT_PROFILE}, or {PROFILE_VARIABLE}.",
            )
        )
        options += _key_options()
        options.append(
            click.option(
                "--set",
                "assignments",
                multiple=True,
                metavar="KEY=VALUE",
                help="Any other key of the profile, as --set missing=ask; may be repeated.",
            )
        )
    options += [
        click.option(
            "--state",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            help="Where ledgers and backups are. Default: URBEXMP_STATE, or your state folder.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong."),
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("--no-color", is_flag=True, help="No colours; so does NO_COLOR."),
        click.option("--debug", is_flag=True, hidden=True, help="Show tracebacks."),
    ]
    return options


def _key_options() -> list[Callable[[Command], Command]]:
    """One option for each key of the table that has a flag of its own and belongs here."""
    from urbexmp.rules.profile_keys import BY_NAME

    options: list[Callable[[Command], Command]] = []
    for name in _FLAGS:
        key = BY_NAME[name]
        assert key.flag is not None
        metavar = {"number": "NUMBER", "whole": "N", "names": "A,B,...", "text": "TEXT"}
        options.append(
            click.option(
                key.flag,
                name,
                default=None,
                metavar="|".join(key.choices) or metavar.get(key.kind),
                help=key.help,
            )
        )
    return options


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageProblem(f"--set {text}", "is not KEY=VALUE", "`urbexmp profile show` lists keys")
    return key.strip(), value.strip()


# --- Finding a profile ----------------------------------------------------------------------


def profile_path(name: str | None) -> Path:
    """The file of a profile: by path, among the user's own, or among those shipped.

    Raises `ConfigProblem` when there is none.
    """
    from urbexmp.adapters.dirs import profiles_folder
    from urbexmp.adapters.shipped import shipped, shipped_names

    name = name or os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    if name.endswith(".toml") or "/" in name or os.sep in name:
        return Path(name).expanduser()
    own = profiles_folder(os.environ)
    if (own / f"{name}.toml").is_file():
        return own / f"{name}.toml"
    if name in shipped_names("profiles"):
        return shipped("profiles", name)
    import difflib

    known = [*own_profiles(), *shipped_names("profiles")]

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "; `urbexmp profile list` shows them"
    raise ConfigProblem("--profile", (f"there is no profile {name!r}{hint}",))


def own_profiles() -> tuple[str, ...]:
    """Names of the user's own profiles, sorted."""
    from urbexmp.adapters.dirs import profiles_folder

    return tuple(sorted(path.stem for path in profiles_folder(os.environ).glob("*.toml")))


def load(choices: Choices) -> Settings:
    """The settings in force: flags, environment, profile file, defaults.

    Raises `ConfigProblem` with every mistake, `FileUnreadable`.
    """
    import dataclasses

    from urbexmp.adapters.toml import read_toml
    from urbexmp.rules.profile import load_settings

    path = profile_path(choices.profile)
    document = read_toml(path)
    settings = load_settings(document.values, document.line_of, path, os.environ, choices.flags)
    profile = _anchored(settings.profile, path.parent, settings.origins)
    if settings.origins.get("stages", "").startswith("flag "):
        from urbexmp.rules.vlm_settings import named_outright

        profile = named_outright(profile)
    return dataclasses.replace(settings, profile=profile)


def _anchored(profile: Profile, folder: Path, origins: Any) -> Profile:
    """Paths in a profile file are meant from that file; everywhere else from where one stands."""

    import dataclasses

    def anchored(name: str, text: str) -> str:
        path = Path(text).expanduser()
        base = folder if origins[name].startswith("profile ") else Path.cwd()
        return str(path if path.is_absolute() else base.absolute() / path)

    taxonomy, catalog = profile.taxonomy, profile.catalog
    if taxonomy.endswith(".toml"):
        taxonomy = anchored("taxonomy", taxonomy)
    if catalog:
        catalog = anchored("catalog", catalog)
    tables = dict(profile.stage_settings)
    for stage, key in (("vlm", "prompt"), ("google_vision", "credentials")):
        path = str(tables.get(stage, {}).get(key, ""))
        if path.endswith((".toml", ".json")):
            tables[stage] = {**tables[stage], key: anchored(f"stage.{stage}.{key}", path)}
    return dataclasses.replace(profile, taxonomy=taxonomy, catalog=catalog, stage_settings=tables)
