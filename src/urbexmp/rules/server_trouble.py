"""What goes wrong with a server, as the problem that a person is told of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.model.stage_errors import ServerAway, StageFailed
from urbexmp.rules.server_faults import Fault

HIDDEN = "***"


def left_alone(seconds: float) -> str:
    """What is said of a server that is left alone for so long."""
    return f"did not answer before, and is asked again in {seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class ServerTrouble:
    """The problems of one stage with its server."""

    stage: str
    server: str
    """Host and port."""
    redial: str
    """What a person can do where it does not answer."""
    key: str = ""
    """Stands in no message: servers are known to repeat it in their errors."""

    def hidden(self, text: str) -> str:
        """A text without the key."""
        return text.replace(self.key, HIDDEN) if self.key else text

    def away(self, detail: str, advice: str | None = None, *, every: bool = False) -> ServerAway:
        """It did not answer, or every photo would meet the same."""
        return ServerAway(
            f"stage {self.stage}",
            stage=self.stage,
            server=self.server,
            detail=self.hidden(detail),
            advice=self.redial if advice is None else advice,
            every=every,
        )

    def failed(self, detail: str) -> StageFailed:
        """The stage failed at this photo alone."""
        return StageFailed(f"stage {self.stage}", stage=self.stage, detail=detail)

    def unreached(self, failure: object) -> ServerAway:
        """Nobody took the request."""
        return self.away(f"cannot be reached ({failure})")

    def of(self, fault: Fault) -> StageFailed:
        """What it refused: a problem of the server, or of this photo alone."""
        if fault.again or fault.every:
            return self.away(fault.detail, fault.advice, every=fault.every)
        detail = f"{self.server} {self.hidden(fault.detail)}"
        return self.failed(f"{detail} ({fault.advice})" if fault.advice else detail)

    def spared(self, seconds: float, last: ServerAway | None) -> ServerAway:
        """It is left alone for so long; `last` is what it did before."""
        if last is None:
            return self.away(left_alone(seconds))
        again = f"{last.fields['detail']}; it is asked again in {seconds:.0f} s"
        return self.away(again, str(last.fields["advice"]))
