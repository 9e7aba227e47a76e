"""The client's part for the desk: conversations, tickets and intents."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Final
from uuid import UUID

import msgspec

from steward.client.errors import ApiError, ClientError, UnexpectedAnswer, Unreachable
from steward.client.events import ServerSentEvent
from steward.client.transport import Transport, segment
from steward.kit.clock import Clock
from steward.kit.paging import Page
from steward.services.support.api import (
    ChatAnswer,
    ChatEvent,
    ChatEventType,
    ChatSession,
    Classified,
    IntentExamples,
    IntentSet,
    Message,
    Ticket,
    TicketState,
)

_CHAT: Final = "/api/v1/chat"
_SESSIONS: Final = "/api/v1/sessions"
_TICKETS: Final = "/api/v1/tickets"
_INTENTS: Final = "/api/v1/support/intents"

_ENDS: Final = frozenset({ChatEventType.COMPLETED, ChatEventType.FAILED})
_KNOWN: Final = frozenset(kind.value for kind in ChatEventType)
_PASSING: Final = frozenset({502, 503, 504})
"""Answers after which the same stream may well go on later."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0


class _Results(msgspec.Struct):
    results: Sequence[Classified]


class DeskResource:
    """Talks with the desk as a customer, and reads what was said."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    async def chat(
        self,
        message: str,
        *,
        session_id: UUID | None = None,
        user_id: str | None = None,
        customer_token: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ChatAnswer:
        """The desk's answer to a message; a new session begins without `session_id`.

        Sent with an `Idempotency-Key`, so that a connection lost on the way does not make two messages of it.
        """
        body = _message(message, session_id, user_id, metadata)
        return await self._transport.call("POST", _CHAT, ChatAnswer, body, creates=True, headers=_token(customer_token))

    async def chat_stream(
        self,
        message: str,
        *,
        session_id: UUID | None = None,
        user_id: str | None = None,
        customer_token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        after: str | None = None,
    ) -> AsyncIterator[ChatEvent]:
        """The same answer step by step, up to `message.completed` or `error`.

        A stream that breaks off is resumed behind its last event for as long as a request may take. With `after`, the
        id of an event of an earlier stream, that one goes on behind it; the message must be the same.
        """
        body = _message(message, session_id, user_id, metadata)
        lost_at: float | None = None
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async for event in self._events(body, customer_token, after):
                    after, lost_at, pause = event.id, None, _FIRST_PAUSE_S
                    yield event
                    if event.type in _ENDS:
                        return
                problem: ClientError = Unreachable(self._transport.url, "the stream ended before the answer did")
            except (Unreachable, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in _PASSING:
                    raise
                problem = error
            now = self._clock.monotonic()
            lost_at = now if lost_at is None else lost_at
            # Without an event nobody knows whether the message has arrived, so sending it again might double it.
            if after is None or now - lost_at > self._transport.patience_s:
                raise problem
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def history(
        self,
        session_id: UUID,
        *,
        user_id: str | None = None,
        customer_token: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Message]:
        """A session's messages, oldest first."""
        query = {"user_id": user_id, "limit": limit, "cursor": cursor}
        path = f"{_SESSIONS}/{segment(session_id)}/history"
        return await self._transport.get(path, Page[Message], query, headers=_token(customer_token))

    async def clear(self, session_id: UUID, *, user_id: str | None = None, customer_token: str | None = None) -> None:
        """Delete a session's messages and what the desk remembers of it."""
        path = f"{_SESSIONS}/{segment(session_id)}"
        await self._transport.send("DELETE", path, query={"user_id": user_id}, headers=_token(customer_token))

    async def sessions(self, *, limit: int = 50, cursor: str | None = None) -> Page[ChatSession]:
        """The tenant's sessions, newest first."""
        return await self._transport.get(_SESSIONS, Page[ChatSession], {"limit": limit, "cursor": cursor})

    async def tickets(
        self, *, state: TicketState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Ticket]:
        """Tickets, newest first."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._transport.get(_TICKETS, Page[Ticket], query)

    async def ticket(self, ticket_id: UUID) -> Ticket:
        return await self._transport.get(f"{_TICKETS}/{segment(ticket_id)}", Ticket)

    async def _events(
        self, body: Mapping[str, object], customer_token: str | None, after: str | None
    ) -> AsyncIterator[ChatEvent]:
        headers = _token(customer_token) | ({"Last-Event-ID": after} if after is not None else {})
        # Closed here: a generator that is only dropped would hold its connection until the next collection.
        async with aclosing(self._transport.events("POST", _CHAT, body, headers=headers)) as events:
            async for event in events:
                # A type that this version does not know is none of the steps that it tells of.
                if event.type in _KNOWN:
                    yield self._event(event)

    def _event(self, event: ServerSentEvent) -> ChatEvent:
        try:
            return msgspec.json.decode(event.data, type=ChatEvent)
        except msgspec.MsgspecError as error:
            raise UnexpectedAnswer(self._transport.url, 200, str(error)) from error


class IntentsResource:
    """What the desk tells apart."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self) -> IntentSet:
        """The tenant's intents and the state of their training."""
        return await self._transport.get(_INTENTS, IntentSet)

    async def put(self, intents: Sequence[IntentExamples]) -> IntentSet:
        """Replace the tenant's intents; while `state` is not `ready`, the set before classifies."""
        return await self._transport.call("PUT", _INTENTS, IntentSet, {"intents": intents})

    async def classify(self, texts: Sequence[str]) -> Sequence[Classified]:
        """The intent of each text, in their order."""
        found = await self._transport.call("POST", "/api/v1/support/classify", _Results, {"texts": texts})
        return found.results


def _message(
    message: str, session_id: UUID | None, user_id: str | None, metadata: Mapping[str, str] | None
) -> Mapping[str, object]:
    fields = {"message": message, "session_id": session_id, "user_id": user_id, "metadata": metadata}
    return {name: value for name, value in fields.items() if value is not None}


def _token(customer_token: str | None) -> dict[str, str]:
    return {} if customer_token is None else {"X-Customer-Token": customer_token}
