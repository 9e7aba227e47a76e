"""What the routes of all services share: how a handler gets its collaborators, pages its lists and marks itself.

A handler names its collaborators as parameters (`ctx: Caller`, `identity: IdentityPort`); the gateway provides them.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from steward.kit.context import Ctx
from steward.kit.errors import InvalidInput
from steward.kit.paging import MAX_LIMIT

T = TypeVar("T")

Caller = NamedDependency[SkipValidation[Ctx]]
"""The context of the request, built by the gateway."""

PageLimit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="How many items to return.")]
PageCursor = Annotated[str | None, QueryParameter(max_length=512, description="`next_cursor` of the page before.")]

OPEN: Final[Mapping[str, bool]] = {"open": True}
"""`opt` of a route that needs no credential and ignores one."""
ENDS_ACCESS: Final[Mapping[str, bool]] = {"ends_access": True}
"""`opt` of a route that may take rights away: the gateway forgets what it keeps of the tenant before it answers."""

_CHUNK_BYTES = 64 * 1024


class Items(msgspec.Struct, Generic[T], frozen=True):
    """A short list that is not paged."""

    items: list[T]


def aware(value: datetime | None, field: str) -> datetime | None:
    """The same instant; one without an offset is an `InvalidInput`, for nobody can say when it was."""
    if value is not None and value.tzinfo is None:
        raise InvalidInput(
            f"{field} {value.isoformat()!r} has no offset: write for example `{value.isoformat()}Z`", field=field
        )
    return value


async def json_lines(items: AsyncIterator[T]) -> AsyncIterator[bytes]:
    """The items as newline-delimited JSON, in chunks of about 64 KiB.

    The first chunk is made before this returns, so that a refusal still becomes a proper error answer.
    """
    chunks = _chunks(items)
    first = await anext(chunks, b"")

    async def replay() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return replay()


async def _chunks(items: AsyncIterator[T]) -> AsyncIterator[bytes]:
    encoder = msgspec.json.Encoder()
    buffer = bytearray()
    async for item in items:
        encoder.encode_into(item, buffer, -1)
        buffer += b"\n"
        if len(buffer) >= _CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
