"""A server that shows pictures to a model, asked with patience and within limits.

Around one request stand, from the outside in: the budget of the run, the circuit that spares a
server that is away, the rate, the number of requests at a time, and retries. What it answers is
understood by `rules.servers` and `rules.server_faults`; who it is and how it wants to be asked is
found out on the first request and remembered.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from urbexmp.adapters.server_gate import Gate, Purse, Spared
from urbexmp.model.asking import Answer, Filled
from urbexmp.model.pacing import HeardPace
from urbexmp.model.stage_errors import StageFailed, StageTimeout
from urbexmp.rules.circuit import pause_before
from urbexmp.rules.pacing import Pace
from urbexmp.rules.server_faults import Asked, Fault, bring, fault_of
from urbexmp.rules.server_trouble import ServerTrouble
from urbexmp.rules.servers import (
    PROBES,
    Heard,
    Kind,
    Manners,
    after_refusal,
    answer_of,
    context_size,
    kind_by_models,
    kind_by_probe,
    kind_by_refusal,
    manners_from,
    manners_of,
    model_names,
    request,
    same_model,
)
from urbexmp.rules.spending import Spent
from urbexmp.rules.stopping import Stopping, never
from urbexmp.rules.vlm_settings import STAGE, VlmSettings

MOST_CHANGES = 6
"""Ways of asking that are tried for one photo."""

REDIAL = "Start the server, or correct stage.vlm.url; `urbexmp doctor` tries it out"


class Client(Protocol):
    """Sends one request."""

    def complete(self, parameters: Mapping[str, Any]) -> Heard:
        """Raises what the server is constructed with as `unreached`."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class Known(Protocol):
    """Remembers manners between runs."""

    def load(self) -> object:
        """What was kept; None for nothing."""
        ...

    def keep(self, plain: Mapping[str, Any]) -> None:
        """Remember it."""
        ...


