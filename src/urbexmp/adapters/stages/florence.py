"""The `florence` stage: captions, objects with their places, and lettering, by Florence-2.

Two backends with one face: PyTorch (any checkpoint of the library's own class; batches, beams,
GPUs) and ONNX Runtime (CPU, no PyTorch). What the model is asked is `rules.florence_tasks`, what
its answers mean `rules.florence_text` and `rules.florence_says`. The picture's features are
computed once for all of a photo's tasks.

Scores are mean token probabilities. They are not calibrated: a threshold for this stage is a
choice to be made on one's own photographs.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from importlib import metadata
from typing import TYPE_CHECKING, Any

from urbexmp.model.errors import ConfigProblem, Problem
from urbexmp.model.stage_errors import ExtraMissing, StageFailed, WeightsMissing
from urbexmp.rules import florence_tasks
from urbexmp.rules.florence_files import find_variant, has_checkpoint
from urbexmp.rules.stage_ids import stage_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from urbexmp.adapters.stages.checked import Agreement
    from urbexmp.adapters.stages.florence_onnx import OnnxFlorence
    from urbexmp.adapters.stages.siglip_pixels import Recipe
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.weights import ModelEntry, Weights
    from urbexmp.rules.florence_files import Variant
    from urbexmp.rules.florence_text import Said
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"
MODEL = "florence2-base-ft-onnx"
AUTO, TORCH, ONNX = "auto", "torch", "onnx"

_BACKENDS = (AUTO, TORCH, ONNX)
_DEVICES = (AUTO, "cpu", "cuda", "mps")
_DTYPES = (AUTO, "float32", "bfloat16", "float16", "int8")
_PACKAGES = {TORCH: ("torch", "transformers"), ONNX: ("onnxruntime", "tokenizers")}


class FlorenceStage:
    """Says what is there, by tasks chosen for the view.

    Settings: `model` (id in the registry); `backend` (`auto`: ONNX where the model has such
    files, no GPU is asked for and ONNX Runtime is installed); `tasks` (`auto`, `auto, ground`, or
    the model's own names); `max_tokens` an answer may have; `beams` (more than 1 needs PyTorch);
    `device`; `dtype` (for ONNX which of its files); `batch` photos and questions at a time
    (PyTorch); `threads` of the CPU, 0 for all cores.
    """

    name = "florence"
    uses_preview = True
    in_worker = True

    def __init__(
        self,
        taxonomy: Taxonomy,
        weights: Weights,
        model: str = MODEL,
        backend: str = AUTO,
        tasks: str = florence_tasks.AUTO,
        max_tokens: int = 256,
        beams: int = 1,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 4,
        threads: int = 0,
    ) -> None:
        """Read the registry's entry, and nothing else. Raises `ConfigProblem`."""
        mistakes = faults(
            {
                "backend": backend,
                "tasks": tasks,
                "max_tokens": max_tokens,
                "beams": beams,
                "device": device,
                "dtype": dtype,
                "batch": batch,
                "threads": threads,
            }
        )
        if mistakes:
            raise ConfigProblem(
                "the profile", tuple(f"stage.{self.name}.{one}" for one in mistakes)
            )
        self._taxonomy = taxonomy
        self._weights = weights
        self._model = model
        self._entry = weights.entry(model)
        self._wanted = florence_tasks.parse_tasks(tasks)
        self._max_tokens = max_tokens
        self._beams = beams
        self._device = device
        self._dtype = dtype
        self._batch = batch
        self._threads = threads
        self._backend = _choose_backend(self._entry, backend, device, dtype, beams)
        self._running: Any = None
        self._alone = threading.Lock()
        self.uses_context = florence_tasks.GROUND in self._wanted
        settings = {
            "model": self._entry.digest,
            "runtime": _runtime(self._backend),
            "tasks": tasks,
            "max_tokens": max_tokens,
            "beams": beams,
            "device": device,
            "dtype": dtype,
        }
        self.id = stage_id(self.name, VERSION, settings)

    @property
    def backend(self) -> str:
        """`torch` or `onnx`."""
        return self._backend

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing. Loads nothing."""
        for package in _PACKAGES[self._backend]:
            if importlib.util.find_spec(package) is None:
                extra = self._backend
                return ExtraMissing(
                    f"stage {self.name}", stage=self.name, package=package, extra=extra
                )
        from urbexmp.rules.render_backup import size_text

        missing = self._weights.missing(self._model)
        if missing:
            size = sum(file.size for file in missing)
            return WeightsMissing(
                f"stage {self.name}", stage=self.name, model=self._model, size=size_text(size)
            )
        return None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Look at one photo. Raises as `look_many`."""
        return self.look_many((seen,))[0]

    def look_many(self, seen: Sequence[StageInput]) -> tuple[tuple[Observation, ...], ...]:
        """Look at photos together; in float32 each gets the answer that it would get alone.

        Where memory runs out, half as many are taken at a time, from then on. Raises
        `StageFailed` where it does not suffice for one; `ExtraMissing`, `WeightsMissing` and the
        rest of `StageMissing`; `Undecodable` through the view.
        """
        from urbexmp.rules.florence_says import located, observations

        tasks = [florence_tasks.choose(self._wanted, one.earlier, self._taxonomy) for one in seen]
        said: list[list[Observation]] = [[] for _ in seen]
        with self._alone:
            running = self._load()
            features = self._see(running, seen)
            questions = [(at, task) for at, asked in enumerate(tasks) for task in asked]
            answers = self._ask(running, features, [(at, task.prompt) for at, task in questions])
            for (at, task), answer in zip(questions, answers, strict=True):
                said[at].extend(observations(task, answer))
            if self.uses_context:
                phrases = [
                    florence_tasks.phrases_to_locate(found, one.earlier, self._taxonomy)
                    for found, one in zip(said, seen, strict=True)
                ]
                grounding = [
                    (at, self._grounding(found, seen[at]))
                    for at, found in enumerate(phrases)
                    if found
                ]
                answers = self._ask(running, features, grounding)
                for (at, _), answer in zip(grounding, answers, strict=True):
                    said[at].extend(located(answer, phrases[at]))
        return tuple(map(tuple, said))

    def _grounding(self, phrases: Sequence[str], seen: StageInput) -> str:
        caption = florence_tasks.caption_to_ground(phrases, seen.context, self._taxonomy)
        return florence_tasks.GROUND_PROMPT.format(caption=caption)

    def _see(self, running: Any, seen: Sequence[StageInput]) -> list[Any]:
        """Features of each photo."""
        from urbexmp.adapters.stages.siglip_pixels import prepare

        def features(some: Sequence[StageInput]) -> list[Any]:
            pixels = prepare([one.view.preview() for one in some], running.recipe)
            return list(running.model.features(pixels))

        return self._in_batches(running, seen, features)

    def _ask(
        self, running: Any, features: Sequence[Any], asked: Sequence[tuple[int, str]]
    ) -> list[Said]:
        def answer(some: Sequence[tuple[int, str]]) -> list[Said]:
            pictures = sorted({at for at, _ in some})
            told: list[Said] = running.model.answer(
                running.model.together([features[at] for at in pictures]),
                [(pictures.index(at), prompt) for at, prompt in some],
                beams=self._beams,
                max_tokens=self._max_tokens,
            )
            return told

        return self._in_batches(running, asked, answer)

    def _in_batches(
        self, running: Any, given: Sequence[Any], work: Callable[[Sequence[Any]], list[Any]]
    ) -> list[Any]:
        done: list[Any] = []
        while len(done) < len(given):
            some = given[len(done) : len(done) + self._batch]
            try:
                done.extend(work(some))
            except MemoryError as error:
                running.model.release()
                if self._batch == 1:
                    raise self._out_of_memory(error) from error
                self._batch = max(1, min(self._batch, len(some)) // 2)
        return done

    def _out_of_memory(self, error: MemoryError) -> StageFailed:
        detail = "out of memory" + (f" ({error})" if str(error) else "")
        return StageFailed(f"stage {self.name}", stage=self.name, detail=detail)

    def _load(self) -> Any:
        """The model, loaded on the first look."""
        if self._running is None:
            problem = self.ready()
            if problem is not None:
                raise problem
            folder = self._weights.folder(self._model)
            try:
                self._running = _Running(self, folder)
            except MemoryError as error:
                raise self._out_of_memory(error) from error
        return self._running

    @property
    def graphics(self) -> bool:
        """Whether a graphics card does the work; False before the model is loaded."""
        if self._running is None:
            return False
        if self._backend == ONNX:
            from urbexmp.adapters.stages.onnx_run import graphics

            return graphics()
        device: str = self._running.model.device
        return device != "cpu"

    def open(self, folder: Path) -> Any:
        """The backend on the model in `folder`."""
        if self._backend == ONNX:
            from urbexmp.adapters.stages.florence_onnx import OnnxFlorence

            variant = _variant(self._entry, self._dtype)
            if variant is None:
                raise ConfigProblem(
                    "the profile", (f"stage.{self.name}.dtype: {self._model} has no such files",)
                )
            threads = self._threads or _cores()
            model = OnnxFlorence(folder, variant, threads=threads)
            if variant.precision != "float32":
                self._check(model, folder, variant)
            return model
        from urbexmp.adapters.stages.florence_torch import TorchFlorence

        return TorchFlorence(folder, device=self._device, dtype=self._dtype, threads=self._threads)

    def _check(self, used: OnnxFlorence, folder: Path, variant: Variant) -> None:
        """Hold files that are not in full precision against those that are, or themselves, once.

        Raises `StageMissing` where they disagree.
        """
        from urbexmp.adapters.stages import tagger_check
        from urbexmp.adapters.stages.florence_onnx import OnnxFlorence

        right: ModelEntry | None = self._entry
        whole = _variant(self._entry, "float32")
        if whole is None:
            right = tagger_check.reference_of(self._weights, self._entry)
            whole = None if right is None else _variant(right, "float32")
        if whole is None:
            right = None

        def compare() -> Agreement:
            threads = self._threads or _cores()
            if right is None:
                other = OnnxFlorence(folder, variant, threads=threads, optimise=False)
            else:
                there = self._weights.folder(right.id)
                other = OnnxFlorence(there, whole, threads=threads)
            return tagger_check.florence_agreement(used, other, _recipe(folder))

        tagger_check.check(
            self.name,
            self._entry,
            right,
            used.provider,
            getattr(self._weights, "own", None),
            compare,
            variant={"float16": "fp16"}.get(variant.precision, variant.precision),
            advice='Choose full precision with `model = "florence2-base-ft-onnx-fp32"` in'
            " [stage.florence]",
        )


class _Running:
    """A loaded model, and how it wants its pictures."""

    def __init__(self, stage: FlorenceStage, folder: Path) -> None:
        self.recipe = _recipe(folder)
        self.model = stage.open(folder)


def _recipe(folder: Path) -> Recipe:
    """How the model in `folder` wants its pictures."""
    from urbexmp.adapters.stages.siglip_pixels import read_recipe

    names = ("preprocessor_config.json", "processor_config.json")
    path = next((folder / one for one in names if (folder / one).is_file()), folder / names[0])
    return read_recipe(path, FlorenceStage.name)


def faults(settings: dict[str, object]) -> list[str]:
    """What is wrong with settings of this stage, `KEY: WHY`, for a profile's check."""
    wrong: list[str] = []
    choices = {"backend": _BACKENDS, "device": _DEVICES, "dtype": _DTYPES}
    for key, known in choices.items():
        if key in settings and settings[key] not in known:
            wrong.append(f"{key}: must be one of {', '.join(known)}")
    for key, least, most in (
        ("max_tokens", 8, 1024),
        ("beams", 1, 8),
        ("batch", 1, 256),
        ("threads", 0, 256),
    ):
        value = settings.get(key, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            wrong.append(f"{key}: must be a whole number from {least} to {most}")
    tasks = settings.get("tasks", florence_tasks.AUTO)
    try:
        florence_tasks.parse_tasks(tasks if isinstance(tasks, str) else "")
    except ValueError as error:
        wrong.append(f"tasks: {error}")
    if settings.get("backend") == ONNX and settings.get("beams", 1) != 1:
        wrong.append("beams: must be 1 with the backend onnx, which answers greedily")
    if settings.get("backend") == TORCH and settings.get("dtype") == "int8":
        wrong.append("dtype: int8 needs the backend onnx")
    return wrong


def _choose_backend(entry: ModelEntry, wanted: str, device: str, dtype: str, beams: int) -> str:
    if wanted != AUTO:
        return wanted
    if _variant(entry, dtype) is None:
        return TORCH
    if not has_checkpoint([file.name for file in entry.files]):
        return ONNX
    fits = device in (AUTO, "cpu") and beams == 1
    here = all(importlib.util.find_spec(package) for package in _PACKAGES[ONNX])
    return ONNX if fits and here else TORCH


def _variant(entry: ModelEntry, dtype: str) -> Any:
    return find_variant([file.name for file in entry.files], dtype)


def _runtime(backend: str) -> str:
    """What computes, with versions, read without importing it."""
    if backend == ONNX:
        from urbexmp.adapters.stages.onnx_run import runtime

        return runtime()
    found = []
    for package in _PACKAGES[TORCH]:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(package)
    return ", ".join(found)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
