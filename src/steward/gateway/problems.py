"""Failures as problem details (RFC 9457), and foreign exceptions as failures of ours."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import parse_qs

import msgspec
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from steward.gateway.errors import MethodNotAllowed, RouteNotFound
from steward.gateway.exchange import JSON, Exchange, Header
from steward.kit.errors import AppError, InvalidInput, Kind, MalformedRequest, Value
from steward.kit.ratelimit import Decision
from steward.kit.web import ErrorForm

MEDIA_TYPE: Final = b"application/problem+json"
TYPE_PREFIX: Final = "urn:steward:problem:"

_MINUTE_S: Final = 60.0
"""The window of every limit on requests."""
_MAX_TEXT: Final = 300
_MAX_VALUE: Final = 60
_FINAL: Final = frozenset((Kind.QUOTA, Kind.CONFLICT))
"""Kinds of failures that waiting a moment does not mend."""
_MEMBERS: Final = frozenset(("type", "title", "status", "detail", "code", "request_id"))


def body_of(error: AppError, request_id: str) -> bytes:
    """The failure as JSON. `type` is a name and no address; `code` is the part of it that programs compare."""
    document: dict[str, Value] = {
        "type": TYPE_PREFIX + error.code,
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
    }
    document.update((name, value) for name, value in error.data.items() if name not in _MEMBERS)
    return msgspec.json.encode(document)


def in_form(error: AppError, request_id: str, form: ErrorForm) -> tuple[int, bytes]:
    """Status and JSON of a failure as another API's dialect tells it."""
    status = HTTPStatus.BAD_REQUEST if error.kind is Kind.UNPROCESSABLE else error.status
    return status, form.body(error, request_id)


def headers_of(error: AppError, size: int, *, credential_sent: bool, form: ErrorForm | None = None) -> list[Header]:
    """The response's header fields that the failure itself calls for."""
    headers = [(b"content-type", JSON if form else MEDIA_TYPE), (b"content-length", str(size).encode())]
    if form is not None and error.kind in _FINAL:
        # Clients of these dialects try a 409 and every 429 again unless told not to.
        headers.append((b"x-should-retry", b"false"))
    if error.kind is Kind.UNAUTHENTICATED:
        # RFC 6750 section 3.1: no error code for a request that sent no credential.
        invalid = b', error="invalid_token"' if credential_sent else b""
        headers.append((b"www-authenticate", b'Bearer realm="steward"' + invalid))
    retry_after = error.data.get("retry_after")
    if isinstance(retry_after, int | float):
        headers.append((b"retry-after", str(max(1, -int(-retry_after // 1))).encode()))
    if error.kind is Kind.METHOD_NOT_ALLOWED:
        headers.append((b"allow", str(error.data.get("allow", "")).encode()))
    return headers


def failure_of(error: Exception, exchange: Exchange) -> AppError | None:
    """What a caller is told of an exception; None for a defect, of which they are told nothing."""
    match error:
        case AppError():
            return error
        case NotFoundException():
            return RouteNotFound(exchange.path)
        case MethodNotAllowedException():
            return MethodNotAllowed(exchange.method, (error.headers or {}).get("allow", ""))
        case ValidationException():
            return _invalid(error, exchange)
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return MalformedRequest(error.detail)
        case _:
            return None


def refusal_of(error: AppError) -> tuple[str, Decision] | None:
    """The limit that a service refused the request by, so that its answer says where the caller stands."""
    policy, limit, wait = (error.data.get(name) for name in ("policy", "limit", "retry_after"))
    if error.kind is not Kind.RATE_LIMITED or not isinstance(policy, str) or not isinstance(limit, int):
        return None
    seconds = float(wait) if isinstance(wait, int | float) else _MINUTE_S
    decision = Decision(
        allowed=False, limit=limit, window_s=_MINUTE_S, remaining=0, reset_s=_MINUTE_S, retry_after_s=seconds
    )
    return policy, decision


def _invalid(error: ValidationException, exchange: Exchange) -> InvalidInput:
    found = cast("list[Mapping[str, str]]", error.extra or [])
    first: Mapping[str, str] = found[0] if found else {}
    field = first.get("key", "")
    if field == "data":
        return InvalidInput("this operation needs a JSON body: send one", field="body")
    if not field:
        return InvalidInput(error.detail)
    wanted = first["message"][:_MAX_TEXT]
    value = _value(field, exchange)
    said = "" if value is None else f" is {value[:_MAX_VALUE]!r}"
    return InvalidInput(f"{field}{said}: {wanted[:1].lower()}{wanted[1:]}", field=field)


def _value(field: str, exchange: Exchange) -> str | None:
    """What the request said for a parameter of path or query."""
    in_path: Mapping[str, str] = exchange.scope.get("path_params", {})
    if field in in_path:
        return in_path[field]
    in_query = parse_qs(exchange.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return in_query[field][-1] if field in in_query else None
