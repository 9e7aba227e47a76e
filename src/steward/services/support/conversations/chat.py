"""Chat: a message in, its answer out, at once or as a stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final
from uuid import UUID

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import AppError, Kind
from steward.kit.idempotency import Idempotency
from steward.kit.telemetry import Telemetry
from steward.kit.telemetry.metrics import ChatOutcome
from steward.services.support.api import AgentType, ChatAnswer, ChatEvent, Intent, Sentiment
from steward.services.support.conversations import telling
from steward.services.support.conversations.arrival import Arrivals
from steward.services.support.conversations.desk import Desk, Live
from steward.services.support.conversations.following import Following
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.conversations.texts import STILL_AT_WORK
from steward.services.support.conversations.turn import Turn
from steward.services.support.conversations.working import Working
from steward.services.support.customers.door import Door
from steward.services.support.customers.owner import Owner

ANSWERING_SECONDS: Final = 1.0
"""What is left of a caller's time for the answer itself."""
_CHAT: Final = "chat"
_PASSING: Final = frozenset((Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.BAD_GATEWAY, Kind.INTERNAL))
"""Failures after which the same message may well be answered later."""


class _Asked(msgspec.Struct, frozen=True):
    """The message that an Idempotency-Key stands for."""

    session_id: UUID
    message_id: UUID


class Chat:
    """The use case of `SupportApi.chat` and `chat_stream`."""

    def __init__(
        self,
        *,
        door: Door,
        arrivals: Arrivals,
        desk: Desk,
        working: Working,
        following: Following,
        db: ServiceDb,
        rows: ConversationsRepository,
        idempotency: Idempotency,
        clock: Clock,
        telemetry: Telemetry,
        patience_seconds: float,
    ) -> None:
        self._door = door
        self._arrivals = arrivals
        self._desk = desk
        self._working = working
        self._following = following
        self._db = db
        self._rows = rows
        self._idempotency = idempotency
        self._clock = clock
        self._metrics = telemetry.metrics
        self._patience = patience_seconds

    async def chat(
        self,
        ctx: Ctx,
        *,
        message: str,
        session_id: UUID | None = None,
        user_id: str | None = None,
        customer_token: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ChatAnswer:
        started = self._clock.monotonic()
        owner = await self._door.writer(ctx, user_id, customer_token)
        turn = await self._arrivals.begin(ctx, owner, session_id, message, metadata)
        if ctx.idempotency_key is not None:
            answer = await self._once(turn, owner, session_id, metadata)
        elif self._working.kept(turn) is not None:
            # Known already: nothing to wait for, so no task either.
            answer = (await self._desk.answer(turn)).shown()
        else:
            answer = await self._in_time(self._desk.start(turn))
        self._metrics.chat_done(_outcome(answer), self._clock.monotonic() - started)
        return answer

    async def chat_stream(
        self,
        ctx: Ctx,
        *,
        message: str,
        session_id: UUID | None = None,
        user_id: str | None = None,
        customer_token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        after: str | None = None,
    ) -> AsyncIterator[ChatEvent]:
        if after is not None:
            owner = await self._door.reader(ctx, user_id, customer_token)
            async for event in self._following.resume(ctx, owner, session_id, message, after, self._left(ctx)):
                yield event
            return
        started = self._clock.monotonic()
        owner = await self._door.writer(ctx, user_id, customer_token)
        turn = await self._arrivals.begin(ctx, owner, session_id, message, metadata)
        if self._working.kept(turn) is None:
            await self._desk.accept(turn)
            # Begun before anybody is told, for who is told may never ask for more.
            live = self._desk.start(turn)
            yield telling.accepted(turn.conversation.id, turn.message_id)
            async for event in self._following.follow(live, 0, self._left(ctx)):
                yield event
        else:
            for event in telling.told(await self._desk.answer(turn), -1):
                yield event
        self._metrics.chat_done("streamed", self._clock.monotonic() - started)

    async def _once(
        self, turn: Turn, owner: Owner, session_id: UUID | None, metadata: Mapping[str, str] | None
    ) -> ChatAnswer:
        """The answer to the message that this Idempotency-Key was first sent with, which is durable with the key."""
        ctx = turn.ctx
        request = (turn.text, session_id, owner.kind, owner.id, metadata)
        asked = _Asked(turn.conversation.id, turn.message_id)
        async with self._db.tx(ctx) as tx:
            first = await self._idempotency.replay(tx, ctx, _CHAT, request, _Asked)
            if first is None:
                await self._rows.accept(tx, ctx.require_tenant(), (self._desk.acceptance(turn),))
                await self._idempotency.remember(tx, ctx, _CHAT, asked)
        if first is None:
            self._desk.accepted(turn)
            return await self._in_time(self._desk.start(turn))
        answered = await self._following.wait(ctx, first.message_id, self._left(ctx))
        return self._late(turn, first.message_id, first.session_id) if answered is None else answered.shown()

    async def _in_time(self, live: Live) -> ChatAnswer:
        """The answer, or word that it takes longer; the message is durable then and is worked on further."""
        turn = live.turn
        done, _ = await asyncio.wait((live.task,), timeout=self._left(turn.ctx))
        if not done:
            await self._accept_late(live)
        if live.task.done():
            error = live.task.exception()
            if error is None:
                return live.task.result().shown()
            if not isinstance(error, Exception) or (isinstance(error, AppError) and error.kind not in _PASSING):
                raise error
            # Whatever broke is in the log; made durable, the message is tried again.
            await self._desk.accept(turn)
        return self._late(turn, turn.message_id, turn.conversation.id)

    async def _accept_late(self, live: Live) -> None:
        """Make a message durable whose work takes long, unless its answer is written just now."""
        try:
            await self._desk.accept(live.turn)
        except Exception:
            if not live.task.done() or live.task.exception() is not None:
                raise

    def _left(self, ctx: Ctx) -> float:
        """Seconds until a waiting customer is to be told something."""
        left = (ctx.deadline - self._clock.now()).total_seconds() - ANSWERING_SECONDS
        return max(0.05, min(self._patience, left))

    def _late(self, turn: Turn, message_id: UUID, session_id: UUID) -> ChatAnswer:
        return ChatAnswer(
            session_id=session_id,
            message_id=message_id,
            message=STILL_AT_WORK[turn.language],
            agent_type=AgentType.HUMAN,
            intent=Intent(type=AgentType.HUMAN, confidence=0.0, unsure=True, reason="late"),
            citations=(),
            timestamp=self._clock.now(),
            response_time_ms=int((self._clock.monotonic() - turn.started) * 1000),
            from_cache=False,
            degraded=True,
            sentiment=Sentiment.NEUTRAL,
        )


def _outcome(answer: ChatAnswer) -> ChatOutcome:
    if answer.intent.reason == "late":
        return "late"
    if answer.from_cache:
        return "cached"
    return "degraded" if answer.degraded else "answered"
