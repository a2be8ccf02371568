"""The `siglip` stage: the view type, and the taxonomy's scene phrases, by comparing the picture
with sentences (SigLIP or SigLIP 2 on ONNX Runtime).

How cosines become scores is `rules.zero_shot`. The picture tower runs once a photo; its vector is
handed on, and `rescore` says from it what changed prompts, offsets or limits mean, without a model.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.adapters.stages import onnx_run, siglip_files, tokens
from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.model.stage_errors import StageFailed
from urbexmp.rules import zero_shot
from urbexmp.rules.stage_ids import stage_id
from urbexmp.rules.vectors import vector_said

if TYPE_CHECKING:
    from urbexmp.adapters.stages.siglip_text import Vectors
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Preview, StageInput
    from urbexmp.model.weights import Weights
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"
SOURCE = "zero-shot"
DEFAULT_MODEL = "siglip2-base-224"
BATCH = 8
"""Pictures at once: no gain on a CPU (below 5 %), much on a graphics card."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: onnx_run.OnnxModel
    recipe: Any
    output: str
    half: bool


class SiglipStage:
    """Settings: `model` of the registry; `variant` `auto`, `int8`, `fp16` or `fp32`; `threads` of
    one computation; `least` score that is kept; `offset` added to every term's log-odds."""

    name = "siglip"
    uses_preview = True
    uses_context = False
    in_worker = True

    def __init__(
        self,
        taxonomy: Taxonomy,
        weights: Weights,
        model: str = DEFAULT_MODEL,
        variant: str = siglip_files.AUTO,
        threads: int = 1,
        least: float = zero_shot.LEAST_KEPT,
        offset: float = 0.0,
        notes: Path | str | None = None,
    ) -> None:
        """`notes`: folder for vectors of sentences and results of checks; by default the one in
        which `weights` notes what it hashed. Raises `ConfigProblem`, and `ValueError` for a
        setting that makes no sense."""
        if variant not in (siglip_files.AUTO, *siglip_files.VARIANTS):
            known = ", ".join((siglip_files.AUTO, *siglip_files.VARIANTS))
            raise ValueError(f"variant must be one of {known}")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise ValueError("threads must be a whole number from 1 up")
        if isinstance(least, bool) or not 0 <= least <= 1:
            raise ValueError("least must lie between 0 and 1")
        if isinstance(offset, bool) or not abs(offset) <= 100:
            raise ValueError("offset must lie between -100 and 100")
        self.graphics = onnx_run.graphics()
        """Whether a graphics card does the work."""
        self.batch = BATCH if self.graphics else 1
        """Photos to hand over at once."""
        self._weights = weights
        self._threads = threads
        self._least = least
        self._offset = offset
        self._notes = Path(notes) if notes is not None else getattr(weights, "own", None)
        self._vision, self._text = siglip_files.choose(
            weights, model, variant, graphics=onnx_run.graphics()
        )
        self._entry = weights.entry(model)
        self._terms, self._views = _prompts(taxonomy)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._rows: tuple[tuple[str, ...], Vectors] | None = None
        picture = {
            "file": self._vision.file.sha256,
            "model": weights.entry(self._vision.model).digest,
            "runtime": onnx_run.runtime(),
            "pixels": siglip_files.PIXELS_VERSION,
        }
        self.picture_id = stage_id("siglip-picture", VERSION, picture)
        """What the vector of a picture rests on: vectors under the same id may be compared."""
        said = {
            "picture": self.picture_id,
            "model": self._entry.digest,
            "text": self._text.file.sha256,
            "prompts": _digest([self._terms, self._views]),
            "scoring": zero_shot.VERSION,
            "least": least,
            "offset": offset,
        }
        self.id = stage_id(self.name, VERSION, said)

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing. Loads nothing."""
        from urbexmp.adapters.weights import missing_problem
        from urbexmp.model.stage_errors import StageMissing

        lacks = onnx_run.extra_missing(self.name) or tokens.extra_missing(self.name)
        if lacks is not None:
            return lacks
        try:
            siglip_files.calibration_of(self._entry)
        except StageMissing as problem:
            return problem
        entry = self._weights.entry(self._vision.model)
        missing = self._weights.missing(entry.id)
        return missing_problem(entry, missing) if missing else None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Look at one photo. Raises the `StageMissing` family, `StageFailed`, `Undecodable`."""
        return self.look_many((seen,))[0]

    def look_many(self, seen: Sequence[StageInput]) -> tuple[tuple[Observation, ...], ...]:
        """Look at several photos at once; raises as `look`."""
        said: list[tuple[Observation, ...]] = []
        for first in range(0, len(seen), BATCH):
            previews = [one.view.preview() for one in seen[first : first + BATCH]]
            for vector in self._embed(previews):
                kept = _kept(vector)
                said.append((*self.rescore(kept), vector_said(self.picture_id, kept, SOURCE)))
        return tuple(said)

    def embed(self, preview: Preview) -> bytes:
        """The vector of a picture as `rescore` takes it: float16, little-endian, of length 1."""
        return _kept(self._embed([preview])[0])

    def rescore(self, vector: bytes) -> tuple[Observation, ...]:
        """What the stage says of a picture whose vector (of this `picture_id`) is known.

        No picture tower is loaded, and the text tower only for prompts that are new. Raises as
        `look` does.
        """
        import numpy as np

        calibration = siglip_files.calibration_of(self._entry, self._offset)
        names, rows = self._sentences()
        if len(vector) != 2 * rows.shape[1]:
            raise StageFailed(
                f"stage {self.name}",
                stage=self.name,
                detail=f"a vector of {len(vector)} bytes does not fit {self._entry.id}",
            )
        picture = np.frombuffer(vector, dtype="<f2").astype(np.float32)
        length = float(np.linalg.norm(picture))
        cosines = dict(zip(names, (rows @ (picture / (length or 1.0))).tolist(), strict=True))
        views = {view: cosines.pop(_view_row(view)) for view in self._views}
        return (
            *_view_said(zero_shot.decide_view(views, calibration)),
            *(
                Observation(ObservationKind.LABEL, path, round(score, 6), round(z, 3), SOURCE)
                for path, score, z in zero_shot.score_terms(cosines, calibration, self._least)
            ),
        )

    def _embed(self, previews: Sequence[Preview]) -> Vectors:
        import numpy as np

        from urbexmp.adapters.stages.siglip_pixels import prepare
        from urbexmp.adapters.stages.siglip_text import unit

        loaded = self._load()
        pixels: Any = prepare(previews, loaded.recipe)
        if loaded.half:
            pixels = pixels.astype(np.float16)
        try:
            found = loaded.model.run({"pixel_values": pixels}, [loaded.output])[loaded.output]
        except MemoryError as error:
            raise StageFailed(
                f"stage {self.name}", stage=self.name, detail=f"out of memory ({error})"
            ) from error
        if not np.isfinite(found.astype(np.float64)).all():
            raise StageFailed(
                f"stage {self.name}",
                stage=self.name,
                detail=f"{self._vision.file.name} gave what is no number",
            )
        return unit(found)

    def _load(self) -> _Loaded:
        """The picture tower, loaded and checked once."""
        with self._lock:
            if self._loaded is None:
                self._raise_if_not_ready()
                self._loaded = self._load_vision()
            return self._loaded

    def _load_vision(self) -> _Loaded:
        from urbexmp.adapters.stages import siglip_check, siglip_pixels, siglip_text

        path = siglip_files.path_of(self._weights, self._vision)
        recipe = siglip_pixels.read_recipe(
            self._weights.folder(self._vision.model) / siglip_pixels.FILE, self.name
        )
        model = onnx_run.OnnxModel(path, threads=self._threads, stage=self.name)
        output = siglip_text.pooled_name(model.outputs, path, self.name)
        right = siglip_files.reference_of(self._weights, self._vision, siglip_files.VISION)
        siglip_check.check(
            self._vision,
            path,
            model,
            ("pixel_values", siglip_check.generated_pictures(recipe)),
            None if right is None else (right, siglip_files.path_of(self._weights, right)),
            self._notes,
            self.name,
        )
        half = model.types.get("pixel_values") == "tensor(float16)"
        return _Loaded(model, recipe, output, half)

    def _sentences(self) -> tuple[tuple[str, ...], Vectors]:
        """Names of terms and views, and the mean vector of each one's prompts, row by row."""
        with self._lock:
            if self._rows is None:
                self._rows = self._make_rows()
            return self._rows

    def _make_rows(self) -> tuple[tuple[str, ...], Vectors]:
        import numpy as np

        from urbexmp.adapters.stages import siglip_text

        asked = {**self._terms, **{_view_row(view): said for view, said in self._views.items()}}
        entry = self._weights.entry(self._text.model)
        hashes = {file.name: file.sha256 for file in entry.files}
        tokenizer = [
            hashes.get(name, "") for name in (siglip_text.TOKENIZER, siglip_text.TOKENIZER_CONFIG)
        ]
        key = siglip_text.TextKey(
            repository=entry.repository or entry.id,
            revision=entry.revision,
            text_file=self._text.file.name,
            text_digest=self._text.file.sha256,
            tokenizer_digest=_digest(tokenizer),
        )
        cache = siglip_text.TextCache(self._notes, key)
        prompts = [prompt for said in asked.values() for prompt in said]
        known = cache.vectors(prompts, self._read_sentences)
        rows = [np.mean([known[prompt] for prompt in said], axis=0) for said in asked.values()]
        return tuple(asked), np.stack(rows).astype(np.float32)

    def _read_sentences(self, sentences: Sequence[str]) -> Vectors:
        """Load the text tower, ask it, and drop it again."""
        from urbexmp.adapters.stages import siglip_check, siglip_text

        self._raise_if_not_ready()
        path = siglip_files.path_of(self._weights, self._text)
        tower = siglip_text.TextTower(
            self._weights.folder(self._text.model), self._text.file.name, self._threads, self.name
        )
        right = siglip_files.reference_of(self._weights, self._text, siglip_files.TEXT)
        siglip_check.check(
            self._text,
            path,
            tower.model,
            ("input_ids", tower.sentences.encode(siglip_check.SENTENCES)),
            None if right is None else (right, siglip_files.path_of(self._weights, right)),
            self._notes,
            self.name,
        )
        return tower.vectors(sentences)

    def _raise_if_not_ready(self) -> None:
        problem = self.ready()
        if problem is not None:
            raise problem


