"""Failures between processes: an `AppError` crosses as status, readable details and its exact parts."""

from functools import lru_cache

import grpc
import msgspec

from steward.kit.errors import (
    GRPC_STATUS,
    AppError,
    Data,
    DeadlineExceeded,
    Kind,
    Unauthenticated,
    Unavailable,
    error_classes,
)

FAILURE_KEY = "steward-error-bin"
"""Trailing metadata that holds the failure as JSON."""
_MAX_DETAILS = 256
"""Characters of the readable details; each may take 12 bytes in a header."""
_MAX_FAILURE_BYTES = 8 * 1024
_MAX_MESSAGE = 1024


class InvalidCallerContext(Unauthenticated):
    """The signed caller context is expired, forged, for another service or by an unknown process."""

    code = "invalid_caller_context"


class BadAnswer(AppError):
    """The other process answered with something that this one cannot read: their versions are too far apart."""

    code = "bad_answer"
    kind = Kind.BAD_GATEWAY


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an `AppError` as they cross."""

    code: str
    kind: str
    message: str
    data: Data


def status_of(error: AppError) -> grpc.StatusCode:
    """The gRPC status of a failure."""
    return grpc.StatusCode[GRPC_STATUS[error.kind]]


def details_of(error: AppError) -> str:
    """A line for people, short enough for a header."""
    return f"{error.code}: {error.message}"[:_MAX_DETAILS]


def packed(error: AppError) -> bytes:
    """The failure as bytes for `FAILURE_KEY`; what is too long for metadata loses its data and the message's end."""
    failure = Failure(code=error.code, kind=error.kind, message=error.message, data=error.data)
    data = msgspec.json.encode(failure)
    if len(data) <= _MAX_FAILURE_BYTES:
        return data
    return msgspec.json.encode(msgspec.structs.replace(failure, message=error.message[:_MAX_MESSAGE], data={}))


def unpacked(data: bytes) -> AppError:
    """The failure made again: of the class that has its code, or of its kind where no such class is loaded."""
    failure = msgspec.json.decode(data, type=Failure)
    cls = next((one for one in error_classes() if _names(one, failure.code)), None) or _unknown(
        failure.code, failure.kind
    )
    return cls.restored(failure.message, failure.data)


def from_status(error: grpc.aio.AioRpcError, peer: str) -> AppError:
    """The failure behind a call that ended badly; `peer` names the other process in messages."""
    parts = (error.trailing_metadata() or grpc.aio.Metadata()).get(FAILURE_KEY)
    if isinstance(parts, bytes):
        return unpacked(parts)
    status, details = error.code(), error.details()
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(f"{peer} did not answer in time")
    if status in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}:
        return Unavailable(f"{peer} cannot be reached or has too much to do: {details}", retry_after=1)
    return BadAnswer(f"{peer} answered {status.name}: {details}", status=status.name)


class _OfUnknownClass:
    """Marks classes made for codes that this process does not know."""


def _names(cls: type[AppError], code: str) -> bool:
    return vars(cls).get("code") == code and not issubclass(cls, _OfUnknownClass)


@lru_cache(maxsize=256)
def _unknown(code: str, kind: str) -> type[AppError]:
    known = Kind(kind) if kind in set(Kind) else Kind.INTERNAL
    return type("RemoteError", (_OfUnknownClass, AppError), {"code": code, "kind": known})
