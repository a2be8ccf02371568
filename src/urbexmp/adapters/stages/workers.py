"""Stages in processes of their own: what a model library does there breaks neither run nor photo.

A process is started on the first look, loads its model once and stays. Photos are handed over as
plain data and raw pictures (`exchange`); the process gets three pipes and nothing else. It is
ended when a look takes too long, after so many looks, when it has grown too much, when it is
closed, and by itself as soon as its parent is gone.

Threads share the processes of a stage: each packs its photo, which decodes it, and whoever finds
a process free carries what waits over. So decoding goes on while the model works, and a stage
that can look at several photos at once is given those that wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urbexmp.adapters.stages import room
from urbexmp.model.errors import Problem
from urbexmp.model.pacing import BEGUN, PROCESSES, SET, HeardPace, Paced, nobody
from urbexmp.model.stage_errors import StageFailed, StageStopped, StageTimeout
from urbexmp.rules.pacing_workers import Crowd, has_room, is_tight
from urbexmp.rules.stopping import Stopping, never

if TYPE_CHECKING:
    from urbexmp.adapters.stages.child import Child, Watcher
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.ports import Stage

COMMAND = ("-m", "urbexmp.stage_process")
"""What `sys.executable` is given to begin a process."""

CRASHES = 3
"""After so many photos in a row whose look broke the process twice, the stage rests."""

RESCORED_TOGETHER = 64
"""Vectors that are handed over at once; what one of them costs is mostly the handing over."""

REST_SECONDS = 600.0
"""For so long. A model that cannot be loaded would else be loaded twice for every photo."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stage's processes may take."""

    seconds: float = 120.0
    """For one look."""
    load_seconds: float = 600.0
    """For the first look of a process, which loads the model."""
    processes: int = 0
    """0: one, and more while photos queue up, each is a gain, and there is memory for it."""
    recycle_photos: int = 0
    """A process is replaced after so many looks; 0 is never."""
    recycle_megabytes: int = 1024
    """And when it holds so much more memory than after its first look; 0 is never. Not the whole
    of it: the model alone may be several times that, and would be loaded anew for each photo."""


@dataclass(slots=True, eq=False)
class _Job:
    """One photo that waits for its look, or a vector that is to be told of anew."""

    plain: dict[str, Any]
    blobs: list[bytes]
    vector: bool = False
    answer: tuple[Observation, ...] | Problem | None = None


class _Broken(Exception):  # noqa: N818  (a signal between two functions here)
    """A process ended, or was ended, before it answered."""

    def __init__(self, why: str, *, ended_for: str = "") -> None:
        super().__init__(why)
        self.ended_for = ended_for
        """`time` or `stop` when we ended it."""


@dataclass(slots=True, eq=False)
class _Slot:
    """A place for one process."""

    child: Child | None = None


