"""What the surfaces share: a decoded request becomes a call, and its answer bytes in the caller's dialect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, TypeVar, cast

from litestar import Request

from steward.kit.context import Ctx
from steward.kit.web import STILL_HERE, EventStream, RawJson
from steward.services.models.api import CallOptions, Failed, ModelsApi, Started, StreamEvent
from steward.services.models.http.options import Headers
from steward.services.models.wire.ports import Asked, ServerCodec, StreamEncoder

T = TypeVar("T")

AnyRequest = Request[Any, Any, Any]
Answer = RawJson | EventStream

MOST_BYTES: Final = 32 * 1024 * 1024
MOST_DEPTH: Final = 100
MOST_SECONDS: Final = 600.0
_LARGE: Final = 1 << 20
"""Reading a body larger than this takes milliseconds, and so is done in a thread."""


async def decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    """The body as the codec reads it. Raises what the codec raises."""
    return await asyncio.to_thread(decode, body) if len(body) > _LARGE else decode(body)


def headers_of(request: AnyRequest) -> Headers:
    """The request's header fields as they came, by lower-case name."""
    return cast("Headers", request.scope["headers"])


def header(headers: Headers, wanted: bytes) -> str:
    """One header field; empty where there is none."""
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


async def answered(
    ctx: Ctx,
    models: ModelsApi,
    codec: ServerCodec,
    asked: Asked,
    options: CallOptions,
    *,
    heartbeat: bytes = STILL_HERE,
) -> Answer:
    """Make the call; whole or streamed, as it was asked. What fails before the first event is raised."""
    if not asked.stream:
        reply = await models.complete(ctx, request=asked.request, options=options)
        return RawJson(codec.encode(reply, asked), headers=told(reply.provider, reply.from_cache))
    events = models.stream(ctx, request=asked.request, options=options)
    first = await anext(events)
    about = told(first.provider, first.from_cache) if isinstance(first, Started) else []
    frames = _frames(first, events, codec.stream(asked))
    # Begun here, so that closing it closes the events, whatever happens before it is read on.
    return EventStream(await anext(frames), frames, heartbeat, about)


async def _frames(
    first: StreamEvent, events: AsyncIterator[StreamEvent], encoder: StreamEncoder
) -> AsyncGenerator[bytes]:
    async with aclosing(cast("AsyncGenerator[StreamEvent]", events)):
        yield encoder.encode(first)
        failed = isinstance(first, Failed)
        async for event in events:
            failed = isinstance(event, Failed)
            if data := encoder.encode(event):
                yield data
        if not failed and (data := encoder.end()):
            yield data


def told(provider: str, from_cache: str) -> list[tuple[bytes, bytes]]:
    """Who answered, and whether from a cache."""
    named = [(b"steward-provider", provider.encode())] if provider else []
    return [*named, (b"steward-from-cache", from_cache.encode())] if from_cache else named
