"""The inside of a stage's worker process: answer looks until the parent has gone.

The process is begun by `urbexmp.stage_process`. Standard input and output belong to the frames
of `exchange`; whatever a library prints goes to standard error, of which the parent shows the
last line when the process breaks.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from urbexmp.adapters.stages.exchange import pack_answer, receive, send, split, unpack_inputs

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.ports import Stage

_Frame = tuple[dict[str, Any], bytes]
_Answer = "tuple[Observation, ...] | Exception"


def serve(build: Callable[[dict[str, Any]], Stage], resident: Callable[[], int]) -> None:
    """Answer the parent on standard input and output; returns never.

    `build` makes the stage of the recipe in the first frame; `resident` gives the bytes of memory
    that this process holds now.
    """
    # A terminal's Ctrl-C is the parent's to deal with: it ends us once the photo is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames, answers = _take_pipes()
    inbox: queue.SimpleQueue[_Frame] = queue.SimpleQueue()
    recipe, _ = receive(frames)
    threading.Thread(target=_listen, args=(frames, inbox), daemon=True).start()
    try:
        stage = build(recipe)
    except Exception as failure:
        send(answers, {"broken": pack_answer(failure)})
        os._exit(0)
    send(answers, {"id": stage.id})
    while True:
        said, blob = inbox.get()
        told = (
            [_rescored(stage, vector) for vector in split(blob, said["vectors"])]
            if "vectors" in said
            else _look(stage, tuple(unpack_inputs(said["looks"], blob)))
        )
        answer = {
            "answers": [pack_answer(one) for one in told],
            "resident": resident(),
            "graphics": bool(getattr(stage, "graphics", False)),
        }
        try:
            send(answers, answer)
        except OSError:
            os._exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes to the parent, out of the reach of libraries that read or print."""
    sys.stdout.flush()
    frames = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return frames, answers


def _listen(frames: BinaryIO, inbox: queue.SimpleQueue[_Frame]) -> None:
    """Take in frames. Ends the process, in the middle of a look too, when the parent has gone."""
    while True:
        try:
            inbox.put(receive(frames))
        except (EOFError, OSError):
            os._exit(0)


def _look(stage: Stage, seen: Sequence[StageInput]) -> list[tuple[Observation, ...] | Exception]:
    """Look at photos together where the stage can, else one by one."""
    many: Callable[[Sequence[StageInput]], Sequence[tuple[Observation, ...]]] | None
    many = getattr(stage, "look_many", None)
    if many is not None and len(seen) > 1:
        try:
            told = list(many(seen))
        except Exception as failure:
            # One of them is to blame, or they are too many at once: each by itself will tell.
            print(f"together: {failure}", file=sys.stderr, flush=True)
        else:
            if len(told) == len(seen):
                return list(told)
    return [_alone(stage, one) for one in seen]


def _alone(stage: Stage, seen: StageInput) -> tuple[Observation, ...] | Exception:
    try:
        return stage.look(seen)
    except Exception as failure:
        return failure


def _rescored(stage: Stage, vector: bytes) -> tuple[Observation, ...] | Exception:
    try:
        told: tuple[Observation, ...] = stage.rescore(vector)  # type: ignore[attr-defined]
    except Exception as failure:
        return failure
    return told
