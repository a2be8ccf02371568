"""Small stages for worker processes: one for each thing that can happen to a model."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from urbexmp.model.observation import Observation, ObservationKind, StageInput
from urbexmp.model.stage_errors import ExtraMissing, StageFailed
from urbexmp.rules.vectors import vector_said

MEGABYTE = 2**20


def said(label: str, value: str | float | None = None) -> tuple[Observation, ...]:
    return (Observation(ObservationKind.LABEL, label, 0.5, value),)


class Steady:
    """Says in which process it is, how often it looked there, and what it was shown."""

    name = "steady"
    uses_preview = True
    uses_context = True
    in_worker = True

    def __init__(self, version: str = "1", **_ignored: object) -> None:
        self.id = f"{self.name}@{version}"
        self._looks = 0

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        self._looks += 1
        picture = seen.view.preview()
        print("chatter of a library")  # must not reach the frames
        return (
            *said("process", float(os.getpid())),
            *said("looks", float(self._looks)),
            *said("picture", f"{picture.width}x{picture.height} {picture.rgb[:3].hex()}"),
            *said("place", seen.context.name),
            *said("camera", seen.view.facts.make),
            *(one for look in seen.earlier for one in look.observations),
        )


class Together(Steady):
    """Looks at several photos at once, except at those whose place is called `alone`."""

    name = "together"
    batch = 4

    def look_many(self, seen: Sequence[StageInput]) -> tuple[tuple[Observation, ...], ...]:
        if any(one.context.name == "alone" for one in seen):
            raise MemoryError("too many at once")
        return tuple((*self.look(one), *said("together", float(len(seen)))) for one in seen)


class Doing(Steady):
    """Does what the name of the place says, and answers like `Steady` else."""

    name = "doing"
    uses_preview = False

    def __init__(self, version: str = "1", marker: str = "", **_ignored: object) -> None:
        super().__init__(version)
        self._marker = marker
        self._kept: list[bytearray] = []

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        self._looks += 1
        what = seen.context.name or ""
        if what == "crash":
            print("about to touch what is not there", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        elif what == "crash once":
            if not os.path.exists(self._marker):  # noqa: PTH110
                open(self._marker, "w").close()  # noqa: PTH123
                os._exit(3)
        elif what == "exit":
            os._exit(7)
        elif what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "sleep":
            time.sleep(60)
        elif what == "raise":
            raise RuntimeError("CUDA out of memory")
        elif what == "missing":
            raise ExtraMissing("stage doing", stage="doing", package="torch", extra="torch")
        elif what == "leak":
            self._kept.append(bytearray(os.urandom(1) * (40 * MEGABYTE)))
        return (*said("process", float(os.getpid())), *said("looks", float(self._looks)))


class Unbuildable(Steady):
    """Cannot be built in the process, though it could be here."""

    name = "unbuildable"

    def __init__(self, version: str = "1", here: int = 0, **_ignored: object) -> None:
        super().__init__(version)
        if here and here != os.getpid():
            raise RuntimeError("no such device")


class Florence(Doing):
    """Breaks its process at pictures whose folder says so, and sees rust in the others."""

    name = "florence"

    def __init__(self, taxonomy: object = None, weights: object = None, version: str = "1") -> None:
        super().__init__(version)

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        if "Broken" in seen.context.folders:
            print("allocator: no room", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        return (Observation(ObservationKind.LABEL, "rust", 0.9, source="caption"),)


class Ram(Florence):
    """Sees peeling paint."""

    name = "ram"

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        return (Observation(ObservationKind.LABEL, "peeling paint", 0.9, source="tags"),)


class Unready(Florence):
    """Lacks a package."""

    name = "siglip"

    def ready(self) -> ExtraMissing:
        return ExtraMissing("stage siglip", stage="siglip", package="onnxruntime", extra="onnx")


class UnreadyToo(Unready):
    """Lacks the same."""

    name = "ram"


class Scoring(Doing):
    """Keeps a vector of each picture, and tells of one without looking."""

    name = "scoring"
    picture_id = "scoring-picture@1"

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        if seen.context.name == "leak":
            return super().look(seen)
        return (*super().look(seen), vector_said(self.picture_id, b"vector"))

    def rescore(self, vector: bytes) -> tuple[Observation, ...]:
        if vector == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if vector == b"short":
            raise StageFailed("stage scoring", stage="scoring", detail="does not fit")
        return (
            *said("process", float(os.getpid())),
            *said("looks", float(self._looks)),
            *said("vector", vector.decode()),
        )


class OnCard(Steady):
    """Has a graphics card do the work."""

    name = "on card"
    graphics = True
