"""Replies of models in figures: how long they took, what they cost, and how they went.

One record is one reply, as the stage `vlm` tells it (`adapters/stages/vlm.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from urbexmp.rules.metrics import Latencies

HEARD = "heard"
"""Outcome of a reply of which something could be made; any other one says why not."""


class Asked(NamedTuple):
    """Who was asked, and with which prompt: figures of the same can be added up."""

    stage: str
    """Stage id."""
    server: str
    model: str
    prompt: str


@dataclass(slots=True)
class ReplyFigures:
    """All replies of one model to one prompt."""

    outcomes: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    counted: int = 0
    """Replies of which the server told the tokens."""
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def count(self) -> int:
        """All replies, heard or not."""
        return self.latencies.count

    def add(self, reply: Mapping[str, Any]) -> None:
        """Count one. Raises `KeyError`, `TypeError`, `ValueError`."""
        self.outcomes[str(reply["outcome"])] += 1
        self.latencies.add(float(reply["seconds"]))
        if reply.get("tokens_out") is not None:
            self.counted += 1
            self.tokens_in += int(reply.get("tokens_in") or 0)
            self.tokens_out += int(reply["tokens_out"])

    def add_all(self, other: ReplyFigures) -> None:
        """Count all that `other` counted."""
        self.outcomes.update(other.outcomes)
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.counted += other.counted
        self.latencies.add_all(other.latencies)


def asked_of(reply: Mapping[str, Any]) -> Asked:
    """Who gave a reply. Raises `KeyError`."""
    return Asked(*(str(reply[name]) for name in Asked._fields))


Replies = dict[Asked, ReplyFigures]


def count_reply(replies: Replies, reply: Mapping[str, Any]) -> None:
    """Add one reply to the figures of its model and prompt. Raises as `ReplyFigures.add`."""
    replies.setdefault(asked_of(reply), ReplyFigures()).add(reply)


def replies_data(replies: Replies) -> list[dict[str, Any]]:
    """As JSON; `replies_from` reads it back."""
    return [
        {
            **asked._asdict(),
            "outcomes": dict(sorted(its.outcomes.items())),
            "tokens_in": its.tokens_in,
            "tokens_out": its.tokens_out,
            "counted": its.counted,
            **its.latencies.data(),
        }
        for asked, its in sorted(replies.items())
    ]


def replies_from(data: Iterable[Mapping[str, Any]]) -> Replies:
    """What `replies_data` told. Raises `KeyError`, `TypeError`, `ValueError`, `AttributeError`."""
    return {
        asked_of(each): ReplyFigures(
            Counter({str(name): int(number) for name, number in each["outcomes"].items()}),
            int(each["tokens_in"]),
            int(each["tokens_out"]),
            int(each["counted"]),
            Latencies.from_data(each),
        )
        for each in data
    }
