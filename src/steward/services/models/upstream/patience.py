"""How long a stream may let one wait: a timer that is moved by an assignment, not made anew with each piece."""

import asyncio
from typing import Protocol

from steward.services.models.api import TimeOuts
from steward.services.models.failures import FailureKind, ProviderFailure


class Failing(Protocol):
    """What one waits for."""

    def fail(self, error: Exception) -> None:
        """Let who waits fail."""
        ...


class Patience:
    """Fails the reader of a stream when nothing came for too long.

    Only waiting counts: who takes his time with what came is not the provider's fault. `heard` is called with what
    says something; bytes that say nothing, such as pings, do not count.
    """

    def __init__(self, time_outs: TimeOuts, *, seconds: float, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._between = time_outs.between_tokens
        self._total = min(time_outs.total, seconds)
        began = self._loop.time()
        self._ends = began + self._total
        self._until = began + time_outs.first_token
        self._missed = f"a first token within {time_outs.first_token:g} s"
        self._heard = False
        self._waiting = False
        self._awaited: Failing | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = 0.0

    @property
    def over(self) -> float:
        """When nothing may have come still, in the loop's time."""
        return min(self._until, self._ends)

    def watch(self, awaited: Failing) -> None:
        """Begin."""
        self._awaited = awaited
        self._arm(min(self._until, self._ends))

    def heard(self) -> None:
        """Something came."""
        if not self._heard:
            self._heard = True
            self._missed = f"another token within {self._between:g} s"

    def begin_waiting(self) -> None:
        """From now on the provider is waited for. Raises `ProviderFailure` when the whole time is over."""
        if self._heard:
            now = self._loop.time()
            if now > self._ends:
                raise self.failure()
            self._until = now + self._between
            if self._until < self._looks_at:
                self._arm(self._until)
        self._waiting = True

    def end_waiting(self) -> None:
        """It sent something."""
        self._waiting = False

    def wait_no_longer_than(self, seconds: float) -> None:
        """For the rest of the stream, which says nothing any more."""
        self._until = self._loop.time() + seconds
        self._waiting = True
        self._arm(self._until)

    def stop(self) -> None:
        """Fail nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def failure(self) -> ProviderFailure:
        """What to say when it is over."""
        missed = f"a whole answer within {self._total:g} s" if self._loop.time() >= self._ends else self._missed
        return ProviderFailure(FailureKind.TIMED_OUT, f"{self._name} did not send {missed}")

    def _arm(self, at: float) -> None:
        self.stop()
        self._looks_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        at = min(self._until, self._ends)
        if not self._waiting:
            self._arm(now + self._between)
        elif at > now:
            self._arm(at)
        elif self._awaited is not None:
            self._timer = None
            self._awaited.fail(self.failure())
