"""From the failures of attempts to the one error that the caller sees."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from steward.kit.errors import AppError
from steward.services.models.calls.limits import Busy
from steward.services.models.errors import (
    ContextTooLong,
    ProviderRefused,
    ProvidersBusy,
    ProvidersUnavailable,
    ProviderTimedOut,
)
from steward.services.models.failures import FailureKind, ProviderFailure

_SOON_S: Final = 1.0
"""After which to come back where no provider said it."""


class FailedAttempt(NamedTuple):
    """One failed attempt."""

    connection: str
    failure: ProviderFailure | Busy

    @property
    def kind(self) -> FailureKind:
        return FailureKind.RATE_LIMITED if isinstance(self.failure, Busy) else self.failure.kind

    def described(self) -> str:
        """Without the provider's words, which may quote the request."""
        failure = self.failure
        if isinstance(failure, Busy):
            return f"{self.connection}: at its own limit of calls"
        details = " ".join(str(detail) for detail in (failure.status, failure.code[:60]) if detail)
        return f"{self.connection}: {failure.kind.value}{f' ({details})' if details else ''}"


def fatal(failure: ProviderFailure) -> AppError | None:
    """The error that ends the whole call, where another attempt would fare the same."""
    if failure.kind is FailureKind.REFUSED:
        return ProviderRefused(failure.message, param=failure.param, provider_code=failure.code)
    if failure.kind is FailureKind.CONTEXT:
        return ContextTooLong(failure.message)
    return None


def summary(model: str, failures: Sequence[FailedAttempt], seconds: float) -> AppError:
    """Why nobody answered. `seconds` is how long was tried."""
    kinds = {failed.kind for failed in failures}
    after = [failed.failure.retry_after for failed in failures if failed.failure.retry_after is not None]
    if kinds == {FailureKind.RATE_LIMITED}:
        return ProvidersBusy(model, min(after, default=_SOON_S))
    if kinds <= {FailureKind.TIMED_OUT}:
        return ProviderTimedOut(model, round(seconds, 3))
    reasons = dict.fromkeys(failed.described() for failed in failures)
    return ProvidersUnavailable(model, "; ".join(reasons), retry_after=min(after, default=None))


def cut_short(model: str, connection: str, failure: ProviderFailure, seconds: float) -> AppError:
    """Why an answer broke off of which something was shown."""
    return fatal(failure) or summary(model, [FailedAttempt(connection, failure)], seconds)
