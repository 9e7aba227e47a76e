"""Failures that callers are told about.

A service raises a subclass of `AppError` for each business failure. Its `kind` decides the HTTP status (RFC 9457
problem details) and the gRPC status, in one table; its `code` is the stable name a program reads; over gRPC the same
class is raised again at the caller.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, Self

Value = str | int | float | bool | None
Data = Mapping[str, Value]


class Kind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    UNPROCESSABLE = "unprocessable"
    HEADERS_TOO_LARGE = "headers_too_large"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    INTERNAL = "internal"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"


HTTP_STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.REQUEST_TIMEOUT: 408,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.HEADERS_TOO_LARGE: 431,
    Kind.RATE_LIMITED: 429,
    Kind.QUOTA: 429,
    Kind.INTERNAL: 500,
    Kind.BAD_GATEWAY: 502,
    Kind.UNAVAILABLE: 503,
    Kind.TIMEOUT: 504,
}

GRPC_STATUS: Mapping[Kind, str] = {
    Kind.INVALID: "INVALID_ARGUMENT",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.FORBIDDEN: "PERMISSION_DENIED",
    Kind.NOT_FOUND: "NOT_FOUND",
    Kind.METHOD_NOT_ALLOWED: "UNIMPLEMENTED",
    Kind.REQUEST_TIMEOUT: "DEADLINE_EXCEEDED",
    Kind.CONFLICT: "ABORTED",
    Kind.TOO_LARGE: "RESOURCE_EXHAUSTED",
    Kind.UNSUPPORTED: "INVALID_ARGUMENT",
    Kind.UNPROCESSABLE: "INVALID_ARGUMENT",
    Kind.HEADERS_TOO_LARGE: "RESOURCE_EXHAUSTED",
    Kind.RATE_LIMITED: "RESOURCE_EXHAUSTED",
    Kind.QUOTA: "RESOURCE_EXHAUSTED",
    Kind.INTERNAL: "INTERNAL",
    Kind.BAD_GATEWAY: "UNAVAILABLE",
    Kind.UNAVAILABLE: "UNAVAILABLE",
    Kind.TIMEOUT: "DEADLINE_EXCEEDED",
}


class AppError(Exception):
    """A failure with a stable code. Subclasses set `code` and `kind` and build `message` and `data`."""

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.INTERNAL

    def __init__(self, message: str, **data: Value) -> None:
        super().__init__(message)
        self.message = message
        self.data: Data = data

    @property
    def status(self) -> int:
        """The HTTP status of this failure."""
        return HTTP_STATUS[self.kind]

    @classmethod
    def restored(cls, message: str, data: Data) -> Self:
        """The same failure made again from its parts, as at the caller's end of a gRPC call."""
        error = cls.__new__(cls)
        AppError.__init__(error, message, **data)
        return error


def error_classes() -> Iterator[type[AppError]]:
    """Every failure class that is loaded, base included."""
    todo: list[type[AppError]] = [AppError]
    while todo:
        cls = todo.pop()
        yield cls
        todo.extend(cls.__subclasses__())


class StartRefused(Exception):
    """The process cannot start as it was asked to; the message says why and what to do."""


class InvalidInput(AppError):
    """A value that cannot be accepted: the message names the field, the value and the remedy."""

    code = "invalid_input"
    kind = Kind.UNPROCESSABLE


class MalformedRequest(AppError):
    """The request cannot be read at all: broken JSON, broken UTF-8, a bad header."""

    code = "malformed_request"
    kind = Kind.INVALID


class Unauthenticated(AppError):
    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class Forbidden(AppError):
    code = "forbidden"
    kind = Kind.FORBIDDEN


class NotFound(AppError):
    code = "not_found"
    kind = Kind.NOT_FOUND


class Conflict(AppError):
    code = "conflict"
    kind = Kind.CONFLICT


class TooLarge(AppError):
    code = "too_large"
    kind = Kind.TOO_LARGE


class Unavailable(AppError):
    """A part that is needed does not answer now; `data.retry_after` in seconds says when to try again."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE


class DeadlineExceeded(AppError):
    code = "deadline_exceeded"
    kind = Kind.TIMEOUT
