"""What the dialects' answers on batches have in common."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from steward.services.models.batches.shipping.ports import SubmissionRefused
from steward.services.models.failures import FailureKind, ProviderFailure

T = TypeVar("T")

_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_SURELY_REFUSED: Final = frozenset({400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 429})


def reading(decode: Callable[[bytes], T], body: bytes, name: str) -> T:
    """An answer in its form. Raises `ProviderFailure` for what is not in it."""
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"an answer of {name} on a batch cannot be read: {error}"
        raise ProviderFailure(FailureKind.MALFORMED, message) from error


def checked_id(given: str, name: str) -> str:
    """An id that a path can carry."""
    if not _ID.fullmatch(given):
        message = f"{name} names a batch or file {given[:60]!r}, which is no id"
        raise ProviderFailure(FailureKind.MALFORMED, message)
    return given


async def submitting(answer: Awaitable[bytes]) -> bytes:
    """The answer to a submission. Raises `SubmissionRefused` where it surely made no batch."""
    try:
        return await answer
    except ProviderFailure as failure:
        if failure.kind is FailureKind.UNREACHABLE or failure.status in _SURELY_REFUSED:
            raise SubmissionRefused(failure) from failure
        raise
