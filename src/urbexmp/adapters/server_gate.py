"""The gate before a server: budget, circuit, rate, and the number of requests at a time.

What each of them decides is pure (`rules.spending`, `circuit`, `pacing`); here are the lock, the
clock and the waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from urbexmp.model.pacing import REQUESTS, HeardPace, Paced, nobody
from urbexmp.model.stage_errors import (
    BudgetSpent,
    ServerAway,
    StageFailed,
    StageStopped,
    StageTimeout,
)
from urbexmp.rules.circuit import FAILURES, Circuit
from urbexmp.rules.pacing import Pace, Rate
from urbexmp.rules.spending import Budget, Spent
from urbexmp.rules.stopping import STEP_SECONDS, Stopping, steps


class Spared(Exception):  # noqa: N818  (a signal to the server)
    """The server is not asked now: it did not answer before."""

    def __init__(self, seconds: float, last: ServerAway | None) -> None:
        """`seconds` until it is asked again; `last`: what it did before."""
        super().__init__(seconds)
        self.seconds = seconds
        self.last = last


class Purse:
    """What the gates of one run share: they spend from one budget, each at its own prices."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.gates: list[Gate] = []


class Gate:
    """Lets requests through. Thread-safe. `stopping` says whether a person asked to stop."""

    def __init__(
        self,
        stage: str,
        budget: Budget,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        stopping: Stopping,
        *,
        in_flight: int,
        per_minute: float,
        purse: Purse | None = None,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self._stage = stage
        self._stopping = stopping
        self._budget = budget
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)
        self._circuit = Circuit()
        self._last: ServerAway | None = None
        """Why the circuit is open."""
        self.pace = Pace(in_flight)
        self._rate = Rate(per_minute)
        self.spent = Spent()
        self.heard: HeardPace = nobody
        """Is told how many requests go at a time, at the first one and when that changes."""
        self._told = 0
        self._under_way = 0
        self._purse = purse or Purse()
        self._purse.gates.append(self)

    @property
    def money(self) -> float:
        """What went through this gate cost."""
        return self.spent.money(self._budget)

    @contextmanager
    def question(self) -> Iterator[bool]:
        """Hold a place for one photo; gives whether it is the probe of a server that was away.

        Raises `Spared`, `BudgetSpent`, `StageStopped`. What the body raises tells how it went.
        """
        probe = self._enter()
        answered = False
        try:
            yield probe
            answered = True
        except (ServerAway, StageTimeout) as away:
            self._failed(away, probe=probe)
            raise
        except StageStopped:
            raise
        except StageFailed:  # but it answered
            answered = True
            raise
        finally:
            with self._free:
                self._under_way -= 1
                if answered:
                    self._circuit = self._circuit.answered()
                self._free.notify_all()

    def _enter(self) -> bool:
        with self._free:
            while True:
                self.heed_stop()
                self._check_budget()
                now = self.clock()
                wait = self._circuit.wait(now)
                if wait > 0:
                    raise Spared(wait, self._last)
                if self._under_way < self.pace.allowed:
                    break
                self._free.wait(STEP_SECONDS)
            probe = self._circuit.is_open
            self._circuit = self._circuit.asked(now)
            self._tell()
            self._under_way += 1
        return probe

    def _failed(self, away: StageFailed, *, probe: bool) -> None:
        with self._lock:
            if not probe and away.fields.get("every"):
                self._circuit = Circuit(FAILURES, self.clock())
            else:
                self._circuit = self._circuit.failed(self.clock())
            self._last = away if isinstance(away, ServerAway) else None

    def request(self, pictures: int = 0) -> int:
        """Before each request: count it, and wait as the rate wants it. Raises `BudgetSpent`.

        `pictures` are those with a price of their own; returns how many of them may go.
        """
        with self._lock, self._purse.lock:
            self._check_budget()
            wait, self._rate = self._rate.taken(self.clock())
            granted = self.spent.room(self._budget, pictures)
            self.spent = self.spent.asked(granted)
        self.pause(wait)
        return granted

    def answered(self, seconds: float) -> None:
        """A request came back with an answer."""
        with self._lock:
            self.pace = self.pace.answered(seconds, self._under_way)
            self._tell()

    def used(self, tokens_in: int | None, tokens_out: int | None) -> None:
        """What an answer cost."""
        with self._lock:
            self.spent = self.spent.answered(tokens_in, tokens_out)

    def busy(self) -> None:
        """The server wants fewer requests, or ran out of time."""
        with self._lock:
            self.pace = self.pace.refused()
            self._tell()

    def _tell(self) -> None:
        before, self._told = self._told, self.pace.allowed
        if self._told != before:
            self.heard(Paced(self._stage, REQUESTS, before, self._told, self.pace.why))

    def pause(self, seconds: float) -> None:
        """Wait. Raises `StageStopped`."""
        for step in steps(seconds):
            self.heed_stop()
            self.sleep(step)

    def heed_stop(self) -> None:
        """Raise `StageStopped` where a person asked to stop."""
        if self._stopping():
            raise StageStopped(f"stage {self._stage}", stage=self._stage)

    def _check_budget(self) -> None:
        gates = self._purse.gates
        spent = sum((gate.spent for gate in gates), Spent())
        money = sum(gate.money for gate in gates)
        over = spent.over(self._budget, money)
        if over is not None:
            told = spent.told(self._budget, money)
            raise BudgetSpent(f"stage {self._stage}", stage=self._stage, budget=over, spent=told)
