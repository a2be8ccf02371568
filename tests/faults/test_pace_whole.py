"""A whole `urbexmp sync` while the machine, or a server, becomes slower, full, and free again.

The processes, the model, the server and the photos are real. What is given is how long a look
takes by the clock that the number of processes is judged by, and how much memory is free: a
test that waited for a real machine to become slow would say something else on each machine.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from serve_process import Serving
from siglip_models import MODEL, chosen
from urbexmp.adapters.http_client import HttpClient
from urbexmp.adapters.stages import child, places, room, workers
from urbexmp.cli.main import run
from urbexmp.rules import pacing
from watch_process import jpeg

PLENTY = 2**60


def photos(folder: Path, number: int) -> Path:
    folder.mkdir()
    for at in range(number):
        (folder / f"{at:03}.jpg").write_bytes(jpeg(at))
    return folder


def at_a_time(report: Path) -> dict[str, dict[str, Any]]:
    """What the last run's line of the history says, by who."""
    last = (report / "history.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return {one["who"]: one for one in json.loads(last)["at_a_time"]}


def page(report: Path) -> str:
    return next(report.rglob("*.md")).read_text(encoding="utf-8")


class Clock:
    """Each question for the time, of one thread, comes so many seconds after the last one."""

    def __init__(self, step: Callable[[], float]) -> None:
        self._step = step
        self._own = threading.local()

    def monotonic(self) -> float:
        now: float = getattr(self._own, "now", 0.0) + self._step()
        self._own.now = now
        return now


class Machine:
    """Three cores; slow, then full, as soon as what there is was answered."""

    def __init__(self) -> None:
        self.running = 0
        self.seconds, self.free = 1.0, PLENTY
        self.looks = 0
        self.seen: list[tuple[str, int]] = []
        """What became of the machine, and the number of processes then."""

    def available(self) -> int:
        """Asked after every look."""
        self.looks += 1
        now = self.seen[-1][0] if self.seen else ""
        if now in ("", "quick again", "free again") and self.running == 3:
            if now == "":
                self._becomes("slow", seconds=2.0)
            elif now == "quick again":
                self._becomes("full", free=1)
            else:
                self._becomes("as it was")
        elif now == "slow" and self.running == 2 and self.looks > 40:
            self._becomes("quick again", seconds=1.0)
        elif now == "full" and self.running == 2:
            self._becomes("free again", free=PLENTY)
        if self.running == 3:
            self.looks = 0
        return self.free

    def _becomes(self, what: str, seconds: float = 1.0, free: int = PLENTY) -> None:
        self.seen.append((what, self.running))
        self.seconds, self.free = seconds, free


def test_a_stage_looks_in_as_many_processes_as_pay_and_fit(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    chosen(tmp_path_factory.getbasetemp(), tmp_path, monkeypatch)
    library, machine = photos(tmp_path / "photos", 260), Machine()

    class Counted(child.Child):
        def __init__(self, command: Sequence[str], recipe: Mapping[str, Any]) -> None:
            assert command == workers.COMMAND
            super().__init__(("-m", "slow_stage_process"), recipe)
            machine.running += 1

        def end(self) -> str:
            machine.running -= 1
            return super().end()

    monkeypatch.setattr(child, "Child", Counted)
    monkeypatch.setattr(room, "cores", lambda: 3)
    monkeypatch.setattr(room, "available_bytes", machine.available)
    monkeypatch.setattr(workers, "time", Clock(lambda: machine.seconds))
    assert run(["models", "import", str(tmp_path / "models" / MODEL), MODEL]) == 0
    told = ("--report", str(tmp_path / "report"), "-v", "--set", "workers=8")
    assert run(["sync", str(library), "--profile", str(tmp_path / "mine.toml"), *told]) == 0
    said = capfd.readouterr().out
    assert len(list(library.glob("*.xmp"))) == 260
    assert machine.seen == [
        ("slow", 3),
        ("quick again", 2),
        ("full", 3),
        ("free again", 2),
        ("as it was", 3),
    ]
    assert machine.running == 0
    siglip = at_a_time(tmp_path / "report")["siglip"]
    assert (siglip["what"], siglip["least"], siglip["most"]) == ("processes", 1, 3)
    assert sum(siglip["raised"].values()) >= 4
    assert siglip["lowered"]["a photo took as long with one fewer"] >= 1
    assert siglip["lowered"]["memory was short"] == 1
    for shown in (said, page(tmp_path / "report")):
        assert "siglip looked in 1 to 3 processes at a time" in shown
        assert "once fewer (memory was short)" in shown


class Far:
    """A server that is quick, then works on two requests at a time, then is quick again."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._under_way = 0
        self._lately: deque[int] = deque(maxlen=10)
        self._since = 0
        self.state = "quick"
        self.answers: Counter[int] = Counter()

    def ask(self, client: HttpClient, method: str, path: str, *more: Any) -> Any:
        """Ask the real one."""
        if path != "/tag":
            return self._ask(client, method, path, *more)
        with self._lock:
            self._under_way += 1
            self._lately.append(self._under_way)
            self._becomes()
        try:
            reply = self._ask(client, method, path, *more)
            self.answers[reply.status] += 1
            return reply
        finally:
            with self._lock:
                self._under_way -= 1

    def _becomes(self) -> None:
        most = max(self._lately)
        if self.state == "quick" and most == 4:
            self.state = "slow"
        elif self.state == "slow" and most < 4:
            self._since += 1
            if self._since == 40:
                self.state = "quick again"

    def seconds(self) -> float:
        """What an answer takes now."""
        return 1.0 if self.state != "slow" else 2.0 * max(1.0, self._under_way / 2)


def test_a_server_gets_as_many_requests_as_pay_and_fewer_when_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    library, far = photos(tmp_path / "photos", 340), Far(HttpClient.ask)
    monkeypatch.setattr(pacing, "RESTS", 8)  # longer than it is slow: then what it notices is that
    monkeypatch.setattr(HttpClient, "ask", lambda *given: far.ask(*given))
    monkeypatch.setattr(places, "time", Clock(far.seconds))
    monkeypatch.setenv("URBEXMP_CONFIG", str(tmp_path / "config"))
    profile = tmp_path / "away.toml"
    with Serving(tmp_path / "far", "--stages", "pixels", "--requests", "5") as serving:
        profile.write_text(
            f'stages = ["pixels"]\n[stage.remote]\nurl = "{serving.url}"\nstages = "pixels"\n'
            "at_once = 8\nfallback = false\n",
            encoding="utf-8",
        )
        told = ("--report", str(tmp_path / "report"), "-v", "--set", "workers=12")
        code = run(
            [
                "sync",
                str(library),
                "--profile",
                str(profile),
                "--state",
                str(tmp_path / "st"),
                *told,
            ]
        )
        said = capfd.readouterr()
        serving.end()
    assert code == 0, said
    assert far.state == "quick again"
    assert far.answers[200] == 340
    assert 1 <= far.answers[429] <= 12
    (asked,) = at_a_time(tmp_path / "report").values()
    assert (asked["what"], asked["first"], asked["least"]) == ("requests", 2, 2)
    assert asked["most"] >= 6  # one more than the server takes
    # To four; after it was slow to six; and again, some time after it refused.
    assert asked["raised"]["to see whether more answers come"] >= 5
    assert asked["lowered"]["not worth it: hardly more answers came"] >= 1
    assert asked["lowered"]["the server was too busy"] >= 1
    for shown in (said.out, page(tmp_path / "report")):
        assert "was asked with 2 to" in shown
        assert "fewer (the server was too busy)" in shown
