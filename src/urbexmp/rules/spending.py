"""What a run may ask of a server, and what it has asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one run; 0 is none."""

    requests: int = 0
    tokens: int = 0
    """Sent and answered together."""
    money: float = 0.0
    price_in: float = 0.0
    """Of a million tokens that are sent."""
    price_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used so far. Tokens are what the server says; one that says nothing counts none."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def asked(self) -> Spent:
        """A request went out."""
        return replace(self, requests=self.requests + 1)

    def answered(self, tokens_in: int | None, tokens_out: int | None) -> Spent:
        """A reply came."""
        return replace(
            self,
            tokens_in=self.tokens_in + max(0, tokens_in or 0),
            tokens_out=self.tokens_out + max(0, tokens_out or 0),
        )

    def money(self, budget: Budget) -> float:
        """What it cost at the prices of the budget."""
        return (self.tokens_in * budget.price_in + self.tokens_out * budget.price_out) / MILLION

    def over(self, budget: Budget) -> str | None:
        """Which limit is reached, in words; None: another request may go."""
        if budget.requests and self.requests >= budget.requests:
            return f"{budget.requests:,} requests"
        if budget.tokens and self.tokens_in + self.tokens_out >= budget.tokens:
            return f"{budget.tokens:,} tokens"
        if budget.money and self.money(budget) >= budget.money:
            return f"{budget.money:,.2f} of money"
        return None

    def told(self, budget: Budget) -> str:
        """Where it stands."""
        parts = [
            f"{self.requests:,} requests",
            f"{self.tokens_in:,} tokens sent, {self.tokens_out:,} answered",
        ]
        if budget.price_in or budget.price_out:
            parts.append(f"{self.money(budget):,.4f} of money")
        return ", ".join(parts)
