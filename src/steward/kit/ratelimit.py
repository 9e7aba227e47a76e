"""Limits on how often something happens, and the HTTP fields that tell callers about them."""

import math
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from steward.kit.clock import Clock

_ROUNDING = 1e-6
"""Part of a unit by which a full bucket may be overdrawn, so that floating-point error never refuses a fair call."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a call may go ahead, and what is left."""

    allowed: bool
    limit: int
    window_s: float
    remaining: int
    """How many calls of cost 1 would be allowed now."""
    reset_s: float
    """Seconds until the whole limit is there again, if nothing is taken meanwhile."""
    retry_after_s: float
    """Seconds until this call would be allowed; 0 when it was."""


class _Bucket:
    """Units taken and not yet leaked, as of `at`; empty again from `idle_at` on."""

    __slots__ = ("at", "idle_at", "level")

    def __init__(self, at: float) -> None:
        self.level = 0.0
        self.at = at
        self.idle_at = at


class RateLimiter:
    """The generic cell rate algorithm (GCRA), in its form as a continuous-state leaky bucket.

    Source: ITU-T I.371 and ATM Forum Traffic Management Specification 4.0 (af-tm-0056.000). For `limit` units in
    `window_s` seconds the emission interval is T = window_s / limit and the tolerance is window_s - T: an idle key
    may take exactly `limit` units at once, after which one more comes free every T seconds. Within any stretch of t
    seconds at most `limit + limit * t / window_s` units are taken.

    Memory is bounded: a key whose bucket has run empty is forgotten without loss, and beyond `max_entries` the key
    that was least recently used is forgotten even if that gives it a fresh limit.
    """

    def __init__(self, clock: Clock, *, max_entries: int = 100_000) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, *, limit: int, window_s: float, cost: int = 1) -> Decision:
        """Take `cost` units of the key's limit, all or none; a refused call takes nothing.

        A limit of 0 refuses everything. A cost above the limit is refused for good; its `retry_after_s` is the window.
        """
        if cost < 1 or window_s <= 0 or limit < 0:
            message = f"cost {cost}, limit {limit} and window {window_s} s must be at least 1, at least 0 and above 0"
            raise ValueError(message)
        now = self._clock.monotonic()
        if limit == 0:
            return _refusal(0, window_s, 0, window_s, window_s)
        bucket = self._bucket(key, now)
        rate = limit / window_s
        # The clamp matters when a key's limit was lowered: nobody waits longer than one window for room.
        level = min(max(0.0, bucket.level - (now - bucket.at) * rate), float(limit))
        allowed = level + cost <= limit + _ROUNDING
        if allowed:
            level += cost
        bucket.level, bucket.at, bucket.idle_at = level, now, now + level / rate
        remaining = max(0, math.floor(limit - level + _ROUNDING))
        reset_s = level / rate
        if not allowed:
            wait = window_s if cost > limit else (level + cost - limit) / rate
            return _refusal(limit, window_s, remaining, reset_s, wait)
        return Decision(
            allowed=True, limit=limit, window_s=window_s, remaining=remaining, reset_s=reset_s, retry_after_s=0.0
        )

    def _bucket(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets.move_to_end(key)
            return bucket
        bucket = self._buckets[key] = _Bucket(now)
        self._forget(now)
        return bucket

    def _forget(self, now: float) -> None:
        # Two for each that is added: the number of idle keys shrinks, and no call pays for a sweep.
        for _ in range(2):
            oldest = next(iter(self._buckets))
            if len(self._buckets) <= 1 or self._buckets[oldest].idle_at > now:
                break
            del self._buckets[oldest]
        if len(self._buckets) > self._max_entries:
            self._buckets.popitem(last=False)


def _refusal(limit: int, window_s: float, remaining: int, reset_s: float, retry_after_s: float) -> Decision:
    return Decision(
        allowed=False,
        limit=limit,
        window_s=window_s,
        remaining=remaining,
        reset_s=reset_s,
        retry_after_s=retry_after_s,
    )


def rate_limit_fields(decisions: Mapping[str, Decision]) -> dict[str, str]:
    """The response fields that tell a caller where they stand, for each named policy that was applied.

    `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-09: lists of Structured Fields
    (RFC 9651) with `q` (quota) and `w` (window), `r` (remaining) and `t` (time to reset), times in whole seconds
    rounded up. `Retry-After` (RFC 9110 section 10.2.3) is there when a policy refused: the longest wait of those.
    Names are tokens of our own (letters, digits, hyphens).
    """
    fields = {
        "RateLimit-Policy": ", ".join(
            f'"{name}";q={d.limit};w={_seconds(d.window_s)}' for name, d in decisions.items()
        ),
        "RateLimit": ", ".join(f'"{name}";r={d.remaining};t={_seconds(d.reset_s)}' for name, d in decisions.items()),
    }
    waits = [d.retry_after_s for d in decisions.values() if not d.allowed]
    if waits:
        fields["Retry-After"] = str(max(1, _seconds(max(waits))))
    return fields


def _seconds(value: float) -> int:
    return math.ceil(value - _ROUNDING)
