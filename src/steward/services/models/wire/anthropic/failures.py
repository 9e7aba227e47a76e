"""Anthropic's errors: what a provider's say, and how ours are said to its clients.

Types and statuses are those of its API reference ("Errors") and of its own client's classes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import msgspec

from steward.kit.errors import AppError
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.wire.anthropic.fields import Object, encode

_LONGEST: Final = 2000
"""Characters of a provider's words that are handed on."""
_OVERLOADED: Final = 529
"""Anthropic's own status."""

_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    401: FailureKind.UNAUTHORIZED,
    402: FailureKind.QUOTA,
    403: FailureKind.UNAUTHORIZED,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMED_OUT,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMED_OUT,
    _OVERLOADED: FailureKind.OVERLOADED,
}
_BY_TYPE: Final[Mapping[str, FailureKind]] = {
    "invalid_request_error": FailureKind.REFUSED,
    "authentication_error": FailureKind.UNAUTHORIZED,
    "billing_error": FailureKind.QUOTA,
    "permission_error": FailureKind.UNAUTHORIZED,
    "not_found_error": FailureKind.NOT_FOUND,
    "request_too_large": FailureKind.REFUSED,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "timeout_error": FailureKind.TIMED_OUT,
    "overloaded_error": FailureKind.OVERLOADED,
    "api_error": FailureKind.BROKEN,
}
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    _OVERLOADED: "overloaded_error",
}
_STREAM_TYPES: Final[Mapping[str, str]] = {
    "budget_exhausted": "rate_limit_error",
    "providers_busy": "rate_limit_error",
    "providers_unavailable": "overloaded_error",
    "provider_timed_out": "timeout_error",
}
_TOO_LONG: Final = re.compile(
    r"prompt is too long|exceed(s|ed)? (the )?context (limit|window)|context_length_exceeded|too many total text bytes",
    re.IGNORECASE,
)
_NO_CREDIT: Final = re.compile(r"credit balance is too low|spend_limit_reached", re.IGNORECASE)
_PARAM: Final = re.compile(r"^([a-z][a-z_]*(?:\.[A-Za-z0-9_]+)*): ")
_LIMITS: Final = ("requests", "tokens", "input-tokens", "output-tokens")


class _Error(msgspec.Struct, frozen=True):
    type: str = ""
    message: str = ""
    details: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class _Envelope(msgspec.Struct, frozen=True):
    error: _Error


_envelope: Final = msgspec.json.Decoder(_Envelope)


def decode_failure(status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
    """What an answer of another status than 200 says. `headers` by lower-case name."""
    error = _read(body)
    message = error.message[:_LONGEST] or f"the provider answered with status {status} and no reason"
    kind = _kind(status, error)
    return ProviderFailure(
        kind,
        message,
        status=status,
        code=error.type,
        param=_param(message) if kind is FailureKind.REFUSED else "",
        retry_after=_retry_after(headers),
        unbilled=True,
    )


def failure_in_stream(data: bytes) -> ProviderFailure:
    """What an `error` event says. Nothing tells whether the tokens before it are charged."""
    error = _read(data)
    message = error.message[:_LONGEST] or "the provider broke its stream off and gave no reason"
    return ProviderFailure(_told(error) or _BY_TYPE.get(error.type, FailureKind.BROKEN), message, code=error.type)


def _read(body: bytes) -> _Error:
    try:
        return _envelope.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Error()


def _kind(status: int, error: _Error) -> FailureKind:
    told = _told(error)
    if told is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return told
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _BY_TYPE.get(error.type, FailureKind.BROKEN)
    return FailureKind.REFUSED


def _told(error: _Error) -> FailureKind | None:
    """What only the words of an error tell."""
    if _TOO_LONG.search(error.message):
        return FailureKind.CONTEXT
    if _NO_CREDIT.search(error.message) or _NO_CREDIT.search(bytes(error.details).decode(errors="replace")):
        return FailureKind.QUOTA
    return None


def _param(message: str) -> str:
    found = _PARAM.match(message)
    return found.group(1) if found else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, as the provider asks for them: else until the limit that is used up begins anew."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is not None:
        return seconds
    now = _date(headers.get("date"))
    if now is None:
        return None
    at = _date(given)
    waits = [(at - now).total_seconds()] if at is not None else _resets(headers, now)
    return max(0.0, *waits) if waits else None


def _resets(headers: Mapping[str, str], now: datetime) -> list[float]:
    waits: list[float] = []
    for limit in _LIMITS:
        at = _instant(headers.get(f"anthropic-ratelimit-{limit}-reset"))
        if at is not None and headers.get(f"anthropic-ratelimit-{limit}-remaining") == "0":
            waits.append((at - now).total_seconds())
    return waits


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _date(text: str | None) -> datetime | None:
    """Of HTTP (RFC 9110, section 5.6.7)."""
    try:
        return _aware(parsedate_to_datetime(text)) if text else None
    except ValueError:
        return None


def _instant(text: str | None) -> datetime | None:
    """Of RFC 3339."""
    try:
        return _aware(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def encode_error(error: AppError, request_id: str) -> bytes:
    """A budget that is used up is a `rate_limit_error`, as Anthropic's own spending limits are; `message` names it."""
    return encode({**_error(type_of(error.status), error.message), "request_id": request_id})


def encode_stream_error(code: str, message: str) -> bytes:
    """The data of an `error` event. `code`: of the failure, as in docs/reference/errors.md."""
    return encode(_error(_STREAM_TYPES.get(code, "api_error"), message))


def type_of(status: int) -> str:
    known = _TYPES.get(status)
    if known is not None:
        return known
    return "api_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _error(kind: str, message: str) -> Object:
    return {"type": "error", "error": {"type": kind, "message": message}}
