"""When an outgoing call is tried again, and after how long."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from steward.kit.clock import Clock

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2, without TRACE."""
_TRANSIENT = frozenset({429, 502, 503, 504})
_BASE_S = 0.2
_CAP_S = 5.0


def is_repeatable(method: str, headers: Mapping[str, str]) -> bool:
    """Whether doing it twice is the same as once: by its method, or because an Idempotency-Key goes with it."""
    return method in _IDEMPOTENT or "Idempotency-Key" in headers


def is_transient(status: int) -> bool:
    """Whether the same request may get another answer soon."""
    return status in _TRANSIENT


class Backoff:
    """How long to wait before the next attempt.

    Full jitter: uniform between 0 and 0.2 s doubled with each attempt, at most 5 s, so that many who failed together
    do not come back together. The upstream's Retry-After (RFC 9110 section 10.2.3) is added to, never undercut.
    """

    def __init__(self, clock: Clock, random: Callable[[], float]) -> None:
        self._clock = clock
        self._random = random

    def wait_s(self, attempt: int, retry_after: str | None = None) -> float:
        """Seconds to wait after attempt number `attempt`, counted from 1."""
        jitter = self._random() * min(_CAP_S, _BASE_S * 2.0 ** (attempt - 1))
        return self._asked_for_s(retry_after) + jitter

    def _asked_for_s(self, retry_after: str | None) -> float:
        if retry_after is None:
            return 0.0
        value = retry_after.strip()
        if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004 ten digits are over 30 years
            return float(value)
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        return max(0.0, (_aware(at) - self._clock.now()).total_seconds())


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
