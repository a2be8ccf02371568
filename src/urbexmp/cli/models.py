"""`urbexmp models`: the weights that model stages load."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import Problem, UsageProblem

if TYPE_CHECKING:
    from urbexmp.adapters.weights import LocalWeights
    from urbexmp.cli.console import Console
    from urbexmp.cli.transfer_show import TransferShow

MORE: dict[str, str] = {"convert": "Make the ONNX files of a model from its checkpoint."}
"""Commands of this group in files of their own, `urbexmp.cli.models_NAME.NAME`, and their lines."""


class _Models(click.Group):
    """The group, whose further commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return [*super().list_commands(ctx), *MORE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command."""
        if cmd_name not in MORE:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"urbexmp.cli.models_{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_Models)
def models() -> None:
    """List the models of the stages, bring them here, check them, carry them.

    Nothing is downloaded before `models pull`. Each file of a model is pinned by commit and
    SHA-256 in a registry that you can read and add to; see docs/models.md.
    """


@models.command(name="list")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@shared(json=True)
def list_models(choices: Choices, ids: tuple[str, ...]) -> int:
    """List what there is, how large it is, its licence, and what is on this machine.

    With -v also the files of each model, with their hashes, and where they are.
    """
    from urbexmp.adapters.model_registry import own_models, read_registry
    from urbexmp.adapters.weights import LocalWeights, hub_cache
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_models import model_data, model_lines

    registry = read_registry(os.environ)
    weights = LocalWeights(
        registry.entries, hub_cache(os.environ), own_models(os.environ, choices.state)
    )
    shown = []
    for model in ids or registry.entries:
        entry = weights.entry(model)
        place = weights.found(model)
        missing = weights.missing(model)
        shown.append((entry, missing, str(place or ""), model in registry.own))
    if choices.json:
        for one in shown:
            print(line(model_data(*one)))
        return 0
    console_for(choices).lines(model_lines(shown, verbose=choices.verbose))
    return 0


@models.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all-of", metavar="PROFILE", help="All that the stages of a profile load.")
@click.option("--again", is_flag=True, help="Hash what is here, and replace what is damaged.")
@click.option(
    "--pin",
    is_flag=True,
    help="Of models that are not pinned yet: take what the hub has now, and trust it from then on.",
)
@shared(json=True)
def pull(
    choices: Choices, ids: tuple[str, ...], *, all_of: str | None, again: bool, pin: bool
) -> int:
    """Download models; what broke off is gone on with.

    HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE and HTTPS_PROXY mean what they mean to the
    hub's own client.
    """
    from urbexmp.adapters.model_registry import local_weights
    from urbexmp.cli.models_work import bring

    weights = local_weights(os.environ, choices.state)
    wanted = _wanted(choices, weights, ids, all_of)

    def one(model: str, show: TransferShow) -> None:
        bring(choices, weights, model, show, again=again, pin=pin)

    return _each(choices, wanted, one)


@models.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@shared(json=True)
def verify(choices: Choices, ids: tuple[str, ...]) -> int:
    """Hash every file again; without an ID, of all models that are here."""
    from urbexmp.adapters.model_registry import local_weights
    from urbexmp.cli.models_work import said
    from urbexmp.rules.render_backup import size_text

    weights = local_weights(os.environ, choices.state)

    def one(model: str, show: TransferShow) -> None:
        entry = weights.entry(model)
        show.begin(model, entry.size, 0)
        place = weights.verify(model, hashed=lambda file, size: show.moved(size))
        show.end(model)
        size = size_text(entry.size)
        said(choices, f"{model}: all right ({size})", "verified", model, place)

    return _each(choices, ids or tuple(m for m in weights.entries if weights.found(m)), one)


@models.command(name="import")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("model", required=False, metavar="[ID]")
@click.option("--pin", is_flag=True, help="Trust the files of a model that is not pinned.")
@shared(json=True)
def import_files(choices: Choices, source: Path, model: str | None, *, pin: bool) -> int:
    """Take a model out of an archive of `models export`, or out of a folder of its files.

    Every file must have the hash that the registry of this machine names.
    """
    from urbexmp.adapters.model_registry import local_weights
    from urbexmp.cli.models_work import take_in

    weights = local_weights(os.environ, choices.state)

    def one(name: str, show: TransferShow) -> None:
        take_in(choices, weights, source, model, show, pin=pin)

    return _each(choices, (model or source.name,), one)


@models.command()
@click.argument("model", metavar="ID")
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE.tar")
@click.option("--force", is_flag=True, help="Replace FILE.tar where it exists.")
@shared(json=True)
def export(choices: Choices, model: str, target: Path, *, force: bool) -> int:
    """Write a model that is here into one file, for `models import` on another machine."""
    from urbexmp.adapters.model_registry import local_weights
    from urbexmp.adapters.model_transfer import export_model
    from urbexmp.cli.models_work import said

    if target.exists() and not force:
        raise UsageProblem(target, "exists already", "Name another file, or say --force")
    weights = local_weights(os.environ, choices.state)

    def one(name: str, show: TransferShow) -> None:
        export_model(weights, name, target, show)
        said(choices, f"{name} is in {target}", "exported", name, target)

    return _each(choices, (model,), one)


@models.command()
@shared()
def path(choices: Choices) -> int:
    """Print the path of your own registry, which need not exist yet."""
    from urbexmp.adapters.model_registry import own_registry

    print(own_registry(os.environ))
    return 0


def _wanted(
    choices: Choices, weights: LocalWeights, ids: tuple[str, ...], all_of: str | None
) -> tuple[str, ...]:
    """The models asked for. Raises `UsageProblem` when none is."""
    if all_of is None:
        if not ids:
            raise UsageProblem(
                "models pull", "names no model", "`urbexmp models list` shows what there is"
            )
        return ids
    from urbexmp.cli.options import load
    from urbexmp.rules.model_list import models_of

    profile = load(choices._replace(profile=all_of)).profile
    stages = profile.stages
    needed = models_of(stages, profile.stage_settings, weights.entries, dict(_defaults(stages)))
    if not needed and not ids and not choices.quiet and not choices.json:
        print(f"The stages of {profile.name} need no model.")
    return tuple(dict.fromkeys((*ids, *needed)))


def _defaults(stages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The model that each stage takes where nobody names one: its constructor says so."""
    import inspect

    from urbexmp.adapters.stages.registry import STAGES

    for stage in stages:
        module, _, name = STAGES.get(stage, "").partition(":")
        if not module:
            continue
        kind = getattr(importlib.import_module(module), name)
        parameter = inspect.signature(kind).parameters.get("model")
        if parameter is not None and isinstance(parameter.default, str):
            yield stage, parameter.default


def _each(
    choices: Choices, wanted: Iterable[str], work: Callable[[str, TransferShow], None]
) -> int:
    """Do it for one model after another; the first problem's number is the exit code."""
    from urbexmp.cli.console import console_for
    from urbexmp.cli.transfer_show import TransferShow

    console = console_for(choices)
    show = TransferShow(choices, console)
    code = 0
    for model in wanted:
        try:
            work(model, show)
        except Problem as problem:
            show.close()
            _tell(choices, console, problem)
            code = code or problem.code
        finally:
            show.close()
    return code


def _tell(choices: Choices, console: Console, problem: Problem) -> None:
    console.trouble(problem)
    if choices.json:
        from pathlib import PurePath

        from urbexmp.rules.render_json import line, problem_data

        print(line(problem_data(problem, PurePath())))
