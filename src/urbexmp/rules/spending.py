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
    pictures: int = 0
    price_picture: float = 0.0
    """Where a picture has a price, and not its tokens."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used so far. Tokens are what the server says; one that says nothing counts none."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    pictures: int = 0

    def asked(self, pictures: int = 0) -> Spent:
        """A request went out, with so many pictures that are paid one by one."""
        return replace(self, requests=self.requests + 1, pictures=self.pictures + pictures)

    def answered(self, tokens_in: int | None, tokens_out: int | None) -> Spent:
        """A reply came."""
        return replace(
            self,
            tokens_in=self.tokens_in + max(0, tokens_in or 0),
            tokens_out=self.tokens_out + max(0, tokens_out or 0),
        )

    def money(self, budget: Budget) -> float:
        """What it cost at the prices of the budget."""
        tokens = self.tokens_in * budget.price_in + self.tokens_out * budget.price_out
        return tokens / MILLION + self.pictures * budget.price_picture

    def room(self, budget: Budget, wanted: int) -> int:
        """How many of the pictures that are wanted may still go; what they cost is known before."""
        if budget.pictures:
            wanted = min(wanted, budget.pictures - self.pictures)
        if budget.money and budget.price_picture:
            left = (budget.money - self.money(budget)) / budget.price_picture
            wanted = min(wanted, int(left + 1e-9))  # 0.3 / 0.1 is a little less than 3
        return max(0, wanted)

    def __add__(self, other: Spent) -> Spent:
        """Of two servers together."""
        return Spent(
            self.requests + other.requests,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.pictures + other.pictures,
        )

    def over(self, budget: Budget, money: float | None = None) -> str | None:
        """Which limit is reached, in words; None: another request may go.

        `money` is what it cost, where not all of it had the prices of the budget.
        """
        money = self.money(budget) if money is None else money
        if budget.requests and self.requests >= budget.requests:
            return f"{budget.requests:,} requests"
        if budget.tokens and self.tokens_in + self.tokens_out >= budget.tokens:
            return f"{budget.tokens:,} tokens"
        if budget.pictures and self.pictures >= budget.pictures:
            return f"{budget.pictures:,} pictures"
        nothing = budget.price_picture and not self.room(budget, 1)
        if budget.money and (nothing or money >= budget.money):
            return f"{budget.money:,.2f} of money"
        return None

    def told(self, budget: Budget, money: float | None = None) -> str:
        """Where it stands."""
        money = self.money(budget) if money is None else money
        parts = [f"{self.requests:,} requests"]
        if self.pictures:
            parts.append(f"{self.pictures:,} pictures")
        else:
            parts.append(f"{self.tokens_in:,} tokens sent, {self.tokens_out:,} answered")
        if money or budget.price_in or budget.price_out or budget.price_picture:
            parts.append(f"{money:,.4f} of money")
        return ", ".join(parts)
