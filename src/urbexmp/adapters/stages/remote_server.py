"""One `urbexmp serve` as several stages see it: asked, asked again, spared while it is away."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from urbexmp.adapters.stages.places import Place, Places
from urbexmp.model.observation import Preview, StageInput, StageLook
from urbexmp.model.record import from_plain
from urbexmp.model.stage_errors import ServerAway, StageFailed, StageStopped, StageTimeout
from urbexmp.rules.circuit import Circuit, pause_before
from urbexmp.rules.elsewhere import Elsewhere, what_is_sent
from urbexmp.rules.normalise import stage_name
from urbexmp.rules.server_trouble import left_alone
from urbexmp.rules.serving import API
from urbexmp.rules.stopping import Stopping, never, steps

if TYPE_CHECKING:
    from urbexmp.adapters.stages.remote_client import Client, Known, Reply
    from urbexmp.model.pacing import HeardPace
    from urbexmp.model.ports import Stage

HEALTH_SECONDS = 5.0
"""For the question whether the server is there."""


class Server:
    """A server that stages share. Thread-safe.

    No photo is sent before the server has said who it is and that it offers what is wanted.
    `unreachable` is what `client` raises when there is no answer; `say` tells a person.
    """

    def __init__(
        self,
        settings: Elsewhere,
        client: Client,
        unreachable: type[Exception],
        known: Known,
        encode: Callable[[Preview, int], bytes],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.stopping: Stopping = never
        self._client = client
        self._unreachable = unreachable
        self._known = known
        self._encode = encode
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._circuit = Circuit()
        self._lock = threading.Lock()
        self._greeting = threading.Lock()
        self._greeted = False
        self._vain = 0
        """Greetings without an answer."""
        self._ids: Mapping[str, str] | None = None
        self._told_upload = False
        self._away: set[str] = set()
        self._places = Places(settings.server, settings.at_once)
        self._pictures: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    @property
    def on_pace(self) -> HeardPace:
        """Is told how many photos are with the server at a time."""
        return self._places.heard

    @on_pace.setter
    def on_pace(self, heard: HeardPace) -> None:
        self._places.told_by(heard)

    # --- What it offers --------------------------------------------------------------------

    def id_of(self, stage: str) -> str | None:
        """The id of a stage there, as it was when the server was last heard.

        The server is asked only where nothing is remembered. None: nothing is known.
        """
        with self._greeting:
            if self._ids is None:
                self._ids = dict(self._known.load())
                if not self._ids:
                    try:
                        self._greet(stage)
                    except (_Later, StageFailed):
                        self._greeted = False
            return self._ids.get(stage)

    def _greet(self, stage: str) -> None:
        """Ask who it is and what it offers. Raises `ServerAway`."""
        try:
            reply = self._client.ask("GET", "/health", None, HEALTH_SECONDS)
        except self._unreachable as failure:
            raise self._unreached(stage, failure) from failure
        said = self._understood(stage, reply)
        if reply.status != 200:
            raise self._refused(stage, reply, said)
        offered = {
            str(one["name"]): str(one["id"])
            for one in said.get("stages", ())
            if isinstance(one, dict) and {"name", "id"} <= one.keys()
        }
        self._learn(offered)
        self._greeted = True

    def _learn(self, ids: Mapping[str, str]) -> None:
        if self._ids is None or any(self._ids.get(name) != ids[name] for name in ids):
            self._ids = {**(self._ids or {}), **ids}
            self._known.keep(self._ids)

    # --- One look --------------------------------------------------------------------------

    def look(self, stage: Stage, seen: StageInput) -> tuple[str, StageLook]:
        """Have a stage look there: its id there, and what it said.

        Raises `ServerAway`, `StageTimeout`, `StageFailed`, `StageStopped`, and what decoding the
        picture raises.
        """
        self._spare(stage.name)
        body = self._packed(stage, seen)
        with self._places.one() as place:
            probe = self._admit(stage.name)
            try:
                look = self._asked(stage.name, body, place, probe=probe)
            except ServerAway:
                with self._lock:
                    self._circuit = self._circuit.failed(self._clock())
                    if self._circuit.is_open:
                        self._greeted = False
                raise
            except StageStopped:
                raise
            except StageFailed:  # but it answered
                self._answered()
                raise
            self._answered()
        return look.stage, look

    def _answered(self) -> None:
        with self._lock:
            self._circuit = self._circuit.answered()

    def _admit(self, stage: str) -> bool:
        """Let a question pass; whether it is the probe. Raises `ServerAway`."""
        with self._lock:
            now = self._clock()
            wait = self._circuit.wait(now)
            if wait <= 0:
                self._circuit = self._circuit.asked(now)
                return self._circuit.is_open
        raise self._spared(stage, wait)

    def _spare(self, stage: str) -> None:
        """Raise `ServerAway` while the server is not to be asked."""
        with self._lock:
            wait = self._circuit.wait(self._clock())
        if wait > 0:
            raise self._spared(stage, wait)

    def _spared(self, stage: str, wait: float) -> ServerAway:
        return self._away_problem(stage, left_alone(wait), self._start_it())

    def _asked(self, stage: str, body: bytes, place: Place, *, probe: bool) -> StageLook:
        vain = self._vain
        with self._greeting:
            if not self._greeted:
                if vain != self._vain:  # another photo tried meanwhile, as patiently
                    detail = "did not answer just now"
                    raise self._away_problem(stage, detail, self._start_it())
                try:
                    self._patiently(lambda: self._greet(stage), probe=probe)
                except ServerAway:
                    self._vain += 1
                    raise
            if stage not in (self._ids or {}):
                raise self._away_problem(
                    stage,
                    "does not offer it",
                    f"Start it there with `urbexmp serve --stages {stage}`",
                )
            self._tell_upload()
        found: list[StageLook] = []

        def ask() -> None:
            try:
                with self._places.asking(place):
                    found.append(self._post(stage, body))
            except _Later as later:
                if later.busy:
                    self._places.refused(place)
                raise

        self._patiently(ask, probe=probe)
        return found[0]

    def _patiently(self, ask: Callable[[], None], *, probe: bool) -> None:
        """Ask, and ask again after a pause, as long as that may help."""
        again = 0
        while True:
            try:
                ask()
            except _Later as later:
                again += 1
                pause = None if probe else pause_before(again, later.after)
                if pause is None:
                    raise later.problem from later
                self._pause(pause, later.problem)
            else:
                return

    def _pause(self, seconds: float, problem: ServerAway) -> None:
        for step in steps(seconds):
            if self.stopping():
                stage = problem.fields["stage"]
                raise StageStopped(f"stage {stage}", stage=stage)
            self._sleep(step)

    def _post(self, stage: str, body: bytes) -> StageLook:
        timeout = self.settings.timeout
        try:
            reply = self._client.ask("POST", "/tag", body, timeout)
        except self._unreachable as failure:
            raise self._unreached(stage, failure) from failure
        said = self._understood(stage, reply)
        if "pictures" not in said:
            raise self._refused(stage, reply, said)
        try:
            picture = said["pictures"][0]
            for problem in picture["problems"]:
                raise self._problem(stage, int(problem["status"]), str(problem["told"]))
            look = from_plain(StageLook, picture["looks"][0])
        except (KeyError, IndexError, TypeError, ValueError) as failure:
            raise self._foreign(stage) from failure
        if stage_name(look.stage) != stage:
            raise self._foreign(stage)
        with self._greeting:
            self._learn({stage: look.stage})
        return look

    def _packed(self, stage: Stage, seen: StageInput) -> bytes:
        view = seen.view
        picture = what_is_sent(
            view.facts, seen.context, seen.earlier, uses_context=stage.uses_context
        )
        if stage.uses_preview:
            picture["image"] = self._picture(view.preview)
        return json.dumps({"pictures": [picture], "stages": [stage.name]}).encode()

    def _picture(self, preview: Callable[[], Preview]) -> str:
        """The picture as base64 JPEG, made once for all stages that ask for the same photo."""
        with self._lock:
            made = self._pictures.get(preview)
        if made is None:
            jpeg = self._encode(preview(), self.settings.quality)
            made = base64.b64encode(jpeg).decode("ascii")
            with self._lock:
                self._pictures[preview] = made
        return made

    # --- What goes wrong -------------------------------------------------------------------

    def _understood(self, stage: str, reply: Reply) -> dict[str, Any]:
        """The answer as an object of our own kind. Raises `ServerAway`."""
        if reply.status in (502, 503, 504) and not reply.body.lstrip().startswith(b"{"):
            # A proxy in front of a server that is away.
            problem = self._away_problem(stage, f"answers {reply.status}", self._start_it())
            raise _Later(problem, reply.retry_after)
        try:
            said = json.loads(reply.body)
            api = said["api"]
        except (ValueError, KeyError, TypeError):
            raise self._foreign(stage) from None
        if api != API:
            older = isinstance(api, int) and api < API
            raise self._away_problem(
                stage,
                f"is {'too old' if older else 'newer than this urbexmp'} (it speaks {api}, this"
                f" one {API})",
                "Install the same version of urbexmp on both machines",
            )
        return dict(said)

    def _refused(self, stage: str, reply: Reply, said: Mapping[str, Any]) -> Exception:
        error = said.get("error")
        told = str(error.get("told", "")) if isinstance(error, dict) else ""
        if reply.status == 401:
            variable = self.settings.token_env
            return self._away_problem(
                stage, "refuses the token", f"Set {variable} to the token that it was started with"
            )
        if reply.status == 429:
            problem = self._away_problem(
                stage, "is too busy", "Ask for less at once with stage.remote.at_once"
            )
            return _Later(problem, reply.retry_after, busy=True)
        detail = f"refuses ({reply.status}: {told.rstrip('.')})"
        return self._away_problem(stage, detail, "Look at what `urbexmp serve -v` says there")

    def _problem(self, stage: str, status: int, told: str) -> Exception:
        if status == 504:
            return StageTimeout(f"stage {stage}", stage=stage, seconds="its time on the server")
        if status == 503:
            return self._away_problem(
                stage, f"cannot run it ({told.rstrip('.')})", "Put that right on the server"
            )
        detail = f"{self.settings.server} says: {told.rstrip('.')}"
        return StageFailed(f"stage {stage}", stage=stage, detail=detail)

    def _unreached(self, stage: str, failure: Exception) -> Exception:
        if not getattr(failure, "again", True):
            return self._away_problem(stage, f"gave no answer ({failure})", self._start_it())
        problem = self._away_problem(stage, f"cannot be reached ({failure})", self._start_it())
        return _Later(problem, None)

    def _foreign(self, stage: str) -> ServerAway:
        return self._away_problem(stage, "is no `urbexmp serve`", "Correct stage.remote.url")

    def _start_it(self) -> str:
        return "Start `urbexmp serve` there, or correct stage.remote.url"

    def _away_problem(self, stage: str, detail: str, advice: str) -> ServerAway:
        return ServerAway(
            f"stage {stage}",
            stage=stage,
            server=self.settings.server,
            detail=detail,
            advice=advice,
        )

    # --- What a person is told -------------------------------------------------------------

    def _tell_upload(self) -> None:
        if not self._told_upload and not self.settings.is_here:
            self._told_upload = True
            names = ", ".join(self.settings.stages)
            self._say(f"Photos are sent to {self.settings.server}, which looks with {names}.")

    def tell_away(self, stage: str, problem: ServerAway) -> None:
        """Say once that a stage looks on this machine meanwhile."""
        with self._lock:
            known = stage in self._away
            self._away.add(stage)
        if not known:
            self._say(f"{problem.sentences[0]}. Meanwhile {stage} looks on this machine.")

    def tell_back(self, stage: str) -> None:
        """Say once that it looks on the server again."""
        with self._lock:
            was_away = stage in self._away
            self._away.discard(stage)
        if was_away:
            self._say(f"{self.settings.server} is back: {stage} looks there again.")


class _Later(Exception):  # noqa: N818  (a signal between functions here)
    """No answer now; asking again may help."""

    def __init__(self, problem: ServerAway, after: float | None, *, busy: bool = False) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.after = after
        self.busy = busy
