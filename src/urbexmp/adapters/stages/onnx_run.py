"""ONNX models, run by ONNX Runtime: the only file of this room that knows it.

Options, as measured on two cores (SigLIP-B/16, int8, decoding included): one thread a session,
no spinning, and one photo thread a core reach 15.8 photos/s of 15.9 possible; one session of two
threads 12.1, and 10.5 with spinning. A session may be asked by several threads at once, and
holds no lock of Python's while it computes.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.model.stage_errors import ExtraMissing, StageFailed, StageMissing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from urbexmp.model.errors import Problem

    Array = NDArray[np.generic]

CPU = "CPUExecutionProvider"

_BUILDS: tuple[tuple[str, str], ...] = (
    ("onnxruntime-gpu", "CUDAExecutionProvider"),
    ("onnxruntime-directml", "DmlExecutionProvider"),
    ("onnxruntime-openvino", "OpenVINOExecutionProvider"),
    ("onnxruntime", "CoreMLExecutionProvider" if sys.platform == "darwin" else CPU),
)
"""Builds of ONNX Runtime as packages, the fastest first, and what each is installed for. They
share one module, so one of them is there, and the package's name alone tells which."""

_QUIET = 4
"""Fatal errors only: all others come as exceptions too, and are told in our own words."""

_NO_MEMORY = ("failed to allocate memory", "out of memory", "bad_alloc", "bad allocation")

_log = logging.getLogger("urbexmp.stages")


def runtime() -> str:
    """What computes on this machine: `onnxruntime 1.31.1 CPU`; "" where nothing is installed.

    Read from the installed packages, so nothing is imported. Stages put it into their ids: the
    last digits of a score depend on it.
    """
    build, version, provider = _installed()
    return f"{build} {version} {provider.removesuffix('ExecutionProvider')}" if build else ""


def graphics() -> bool:
    """Whether the installed build is one for a graphics card, where half precision is fast."""
    return _installed()[2] in ("CUDAExecutionProvider", "DmlExecutionProvider")


def extra_missing(stage: str, extra: str = "onnx") -> Problem | None:
    """The problem to report where ONNX Runtime is not installed; None where it is."""
    if importlib.util.find_spec("onnxruntime") is not None:
        return None
    return ExtraMissing(f"stage {stage}", stage=stage, package="onnxruntime", extra=extra)


class OnnxModel:
    """One ONNX file, loaded. Threads may share it."""

    def __init__(
        self,
        path: Path,
        *,
        providers: Sequence[str] | None = None,
        threads: int = 1,
        stage: str = "onnx",
        optimise: bool = True,
    ) -> None:
        """Load `path`; side files (`NAME.onnx_data`) are found beside it.

        `providers` in the order of preference, by ONNX Runtime's names; None chooses by what is
        installed. A provider that cannot be loaded is said in the log and in `notice`, and the
        CPU computes. Without `optimise` the graph is computed node by node, as it is written:
        slow, and the measure for what optimisations make of it.

        Raises `ExtraMissing`, `StageMissing` (the file is no model, or is one that this version
        cannot run), `MemoryError`.
        """
        problem = extra_missing(stage)
        if problem is not None:
            raise problem
        import onnxruntime

        onnxruntime.set_default_logger_severity(_QUIET)
        self._stage = stage
        there = onnxruntime.get_available_providers()
        wished = list(providers) if providers is not None else [_installed()[2] or CPU]
        usable = [one for one in wished if one in there]
        lost = {one: "this build does not have it" for one in wished if one not in there}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        if not optimise:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session: Any = None
        for chosen in dict.fromkeys(((*usable, CPU), (CPU,))):
            try:
                session = onnxruntime.InferenceSession(
                    str(path), options, providers=list(dict.fromkeys(chosen))
                )
                break
            except Exception as error:
                _raise_if_no_memory(error)
                if set(chosen) == {CPU}:
                    raise _unloadable(path, stage, error) from error
                lost |= dict.fromkeys(usable, _first_line(error))
        in_force = session.get_providers()
        for one in usable:
            if one not in in_force:
                lost.setdefault(one, "it could not be loaded")
        self._session = session
        self.provider: str = in_force[0]
        """The provider that computes, by ONNX Runtime's name."""
        self.notice = "; ".join(f"{one}: {why}" for one, why in lost.items() if one != CPU)
        """Providers that were wished for and cannot compute, and why; "" for none."""
        if self.notice:
            _log.warning("%s: %s. %s computes instead", stage, self.notice, self.provider)
        self.inputs: Mapping[str, tuple[int | str | None, ...]] = {
            one.name: tuple(one.shape) for one in session.get_inputs()
        }
        """Shapes by name; a text or None stands for any length."""
        self.outputs: Mapping[str, tuple[int | str | None, ...]] = {
            one.name: tuple(one.shape) for one in session.get_outputs()
        }
        self.types: Mapping[str, str] = {one.name: one.type for one in session.get_inputs()}
        """Types of the inputs, as ONNX Runtime names them: `tensor(float)`."""

    def run(
        self, given: Mapping[str, Array], outputs: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Compute; only the `outputs` asked for, or all. Arrays come back by name.

        Raises `MemoryError` where memory ran out, `StageFailed` for anything else.
        """
        names = list(outputs) if outputs is not None else list(self.outputs)
        try:
            found = self._session.run(names, dict(given))
        except Exception as error:
            _raise_if_no_memory(error)
            raise StageFailed(
                f"stage {self._stage}", stage=self._stage, detail=_first_line(error)
            ) from error
        return dict(zip(names, found, strict=True))


def _installed() -> tuple[str, str, str]:
    """Build, version and provider; empty texts where none is installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "", "", ""
    for build, provider in _BUILDS:
        try:
            return build, metadata.version(build), provider
        except metadata.PackageNotFoundError:
            continue
    return "onnxruntime", "of unknown origin", CPU


def _raise_if_no_memory(error: Exception) -> None:
    if isinstance(error, MemoryError):
        raise error
    if any(words in str(error).lower() for words in _NO_MEMORY):
        raise MemoryError(_first_line(error)) from error


def _unloadable(path: Path, stage: str, error: Exception) -> StageMissing:
    version = metadata.version(_installed()[0]) if _installed()[0] else ""
    return StageMissing(
        path,
        stage=stage,
        detail=f"ONNX Runtime {version} cannot load the model ({_first_line(error)})",
        advice="Install a newer onnxruntime, or bring the file again with `urbexmp models pull`",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
