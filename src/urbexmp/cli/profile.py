"""`urbexmp profile`: the settings, where each comes from, and how to change one."""

from __future__ import annotations

import os
from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import ConfigProblem, UsageProblem


@click.group()
def profile() -> None:
    """Show and change the settings.

    A profile is a TOML file. Flags go before the environment (URBEXMP_THRESHOLD), that before
    the profile, that before the defaults.
    """


@profile.command(name="list")
@shared(json=True)
def list_profiles(choices: Choices) -> int:
    """List the profiles there are: your own and those that come with urbexmp."""
    from urbexmp.adapters.shipped import shipped, shipped_names
    from urbexmp.cli.console import console_for
    from urbexmp.cli.options import DEFAULT_PROFILE, PROFILE_VARIABLE, own_profiles, profile_path
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    in_force = os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    own = own_profiles()
    table = [(name, "yours", profile_path(name)) for name in own]
    table += [
        (name, "shipped", shipped("profiles", name))
        for name in shipped_names("profiles")
        if name not in own
    ]
    if choices.json:
        for name, origin, path in table:
            data = {"event": "profile", "name": name, "origin": origin, "path": str(path)}
            print(line({**data, "in_force": name == in_force}))
        return 0
    told = [
        ("*" if name == in_force else " ", name, origin, str(path)) for name, origin, path in table
    ]
    console_for(choices).lines(columns((" ", "name", "from", "file"), told))
    return 0


@profile.command()
@click.argument("name", required=False)
@shared(settings=True, json=True)
def show(choices: Choices, name: str | None) -> int:
    """Show every value in force, and where it comes from."""
    from urbexmp.cli.console import console_for
    from urbexmp.cli.options import load, profile_path
    from urbexmp.rules.profile_show import shown_values
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    choices = _named(choices, name)
    settings = load(choices)
    values = shown_values(settings)
    if choices.json:
        for key, value, origin in values:
            print(line({"event": "setting", "key": key, "value": value, "origin": origin}))
        return 0
    console = console_for(choices)
    path = printable(str(profile_path(choices.profile)))
    console.lines(((Span(settings.profile.name, Style.PATH), Span(f"  {path}", Style.DIM)), ()))
    console.lines(columns(("key", "value", "from"), values))
    return 0


@profile.command(name="set")
@click.argument("key")
@click.argument("value")
@click.option(
    "-p",
    "--profile",
    "name",
    metavar="NAME|FILE",
    help="The profile to change. Default: the one in force.",
)
@shared()
def set_key(choices: Choices, key: str, value: str, *, name: str | None) -> int:
    """Set one value in a profile of yours; its comments stay.

    A profile that comes with urbexmp is copied to your own first, under the same name. KEY is
    as `profile show` lists it: threshold, thresholds.pixels, stage.pixels.size. Lists are
    written with commas: stages camera,pixels.
    """
    from urbexmp.adapters.toml import parse_toml, set_value
    from urbexmp.cli.options import profile_path
    from urbexmp.cli.plan_file import replacing
    from urbexmp.rules.profile import load_settings
    from urbexmp.rules.profile_keys import parse_value

    try:
        keys, parsed = parse_value(key, value)
    except ValueError as mistake:
        raise ConfigProblem(key, (str(mistake),)) from mistake
    source = profile_path(name)
    target = own_path(source)
    text = set_value(read_text(source), keys, parsed)
    document = parse_toml(text, target)
    load_settings(document.values, document.line_of, target, {}, {})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        detail = f"cannot be made ({failure.strerror})"
        raise UsageProblem(target.parent, detail, "Check its permissions") from failure
    with replacing(target) as file:
        file.write(text)
    if not choices.quiet:
        print(f"{key} = {value} in {target}")
    return 0


@profile.command()
@click.argument("name", required=False)
@shared()
def path(choices: Choices, name: str | None) -> int:
    """Print the path of a profile's file."""
    from urbexmp.cli.options import profile_path

    print(profile_path(name))
    return 0


def _named(choices: Choices, name: str | None) -> Choices:

    return choices._replace(profile=name) if name else choices


def own_path(source: Path) -> Path:
    """Where a change to a profile goes: into the file itself, or a copy of a shipped one."""
    from urbexmp.adapters.dirs import profiles_folder
    from urbexmp.adapters.shipped import shipped, shipped_names

    name = source.stem
    if name in shipped_names("profiles") and source == shipped("profiles", name):
        return profiles_folder(os.environ) / source.name
    return source


def read_text(source: Path) -> str:
    """The text of a profile. Raises `ConfigProblem`, `FileUnreadable` through the parser."""
    from urbexmp.adapters.toml import read_toml

    read_toml(source)
    with source.open(encoding="utf-8-sig", newline="") as file:
        return file.read()
