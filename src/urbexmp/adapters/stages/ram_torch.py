"""The authors' checkpoint of RAM++, loaded into the network of `ram_network` and asked."""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import Path

import torch
from torch import Tensor

from urbexmp.adapters.stages.ram_network import RamPlus, Sizes
from urbexmp.adapters.stages.ram_onnx import Pixels, Scores
from urbexmp.model.stage_errors import StageFailed

_log = logging.getLogger("urbexmp.stages")
_TABLE = "attn.relative_position_bias_table"
_DERIVED = (".relative_position_index", ".attn_mask")
_UNUSED = re.compile(r"tagging_head\.(embeddings|pooler|encoder\.layer\.\d+\.attention)\.")
"""What a BERT brings and tagging does without: its words, and tags looking at one another."""
_OLD_NAMES = (("vision_multi.", "tagging_head."),)


def sizes_of(state: Mapping[str, Tensor], side: int, tags: int) -> Sizes:
    """Read the sizes from a checkpoint's shapes. Raises `KeyError` or `ValueError`."""
    tables: dict[int, dict[int, Tensor]] = {}
    for key, value in state.items():
        if found := re.fullmatch(rf"visual_encoder\.layers\.(\d+)\.blocks\.(\d+)\.{_TABLE}", key):
            tables.setdefault(int(found[1]), {})[int(found[2])] = value
    levels = [tables[level] for level in sorted(tables)]
    rows, text = state["label_embed"].shape
    if rows % tags or not levels:
        raise ValueError(f"{rows} descriptions do not divide among {tags} tags")
    window = (isqrt(levels[0][0].shape[0]) + 1) // 2
    inner, hidden = state["tagging_head.encoder.layer.0.intermediate.dense.weight"].shape
    layers = {key.split(".")[3] for key in state if key.startswith("tagging_head.encoder.layer.")}
    return Sizes(
        side,
        state["visual_encoder.patch_embed.proj.weight"].shape[0],
        tuple(len(level) for level in levels),
        tuple(level[0].shape[1] for level in levels),
        window,
        text,
        hidden,
        inner,
        len(layers),
        tags,
        rows // tags,
    )


def load(path: Path, side: int, tags: int) -> RamPlus:
    """Load the authors' checkpoint, `{"model": parameters}`; its hash must have matched before.

    Only tensors are read, never code (`weights_only`), and mapped, not copied. Parts that serve
    training alone are left out, and said in the log. Raises `StageFailed` where the file is no
    such checkpoint or its parameters are not exactly those of the model, `MemoryError`.
    """
    try:
        read = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = _named(read["model"])
        sizes = sizes_of(state, side, tags)
        with torch.device("meta"):
            model = RamPlus(sizes)
    except MemoryError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise _failed(path, f"it is no checkpoint of RAM++ ({error})") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _failed(path, f"it cannot be read ({line[:200]})") from error
    wanted = model.state_dict()
    ours = {key.partition(".")[0] for key in wanted}
    other = sorted({part for key in state if (part := key.partition(".")[0]) not in ours})
    if other:
        _log.info("%s: parts that only training needs are left out: %s", path, ", ".join(other))
    given = {key: value for key, value in state.items() if key.partition(".")[0] in ours}
    faults = _faults(wanted, given)
    if faults:
        raise _failed(path, f"its parameters are not those of RAM++: {faults}")
    model.load_state_dict({k: v.float() for k, v in given.items()}, assign=True)
    return model.settle()


class RamTorch:
    """RAM++ in torch, ready to be asked by one thread at a time."""

    def __init__(
        self, path: Path, side: int, tags: int, *, device: str = "auto", threads: int = 1
    ) -> None:
        """Load. `device`: `cpu`, `cuda`, `mps`, or `auto`, the fastest that is there.

        Raises as `load`, and `StageFailed` for a device that is not there.
        """
        torch.set_num_threads(threads)
        self.device = _device() if device == "auto" else device
        model = load(path, side, tags)
        try:
            self._model = model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            _raise_if_no_memory(error)
            raise _failed(path, f"device {self.device} cannot be used ({error})") from error

    def scores(self, pictures: Sequence[Pixels]) -> list[Scores]:
        """Scores of each picture. Raises `MemoryError` (also the device's), `StageFailed`."""
        try:
            with torch.inference_mode():
                given = torch.stack([torch.from_numpy(one) for one in pictures]).to(self.device)
                found = self._model(given).sigmoid().cpu().numpy()
        except RuntimeError as error:
            _raise_if_no_memory(error)
            raise _failed("ram", str(error).splitlines()[0]) from error
        return list(found)


def _named(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters by today's names, without what is computed or never used."""
    named = {}
    for key, value in state.items():
        for old, new in _OLD_NAMES:
            key = new + key.removeprefix(old) if key.startswith(old) else key
        if not key.endswith(_DERIVED) and not _UNUSED.match(key):
            named[key] = value
    return named


def _faults(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    shaped = [
        f"{key} is {tuple(given[key].shape)}, not {tuple(wanted[key].shape)}"
        for key in sorted(wanted.keys() & given.keys())
        if given[key].shape != wanted[key].shape
    ]
    missing = sorted(wanted.keys() - given.keys())
    unexpected = sorted(given.keys() - wanted.keys())
    told = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("misfit", shaped))
        if names
    ]
    return ", ".join(told)


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _raise_if_no_memory(error: Exception) -> None:
    if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower():
        raise MemoryError(str(error).splitlines()[0]) from error


def _failed(path: Path | str, detail: str) -> StageFailed:
    return StageFailed(path, stage="ram", detail=detail)
