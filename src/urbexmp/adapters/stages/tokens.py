"""Texts to token numbers by a model's own `tokenizer.json`: the only file that knows `tokenizers`.

The rules of the library's slow and fast classes are all in that file; what they do beside it
(lower-casing, padding) is each model's own business, and stands in its stage.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.stage_errors import ExtraMissing, StageMissing

if TYPE_CHECKING:
    from urbexmp.model.errors import Problem

PACKAGE = "tokenizers"


def extra_missing(stage: str, extra: str = "onnx") -> Problem | None:
    """The problem to report where the package is not installed; None where it is."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return None
    return ExtraMissing(f"stage {stage}", stage=stage, package=PACKAGE, extra=extra)


class Tokens:
    """A tokenizer read from `tokenizer.json`, without any padding or cutting of its own."""

    def __init__(self, path: Path, stage: str = "onnx") -> None:
        """Raises `ExtraMissing`, and `StageMissing` where the file is no tokenizer."""
        problem = extra_missing(stage)
        if problem is not None:
            raise problem
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise StageMissing(
                path,
                stage=stage,
                detail=f"its tokenizer cannot be read ({error})",
                advice="Bring the file again with `urbexmp models pull`",
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """Numbers of `text`; with the model's own start and end marks where `special`."""
        return list(self._tokenizer.encode(text, add_special_tokens=special).ids)

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """The text of numbers; marks of the model are left out unless `special`."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=not special))

    def number(self, token: str) -> int | None:
        """Number of a token, None where the vocabulary does not have it."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)
