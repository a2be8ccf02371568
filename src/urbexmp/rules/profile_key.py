"""One key of a profile: its kind, what it may hold, and what it is called elsewhere."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from urbexmp.model.profile import Profile

ENV_PREFIX = "URBEXMP_"

Scalar = str | float | int | bool
Kind = Literal["text", "number", "whole", "switch", "names", "numbers by stage"]


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that a profile can say."""

    name: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    flag: str | None = None
    """Its own flag; a key without one is set with `--set KEY=VALUE`."""
    check: Callable[[str], object] | None = None
    """Reads text of a form of its own; raises `ValueError` with a sentence."""
    form: str = ""
    """That form, in words."""

    @property
    def env(self) -> str:
        """Name of its environment variable."""
        return ENV_PREFIX + self.name.upper()

    @property
    def flag_name(self) -> str:
        """What `profile show` calls the flag that set it."""
        return self.flag or f"--set {self.name}"

    @property
    def default(self) -> Any:
        """Its value where nobody says anything."""
        field = Profile.__dataclass_fields__[self.name]
        if field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
        return field.default

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        if self.form:
            return self.form
        if self.choices:
            return "one of " + ", ".join(self.choices)
        words = {
            "text": "text",
            "number": "a number",
            "whole": "a whole number",
            "switch": "true or false",
            "names": "a list of names",
            "numbers by stage": "a table of stage names and numbers",
        }[self.kind]
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"{words} from {self.low:g} to {self.high:g}"
        return f"{words} from {self.low:g}" if math.isfinite(self.low) else words