class VlmServer:
    """One model of one server (`model.asking.Server`). Thread-safe.

    `get` asks one of the server's own addresses (a path behind its root) and raises `unreached`
    where there is no answer; `say` tells a person.
    """

    def __init__(
        self,
        settings: VlmSettings,
        client: Client,
        get: Callable[[str], Heard],
        unreached: tuple[type[Exception], ...],
        known: Known,
        say: Callable[[str], None],
        key: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        purse: Purse | None = None,
    ) -> None:
        self.settings = settings
        self.stopping: Stopping = never
        self._client = client
        self._get = get
        self._unreached = unreached
        self._known = known
        self._say = say
        self._key = key
        self._trouble = ServerTrouble(STAGE, settings.server, REDIAL, key or "")
        self._clock = clock
        self._lock = threading.Lock()
        self._greeting = threading.Lock()
        self._manners: Manners | None = None
        self._gate = Gate(
            *(STAGE, settings.budget, clock, sleep, lambda: self.stopping()),
            in_flight=settings.in_flight,
            per_minute=settings.per_minute,
            purse=purse,
        )
        self._told: set[str] = set()

    # --- What it is ------------------------------------------------------------------------

    def paced_to(self, heard: HeardPace) -> None:
        """Have it told how many requests go at a time."""
        self._gate.heard = heard

    @property
    def spent(self) -> Spent:
        """What was asked so far."""
        return self._gate.spent

    @property
    def pace(self) -> Pace:
        """How many requests go at a time now."""
        return self._gate.pace

    def models(self) -> tuple[str, ...]:
        """Names of the models it says it has; empty where it does not say. Raises `ServerAway`."""
        try:
            return model_names(self._get("/v1/models"))
        except self._unreached as failure:
            raise self._trouble.unreached(failure) from failure

    def kind(self) -> Kind:
        """Who the server is. Raises `ServerAway`."""
        try:
            models = self._get("/v1/models")
            return kind_by_models(models, self.settings.server) or self._probed()
        except self._unreached as failure:
            raise self._trouble.unreached(failure) from failure

    def context_size(self) -> int | None:
        """Tokens that fit into one request; None where it does not say. Raises `ServerAway`."""
        try:
            models, props = self._get("/v1/models"), self._get("/props")
        except self._unreached as failure:
            raise self._trouble.unreached(failure) from failure
        return context_size(models, self.settings.model, props)

    def manners(self) -> Manners:
        """Who the server is, and how it wants to be asked. Raises `ServerAway`."""
        with self._greeting:
            if self._manners is None:
                self._manners = manners_from(self._known.load()) or self._greet()
            return self._manners

    def _greet(self) -> Manners:
        try:
            models = self._get("/v1/models")
            kind = kind_by_models(models, self.settings.server)
            if kind is None:
                kind = self._probed()
        except self._unreached as failure:
            raise self._later(failure) from failure
        if models.status in (401, 403):
            raise self._trouble.of(fault_of(models, self._asked(kind)))
        listed = model_names(models)
        model = self.settings.model
        if kind is Kind.OLLAMA and listed and not any(same_model(model, one) for one in listed):
            fault = Fault(f"has no model {model}", bring(kind, model), every=True)
            raise self._trouble.of(fault)
        return self._learn(manners_of(kind))

    def _probed(self) -> Kind:
        heard = Heard(0, {}, b"")
        for path in PROBES:
            heard = self._get(path)
            kind = kind_by_probe(path, heard)
            if kind is not None:
                return kind
        return kind_by_refusal(heard)

    def _learn(self, manners: Manners) -> Manners:
        self._manners = manners
        self._known.keep(manners.plain)
        return manners

    def _asked(self, kind: Kind) -> Asked:
        settings = self.settings
        return Asked(kind, settings.model, settings.api_key_env, self._key is not None)

    # --- One question ----------------------------------------------------------------------

    def ask(
        self,
        filled: Filled,
        picture: bytes,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
    ) -> Answer:
        """Show one JPEG (none where it is empty) and return the answer.

        Raises `ServerAway`, `StageTimeout`, `StageFailed`, `BudgetSpent`, `StageStopped`.
        """
        content = _content(filled, picture)
        try:
            with self._gate.question() as probe:
                answer = self._patiently(filled.system, content, schema, max_tokens, probe=probe)
        except Spared as spared:
            raise self._trouble.spared(spared.seconds, spared.last) from None
        self._note_model(answer)
        return answer

    def _patiently(
        self,
        system: str,
        content: list[dict[str, Any]],
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        *,
        probe: bool,
    ) -> Answer:
        again = changes = 0
        while True:
            later: _Later
            try:
                manners = self.manners()
                self._tell_upload()
                parameters = request(
                    *(manners, self.settings.model, system, content, schema, max_tokens),
                    temperature=self.settings.temperature,
                )
                heard, seconds = self._send(parameters)
                answer = answer_of(heard, seconds) if heard.status == 200 else None
                if answer is not None:
                    self._gate.used(answer.tokens_in, answer.tokens_out)
                    return answer
                fault = fault_of(heard, self._asked(manners.kind))
                changed = after_refusal(manners, fault.parameter)
                if changed is not None and changes < MOST_CHANGES:
                    changes += 1
                    self._change(manners, changed)
                    continue
                problem = self._trouble.of(fault)
                if not fault.again:
                    raise problem
                if fault.busy:
                    self._gate.busy()
                later = _Later(problem, heard.retry_after)
            except _Later as signal:
                later = signal
            again += 1
            pause = None if probe else pause_before(again, later.after)
            if pause is None:
                raise later.problem
            self._gate.pause(pause)

    def _send(self, parameters: Mapping[str, Any]) -> tuple[Heard, float]:
        """One request: the answer and its seconds. Raises `_Later`, `StageTimeout`."""
        self._gate.request()
        began = self._clock()
        try:
            heard = self._client.complete(parameters)
        except self._unreached as failure:
            if getattr(failure, "slow", False):
                self._gate.busy()
                limit = f"{self.settings.timeout:g}"
                raise StageTimeout(f"stage {STAGE}", stage=STAGE, seconds=limit) from failure
            raise self._later(failure) from failure
        seconds = self._clock() - began
        if heard.status == 200:
            self._gate.answered(seconds)
        return heard, seconds

    def _change(self, before: Manners, after: Manners) -> None:
        """Ask otherwise from now on, unless another photo found that out meanwhile."""
        with self._greeting:
            if self._manners == before:
                self._learn(after)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    # --- What goes wrong -------------------------------------------------------------------

    def _later(self, failure: Exception) -> _Later:
        return _Later(self._trouble.unreached(failure), None)

    # --- What a person is told -------------------------------------------------------------

    def _tell_upload(self) -> None:
        if not self.settings.is_here:
            self._once(
                "upload",
                f"Photos, and what is known of their place, are sent to {self.settings.server},"
                f" where {self.settings.model} looks at them.",
            )

    def _note_model(self, answer: Answer) -> None:
        if not same_model(self.settings.model, answer.model):
            self._once(
                "model",
                f"{self.settings.server} answers with the model {answer.model}, though"
                f" {self.settings.model} was asked.",
            )

    def _once(self, what: str, sentence: str) -> None:
        with self._lock:
            known = what in self._told
            self._told.add(what)
        if not known:
            self._say(self._trouble.hidden(sentence))


def _content(filled: Filled, picture: bytes) -> list[dict[str, Any]]:
    """The picture before the words: models were trained that way round."""
    text = {"type": "text", "text": filled.user}
    if not picture:
        return [text]
    address = "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")
    return [{"type": "image_url", "image_url": {"url": address}}, text]


class _Later(Exception):  # noqa: N818  (a signal between functions here)
    """No answer now; asking again may help."""

    def __init__(self, problem: StageFailed, after: float | None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.after = after
