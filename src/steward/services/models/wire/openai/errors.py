"""Failures: what a provider's say, and how ours are told to clients."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import msgspec

from steward.kit.errors import AppError, Kind
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Failed

_MOST: Final = 1000
_QUOTA: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_CONTEXT: Final = frozenset({"context_length_exceeded", "context_window_exceeded"})
_TOO_LONG: Final = re.compile(
    r"maximum context length|context (?:length|window|size)|(?:prompt|input) is too long|too many input tokens",
    re.IGNORECASE,
)
# What a key looks like, in the words of a provider that repeats it.
_SECRET: Final = re.compile(r"(?i)\b(?:(?:sk|pk|rk|gsk|xai|csk|nvapi|key)[-_]|bearer\s+|AIza)[\w.*/+=-]{6,}")
_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    400: FailureKind.REFUSED,
    401: FailureKind.UNAUTHORIZED,
    402: FailureKind.QUOTA,
    403: FailureKind.UNAUTHORIZED,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMED_OUT,
    409: FailureKind.BROKEN,
    413: FailureKind.REFUSED,
    422: FailureKind.REFUSED,
    425: FailureKind.BROKEN,
    429: FailureKind.RATE_LIMITED,
    498: FailureKind.OVERLOADED,
    503: FailureKind.OVERLOADED,
    529: FailureKind.OVERLOADED,
}
_BY_WORD: Final[Mapping[str, FailureKind]] = {
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "requests": FailureKind.RATE_LIMITED,
    "tokens": FailureKind.RATE_LIMITED,
    "overloaded": FailureKind.OVERLOADED,
    "overloaded_error": FailureKind.OVERLOADED,
    "service_unavailable": FailureKind.OVERLOADED,
    "model_not_found": FailureKind.NOT_FOUND,
    "invalid_api_key": FailureKind.UNAUTHORIZED,
}
_CLIENT: Final = range(400, 500)
_ANY: Final = msgspec.json.Decoder()


class _Told(msgspec.Struct):
    message: str
    code: str
    type: str
    param: str
    status: int | None


def failure(status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
    """What an answer of a status other than 200 says. `headers` by lower-case name."""
    told = _told(body)
    kind = _kind(status, told)
    message = told.message or f"the provider answered with status {status}"
    if kind is FailureKind.UNAUTHORIZED and status == 401:  # noqa: PLR2004 - some repeat the key in their words
        message = f"the provider refused the key (status {status})"
    return ProviderFailure(
        kind,
        message,
        status=status,
        code=told.code,
        param=told.param,
        retry_after=_retry_after(headers),
        unbilled=True,
    )


def failure_within(raw: msgspec.Raw | bytes) -> ProviderFailure:
    """What an error in the middle of a stream, or in an answer of status 200, says."""
    told = _told(raw)
    status = told.status
    if status is not None and status >= _CLIENT.start:
        kind = _kind(status, told)
    elif told.code in _QUOTA or told.type in _QUOTA:
        kind = FailureKind.QUOTA
    elif told.code in _CONTEXT:
        kind = FailureKind.CONTEXT
    else:
        kind = _BY_WORD.get(told.code) or _BY_WORD.get(told.type) or FailureKind.BROKEN
    message = told.message or "the provider ended its answer with an error"
    return ProviderFailure(kind, message, status=status, code=told.code, param=told.param)


def _kind(status: int, told: _Told) -> FailureKind:
    if told.code in _QUOTA or told.type in _QUOTA:
        return FailureKind.QUOTA
    kind = _BY_STATUS.get(status, FailureKind.REFUSED if status in _CLIENT else FailureKind.BROKEN)
    if kind is FailureKind.REFUSED:
        if told.code in _CONTEXT or _TOO_LONG.search(told.message):
            return FailureKind.CONTEXT
        return _BY_WORD.get(told.code, kind)
    return kind


def _told(body: msgspec.Raw | bytes) -> _Told:
    """The forms in which errors come: OpenAI's, the same in a list, flat, a bare string, or no JSON at all."""
    try:
        said = _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Told(_clean(bytes(body).decode(errors="replace")), "", "", "", None)
    if isinstance(said, list):
        said = next(iter(cast("list[Any]", said)), None)
    if isinstance(said, dict) and "error" in said:
        said = cast("dict[str, Any]", said)["error"]
    if not isinstance(said, dict):
        return _Told(_clean(str(said or "")), "", "", "", None)
    fields = cast("dict[str, Any]", said)
    code, kind, param = (_word(fields.get(name)) for name in ("code", "type", "param"))
    message = fields.get("message") or fields.get("detail") or fields.get("msg") or ""
    text = _clean(message if isinstance(message, str) else msgspec.json.encode(message).decode())
    metadata = fields.get("metadata")
    if isinstance(metadata, dict) and isinstance(more := cast("dict[str, Any]", metadata).get("raw"), str):
        text = _clean(f"{text}: {more}")
    return _Told(text, code, kind, param, _status(fields))


def _word(value: object) -> str:
    return str(value)[:100] if isinstance(value, str | int) else ""


def _status(fields: Mapping[str, Any]) -> int | None:
    for name in ("status_code", "code", "status"):
        value = fields.get(name)
        if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return int(value)
    return None


def _clean(text: str) -> str:
    return _SECRET.sub("***", text.strip())[:_MOST]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms`, or from `Retry-After` in either form of RFC 9110, section 10.2.3.

    A date is taken against the answer's own `Date`, so that clocks that differ do no harm; without one it says nothing.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        then, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max((then - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*", value or "", re.ASCII)
    return float(found[1]) if found else None


_TYPES: Final[Mapping[Kind, str]] = {
    Kind.UNAUTHENTICATED: "authentication_error",
    Kind.FORBIDDEN: "permission_error",
    Kind.RATE_LIMITED: "rate_limit_error",
    Kind.QUOTA: "insufficient_quota",
}
_STREAM_TYPES: Final[Mapping[str, str]] = {
    "budget_exhausted": "insufficient_quota",
    "providers_busy": "rate_limit_error",
    "provider_refused": "invalid_request_error",
    "context_length_exceeded": "invalid_request_error",
}


def write_error(error: AppError, request_id: str) -> bytes:
    """The body of a failure, with OpenAI's type names; `request_id` beside the error, where OpenAI has nothing."""
    kind = _TYPES.get(error.kind) or ("invalid_request_error" if error.status in _CLIENT else "server_error")
    told: dict[str, object] = {
        "message": error.message,
        "type": kind,
        "param": error.data.get("param"),
        "code": error.data.get("provider_code") or error.code,
    }
    return msgspec.json.encode({"error": told} | ({"request_id": request_id} if request_id else {}))


def write_failed(event: Failed) -> bytes:
    """The error event that ends a stream."""
    told = {
        "message": event.message,
        "type": _STREAM_TYPES.get(event.code, "server_error"),
        "param": None,
        "code": event.code,
    }
    return msgspec.json.encode({"error": told})
