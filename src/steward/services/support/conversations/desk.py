"""The desk at work: one message becomes one durable answer, whatever happens on the way."""

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from steward.kit.clock import Clock
from steward.kit.db import ServiceDb
from steward.kit.failpoints import Failpoints
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.services.support.api import SessionState
from steward.services.support.conversations.noting import Noting
from steward.services.support.conversations.records import (
    RECENT,
    Accepted,
    Answered,
    Completed,
    Conversation,
    Origin,
)
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.conversations.turn import Turn
from steward.services.support.conversations.working import Worked, Working
from steward.services.support.conversations.writer import TurnWriter
from steward.services.support.errors import SessionBusy

TRIES: Final = 20
"""How often a message is worked on anew when other processes write its session meanwhile."""


class Live(msgspec.Struct, frozen=True):
    """A message that is worked on in this process."""

    turn: Turn
    task: "asyncio.Task[Answered]"


class Desk:
    """Answers messages, each in its turn, and writes message, answer and session together."""

    def __init__(
        self,
        *,
        db: ServiceDb,
        rows: ConversationsRepository,
        sessions: Sessions,
        writer: TurnWriter,
        working: Working,
        noting: Noting,
        clock: Clock,
        ids: Ids,
        telemetry: Telemetry,
        failpoints: Failpoints,
        lease_seconds: float,
    ) -> None:
        self._db = db
        self._rows = rows
        self._sessions = sessions
        self._writer = writer
        self._working = working
        self._noting = noting
        self._clock = clock
        self._ids = ids
        self._log = telemetry.log
        self._failpoints = failpoints
        self._lease = timedelta(seconds=lease_seconds)
        self._live: dict[UUID, Live] = {}

    def live(self, message_id: UUID) -> Live | None:
        """The message, if it is worked on in this process."""
        return self._live.get(message_id)

    def leased(self) -> list[tuple[TenantId, UUID]]:
        """The durable messages that are worked on here."""
        turns = [live.turn for live in self._live.values()]
        return [(turn.ctx.require_tenant(), turn.message_id) for turn in turns if turn.accepted]

    async def stop(self) -> None:
        """Give up what is being worked on; another process, or this one's next start, goes on with it."""
        tasks = [live.task for live in self._live.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.stop()
        await self._noting.stop()

    def start(self, turn: Turn) -> Live:
        """Work on a message until it is answered, whoever waits for that."""
        task = asyncio.create_task(self.answer(turn), name=f"turn-{turn.message_id}")
        live = self._live[turn.message_id] = Live(turn, task)
        task.add_done_callback(lambda _: self._ended(live))
        return live

    async def accept(self, turn: Turn) -> None:
        """Make a message durable before anything is done with it; nothing happens when it is."""
        if turn.accepted:
            return
        if turn.accepting is None:
            turn.accepting = asyncio.ensure_future(self._accept(turn))
        await asyncio.shield(turn.accepting)

    async def answer(self, turn: Turn, instead: Worked | None = None) -> Answered:
        """Answer a message in its turn. Raises `SessionBusy`, and what the parts of an answer raise.

        `instead` is an answer to give without work.
        """
        session_id = turn.conversation.id
        async with self._sessions.turn(session_id):
            for _ in range(TRIES):
                if turn.conversation.version:
                    turn.again(await self._sessions.get(turn.ctx, session_id))
                done = await self._try(turn, instead)
                found = done or await self._answered_elsewhere(turn)
                if found is not None:
                    return found
        raise SessionBusy

    async def _try(self, turn: Turn, instead: Worked | None) -> Answered | None:
        """The answer, written; None where the session was written by another process meanwhile."""
        worked = instead or self._working.kept(turn) or await self._working.work_out(turn, self.accept)
        if turn.accepting is not None and not turn.accepted:
            # Somebody who could wait no longer makes it durable just now.
            await self.accept(turn)
        self._failpoints.passing("support:worked-out")
        answered = self._answered(turn, worked)
        before = turn.conversation
        state = SessionState.ESCALATED if turn.escalated else before.state
        conversation = msgspec.structs.replace(
            before, dialogue=worked.state, locale=turn.language.value, state=state, updated_at=answered.answered_at
        )
        record = Completed(conversation=conversation, answered=answered)
        if not await self._writer.write(turn.ctx, record):
            return None
        self._failpoints.passing("support:answered")
        self._sessions.keep(turn.ctx.require_tenant(), _after(conversation, answered))
        self._working.keep(turn, worked)
        faq_id = worked.answer.reply.answered_by
        if worked.from_cache and faq_id is not None:
            # Else the search was recorded.
            self._noting.note(turn.ctx, turn.text, faq_id)
        return answered

    def _answered(self, turn: Turn, worked: Worked) -> Answered:
        answer = worked.answer
        reply = answer.reply
        return Answered(
            session_id=turn.conversation.id,
            message_id=turn.message_id,
            text=turn.text,
            sent_at=turn.sent_at,
            intent=answer.intent,
            answer_id=self._ids.new(),
            answer=reply.text,
            agent_type=reply.agent_type,
            citations=reply.citations,
            sentiment=answer.sentiment,
            calls=tuple(turn.calls),
            from_cache=worked.from_cache,
            degraded=reply.degraded,
            response_time_ms=max(0, int((self._clock.monotonic() - turn.started) * 1000)),
            ticket_id=reply.ticket_id,
            answered_at=self._clock.now(),
        )

    async def _answered_elsewhere(self, turn: Turn) -> Answered | None:
        """The answer that another process gave meanwhile, if it did; and the session read again."""
        tenant = turn.ctx.require_tenant()
        self._sessions.forget(tenant, turn.conversation.id)
        if not turn.accepted:
            return None
        async with self._db.read(turn.ctx) as tx:
            found = await self._rows.answered(tx, tenant, turn.message_id)
        return found if isinstance(found, Answered) else None

    def acceptance(self, turn: Turn) -> Accepted:
        """What makes a message durable; who writes it says so by `accepted`."""
        return Accepted(
            conversation=turn.conversation,
            message_id=turn.message_id,
            text=turn.text,
            sent_at=turn.sent_at,
            origin=Origin.of(turn.ctx),
            lease_until=self.lease_end(),
        )

    async def _accept(self, turn: Turn) -> bool:
        try:
            await self._writer.write(turn.ctx, self.acceptance(turn))
        except BaseException:
            turn.accepting = None
            raise
        self.accepted(turn)
        self._failpoints.passing("support:accepted")
        return True

    def accepted(self, turn: Turn) -> None:
        """The message is durable from here on, and with it a session that it began."""
        turn.accepted = True
        if not turn.conversation.version:
            turn.conversation = msgspec.structs.replace(turn.conversation, version=1)
            self._sessions.keep(turn.ctx.require_tenant(), turn.conversation)

    def _ended(self, live: Live) -> None:
        self._live.pop(live.turn.message_id, None)
        if not live.task.cancelled() and (error := live.task.exception()) is not None:
            # Who waits is told; a durable message is tried again later, so that this is the only word of it.
            self._log.warning(
                "a message was not answered",
                event_type="message.unanswered",
                message_id=str(live.turn.message_id),
                durable=live.turn.accepted,
                exc_info=error,
            )

    def lease_end(self) -> datetime:
        return self._clock.now() + self._lease


def _after(conversation: Conversation, answered: Answered) -> Conversation:
    """The session as it is after an answer was written."""
    recent = (*conversation.recent, f"user: {answered.text}", f"agent: {answered.answer}")[-RECENT:]
    return msgspec.structs.replace(
        conversation, version=conversation.version + 1, messages=conversation.messages + 2, recent=recent
    )
