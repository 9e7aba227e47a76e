"""So many a minute: a token bucket that tells how long to wait."""

from typing import Final

from steward.kit.clock import Clock

_MINUTE_S: Final = 60.0
_KEPT_FOR_OTHERS: Final = 0.2
"""Share of a full bucket that calls of low priority leave."""


class Bucket:
    """Holds a minute's allowance when full and fills all the time.

    What is taken is taken at once, even beyond what is there; the taker then waits until the bucket is level again.
    So whoever comes first goes first, and no queue is needed.
    """

    __slots__ = ("_at", "_capacity", "_clock", "_level")

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._capacity = float(per_minute)
        self._level = float(per_minute)
        self._clock = clock
        self._at = clock.monotonic()

    def take(self, amount: float, *, low: bool = False) -> float:
        """Take an amount, at most a whole minute's; the seconds to wait before using it."""
        now = self._clock.monotonic()
        per_second = self._capacity / _MINUTE_S
        self._level = min(self._capacity, self._level + (now - self._at) * per_second)
        self._at = now
        self._level -= min(amount, self._capacity)
        floor = self._capacity * _KEPT_FOR_OTHERS if low else 0.0
        # A single call that takes the whole bucket can leave nothing to others, and must not wait for ever.
        floor = min(floor, self._capacity - min(amount, self._capacity))
        return max(0.0, (floor - self._level) / per_second)

    def correct(self, taken: float, used: float) -> None:
        """What was taken turned out to be so much."""
        self._level = min(self._capacity, self._level + min(taken, self._capacity) - used)
