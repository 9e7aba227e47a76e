"""What a call may hold at most, and what it is charged by the price that held when it was reserved."""

from typing import Final, NamedTuple

import msgspec

from steward.services.costs.api import CallUsage, Price, WorstCase
from steward.services.costs.prices import arithmetic

MOST_NANOS: Final = 9 * 10**12
"""No call may hold more (9,000 USD): nanos for a million tokens times tokens then fit into 64 bits."""
MOST_TOKENS: Final = 2**40
"""The same for tokens, read and written."""
MOST_CHARGED: Final = 10**15
"""What a call is charged at most, whatever tokens a provider claims: a million USD."""

_MILLION: Final = 10**6
_WHOLE: Final = 100


class Bound(NamedTuple):
    """The most that a call can cost: `fixed` nanos, and `rate` nanos for a million output tokens."""

    fixed: int
    rate: int

    def nanos(self, output_tokens: int) -> int:
        """With so many output tokens, rounded up. The database reckons the same when it grants fewer."""
        return self.fixed - (-self.rate * output_tokens // _MILLION)


FREE: Final = Bound(0, 0)
"""Of a call whose price nobody knows."""


def snapshot_of(price: Price, *, batch: bool) -> Price:
    """The price as it holds for one call: `batch_percent` becomes the percentage that is paid."""
    return price if batch or price.batch_percent == _WHOLE else msgspec.structs.replace(price, batch_percent=_WHOLE)


def bound_of(snapshot: Price, worst: WorstCase) -> Bound:
    return Bound(
        arithmetic.worst_input(snapshot, worst.input_tokens, batch=True),
        arithmetic.output_rate(snapshot, worst.input_tokens, batch=True),
    )


def charge_of(snapshot: Price | None, usage: CallUsage) -> int:
    """What a call costs, in nanos; nothing where its price is unknown."""
    return min(MOST_CHARGED, arithmetic.cost_of(snapshot, usage, batch=True)) if snapshot else 0