def _prompts(
    taxonomy: Taxonomy,
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """Prompts by path of each term that has some, and by view; the views' own terms are views."""
    views = {view: tuple(said) for view, said in zero_shot.VIEW_PROMPTS.items()}
    named = set()
    for view in views:
        for meaning in taxonomy.lookup(view):
            named.add(meaning.keyword)
            more = taxonomy.terms[meaning.keyword].prompts
            views[view] = tuple(dict.fromkeys((*views[view], *more)))
    terms = {
        str(keyword): term.prompts
        for keyword, term in taxonomy.terms.items()
        if term.prompts and keyword not in named
    }
    return terms, views


def _view_row(view: str) -> str:
    """Name of a view's row: no path has an empty first part."""
    return f"|{view}"


def _view_said(verdict: zero_shot.ViewVerdict) -> tuple[Observation, ...]:
    """The view that is decided; the probabilities of all where none is."""
    if verdict.view is not None:
        share = round(verdict.probabilities[verdict.view], 4)
        kind = ObservationKind.VIEW
        return (Observation(kind, verdict.view, share, round(verdict.z, 3), SOURCE),)
    return tuple(
        Observation(ObservationKind.PRIOR, view, round(share, 4), None, SOURCE)
        for view, share in verdict.probabilities.items()
    )


def _kept(vector: Any) -> bytes:
    """A vector as it is kept: half precision moves a cosine by less than 0.001."""
    kept: bytes = vector.astype("<f2").tobytes()
    return kept


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
