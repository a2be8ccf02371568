"""Ids of stages: what a stage says is kept under its id until anything it rests on changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

PLACE_STAGE = "place"
"""The stage whose statements rest on what a person wrote alone: folder names, `location.toml`."""

PLACE_KEYWORD = "location.toml keyword"
"""Source of an observation that is a keyword already, as a person gave it for a whole place."""


def stage_id(name: str, version: str, settings: Mapping[str, object]) -> str:
    """Name, `@`, and eight hex digits of the code's version and the settings."""
    text = json.dumps([version, dict(settings)], sort_keys=True)
    return f"{name}@{hashlib.sha256(text.encode()).hexdigest()[:8]}"
