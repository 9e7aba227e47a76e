"""The library's errors as failures of a provider."""

from collections.abc import Mapping, Sequence
from typing import cast

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.upstream.failing import is_unbilled
from steward.services.models.upstream.pydantic_ai.library import Library

_SERVER_ERROR = 500
_DEEPEST = 10


class Failing:
    """Knows the library's errors, the special ones first."""

    def __init__(self, library: Library) -> None:
        self._errors = library.exceptions

    def failure(self, error: Exception, name: str) -> ProviderFailure:
        """What an error says; an unknown one is taken for an answer that cannot be read."""
        errors = self._errors
        if (ours := _within(error)) is not None:
            return ours
        match error:
            case errors.ModelAPIError(__cause__=ValueError()):
                return _unreadable(name)
            case errors.ModelAPIError():
                return self._told(error, name)
            case errors.UserError():
                message = f"{name} cannot be asked for this: {error.message}"
                return ProviderFailure(FailureKind.REFUSED, message, code="unsupported", unbilled=True)
            case _:
                return _unreadable(name)

    def _told(self, error: Exception, name: str) -> ProviderFailure:
        status = getattr(error, "status_code", None)
        words = _words(getattr(error, "body", None)) or f"{name} answered with status {status or 'unknown'}"
        in_stream = bool(getattr(error, "in_stream", False))
        return ProviderFailure(
            self._kind(error, status),
            words,
            status=status if not in_stream else None,
            code=getattr(error, "provider_error_code", None) or getattr(error, "provider_error_type", None) or "",
            retry_after=getattr(error, "retry_after", None),
            unbilled=status is not None and not in_stream and is_unbilled(status),
        )

    def _kind(self, error: Exception, status: int | None) -> FailureKind:
        errors = self._errors
        kinds: Sequence[tuple[type[Exception], FailureKind]] = (
            (errors.ModelContextWindowExceededError, FailureKind.CONTEXT),
            (errors.ModelAuthenticationError, FailureKind.UNAUTHORIZED),
            (errors.ModelNotFoundError, FailureKind.NOT_FOUND),
            (errors.ModelRequestRejectedError, FailureKind.REFUSED),
            (errors.ModelQuotaExceededError, FailureKind.QUOTA),
            (errors.ModelRateLimitError, FailureKind.RATE_LIMITED),
            (errors.ModelUnavailableError, FailureKind.OVERLOADED),
            (errors.ModelServerError, FailureKind.BROKEN),
            (errors.ModelRequestTimeout, FailureKind.TIMED_OUT),
            (errors.ModelTimeoutError, FailureKind.TIMED_OUT),
            (errors.ModelConnectionError, FailureKind.CUT),
        )
        known = next((kind for kept, kind in kinds if isinstance(error, kept)), None)
        if known is not None:
            return known
        return FailureKind.BROKEN if status is None or status >= _SERVER_ERROR else FailureKind.REFUSED


def _within(error: BaseException) -> ProviderFailure | None:
    """The failure of our own transport that an error wraps."""
    inner: BaseException | None = error
    for _ in range(_DEEPEST):
        if inner is None or isinstance(inner, ProviderFailure):
            return inner
        inner = inner.__cause__ or inner.__context__
    return None


def _unreadable(name: str) -> ProviderFailure:
    return ProviderFailure(FailureKind.MALFORMED, f"what {name} answered cannot be read")


def _words(body: object) -> str:
    """The provider's own words, where its error has them in a usual place."""
    for level in (body, _of(body, "error")):
        words = _of(level, "message")
        if isinstance(words, str):
            return words
    return ""


def _of(level: object, name: str) -> object:
    return cast("Mapping[str, object]", level).get(name) if isinstance(level, Mapping) else None
