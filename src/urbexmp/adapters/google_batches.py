"""Pictures on their way to Google Vision: together where they wait together, within limits.

Threads bring a picture each. Whoever finds a request free carries all that wait, up to the most
that go into one; while requests are under way, pictures gather. Nobody waits for company: a single
picture goes at once. Around a request stand budget, circuit, rate and retries (`server_gate`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from urbexmp.adapters.server_gate import Gate, Spared
from urbexmp.model.errors import Problem
from urbexmp.model.pacing import HeardPace
from urbexmp.model.stage_errors import StageFailed, StageStopped, StageTimeout
from urbexmp.rules.circuit import pause_before
from urbexmp.rules.google_answers import REFUSED, Annotated, Refusal, fault_of, no_access
from urbexmp.rules.google_settings import STAGE, GoogleSettings
from urbexmp.rules.server_faults import Fault
from urbexmp.rules.server_trouble import ServerTrouble
from urbexmp.rules.spending import Spent
from urbexmp.rules.stopping import STEP_SECONDS, Stopping, never

LARGEST = 7 * 2**20
"""Bytes of pictures in one request; Google takes 10 MB, and base64 makes four bytes of three."""

REDIAL = "Try again later, or correct stage.google_vision.url; `urbexmp doctor` tries it out"


class Client(Protocol):
    """Sends one request."""

    def annotate(self, pictures: Sequence[bytes]) -> tuple[Annotated, ...]:
        """Raises what `GoogleVision` is constructed with as `unreached` and `refused`."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


@dataclass(slots=True, eq=False)
class _Wanted:
    """One picture, until it is done."""

    picture: bytes
    queued: bool = True
    alone: bool = False
    """A request that it was part of was refused: it goes by itself."""
    answer: Annotated | None = None
    problem: Problem | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.problem is not None


