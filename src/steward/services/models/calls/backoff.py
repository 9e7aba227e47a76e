"""How long to leave an endpoint alone before the same call asks it again."""

from collections.abc import Callable
from typing import Final

BASE_S: Final = 0.5
CAP_S: Final = 8.0


def pause(failures: int, retry_after: float | None, random: Callable[[], float]) -> float:
    """Seconds after so many failures, counted from 1.

    Full jitter (Brooker, "Exponential Backoff and Jitter", 2015): uniform between 0 and 0.5 s doubled with each
    failure, at most 8 s; the provider's Retry-After (RFC 9110 section 10.2.3) is never undercut.
    """
    jitter = random() * min(CAP_S, BASE_S * 2.0 ** (failures - 1))
    return max(jitter, retry_after or 0.0)
