"""Where a stage's own process begins: `python -m urbexmp.stage_process`, by `stages.workers`.

It builds one stage by the recipe that its parent sends, and answers looks (`worker_child`).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from urbexmp.adapters.background.priority import resident_bytes
from urbexmp.adapters.late import Late
from urbexmp.adapters.stages.registry import make_stage
from urbexmp.adapters.stages.worker_child import serve
from urbexmp.wiring_stages import open_weights, read_taxonomy

if TYPE_CHECKING:
    from urbexmp.model.ports import Stage
    from urbexmp.rules.taxonomy import Taxonomy


def build(recipe: dict[str, Any]) -> Stage:
    """The stage that a recipe describes. Raises `Problem`.

    `class` (`module:class`) names one that the registry does not know; it gets the settings alone.
    """
    if recipe.get("class"):
        module, _, kind = recipe["class"].partition(":")
        made: Stage = getattr(importlib.import_module(module), kind)(**recipe["settings"])
        return made
    path, state = Path(recipe["taxonomy"]), recipe["state"]
    taxonomy = cast("Taxonomy", Late(lambda: read_taxonomy(path)))
    weights = open_weights(None if state is None else Path(state))
    return make_stage(recipe["stage"], recipe["settings"], taxonomy, weights)


if __name__ == "__main__":
    serve(build, lambda: resident_bytes() or 0)
