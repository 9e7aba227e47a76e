"""Following a message to its answer: in this process as it is worked on, in another one by its durable rows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.services.support.api import ChatEvent
from steward.services.support.conversations import telling
from steward.services.support.conversations.arrival import language_of
from steward.services.support.conversations.desk import Desk, Live
from steward.services.support.conversations.records import Answered, PendingMessage
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.conversations.texts import STILL_AT_WORK
from steward.services.support.customers.owner import Owner
from steward.services.support.errors import MessageDiffers, MessageNotFound, SessionNotFound

POLL_SECONDS: Final = 0.2
"""How often a message is looked at that another process works on."""


class Following:
    """Tells of messages that are on their way."""

    def __init__(
        self, db: ServiceDb, rows: ConversationsRepository, sessions: Sessions, desk: Desk, clock: Clock
    ) -> None:
        self._db = db
        self._rows = rows
        self._sessions = sessions
        self._desk = desk
        self._clock = clock

    async def follow(self, live: Live, after: int, seconds: float) -> AsyncIterator[ChatEvent]:
        """The events of a message that is worked on here, behind a number; it goes on when nobody follows any more."""
        turn, task = live.turn, live.task
        until = self._clock.monotonic() + seconds
        while True:
            changed = turn.changed
            for event in telling.called(turn.conversation.id, turn.message_id, tuple(turn.calls), after):
                after += 1
                yield event
            if task.done() or not await _either(task, changed, until - self._clock.monotonic()):
                break
        if task.done() and not task.cancelled() and task.exception() is None:
            for event in telling.told(task.result(), after):
                yield event
        else:
            text = STILL_AT_WORK[turn.language]
            yield telling.failed(turn.conversation.id, turn.message_id, text, after)

    async def resume(
        self, ctx: Ctx, owner: Owner, session_id: UUID | None, text: str, after: str, seconds: float
    ) -> AsyncIterator[ChatEvent]:
        """The events behind one of a message, whichever process works on it.

        Raises `MessageNotFound`, `SessionNotFound` for somebody else's, and `MessageDiffers`.
        """
        name, _, digits = after.partition(":")
        message_id, number = _id(name, after), int(digits)
        until = self._clock.monotonic() + seconds
        found = await self._find(ctx, message_id)
        conversation = await self._sessions.of_owner(ctx, found.session_id, owner)
        if session_id is not None and session_id != conversation.id:
            raise SessionNotFound(session_id)
        if found.text != text:
            raise MessageDiffers
        while isinstance(found, PendingMessage):
            left = until - self._clock.monotonic()
            if (live := self._desk.live(message_id)) is not None:
                async for event in self.follow(live, number, left):
                    yield event
                return
            if left <= 0:
                language = language_of(text, conversation, ctx)
                yield telling.failed(conversation.id, message_id, STILL_AT_WORK[language], number)
                return
            await self._clock.sleep(POLL_SECONDS)
            found = await self._find(ctx, message_id)
        for event in telling.told(found, number):
            yield event

    async def wait(self, ctx: Ctx, message_id: UUID, seconds: float) -> Answered | None:
        """A message's answer, or None when it has not come by then. Raises `MessageNotFound`."""
        until = self._clock.monotonic() + seconds
        while isinstance(found := await self._find(ctx, message_id), PendingMessage):
            if self._clock.monotonic() >= until:
                return None
            await self._clock.sleep(POLL_SECONDS)
        return found

    async def _find(self, ctx: Ctx, message_id: UUID) -> Answered | PendingMessage:
        async with self._db.read(ctx) as tx:
            found = await self._rows.answered(tx, ctx.require_tenant(), message_id)
        if found is None:
            raise MessageNotFound(message_id)
        return found


async def _either(task: "asyncio.Task[Answered]", changed: asyncio.Event, seconds: float) -> bool:
    """Wait until the task is done or something has changed; False when neither came in time."""
    waiting = asyncio.create_task(changed.wait())
    try:
        done, _ = await asyncio.wait((task, waiting), timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return bool(done)


def _id(name: str, after: str) -> UUID:
    try:
        return UUID(name)
    except ValueError as error:
        raise InvalidInput(
            f"after {after!r} is no id of an event: pass the last one received", field="after"
        ) from error