class GoogleVision:
    """Google Vision, asked with patience and within limits. Thread-safe."""

    def __init__(
        self,
        settings: GoogleSettings,
        client: Client,
        unreached: type[Exception],
        refused: type[Exception],
        say: Callable[[str], None],
        *,
        key: str = "",
        has_access: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`has_access`: there is a key or a file, or the server asks for none."""
        self.settings = settings
        self.stopping: Stopping = never
        self._client = client
        self._unreached = unreached
        self._refused = refused
        self._say = say
        self._trouble = ServerTrouble(STAGE, settings.server, REDIAL, key)
        self._has_access = has_access
        self._clock = clock
        self._free = threading.Condition()
        self._queue: deque[_Wanted] = deque()
        self._leading = 0
        self._told = False
        self._gate = Gate(
            *(STAGE, settings.budget, clock, sleep, lambda: self.stopping()),
            in_flight=settings.in_flight,
            per_minute=settings.per_minute,
        )

    def paced_to(self, heard: HeardPace) -> None:
        """Have it told how many requests go at a time."""
        self._gate.heard = heard

    @property
    def spent(self) -> Spent:
        """What was asked so far."""
        return self._gate.spent

    def ask(self, picture: bytes) -> Annotated:
        """Have one JPEG looked at, together with those that other threads bring.

        Raises `ServerAway`, `StageTimeout`, `StageFailed`, `BudgetSpent`, `StageStopped`.
        """
        wanted = _Wanted(picture)
        with self._free:
            self._queue.append(wanted)
        while (batch := self._turn(wanted)) is not None:
            try:
                self._carry(batch)
            finally:
                with self._free:
                    self._leading -= 1
                    self._free.notify_all()
        if wanted.problem is not None:
            problem = wanted.problem
            raise type(problem)(problem.subject, **problem.fields)
        assert wanted.answer is not None
        return wanted.answer

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    # --- Taking turns ----------------------------------------------------------------------

    def _turn(self, wanted: _Wanted) -> list[_Wanted] | None:
        """Wait until the picture is done (None), or until it is our turn to carry a request."""
        with self._free:
            while not wanted.done:
                if wanted.queued and self.stopping():
                    self._queue.remove(wanted)
                    raise StageStopped(f"stage {STAGE}", stage=STAGE)
                if wanted.queued and self._leading < self.settings.in_flight:
                    self._leading += 1
                    return self._taken()
                self._free.wait(STEP_SECONDS)
        return None

    def _taken(self) -> list[_Wanted]:
        batch, size = [self._queue.popleft()], 0
        size = len(batch[0].picture)
        while self._queue and not batch[0].alone and not self._queue[0].alone:
            size += len(self._queue[0].picture)
            if len(batch) == self.settings.pictures or size > LARGEST:
                break
            batch.append(self._queue.popleft())
        for one in batch:
            one.queued = False
        return batch

    def _put_back(self, batch: Sequence[_Wanted], *, alone: bool) -> None:
        with self._free:
            for one in reversed(batch):
                one.queued = True
                one.alone = one.alone or alone
                self._queue.appendleft(one)
            self._free.notify_all()

    def _carry(self, batch: list[_Wanted]) -> None:
        """See a request through; afterwards each picture is done, or back in the queue."""
        problem: Problem
        try:
            with self._gate.question() as probe:
                self._patiently(batch, probe=probe)
        except Spared as spared:
            problem = self._trouble.spared(spared.seconds, spared.last)
        except Problem as met:
            problem = met
        except BaseException as bug:
            # Others wait for this thread: they must hear of it, whatever it was.
            detail = f"{type(bug).__name__} while it was asked"
            self._failed(batch, self._trouble.failed(detail))
            raise
        else:
            return
        self._failed(batch, problem)

    def _failed(self, batch: Sequence[_Wanted], problem: Problem) -> None:
        for one in batch:
            if not one.done and not one.queued:
                one.problem = problem

    # --- One request -----------------------------------------------------------------------

    def _patiently(self, batch: list[_Wanted], *, probe: bool) -> None:
        again, left = 0, batch
        while left:
            problem, after, later = self._send(left)
            left = [one for one in left if not one.done and not one.queued]
            if not left:
                return
            again += 1
            pause = None if probe or not later else pause_before(again, after)
            if pause is None:
                raise problem
            self._gate.pause(pause)

    def _send(self, batch: Sequence[_Wanted]) -> tuple[Problem, float | None, bool]:
        """One request. Of what is not done after it: why, how long to wait, and whether to ask
        again."""
        if not self._has_access:
            return self._trouble.of(no_access(self.settings)), None, False
        self._tell_upload()
        granted = self._gate.request(len(batch))
        self._put_back(batch[granted:], alone=False)
        batch = batch[:granted]
        began = self._clock()
        try:
            answers = self._client.annotate([one.picture for one in batch])
        except self._unreached as failure:
            if getattr(failure, "slow", False):
                self._gate.busy()
                limit = f"{self.settings.timeout:g}"
                slow = StageTimeout(f"stage {STAGE}", stage=STAGE, seconds=limit)
                return slow, None, False
            return self._trouble.unreached(failure), None, True
        except self._refused as failure:
            return self._understood(failure, batch)
        self._gate.answered(self._clock() - began)
        problem: Problem = StageFailed(f"stage {STAGE}", stage=STAGE, detail="gave no answer")
        for one, answer in zip(batch, answers, strict=True):
            if answer.code in REFUSED:
                refusal = Refusal(REFUSED[answer.code], answer.message)
                return self._trouble.of(self._fault(refusal)), None, False
            if answer.again:
                problem = self._picture_failed(answer)
            elif answer.code:
                one.problem = self._picture_failed(answer)
            else:
                one.answer = answer
        return problem, None, True

    def _understood(
        self, failure: object, batch: Sequence[_Wanted]
    ) -> tuple[Problem, float | None, bool]:
        refusal: Refusal = getattr(failure, "refusal", Refusal(500))
        fault = self._fault(refusal)
        if fault.busy:
            self._gate.busy()
        if not fault.again and not fault.every and len(batch) > 1:
            self._put_back(batch, alone=True)  # one of them may be what it does not like
        return self._trouble.of(fault), refusal.retry_after, fault.again

    # --- What goes wrong -------------------------------------------------------------------

    def _fault(self, refusal: Refusal) -> Fault:
        return fault_of(refusal, self.settings, has_key=self._has_access)

    def _picture_failed(self, answer: Annotated) -> StageFailed:
        words = " ".join(answer.message.split())[:200] or f"code {answer.code}"
        words = self._trouble.hidden(words)
        detail = f"{self.settings.server} could not look at the picture ({words})"
        return self._trouble.failed(detail)

    def _tell_upload(self) -> None:
        with self._free:
            told, self._told = self._told, True
        if not told and not self.settings.is_here:
            self._say(f"Photos are sent to {self.settings.server}, where Google looks at them.")
