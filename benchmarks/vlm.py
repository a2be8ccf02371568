"""What the stage `vlm` costs beside the model: own time of a request, requests in flight, memory.

    python benchmarks/vlm.py [REQUESTS] [--quick]

Against a double of a server on loopback, in a process of its own: what a model needs is not
measured. One thread asks, with a prompt of the taxonomy's words and a picture of 768 pixels. The
bare call is `openai`'s own `chat.completions.create` with the same prompt and picture. CPU seconds
of this process count; both take turns. Encoding the picture is measured by itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from timing import REPOSITORY, Goal, goals, machine, table

sys.path[:0] = [str(REPOSITORY / "src"), str(REPOSITORY / "tests")]

from urbexmp.adapters.thumbnail import as_sent  # noqa: E402
from urbexmp.model.observation import (  # noqa: E402
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.wiring_vlm import Connection  # noqa: E402

SERVER = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from vlm_server import GOOD_REPLY, VlmDouble
slots, seconds = int(sys.argv[2]), float(sys.argv[3])
free = threading.Semaphore(slots) if slots else None
def answer(request, number):
    double.requests.clear()
    double.keys.clear()
    if free is not None:
        with free:
            time.sleep(seconds)
    return GOOD_REPLY
with VlmDouble(answer) as double:
    print(double.url, flush=True)
    sys.stdin.read()
"""
CONTEXT = Context(name="St Agnes Hospital", place_type="hospital", era="1890s", city="Leeds")


class Server:
    """The double as a process: `slots` requests at a time, each of so many seconds."""

    def __init__(self, slots: int = 0, seconds: float = 0.0) -> None:
        arguments = (str(REPOSITORY / "tests"), str(slots), str(seconds))
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


def stage_for(url: str, state: Path, encode: Callable[..., bytes] = as_sent, **more: Any) -> Any:
    """The stage as a profile makes it."""
    from urbexmp.adapters.stages.vlm import VlmStage
    from urbexmp.model.profile import Profile
    from urbexmp.wiring_stages import open_taxonomy

    class Linked(Connection):
        @property
        def encode(self) -> Callable[..., bytes]:
            return encode

    stage = VlmStage(open_taxonomy(Profile()), model="eyes", url=url, **more)
    stage.connect(Linked(stage, state))
    return stage


def photo() -> StageInput:
    """A photo of 768 pixels with edges and grain, and what other stages said of it."""
    import numpy as np

    noise = np.random.default_rng(7).integers(0, 40, (512, 768, 3), dtype=np.uint8)
    noise += (np.indices((512, 768)).sum(0) // 9 % 5 * 40).astype(np.uint8)[..., None]
    preview = Preview(768, 512, noise.tobytes(), "image")
    said = StageLook(
        "siglip@1",
        (
            Observation(ObservationKind.VIEW, "interior", 0.9),
            Observation(ObservationKind.LABEL, "corridor", 0.8),
        ),
    )
    return StageInput(View(CaptureFacts(), lambda: preview), CONTEXT, (said,))


def bare(url: str, stage: Any, seen: StageInput, jpeg: bytes) -> Callable[[], None]:
    """`openai` by itself, with the same question."""
    import base64

    import openai

    from urbexmp.rules.prompts import fill
    from urbexmp.rules.vlm_question import Offering, question
    from urbexmp.rules.vlm_schema import schema

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    asked = question(seen.context, seen.earlier, stage._taxonomy, Offering(stage._taxonomy))
    filled = fill(stage._connection.prompt, asked)
    form = schema(filled.fields, asked.terms)

    def call() -> None:
        address = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
        client.chat.completions.create(
            model="eyes",
            max_tokens=800,
            temperature=0,
            messages=[
                {"role": "system", "content": filled.system},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": address}},
                        {"type": "text", "text": filled.user},
                    ],
                },
            ],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "reply", "strict": True, "schema": form},
            },
        )

    return call


