"""Which target a call tries next, and when to give up."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NoReturn

from steward.kit.clock import Clock
from steward.kit.errors import AppError
from steward.services.models.calls.backoff import pause
from steward.services.models.calls.breakers import Leave
from steward.services.models.calls.limits import Busy
from steward.services.models.calls.settlement import NoBudget, NoPrice
from steward.services.models.calls.shots import Unsaid
from steward.services.models.calls.state import CallState
from steward.services.models.calls.verdicts import FailedAttempt, fatal, summary
from steward.services.models.errors import ProvidersUnavailable
from steward.services.models.failures import REPEATABLE, ProviderFailure
from steward.services.models.ports import Target

Trouble = ProviderFailure | Busy | Unsaid | NoBudget | NoPrice
TROUBLE = (ProviderFailure, Busy, Unsaid, NoBudget, NoPrice)
"""What an attempt may end with so that another one may do."""


class Plan:
    """First each target once, at once; then those that failed in a way that may pass, each after a pause."""

    def __init__(
        self,
        state: CallState,
        targets: Sequence[Target],
        attempts: int,
        clock: Clock,
        random: Callable[[], float],
        probe: Leave | None = None,
    ) -> None:
        self.state = state
        self._todo = deque(targets)
        self._again: list[tuple[float, Target]] = []
        self._attempts = attempts
        self._clock = clock
        self._random = random
        self._probe = probe
        self._asked = False
        self._failures: list[FailedAttempt] = []
        self._error: AppError | None = None

    @property
    def can_hedge(self) -> bool:
        """Whether a second target may be asked beside the one that was begun."""
        return bool(self._todo) and self._attempts > 1

    def probe(self) -> Leave | None:
        """Leave to probe the first target, for whoever asks first."""
        probe, self._probe = self._probe, None
        return probe

    def take(self) -> Target:
        """The next target that was not tried, for a hedge: `can_hedge` says whether there is one."""
        return self._todo.popleft()

    async def next(self) -> Target:
        """The target to try now, after the pause that it needs. Raises the call's error where none is left."""
        left = self.state.left()
        if self._attempts <= 0 or left <= 0:
            self.give_up()
        if self._todo:
            return self._todo.popleft()
        if not self._again:
            self.give_up()
        chosen = min(self._again, key=lambda one: one[0])
        wait = chosen[0] - self._clock.monotonic()
        if wait >= left:
            self.give_up()
        self._again.remove(chosen)
        if wait > 0:
            await self._clock.sleep(wait)
        return chosen[1]

    def failed(self, target: Target, trouble: Trouble) -> None:
        """An attempt ended so. Raises the call's error where no other attempt would do better."""
        if isinstance(trouble, ProviderFailure):
            self._provider_failed(target, trouble)
        elif isinstance(trouble, Busy):
            self._failures.append(FailedAttempt(target.endpoint.name, trouble))
        elif isinstance(trouble, NoBudget):
            if not self._asked:
                raise trouble.error
            self.give_up()
        else:
            self._error = trouble.error
            if isinstance(trouble, Unsaid):
                self._drop_dialect(target)

    def give_up(self) -> NoReturn:
        """Raises what the caller is to be told."""
        state = self.state
        if self._failures:
            raise summary(state.alias, self._failures, self._clock.monotonic() - state.began)
        if self._error is not None:
            raise self._error
        if state.left() > 0 and not self._todo:
            raise ProvidersUnavailable(state.alias, "it has no candidate with a weight above 0")
        raise summary(state.alias, (), state.seconds)

    def _provider_failed(self, target: Target, failure: ProviderFailure) -> None:
        error = fatal(failure)
        if error is not None:
            raise error from failure
        self._attempts -= 1
        self._asked = True
        self._failures.append(FailedAttempt(target.endpoint.name, failure))
        if failure.kind in REPEATABLE:
            times = sum(1 for failed in self._failures if failed.connection == target.endpoint.name)
            wait = pause(times, failure.retry_after, self._random)
            self._again.append((self._clock.monotonic() + wait, target))

    def _drop_dialect(self, target: Target) -> None:
        """No candidate of the same dialect will do."""
        self._todo = deque(one for one in self._todo if _dialect(one) != _dialect(target))
        self._again = [(at, one) for at, one in self._again if _dialect(one) != _dialect(target)]


def _dialect(target: Target) -> tuple[str, str]:
    return target.endpoint.speaks, target.endpoint.library
