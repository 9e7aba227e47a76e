"""What the routes of all services share: how a handler gets its collaborators, pages its lists and marks itself.

A handler names its collaborators as parameters (`ctx: Caller`, `identity: IdentityPort`); the gateway provides them.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, InvalidInput
from steward.kit.ids import Ids
from steward.kit.paging import MAX_LIMIT

T = TypeVar("T")

Caller = NamedDependency[SkipValidation[Ctx]]
"""The context of the request, built by the gateway."""
ClockPort = NamedDependency[SkipValidation[Clock]]
IdsPort = NamedDependency[SkipValidation[Ids]]
"""What time and ids come from, for handlers whose answers have some of their own."""

PageLimit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="How many items to return.")]
PageCursor = Annotated[str | None, QueryParameter(max_length=512, description="`next_cursor` of the page before.")]

OPEN: Final[Mapping[str, bool]] = {"open": True}
"""`opt` of a route that needs no credential and ignores one."""
CHANGES_USER: Final[Mapping[str, bool]] = {"changes_user": True}
"""`opt` of a route that changes the user in its path, and nobody else's rights: the gateway forgets what it keeps of
that user before it answers."""

TAKES_KEY: Final[Mapping[str, bool]] = {"takes_key": True}
"""`opt` of a route that heeds `Idempotency-Key` though it does not answer 201."""

NAMES_ONE: Final[Mapping[str, bool]] = {"names_one": True}
"""`opt` of a route without path parameters that answers 404 where what its request is about does not exist."""

JSON_LINES: Final = "application/x-ndjson"
EVENT_STREAM: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
"""How often a stream of events that has none says that it is alive."""
STILL_HERE: Final = b": still here\n\n"
"""A comment, which readers of server-sent events skip."""

_CHUNK_BYTES: Final = 64 * 1024


def ends_access(*fields: str) -> Mapping[str, Sequence[str]]:
    """`opt` of a route that may take rights away: the gateway forgets what it keeps of the tenant before it answers.

    With `fields`, names of the body's, only a request that gives one of them does so.
    """
    return {"ends_access": fields}


def changes_tenant(*fields: str) -> Mapping[str, Sequence[str]]:
    """`opt` of a route that changes the tenant in its path: the gateway forgets its state and limits before it answers.

    With `fields`, names of the body's, only a request that gives one of them does so.
    """
    return {"changes_tenant": fields}


def takes_bytes(most: int) -> Mapping[str, int]:
    """`opt` of a route without path parameters whose body may have so many bytes, instead of the edge's usual most."""
    return {"max_body_bytes": most}


def takes_depth(most: int) -> Mapping[str, int]:
    """`opt` of a route without path parameters whose JSON body may be nested so deep."""
    return {"max_json_depth": most}


def takes_seconds(most: float) -> Mapping[str, float]:
    """`opt` of a route without path parameters that may take so long, instead of the edge's usual time."""
    return {"max_seconds": most}


TAKES_FORM: Final[Mapping[str, str]] = {"body_kind": "multipart/form-data"}
"""`opt` of a route without path parameters whose body is a form (RFC 7578); the edge hands it on unread."""


class ErrorForm(NamedTuple):
    """How failures under a prefix of paths are told, where callers do not expect problem details.

    Such callers know no 422: what cannot be accepted is 400 there.
    """

    prefix: str
    """Of the paths; the longest that fits counts."""
    body: Callable[[AppError, str], bytes]
    """JSON of a failure and the request's id."""
    schema: type[msgspec.Struct]
    """Of that JSON, for the description of the API."""
    id_header: bytes = b""
    """The header field in which the dialect's clients look for the request's id, beside `X-Request-Id`."""


def fails_as(form: ErrorForm) -> Mapping[str, ErrorForm]:
    """`opt` of a route of another API's dialect, with the form of its failures; the form holds for its whole prefix."""
    return {"error_form": form}


def reads_as(body: type[msgspec.Struct] | None, answer: type[msgspec.Struct] | None = None) -> Mapping[str, object]:
    """`opt` of a route that decodes and encodes by itself: the types by which the API's description shows it."""
    return {"described_body": body, "described_answer": answer}


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


class RawJson(ASGIResponse):
    """An answer whose JSON the handler has encoded itself."""

    def __init__(self, body: bytes, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.status_code = status
        self.body = body
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        headers += self._headers
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class EventStream(ASGIResponse):
    """An answer of server-sent events (WHATWG HTML, section 9.2), each sent as it comes, with comments in between.

    `heartbeat` is sent in place of a comment, where the dialect has an event for it.
    """

    def __init__(
        self,
        first: bytes,
        rest: AsyncGenerator[bytes],
        heartbeat: bytes = STILL_HERE,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(media_type=EVENT_STREAM)
        self._headers = headers
        self._first = first
        self._rest = rest
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        headers = [(b"content-type", EVENT_STREAM.encode()), (b"x-accel-buffering", b"no"), *self._headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        pulse = _Pulse(send, self._heartbeat)
        beating = asyncio.create_task(pulse.beat())
        try:
            async with aclosing(self._rest) as rest:
                if self._first:
                    await pulse.send(self._first)
                async for event in rest:
                    await pulse.send(event)
        finally:
            beating.cancel()
            await asyncio.wait((beating,))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Pulse:
    """Sends events, and a heartbeat whenever none has come for a while: proxies cut what seems dead."""

    def __init__(self, send: Send, heartbeat: bytes) -> None:
        self._send = send
        self._heartbeat = heartbeat
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self._never = self._loop.create_future()

    async def send(self, data: bytes) -> None:
        async with self._turn:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._sent_at = self._loop.time()

    async def beat(self) -> None:
        # Looks at the time instead of being told of each event: a stream has many, and a task to wake costs more.
        while True:
            left = self._sent_at + HEARTBEAT_SECONDS - self._loop.time()
            if left > 0:
                await asyncio.wait((self._never,), timeout=left)
            else:
                await self.send(self._heartbeat)


async def event_stream(items: AsyncIterator[T], head: Callable[[T], tuple[str, str]]) -> EventStream:
    """The items as server-sent events; `head` gives each one's id and type, its JSON is the data.

    The first is made before this returns, so that a refusal still becomes a proper error answer.
    """
    events = _events(items, head)
    return EventStream(await anext(events, b""), events)


async def _events(items: AsyncIterator[T], head: Callable[[T], tuple[str, str]]) -> AsyncGenerator[bytes]:
    async with AsyncExitStack() as stack:
        if isinstance(items, AsyncGenerator):
            await stack.enter_async_context(aclosing(cast("AsyncGenerator[T]", items)))
        async for item in items:
            number, kind = head(item)
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (number.encode(), kind.encode(), msgspec.json.encode(item))


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
