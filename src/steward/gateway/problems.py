"""Failures as problem details (RFC 9457), and foreign exceptions as failures of ours."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast

import msgspec
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from steward.gateway.errors import MethodNotAllowed, RouteNotFound
from steward.gateway.exchange import Header
from steward.kit.errors import AppError, InvalidInput, Kind, MalformedRequest, Value

MEDIA_TYPE: Final = b"application/problem+json"
TYPE_PREFIX: Final = "urn:steward:problem:"

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


def headers_of(error: AppError, size: int, *, credential_sent: bool) -> list[Header]:
    """The response's header fields that the failure itself calls for."""
    headers = [(b"content-type", MEDIA_TYPE), (b"content-length", str(size).encode())]
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


def failure_of(error: Exception, method: str, path: str) -> AppError | None:
    """What a caller is told of an exception; None for a defect, of which they are told nothing."""
    match error:
        case AppError():
            return error
        case NotFoundException():
            return RouteNotFound(path)
        case MethodNotAllowedException():
            return MethodNotAllowed(method, (error.headers or {}).get("allow", ""))
        case ValidationException():
            return _invalid(error)
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return MalformedRequest(error.detail)
        case _:
            return None


def _invalid(error: ValidationException) -> InvalidInput:
    found = cast("list[Mapping[str, str]]", error.extra or [])
    first: Mapping[str, str] = found[0] if found else {}
    field = first.get("key", "")
    if field == "data":
        return InvalidInput("this operation needs a JSON body: send one", field="body")
    if not field:
        return InvalidInput(error.detail)
    return InvalidInput(f"{field}: {first['message'][:300]}", field=field)
