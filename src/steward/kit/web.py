"""What the routes of all services share: how a handler gets its collaborators, pages its lists and marks itself.

A handler names its collaborators as parameters (`ctx: Caller`, `identity: IdentityPort`); the gateway provides them.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar, cast

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

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

JSON_LINES: Final = "application/x-ndjson"

_CHUNK_BYTES: Final = 64 * 1024


def changes_tenant(*fields: str) -> Mapping[str, Sequence[str]]:
    """`opt` of a route that changes the tenant in its path: the gateway forgets its state and limits before it answers.

    With `fields`, names of the body's, only a request that gives one of them does so.
    """
    return {"changes_tenant": fields}


class Items(msgspec.Struct, Generic[T], frozen=True):
    """A short list that is not paged."""

    items: list[T]


def aware(value: datetime | None, field: str) -> datetime | None:
    """The same instant in UTC.

    One without an offset is an `InvalidInput`, for nobody can say when it was, and so is one that is not of the years
    1 to 9999 in UTC, for the database cannot hold it.
    """
    if value is None:
        return None
    if value.tzinfo is None:
        raise InvalidInput(
            f"{field} {value.isoformat()!r} has no offset: write for example `{value.isoformat()}Z`", field=field
        )
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInput(
            f"{field} {value.isoformat()!r} is outside of the years 1 to 9999 in UTC: name a time within them",
            field=field,
        ) from error


class JsonLines(ASGIResponse):
    """An answer of newline-delimited JSON, sent as it is made and closed whatever ends it."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        super().__init__(media_type=JSON_LINES)
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        headers = [(b"content-type", JSON_LINES.encode())]
        # Closed here, for a generator that is only dropped may hold its database connection until the next collection.
        async with aclosing(self._rest) as rest:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if self._first:
                await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async for chunk in rest:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def json_lines(items: AsyncIterator[Any]) -> JsonLines:
    """The items as newline-delimited JSON, in chunks of about 64 KiB.

    The first chunk is made before this returns, so that a refusal still becomes a proper error answer.
    """
    chunks = _chunks(items)
    return JsonLines(await anext(chunks, b""), chunks)


async def _chunks(items: AsyncIterator[Any]) -> AsyncGenerator[bytes]:
    encoder = msgspec.json.Encoder()
    buffer = bytearray()
    async with AsyncExitStack() as stack:
        if isinstance(items, AsyncGenerator):
            await stack.enter_async_context(aclosing(cast("AsyncGenerator[Any]", items)))
        async for item in items:
            encoder.encode_into(item, buffer, -1)
            buffer += b"\n"
            if len(buffer) >= _CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)
