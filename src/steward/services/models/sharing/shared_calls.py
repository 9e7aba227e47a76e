"""Calls that may be answered without asking a provider; the same face as the calls behind it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, Final

import msgspec

from steward.kit.clock import Clock
from steward.kit.errors import AppError, Kind
from steward.kit.ids import Ids
from steward.kit.module import Apis
from steward.services.costs.api import CacheHit, CallId, CallInfo, CallUsage, CostsApi
from steward.services.models.api import CacheMode
from steward.services.models.folding import Assembly, replay
from steward.services.models.messages import Failed, ModelReply, Started, StreamEvent, Usage, UsageReport
from steward.services.models.ports import Call, Calls
from steward.services.models.sharing.exact import ExactCache, may_be_kept
from steward.services.models.sharing.flights import Flights, Streams
from steward.services.models.sharing.keys import key_of
from steward.services.models.sharing.semantic import Question, SemanticCache
from steward.services.models.subjects import subjects_of

EXACT: Final = "exact"
SEMANTIC: Final = "semantic"
SHARED: Final = "shared"
_ONES_OWN: Final = frozenset((Kind.QUOTA, Kind.TIMEOUT, Kind.FORBIDDEN, Kind.RATE_LIMITED))
"""Failures that may be of the caller who asked first, and not of the others who wait for the same answer."""
_MAX_NOTES: Final = 10_000


class _Found(msgspec.Struct, frozen=True):
    """What a look into the caches brought."""

    reply: ModelReply | None
    question: Question | None = None


class SharedCalls:
    """Looks into the caches, joins an equal call in flight, and else makes the call."""

    def __init__(
        self, calls: Calls, exact: ExactCache, semantic: SemanticCache, apis: Apis, clock: Clock, ids: Ids
    ) -> None:
        self._calls = calls
        self._exact = exact
        self._semantic = semantic
        self._apis = apis
        self._clock = clock
        self._ids = ids
        self._flights: Flights[ModelReply] = Flights()
        self._streams = Streams()
        self._at_work: set[asyncio.Task[None]] = set()

    async def complete(self, call: Call) -> ModelReply:
        """See `ports.Calls`."""
        key = self._key(call)
        if key is None:
            return await self._calls.complete(call)
        began = self._clock.monotonic()
        found = await self._look(call, key)
        if found.reply is not None:
            self._note(call, found.reply, began)
            return found.reply
        if not call.options.coalesce:
            return await self._make(call, key, found.question)
        joined = self._flights.under_way(key)
        try:
            reply = await self._flights.join(key, lambda: self._make(call, key, found.question))
        except AppError as error:
            if not joined or error.kind not in _ONES_OWN:
                raise
            return await self._make(call, key, found.question)
        if joined:
            reply = msgspec.structs.replace(reply, from_cache=SHARED)
            self._note(call, reply, began)
        return reply

    async def stream(self, call: Call) -> AsyncGenerator[StreamEvent]:
        """See `ports.Calls`."""
        key = self._key(call)
        began = self._clock.monotonic()
        found = _Found(None) if key is None else await self._look(call, key)
        if found.reply is not None:
            self._note(call, found.reply, began)
            for event in replay(found.reply):
                yield event
            return
        source = self._calls.stream(call) if key is None else self._heard(call, key, found.question, began)
        async with aclosing(source):
            async for event in source:
                yield event

    async def drain(self) -> None:
        """Wait until everything that is to be noted is."""
        while self._at_work:
            await asyncio.wait(self._at_work)

    def _key(self, call: Call) -> str | None:
        caches = call.options.cache is not CacheMode.OFF and _caches(call)
        return key_of(call) if caches or call.options.coalesce else None

    async def _look(self, call: Call, key: str) -> _Found:
        mode, settings = call.options.cache, call.resolved.settings
        tenant = call.ctx.require_tenant()
        if mode is CacheMode.OFF:
            return _Found(None)
        if settings.exact_cache_seconds:
            reply = await self._exact.find(tenant, key, ttl_s=settings.exact_cache_seconds)
            if reply is not None:
                return _Found(msgspec.structs.replace(reply, from_cache=EXACT))
        if mode is CacheMode.EXACT or not (settings.semantic_cache_seconds and settings.embeddings):
            return _Found(None)
        try:
            question = await self._semantic.question(call)
        except AppError:
            # Without a vector there is no likeness; the call itself may do.
            return _Found(None)
        reply = None if question is None else self._semantic.find(tenant, question)
        return _Found(None if reply is None else msgspec.structs.replace(reply, from_cache=SEMANTIC), question)

    async def _make(self, call: Call, key: str, question: Question | None) -> ModelReply:
        reply = await self._calls.complete(call)
        await self._keep(call, key, question, reply)
        return reply

    async def _keep(self, call: Call, key: str, question: Question | None, reply: ModelReply) -> None:
        settings = call.resolved.settings
        if call.options.cache is CacheMode.OFF or not _caches(call) or not may_be_kept(reply):
            return
        tenant = call.ctx.require_tenant()
        if settings.exact_cache_seconds:
            await self._exact.keep(tenant, key, reply, ttl_s=settings.exact_cache_seconds)
        if question is not None:
            self._semantic.keep(tenant, question, reply, ttl_s=settings.semantic_cache_seconds)

    async def _heard(
        self, call: Call, key: str, question: Question | None, began: float
    ) -> AsyncGenerator[StreamEvent]:
        """A stream that is shared, or made for this caller alone where it may not be."""
        if not call.options.coalesce:
            async with aclosing(self._kept(call, key, question)) as source:
                async for event in source:
                    yield event
            return
        joined = self._streams.under_way(key)
        usage, begun = Usage(), False
        source = self._streams.join(key, lambda: self._kept(call, key, question))
        try:
            async with aclosing(source):
                async for event in source:
                    begun = True
                    if isinstance(event, UsageReport):
                        usage = event.usage
                    yield (
                        msgspec.structs.replace(event, from_cache=SHARED)
                        if joined and isinstance(event, Started)
                        else event
                    )
        except AppError as error:
            if begun or not joined or error.kind not in _ONES_OWN:
                raise
            async with aclosing(self._kept(call, key, question)) as own:
                async for event in own:
                    yield event
            return
        if joined:
            self._note_use(call, SHARED, usage, began, provider="", model="")

    async def _kept(self, call: Call, key: str, question: Question | None) -> AsyncGenerator[StreamEvent]:
        """A stream of the calls behind, kept when it came to its end."""
        keeps = call.options.cache is not CacheMode.OFF and _caches(call)
        assembly = Assembly() if keeps else None
        async with aclosing(self._calls.stream(call)) as source:
            async for event in source:
                if isinstance(event, Failed):
                    assembly = None
                elif assembly is not None:
                    assembly.add(event)
                yield event
        if assembly is not None and assembly.complete and not assembly.has_raw:
            await self._keep(call, key, question, assembly.reply())

    def _note(self, call: Call, reply: ModelReply, began: float) -> None:
        self._note_use(call, reply.from_cache, reply.usage, began, provider=reply.provider, model=reply.model)

    def _note_use(self, call: Call, cache: str, usage: Usage, began: float, *, provider: str, model: str) -> None:
        """Have a call that cost nothing written into the ledger, without making the caller wait for it."""
        if len(self._at_work) >= _MAX_NOTES:
            # The ledger is away for long: a call that cost nothing may go unnoted, memory may not run full.
            return
        first = call.resolved.targets[0] if call.resolved.targets else None
        info = CallInfo(
            request_id=call.ctx.request_id,
            alias=call.resolved.alias,
            connection=provider or (first.endpoint.name if first else ""),
            tags=call.options.tags,
        )
        hit = CacheHit(
            call_id=CallId(self._ids.new()),
            subjects=subjects_of(call.ctx, call.options),
            info=info,
            provider=first.endpoint.prices if first else "",
            model=model or (first.candidate.model if first else ""),
            cache=cache,
            usage=usage_of(usage),
            latency_ms=int((self._clock.monotonic() - began) * 1000),
        )
        ctx = call.ctx.as_service("models", "service:costs")
        self._work(self._apis.get(CostsApi).record_hit(ctx, hit=hit))

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        async def quietly() -> None:
            try:
                await work
            except AppError:
                # The ledger is away: a call that cost nothing is not worth a retry.
                return

        task = asyncio.create_task(quietly())
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


def usage_of(usage: Usage) -> CallUsage:
    """The tokens as the costs service counts them."""
    return CallUsage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        audio_input_tokens=usage.audio_input_tokens,
        audio_output_tokens=usage.audio_output_tokens,
    )


def _caches(call: Call) -> bool:
    settings = call.resolved.settings
    return bool(settings.exact_cache_seconds or (settings.semantic_cache_seconds and settings.embeddings))
