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

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from urbexmp.adapters.stages.exchange import pack_inputs, receive, send, unpack_answer
from urbexmp.model.errors import Problem
from urbexmp.model.stage_errors import StageFailed, StageStopped, StageTimeout

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.ports import Stage

COMMAND = ("-m", "urbexmp.stage_process")
"""What `sys.executable` is given to begin a process."""

CRASHES = 3
"""After so many photos in a row whose look broke the process twice, the stage rests."""

REST_SECONDS = 600.0
"""For so long. A model that cannot be loaded would else be loaded twice for every photo."""

STOP_SECONDS = 3.0
"""A look may go on for so long after a person asked to stop."""

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stage's processes may take."""

    seconds: float = 120.0
    """For one look."""
    load_seconds: float = 600.0
    """For the first look of a process, which loads the model."""
    processes: int = 1
    recycle_photos: int = 0
    """A process is replaced after so many looks; 0 is never."""
    recycle_megabytes: int = 1024
    """And when it holds so much more memory than after its first look; 0 is never. Not the whole
    of it: the model alone may be several times that, and would be loaded anew for each photo."""


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)
class _Job:
    """One photo that waits for its look."""

    plain: dict[str, Any]
    blobs: list[bytes]
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

    child: _Child | None = None


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
        stopping: Callable[[], bool] = _never,
    ) -> None:
        self.name = stage.name
        self.id = stage.id
        self.uses_preview = stage.uses_preview
        self.uses_context = stage.uses_context
        self.stopping = stopping
        self._stage = stage
        self._limits = limits
        self._together = max(1, int(getattr(stage, "batch", 1)))
        self._begin = (*command,)
        self._recipe = dict(recipe)
        self._turn = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._free = [_Slot() for _ in range(max(1, limits.processes))]
        self._slots = tuple(self._free)
        self._crashes = 0
        self._rests_until = 0.0
        self._why = ""
        self._watcher = _Watcher(lambda: self.stopping())

    def ready(self) -> Problem | None:
        """What keeps the stage from looking; None: nothing."""
        ready = getattr(self._stage, "ready", None)
        return ready() if ready is not None else None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Look in a process. Raises what the stage raises there, `StageFailed` when it breaks,
        `StageTimeout`, `StageStopped`, and `Undecodable` through the view."""
        plain, blobs = pack_inputs((seen,), pictures=self.uses_preview)
        job = _Job(plain[0], blobs)
        with self._turn:
            self._waiting.append(job)
        while True:
            with self._turn:
                while job.answer is None and not (self._free and job in self._waiting):
                    self._turn.wait()
                if job.answer is not None:
                    break
                slot = self._free.pop()
                number = min(self._together, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(number)]
            try:
                self._work(slot, batch)
            finally:
                with self._turn:
                    for each in batch:
                        if each.answer is None:
                            each.answer = self._failed("was left in the middle")
                    self._free.append(slot)
                    self._turn.notify_all()
        if isinstance(job.answer, Problem):
            raise job.answer
        return job.answer

    def close(self) -> None:
        """End the processes. A later look begins new ones."""
        for slot in self._slots:
            if slot.child is not None:
                slot.child.end()
                slot.child = None
        self._watcher.close()

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
        limits = self._limits
        child = slot.child
        if child is None:
            child = slot.child = _Child(self._begin, self._recipe)
        first = child.looks == 0
        seconds = limits.load_seconds if first else limits.seconds * len(batch)
        try:
            with self._watcher.guarding(child, seconds):
                if first:
                    self._greet(child)
                send(
                    child.frames,
                    {"looks": [each.plain for each in batch]},
                    (blob for each in batch for blob in each.blobs),
                )
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
        child.looks += len(batch)
        child.resident = child.resident or said["resident"]
        grown = (said["resident"] - child.resident) / 2**20
        if 0 < limits.recycle_photos <= child.looks or 0 < limits.recycle_megabytes < grown:
            slot.child = None
            child.end()
        return [unpack_answer(plain, self.name) for plain in said["answers"]]

    def _greet(self, child: _Child) -> None:
        """Hear whether the process has built the same stage."""
        said, _ = receive(child.answers)
        if "broken" in said:
            problem = unpack_answer(said["broken"], self.name)
            assert isinstance(problem, Problem)
            raise problem
        if said["id"] != self.id:
            raise self._failed(
                "its vocabulary, weights or packages were changed meanwhile; run the command again"
            )

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


class _Child:
    """One process and its pipes."""

    def __init__(self, command: Sequence[str], recipe: Mapping[str, Any]) -> None:
        self.looks = 0
        self.resident = 0
        """Bytes after the first look."""
        self.ended_for = ""
        # A group of its own, so that Ctrl-C in the terminal does not reach it.
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if sys.platform == "win32"
            else {"process_group": 0}
        )
        self._process = subprocess.Popen(
            (sys.executable, *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            **apart,
        )
        self.frames = cast("BinaryIO", self._process.stdin)
        self.answers = cast("BinaryIO", self._process.stdout)
        self._lines: deque[str] = deque(maxlen=20)
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()
        # A process that ends at once is found out by who waits for its answer.
        with suppress(OSError):
            send(self.frames, recipe)

    def kill(self, ended_for: str) -> None:
        """End it now, in the middle of a look."""
        self.ended_for = self.ended_for or ended_for
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> str:
        """End it, and say how it ended: `SIGSEGV`, an exit code, its last words."""
        with suppress(OSError):
            self.frames.close()
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill("slowness")
            code = self._process.wait()
        self._reader.join(2.0)
        self.answers.close()
        last = next((line for line in reversed(self._lines) if line.strip()), "").strip()
        return _how(code) + (f" ({last})" if last else "")

    def _read_errors(self) -> None:
        errors = self._process.stderr
        assert errors is not None
        with errors, suppress(ValueError):
            while line := errors.readline(4096):
                self._lines.append(line.decode(errors="replace"))


def _how(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    memory = ", most likely for want of memory" if name == "SIGKILL" else ""
    return f"its process crashed with {name}{memory}"


@dataclass(slots=True, eq=False)
class _Guarded:
    child: _Child
    until: float


@dataclass(slots=True)
class _Watcher:
    """Ends processes whose look takes too long, from a thread of its own.

    Who waits for an answer is in the middle of a read, or of a write to a process that does not
    read; both end when the process does. The thread polls only while a look is under way.
    """

    stopping: Callable[[], bool]
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _guarded: list[_Guarded] = field(default_factory=list)
    _thread: threading.Thread | None = None

    @contextmanager
    def guarding(self, child: _Child, seconds: float) -> Iterator[None]:
        """End the child if the block takes longer, or soon after a person asked to stop."""
        one = _Guarded(child, time.monotonic() + seconds)
        with self._changed:
            self._guarded.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True, name="limits")
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._guarded.remove(one)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        me = threading.current_thread()
        asked: float | None = None
        with self._changed:
            while self._thread is me:
                if not self._guarded:
                    asked = None
                    self._changed.wait()
                    continue
                now = time.monotonic()
                if asked is None and self.stopping():
                    asked = now
                for one in self._guarded:
                    if asked is not None and now >= asked + STOP_SECONDS:
                        one.child.kill("stop")
                    elif now >= one.until:
                        one.child.kill("time")
                self._changed.wait(POLL_SECONDS)
