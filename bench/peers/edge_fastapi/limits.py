"""The rate limit of API keys: GCRA, in memory."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    limit: int
    remaining: int
    reset_s: float


class RateLimiter:
    def __init__(self, window_s: float = 60.0) -> None:
        self._window_s = window_s
        self._full_at: dict[str, float] = {}

    def take(self, key: str, limit: int) -> Decision:
        now = time.monotonic()
        interval = self._window_s / limit
        full_at = max(self._full_at.get(key, now), now) + interval
        used_s = full_at - now
        if used_s > self._window_s:
            return Decision(False, limit, 0, used_s - interval)
        self._full_at[key] = full_at
        return Decision(True, limit, int((self._window_s - used_s) / interval), used_s)
