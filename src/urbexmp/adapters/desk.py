"""Lets stages look at the pictures of a server's requests: side by side, and never for too long.

Each look has a thread of its own that nobody waits for at the end: one that hangs in a library
cannot be ended, only be left behind. How many were left behind is counted, so that a stage that
always hangs is not given more pictures until the machine is full.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import Preview, StageInput, StageLook, View
from urbexmp.model.stage_errors import StageFailed, StageMissing, StageTimeout
from urbexmp.rules.serving import Answered

if TYPE_CHECKING:
    from urbexmp.model.ports import Stage
    from urbexmp.rules.serving import Asked, Limits, Request

T = TypeVar("T")

DECODE_SECONDS = 60.0
"""For one picture within the limits, on a machine that is busy."""

Decode = Callable[[bytes], Preview]
"""Decodes a JPEG or PNG to the size that stages see. Raises `Undecodable`."""


class Desk:
    """The stages that are offered, and the pictures before them. For one event loop."""

    def __init__(self, stages: Sequence[Stage], decode: Decode, limits: Limits) -> None:
        self.stages: Mapping[str, Stage] = MappingProxyType({one.name: one for one in stages})
        self.looking = 0
        """Pictures that are looked at now."""
        self.waiting = 0
        """Pictures that wait for their turn."""
        self._decode = decode
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.at_once)
        self._left: Counter[str] = Counter()

    def obstacle(self, stage: Stage) -> Problem | None:
        """What keeps a stage from looking; None: nothing that is known beforehand."""
        if self._left[stage.name] >= self._limits.at_once:
            detail = f"{self._left[stage.name]} looks hang in it; restart the server"
            return StageMissing("serve", stage=stage.name, detail=detail, advice="")
        ready: Callable[[], Problem | None] | None = getattr(stage, "ready", None)
        return ready() if ready is not None else None

    async def answer(self, request: Request) -> list[Answered]:
        """Look at every picture of a request, as many side by side as the limits allow."""
        stages = [self.stages[name] for name in request.stages]
        looks = (self._in_turn(asked, stages) for asked in request.pictures)
        return list(await asyncio.gather(*looks))

    def close(self) -> None:
        """End what the stages hold: processes of their own."""
        for stage in self.stages.values():
            close: Callable[[], None] | None = getattr(stage, "close", None)
            if close is not None:
                close()

    async def _in_turn(self, asked: Asked, stages: Sequence[Stage]) -> Answered:
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        self.looking += 1
        try:
            return await self._look(asked, stages)
        finally:
            self.looking -= 1
            self._turns.release()

    async def _look(self, asked: Asked, stages: Sequence[Stage]) -> Answered:
        began = time.perf_counter()
        preview: Preview | None = None
        try:
            if asked.wrong:
                raise Undecodable("picture", detail=asked.wrong, advice="")
            if any(stage.uses_preview for stage in stages):
                if asked.data is None:
                    raise Undecodable(
                        "picture", detail="no image was sent, and a stage needs it", advice=""
                    )
                preview = await self._decoded(asked.data)
        except Problem as problem:
            return Answered((), (("", problem),), time.perf_counter() - began)
        looks: list[StageLook] = []
        problems: list[tuple[str, Problem]] = []
        for stage in stages:
            seen = StageInput(
                View(asked.facts, partial(_shown, preview)),
                asked.context,
                (*asked.earlier, *looks),
            )
            try:
                looks.append(await self._one(stage, seen))
            except Problem as problem:
                problems.append((stage.name, problem))
        return Answered(tuple(looks), tuple(problems), time.perf_counter() - began)

    async def _decoded(self, data: bytes) -> Preview:
        try:
            return await self._aside("", partial(self._decode, data), DECODE_SECONDS)
        except TimeoutError:
            raise Undecodable("picture", detail="it takes too long to decode", advice="") from None

    async def _one(self, stage: Stage, seen: StageInput) -> StageLook:
        obstacle = self.obstacle(stage)
        if obstacle is not None:
            raise obstacle
        began = time.perf_counter()
        try:
            said = await self._aside(stage.name, partial(stage.look, seen), self._limits.seconds)
        except TimeoutError:
            seconds = f"{self._limits.seconds:g}"
            raise StageTimeout("serve", stage=stage.name, seconds=seconds) from None
        except Problem:
            raise
        except Exception as failure:
            detail = f"{type(failure).__name__}: {failure}".rstrip(": ")
            raise StageFailed("serve", stage=stage.name, detail=detail) from failure
        return StageLook(stage.id, said, time.perf_counter() - began)

    async def _aside(self, name: str, work: Callable[[], T], seconds: float) -> T:
        """Do `work` in a thread. Raises what it raises, or `TimeoutError` and leaves it behind."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        late = False

        def settle(value: Any, failure: BaseException | None) -> None:
            if late:
                self._left[name] -= 1
            elif failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(value)

        def run() -> None:
            value: Any = None
            failed: BaseException | None = None
            try:
                value = work()
            except BaseException as failure:
                failed = failure
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(settle, value, failed)

        threading.Thread(target=run, daemon=True, name=f"look {name}").start()
        try:
            return await asyncio.wait_for(asyncio.shield(future), seconds)
        except (TimeoutError, asyncio.CancelledError):
            # A stage's own TimeoutError comes from a finished future: nothing was left behind.
            if not future.done():
                late = True
                self._left[name] += 1
            raise


def _shown(preview: Preview | None) -> Preview:
    if preview is None:
        raise Undecodable("picture", detail="no image was sent", advice="")
    return preview