class WorkerStage:
    """A stage (`ports.Stage`) that looks in other processes. Thread-safe.

    `stage` is the same stage, here: it only says its name, id and needs, and loads nothing.
    `recipe` is how the process builds its own; `stopping` may be set at any time.
    """

    in_worker = True

    def __init__(
        self,
        stage: Stage,
        recipe: Mapping[str, Any],
        limits: Limits = Limits(),
        command: Sequence[str] = COMMAND,
        stopping: Stopping = never,
    ) -> None:
        self.name = stage.name
        self.id = stage.id
        self.uses_preview = stage.uses_preview
        self.uses_context = stage.uses_context
        self.picture_id: str | None = (
            getattr(stage, "picture_id", None) if hasattr(stage, "rescore") else None
        )
        """What the vectors rest on that `rescore` takes; None: it takes none."""
        self.stopping = stopping
        self._heard: HeardPace = nobody
        self._told = 0
        """The number that was told last."""
        self._ending = 0
        """Processes that were given up and may still hold their memory."""
        self._stage = stage
        self._limits = limits
        self._together = max(1, int(getattr(stage, "batch", 1)))
        self._begin = (*command,)
        self._recipe = dict(recipe)
        self._turn = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._free = [_Slot() for _ in range(max(1, limits.processes))]
        self._slots = list(self._free)
        self._crowd = None if limits.processes else Crowd(room.cores())
        self._resident = 0
        """Bytes that the first process held after its first look."""
        self._crashes = 0
        self._rests_until = 0.0
        self._why = ""
        self._watcher: Watcher | None = None

    @property
    def on_pace(self) -> HeardPace:
        """Is told of the number of processes: at the first look from now on, and of changes."""
        return self._heard

    @on_pace.setter
    def on_pace(self, heard: HeardPace) -> None:
        with self._turn:
            self._heard, self._told = heard, 0

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing."""
        ready = getattr(self._stage, "ready", None)
        return ready() if ready is not None else None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Look in a process. Raises what the stage raises there, `StageFailed` when it breaks,
        `StageTimeout`, `StageStopped`, and `Undecodable` through the view."""
        # Imported late: a run in which nothing changed builds stages and has none of them look.
        from urbexmp.adapters.stages.exchange import pack_inputs

        plain, blobs = pack_inputs((seen,), pictures=self.uses_preview)
        return self._answer(_Job(plain[0], blobs))

    def rescore(self, vector: bytes) -> tuple[Observation, ...]:
        """What the stage says of a picture whose vector (of `picture_id`) is known; raises as
        `look`. The process loads of its model what it needs for that, at most."""
        return self._answer(_Job({}, [vector], vector=True))

    def _answer(self, job: _Job) -> tuple[Observation, ...]:
        with self._turn:
            self._waiting.append(job)
        while True:
            with self._turn:
                while job.answer is None and not (self._free and job in self._waiting):
                    self._turn.wait()
                if job.answer is not None:
                    break
                slot = self._free.pop()
                batch = self._next()
            try:
                self._work(slot, batch)
            finally:
                with self._turn:
                    for each in batch:
                        if each.answer is None:
                            each.answer = self._failed("was left in the middle")
                    given_up = self._put_back(slot)
                    self._ending += given_up is not None
                    self._turn.notify_all()
                if given_up is not None:
                    given_up.end()
                    with self._turn:
                        self._ending -= 1
        if isinstance(job.answer, Problem):
            raise job.answer
        return job.answer

    def close(self) -> None:
        """End the processes. A later look begins new ones."""
        for slot in tuple(self._slots):
            if slot.child is not None:
                slot.child.end()
                slot.child = None
        if self._watcher is not None:
            self._watcher.close()

    def _next(self) -> list[_Job]:
        """What waits longest, and what can be handed over with it: all vectors, or none."""
        batch = [self._waiting.popleft()]
        most = RESCORED_TOGETHER if batch[0].vector else self._together
        while self._waiting and len(batch) < most and self._waiting[0].vector == batch[0].vector:
            batch.append(self._waiting.popleft())
        return batch

    # --- How many there are -------------------------------------------------------------------

    def _put_back(self, slot: _Slot) -> Child | None:
        """A process is free again; or it is one too many, and is to be ended."""
        allowed = len(self._slots) if self._crowd is None else self._crowd.number
        if len(self._slots) > allowed:
            self._slots.remove(slot)
            child, slot.child = slot.child, None
            return child
        self._free.append(slot)
        while len(self._slots) < allowed:
            self._slots.append(_Slot())
            self._free.append(self._slots[-1])
        return None

    def _busy(self) -> int:
        """Processes at work that have their model loaded."""
        with self._turn:
            return sum(
                slot not in self._free and slot.child is not None and slot.child.looks > 0
                for slot in self._slots
            )

    def _pace(self, seconds: float, photos: int, busy: int, *, graphics: bool) -> None:
        """Think about the number of processes after a look at `photos`."""
        if self._crowd is None:
            return
        free = room.available_bytes()
        with self._turn:
            # A graphics card is one for all, and most have no memory for a second model.
            crowd = self._crowd.limited(1) if graphics else self._crowd
            going = self._ending > 0 or len(self._slots) > crowd.number
            self._crowd = crowd.looked(
                time.monotonic(),
                seconds,
                photos,
                busy=busy,
                waiting=bool(self._waiting),
                room=has_room(free, self._resident),
                tight=not going and is_tight(free, self._resident),
            )
            self._tell(self._crowd.number, self._crowd.why)

    def _tell(self, number: int, why: str) -> None:
        """Tell of the number of processes, where it is another one than was told last."""
        before, self._told = self._told, number
        if number != before:
            self._heard(Paced(self.name, PROCESSES, before, number, why))

    def _tell_begun(self) -> None:
        with self._turn:
            if not self._told:
                crowd = self._crowd
                self._tell(*((len(self._slots), SET) if crowd is None else (crowd.number, BEGUN)))

    # --- One free process, and what waits for it --------------------------------------------

    def _work(self, slot: _Slot, batch: list[_Job]) -> None:
        """Get an answer for each, whatever happens on the way."""
        for last in (False, True):
            if self.stopping():
                self._all(batch, StageStopped(f"stage {self.name}", stage=self.name))
                return
            if time.monotonic() < self._rests_until:
                self._all(batch, self._failed(self._why))
                return
            try:
                answers = self._ask(slot, batch)
            except _Broken as broken:
                if broken.ended_for == "stop":
                    self._all(batch, StageStopped(f"stage {self.name}", stage=self.name))
                    return
                if len(batch) > 1:
                    for each in batch:
                        self._work(slot, [each])
                    return
                if broken.ended_for == "time":
                    self._all(batch, self._late(str(broken)))
                    return
                if last:
                    self._crashed(str(broken))
                    self._all(batch, self._failed(str(broken)))
                    return
            except Problem as problem:
                self._all(batch, problem)
                return
            else:
                self._crashes = 0
                for each, answer in zip(batch, answers, strict=True):
                    each.answer = answer
                return

    def _ask(self, slot: _Slot, batch: list[_Job]) -> list[tuple[Observation, ...] | Problem]:
        from urbexmp.adapters.stages.child import Child
        from urbexmp.adapters.stages.exchange import receive, send, unpack_answer

        limits = self._limits
        child = slot.child
        if child is None:
            child = slot.child = Child(self._begin, self._recipe)
        self._tell_begun()
        vectors = batch[0].vector
        # Telling of a vector and looking load different parts of a model, or none of it.
        first = (child.rescores if vectors else child.looks) == 0
        seconds = limits.load_seconds if first else limits.seconds * len(batch)
        asked: dict[str, Any] = (
            {"vectors": [len(each.blobs[0]) for each in batch]}
            if vectors
            else {"looks": [each.plain for each in batch]}
        )
        busy, began = self._busy(), time.monotonic()
        try:
            with self._guard().guarding(child, seconds):
                if not child.greeted:
                    self._greet(child)
                    child.greeted = True
                send(child.frames, asked, (blob for each in batch for blob in each.blobs))
                said, _ = receive(child.answers)
        except (OSError, EOFError, ValueError) as failure:
            slot.child = None
            why, ended_for = child.end(), child.ended_for
            why = f"{seconds:g}" if ended_for == "time" else why or str(failure)
            raise _Broken(why, ended_for=ended_for) from failure
        except Problem:
            slot.child = None
            child.end()
            raise
        answers = [unpack_answer(plain, self.name) for plain in said["answers"]]
        if vectors:
            # What it holds now is no measure: the model that a look needs is not loaded.
            child.rescores += len(batch)
            return answers
        if child.looks:
            took, busy = time.monotonic() - began, max(busy, self._busy())
            self._pace(took, len(batch), busy, graphics=said["graphics"])
        child.looks += len(batch)
        child.resident = child.resident or said["resident"]
        self._resident = self._resident or child.resident
        grown = (said["resident"] - child.resident) / 2**20
        if 0 < limits.recycle_photos <= child.looks or 0 < limits.recycle_megabytes < grown:
            slot.child = None
            child.end()
        return answers

    def _greet(self, child: Child) -> None:
        """Hear whether the process has built the same stage."""
        from urbexmp.adapters.stages.exchange import receive, unpack_answer

        said, _ = receive(child.answers)
        if "broken" in said:
            problem = unpack_answer(said["broken"], self.name)
            assert isinstance(problem, Problem)
            raise problem
        if said["id"] != self.id:
            raise self._failed(
                "its vocabulary, weights or packages were changed meanwhile; run the command again"
            )

    def _guard(self) -> Watcher:
        from urbexmp.adapters.stages.child import Watcher

        with self._turn:
            if self._watcher is None:
                self._watcher = Watcher(lambda: self.stopping())
            return self._watcher

    def _all(self, batch: list[_Job], problem: Problem) -> None:
        for each in batch:
            each.answer = problem

    def _failed(self, detail: str) -> StageFailed:
        return StageFailed(f"stage {self.name}", stage=self.name, detail=detail)

    def _late(self, seconds: str) -> StageTimeout:
        return StageTimeout(f"stage {self.name}", stage=self.name, seconds=seconds)

    def _crashed(self, why: str) -> None:
        self._crashes += 1
        if self._crashes >= CRASHES:
            self._crashes = 0
            self._rests_until = time.monotonic() + REST_SECONDS
            self._why = f"{why}; that was {CRASHES} photos in a row, so it rests"