def cpu_of(call: Callable[[], object], times: int) -> float:
    """CPU milliseconds of one call."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times * 1000


def overhead(requests: int, state: Path) -> Goal:
    """Our stage beside a bare call."""
    seen = photo()
    preview = seen.view.preview()
    jpeg = as_sent(preview, 85, 768)
    with Server() as url:
        stage = stage_for(url, state, lambda *_: jpeg)
        call = bare(url, stage, seen, jpeg)
        ours, theirs = [], []
        call()
        stage.look(seen)
        rounds = 10
        for _ in range(rounds):
            theirs.append(cpu_of(call, max(1, requests // rounds)))
            ours.append(cpu_of(lambda: stage.look(seen), max(1, requests // rounds)))
        stage.close()
    encoding = statistics.median(cpu_of(lambda: as_sent(preview, 85, 768), 5) for _ in range(5))
    mine, bares = statistics.median(ours), statistics.median(theirs)
    table(
        f"One request, CPU ms ({requests} of each, in turn)",
        ("what", "ms"),
        [
            ("a bare call of openai", f"{bares:.2f}"),
            ("the stage: fill, ask, hear, journal", f"{mine:.2f}"),
            ("more than the bare call", f"{mine - bares:.2f}"),
            (f"encoding the picture ({len(jpeg) // 1024} KB)", f"{encoding:.2f}"),
        ],
    )
    return Goal("7: own cost of a request without encoding", mine - bares, 5, False, " ms")


def in_flight(requests: int, state: Path) -> list[Goal]:
    """Where the number of requests settles, and what that yields."""
    seen, rows, found = photo(), [], []
    jpeg = as_sent(seen.view.preview(), 85, 768)
    for slots, seconds in ((1, 0.1), (4, 0.2), (16, 0.4)):
        with Server(slots, seconds) as url, ThreadPoolExecutor(32) as threads:
            stage = stage_for(url, state, lambda *_: jpeg, in_flight=32)
            stage.look(seen)
            count = max(requests // 8, 4) * (1 + slots // 2)
            list(threads.map(lambda _: stage.look(seen), range(count)))  # noqa: B023  (used up here)
            began = time.monotonic()
            list(threads.map(lambda _: stage.look(seen), range(count)))  # noqa: B023
            rate = count / (time.monotonic() - began)
            allowed = stage._connection.server(stage._connection.parts[0]).pace.allowed
            stage.close()
        best = slots / seconds
        rows.append((str(slots), f"{seconds:g}", str(allowed), f"{rate:.1f}", f"{rate / best:.0%}"))
        found.append(rate / best)
    table(
        "Requests in flight, for servers that work on so many at once (32 threads ask)",
        ("at once", "seconds each", "in flight", "answers/s", "of the server's best"),
        rows,
    )
    return [Goal("7: share of the server's best rate, the worst of three", min(found), 0.8)]


def memory(requests: int, state: Path) -> Goal:
    """What stays of many requests."""
    seen = photo()
    jpeg = as_sent(seen.view.preview(), 85, 768)
    with Server() as url:
        stage = stage_for(url, state, lambda *_: jpeg)
        marks = []
        for _ in range(10):
            for _ in range(requests // 10):
                stage.look(seen)
            marks.append(resident())
        stage.close()
    rows = [(f"{(n + 1) * requests // 10:,}", f"{mark:.1f}") for n, mark in enumerate(marks)]
    table("Memory", ("requests", "MB"), rows)
    growth = marks[-1] - marks[1]
    return Goal(
        f"7: growth from {requests // 5:,} to {requests:,} requests", growth, 5, False, " MB"
    )


def resident() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Measure."""
    quick = "--quick" in sys.argv
    given = [int(one) for one in sys.argv[1:] if one.isdigit()]
    requests = given[0] if given else 500 if quick else 5000
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        found = [overhead(min(requests, 300), state)]
        found += in_flight(min(requests // 10, 160), state)
        found.append(memory(requests, state))
    goals(found)


if __name__ == "__main__":
    main()
