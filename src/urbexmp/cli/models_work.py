"""What `urbexmp models pull` and `import` do with one model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.weights import LocalWeights, refuse_unpinned
from urbexmp.cli.choices import Choices
from urbexmp.model.errors import UsageProblem
from urbexmp.model.stage_errors import WeightsDamaged

if TYPE_CHECKING:
    from urbexmp.cli.transfer_show import TransferShow
    from urbexmp.model.weights import ModelEntry


def bring(
    choices: Choices,
    weights: LocalWeights,
    model: str,
    show: TransferShow,
    *,
    again: bool,
    pin: bool,
) -> None:
    """Have a model here, whole and checked. Raises what the hub and the weights raise."""
    from urbexmp.adapters.hub import Hub
    from urbexmp.rules.render_backup import size_text

    entry = weights.entry(model)
    if entry.model:
        told = f"Have the server bring it, with Ollama: ollama pull {entry.model}"
        raise UsageProblem(model, "is a model of a server; nothing of it is loaded here", told)
    if not entry.repository:
        refuse_unpinned(entry)
        if weights.found(model) is None:
            raise UsageProblem(
                model, "comes from no hub", "Bring its files with: urbexmp models import"
            )
    elif not entry.pinned:
        if not pin:
            refuse_unpinned(entry)
        _pin(choices, weights, Hub.of(os.environ).pin(entry, show))
        return
    if again:
        _drop_damaged(weights, entry)
    if weights.found(model) is not None:
        place = weights.folder(model)
        said(choices, f"{model} is here already", "here", model, place)
        return
    Hub.of(os.environ).pull(entry, show)
    place = weights.folder(model)
    said(choices, f"{model}: {size_text(entry.size)}, all right", "pulled", model, place)


def _pin(choices: Choices, weights: LocalWeights, entry: ModelEntry) -> None:
    """Keep what a first download found, and say plainly what is trusted from now on."""
    from urbexmp.adapters.model_registry import own_registry, store_entry
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_models import pinned_lines

    path = own_registry(os.environ)
    store_entry(entry, path)
    now = LocalWeights({entry.id: entry}, weights.cache, weights.own)
    place = now.folder(entry.id)
    if not choices.quiet and not choices.json:
        console_for(choices).lines(pinned_lines(entry, str(path)))
    said(choices, f"{entry.id} is here, and pinned", "pinned", entry.id, place)


def _drop_damaged(weights: LocalWeights, entry: ModelEntry) -> None:
    """Take away what does not have its hash, so that it is brought anew."""
    from urbexmp.adapters.hub import Hub
    from urbexmp.adapters.weights import sha256_of, snapshot

    if weights.own is not None and (weights.own / entry.id).is_dir():
        try:
            weights.verify(entry.id)
        except WeightsDamaged:
            # Imported by hand, and damaged since: the hub's copy takes its place.
            shutil.rmtree(weights.own / entry.id, ignore_errors=True)
    hub = Hub.of(os.environ)
    for file in entry.files:
        path = snapshot(weights.cache, entry) / file.name
        try:
            damaged = path.exists() and sha256_of(path) != file.sha256
        except OSError:
            damaged = True
        if damaged:
            hub.drop(entry, file)


def take_in(
    choices: Choices,
    weights: LocalWeights,
    source: Path,
    model: str | None,
    show: TransferShow,
    *,
    pin: bool,
) -> None:
    """Import a model from a folder or an archive. Raises what `import_model` raises."""
    from urbexmp.adapters.model_registry import own_registry, store_entry
    from urbexmp.adapters.model_transfer import archived_entry, hashed_entry, import_model
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_models import pinned_lines

    assert weights.own is not None
    told = archived_entry(source)
    name = model or (told.id if told is not None else "")
    if not name:
        raise UsageProblem(
            source, "does not say which model it holds", "Name its id after the file or folder"
        )
    entry = told if name not in weights.entries and told is not None else weights.entry(name)
    trusted = entry
    if entry is told or not entry.pinned:
        if not pin:
            refuse_unpinned(entry)
            raise UsageProblem(
                source,
                f"holds {name}, which the registry of this machine does not know",
                "If you trust the file, say --pin: its hashes are then kept in your models.toml",
            )
        trusted = told if told is not None and told.pinned else hashed_entry(entry, source)
    place = import_model(trusted, source, weights.own, show)
    if trusted is not weights.entries.get(name):
        store_entry(trusted, own_registry(os.environ))
        if not choices.quiet and not choices.json:
            lines = pinned_lines(trusted, str(own_registry(os.environ)))
            console_for(choices).lines(lines)
    LocalWeights({trusted.id: trusted}, weights.cache, weights.own).folder(trusted.id)
    said(choices, f"{trusted.id} is here, all right", "imported", trusted.id, place)


def said(choices: Choices, sentence: str, event: str, model: str, place: Path) -> None:
    """Say what was done."""
    if choices.json:
        from urbexmp.rules.render_json import line

        print(line({"event": event, "model": model, "path": str(place)}))
    elif not choices.quiet:
        from urbexmp.rules.render import printable

        print(printable(sentence))
