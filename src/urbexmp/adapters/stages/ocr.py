"""The `ocr` stage: signs and lettering, read by rapidocr, which carries its models in its package.

PP-OCRv6 (small) detects and recognises on ONNX Runtime; about 0.6 CPU-seconds a photo. It is
asked one picture at a time: its engine holds state of the picture at hand.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.model.stage_errors import ExtraMissing
from urbexmp.rules.stage_ids import stage_id

if TYPE_CHECKING:
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Observation, Preview, StageInput
    from urbexmp.rules.signs import Line
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"
PACKAGE = "rapidocr"
ALWAYS, USEFUL = "always", "useful"

LEAST = 0.8
"""Lines below are mostly cracks, pipes and wallpaper."""


class OcrStage:
    """Reads what is written in a picture. Settings: `least` score of a line, `where` to read:
    `useful` (not from the air; no interior in which a stage that knows signs saw none) or
    `always`."""

    name = "ocr"
    uses_preview = True
    uses_context = False
    in_worker = True

    def __init__(self, taxonomy: Taxonomy, least: float = LEAST, where: str = USEFUL) -> None:
        self._taxonomy = taxonomy
        self._least = least
        self._where = where
        self._engine: Any = None
        self._alone = threading.Lock()
        settings = {"least": least, "where": where, "engine": _installed()}
        self.id = stage_id(self.name, VERSION, settings)

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing."""
        if _installed():
            return None
        return ExtraMissing(f"stage {self.name}", stage=self.name, package=PACKAGE, extra="ocr")

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Read the picture. Raises `ExtraMissing`, and `Undecodable` through the view."""
        from urbexmp.rules.signs import texts_of, worth_reading

        if self._where != ALWAYS and not worth_reading(seen.earlier, self._taxonomy):
            return ()
        return texts_of(self._lines(seen.view.preview()), self._least)

    def _lines(self, picture: Preview) -> list[Line]:
        import numpy as np

        from urbexmp.rules.signs import Line

        shape = (picture.height, picture.width, 3)
        rgb = np.frombuffer(picture.rgb, dtype=np.uint8).reshape(shape)
        with self._alone:
            if self._engine is None:
                self._engine = self._load()
            found = self._engine(np.ascontiguousarray(rgb[:, :, ::-1]))  # it wants BGR
        if found.txts is None or found.boxes is None or found.scores is None:
            return []
        lines = []
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True):
            across = np.clip(np.asarray(corners)[:, 0] / picture.width, 0, 1)
            down = np.clip(np.asarray(corners)[:, 1] / picture.height, 0, 1)
            region = (
                *(round(float(across.min()), 4), round(float(down.min()), 4)),
                *(round(float(across.max()), 4), round(float(down.max()), 4)),
            )
            lines.append(Line(str(text), round(float(score), 4), region))
        return lines

    def _load(self) -> Any:
        problem = self.ready()
        if problem is not None:
            raise problem
        from rapidocr import RapidOCR

        # One thread: photos are looked at side by side, and a second thread for each only waits.
        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )


def _installed() -> str:
    """The version of the reader, "" where it cannot run.

    Asked at every start, so by the name of the folder that says it: importlib.metadata would take
    as long as a whole run in which nothing changed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None or importlib.util.find_spec("onnxruntime") is None:
        return ""
    around = Path(found.origin).parent.parent
    told = next(around.glob(f"{PACKAGE}-*.dist-info"), None)
    if told is not None:
        return told.name.removesuffix(".dist-info").partition("-")[2]
    from importlib import metadata

    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "unknown"
