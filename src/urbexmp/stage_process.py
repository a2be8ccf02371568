"""Where a stage's own process begins: `python -m urbexmp.stage_process`, by `stages.workers`.

It builds one stage by the recipe that its parent sends, and answers looks (`worker_child`).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.adapters.background.priority import resident_bytes
from urbexmp.adapters.stages.worker_child import serve

if TYPE_CHECKING:
    from urbexmp.model.ports import Stage


def build(recipe: dict[str, Any]) -> Stage:
    """The stage that `wiring_stages.recipe_of` describes. Raises `Problem`."""
    from urbexmp.adapters.stages.registry import make_stage

    taxonomy = None
    if recipe.get("taxonomy"):
        from urbexmp.wiring_stages import read_taxonomy

        taxonomy = read_taxonomy(Path(recipe["taxonomy"]))
    if recipe.get("class"):
        module, _, kind = recipe["class"].partition(":")
        made: Stage = getattr(importlib.import_module(module), kind)(**recipe["settings"])
        return made
    from urbexmp.wiring_stages import open_weights

    return make_stage(recipe["stage"], recipe["settings"], taxonomy, open_weights())


if __name__ == "__main__":
    serve(build, lambda: resident_bytes() or 0)
