"""What conversations keep: sessions as rows, answered messages, and what is written of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.context import Actor, Ctx
from steward.services.support.api import (
    AgentType,
    ChatAnswer,
    ChatSession,
    Citation,
    Intent,
    Sentiment,
    SessionState,
)
from steward.services.support.customers.owner import Owner
from steward.services.support.ports import DialogueState

RECENT = 10
"""How many messages before a new one the dialogue is told of."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it was read or written last."""

    id: UUID
    owner: Owner
    locale: str
    """The language of its last message."""
    state: SessionState
    dialogue: DialogueState
    version: int
    """Counts its answers; it is written only on the version it was read at. 0 is not stored yet."""
    messages: int
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    recent: Sequence[str] = ()
    """The last messages, `user: …` or `agent: …`, oldest first."""

    def shown(self) -> ChatSession:
        """As the contract has it."""
        return ChatSession(
            id=self.id,
            customer_id=self.owner.customer_id or "",
            state=self.state,
            locale=self.locale,
            messages=self.messages,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message came from, kept with it while it waits for its answer."""

    actor: Actor
    request_id: str
    locale: str
    address: str = ""
    traceparent: str = ""
    key_id: UUID | None = None

    @classmethod
    def of(cls, ctx: Ctx) -> "Origin":
        return cls(
            actor=ctx.actor,
            request_id=ctx.request_id,
            locale=ctx.locale,
            address=ctx.address,
            traceparent=ctx.traceparent,
            key_id=ctx.key_id,
        )


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its answer: all of it is durable, and a stream is told from it alone."""

    session_id: UUID
    message_id: UUID
    text: str
    sent_at: datetime
    intent: Intent
    answer_id: UUID
    answer: str
    agent_type: AgentType
    citations: Sequence[Citation]
    sentiment: Sentiment
    calls: Sequence[str] = ()
    """The tools that were called, in order."""
    from_cache: bool = False
    degraded: bool = False
    response_time_ms: int = 0
    ticket_id: UUID | None = None
    answered_at: datetime

    def shown(self) -> ChatAnswer:
        """As the contract has it."""
        return ChatAnswer(
            session_id=self.session_id,
            message_id=self.message_id,
            message=self.answer,
            agent_type=self.agent_type,
            intent=self.intent,
            citations=self.citations,
            timestamp=self.answered_at,
            response_time_ms=self.response_time_ms,
            from_cache=self.from_cache,
            degraded=self.degraded,
            sentiment=self.sentiment,
            ticket_id=self.ticket_id,
        )


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to be durable before it is worked on."""

    conversation: Conversation
    message_id: UUID
    text: str
    sent_at: datetime
    origin: Origin
    lease_until: datetime


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its answer, and the session as it is then; the message may be stored already."""

    conversation: Conversation
    """Its version is the one it was read at."""
    answered: Answered


class PendingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A durable message without an answer."""

    message_id: UUID
    session_id: UUID
    text: str
    sent_at: datetime
    origin: Origin
    attempts: int
