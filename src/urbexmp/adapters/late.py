"""A value that is made when something of it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any


class Late:
    """Stands for a value until it is needed. What is `known` of it is answered at once."""

    def __init__(self, make: Callable[[], Any], **known: Any) -> None:
        self._make = make
        self.__dict__.update(known)

    @cached_property
    def _made(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._made, name)
