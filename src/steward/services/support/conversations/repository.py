"""All SQL of conversations."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.support.api import (
    AgentType,
    Citation,
    Intent,
    Message,
    Sender,
    Sentiment,
    SessionState,
)
from steward.services.support.conversations.records import (
    RECENT,
    Accepted,
    Answered,
    Completed,
    Conversation,
    Origin,
    PendingMessage,
)
from steward.services.support.customers.owner import Owner, OwnerKind
from steward.services.support.ports import DialogueState

_SESSION = (
    "session_id, owner_kind, owner_id, locale, state, dialogue, version, messages, metadata, created_at, updated_at"
)
_MESSAGE = (
    "message_id, sender, text, created_at, agent_type, intent, citations, reply_to, from_cache, degraded,"
    " response_time_ms"
)

_FIND = f"""
SELECT {_SESSION}, ARRAY(
    SELECT (CASE sender WHEN 'user' THEN 'user: ' ELSE 'agent: ' END) || text FROM support.message m
    WHERE m.tenant_id = s.tenant_id AND m.session_id = s.session_id AND m.message_id >= $3
      AND NOT EXISTS (SELECT FROM support.pending p WHERE p.tenant_id = m.tenant_id AND p.message_id = m.message_id)
    ORDER BY m.message_id DESC LIMIT {RECENT}) AS recent
FROM support.session s WHERE s.tenant_id = $1 AND s.session_id = $2
"""

_ACCEPT = f"""
WITH turn AS MATERIALIZED (SELECT * FROM unnest(
        $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::timestamptz[],
        $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
    AS t(session_id, message_id, text, sent_at, customer_id, origin, lease_until,
         version, owner_kind, owner_id, locale, dialogue, metadata)),
fresh AS (INSERT INTO support.session (tenant_id, {_SESSION})
    SELECT $1, session_id, owner_kind, owner_id, locale, 'active', dialogue::jsonb, 1, 0, metadata::jsonb, sent_at,
           sent_at
    FROM turn WHERE version = 0),
waiting AS (INSERT INTO support.pending
        (tenant_id, message_id, session_id, customer_id, origin, lease_until, attempts)
    SELECT $1, message_id, session_id, customer_id, origin::jsonb, lease_until, 0 FROM turn)
INSERT INTO support.message (tenant_id, message_id, session_id, sender, text, created_at)
SELECT $1, message_id, session_id, 'user', text, sent_at FROM turn
"""

_COMPLETE = f"""
WITH turn AS MATERIALIZED (SELECT * FROM unnest(
        $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::uuid[], $11::text[], $12::timestamptz[], $13::text[], $14::uuid[], $15::text[], $16::text[], $17::text[],
        $18::text[], $19::text[], $20::bool[], $21::bool[], $22::int[], $23::uuid[], $24::timestamptz[])
    AS t(session_id, version, owner_kind, owner_id, locale, state, dialogue, metadata,
         message_id, text, sent_at, intent, answer_id, answer, agent_type, citations,
         sentiment, calls, from_cache, degraded, response_time_ms, ticket_id, answered_at)),
fresh AS (INSERT INTO support.session (tenant_id, {_SESSION})
    SELECT $1, session_id, owner_kind, owner_id, locale, state, dialogue::jsonb, 1, 2, metadata::jsonb, sent_at,
           answered_at
    FROM turn WHERE version = 0 ON CONFLICT DO NOTHING RETURNING session_id),
moved AS (UPDATE support.session s SET locale = t.locale, state = t.state, dialogue = t.dialogue::jsonb,
        version = s.version + 1, messages = s.messages + 2, updated_at = t.answered_at
    FROM turn t WHERE s.tenant_id = $1 AND s.session_id = t.session_id AND s.version = t.version
    RETURNING s.session_id),
won AS (SELECT t.* FROM turn t JOIN (SELECT session_id FROM fresh UNION ALL SELECT session_id FROM moved) w
    USING (session_id)),
done AS (DELETE FROM support.pending p USING won WHERE p.tenant_id = $1 AND p.message_id = won.message_id),
said AS (INSERT INTO support.message AS m (tenant_id, message_id, session_id, sender, agent_type, text, intent,
        citations, reply_to, from_cache, degraded, response_time_ms, sentiment, ticket_id, calls, created_at)
    SELECT $1, message_id, session_id, 'user', NULL, text, intent::jsonb,
           NULL, NULL::uuid, false, false, NULL::int, NULL, NULL::uuid, '{{}}'::text[], sent_at FROM won
    UNION ALL
    SELECT $1, answer_id, session_id, 'agent', agent_type, answer, NULL::jsonb,
           citations::jsonb, message_id, from_cache, degraded, response_time_ms, sentiment, ticket_id,
           string_to_array(calls, ' '), answered_at FROM won
    ON CONFLICT (tenant_id, message_id) DO UPDATE SET intent = excluded.intent)
SELECT message_id FROM won
"""

_ANSWERED = """
SELECT u.session_id, u.message_id, u.text, u.created_at AS sent_at, u.intent, a.message_id AS answer_id,
       a.text AS answer, a.agent_type, a.citations, a.sentiment, a.calls, a.from_cache, a.degraded,
       a.response_time_ms, a.ticket_id, a.created_at AS answered_at
FROM support.message u LEFT JOIN support.message a ON a.tenant_id = u.tenant_id AND a.session_id = u.session_id
     AND a.message_id > u.message_id AND a.reply_to = u.message_id
WHERE u.tenant_id = $1 AND u.message_id = $2 AND u.sender = 'user'
"""

_SKEW = timedelta(days=1)
"""How far the clocks of two processes may differ before a session's messages are not all found."""


class ConversationsRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def find(self, tx: Tx, tenant: TenantId, session_id: UUID) -> Conversation | None:
        """A session with the end of its history, without messages that wait for an answer."""
        row = await tx.fetchrow(_FIND, tenant, session_id, _first_of(session_id))
        return _conversation(row, tuple(reversed(row["recent"]))) if row else None

    async def list_before(self, tx: Tx, tenant: TenantId, before: UUID | None, limit: int) -> list[Conversation]:
        rows = await tx.fetch(
            f"SELECT {_SESSION} FROM support.session WHERE tenant_id = $1 AND ($2::uuid IS NULL OR session_id < $2)"
            " ORDER BY session_id DESC LIMIT $3",
            tenant,
            before,
            limit,
        )
        return [_conversation(row, ()) for row in rows]

    async def accept(self, tx: Tx, tenant: TenantId, messages: Sequence[Accepted]) -> None:
        """Store messages that wait for an answer, and the sessions that they begin."""
        await tx.execute(_ACCEPT, tenant, *_columns(_accepted(one) for one in messages))

    async def complete(self, tx: Tx, tenant: TenantId, turns: Sequence[Completed]) -> set[UUID]:
        """Store answers with their sessions; the messages of those whose session was at the version it was read at.

        At most one turn of a session.
        """
        rows = await tx.fetch(_COMPLETE, tenant, *_columns(_completed(one) for one in turns))
        return {row["message_id"] for row in rows}

    async def answered(self, tx: Tx, tenant: TenantId, message_id: UUID) -> Answered | PendingMessage | None:
        """A customer's message with its answer, or without while it waits for one."""
        row = await tx.fetchrow(_ANSWERED, tenant, message_id)
        if row is not None and row["answer_id"] is None:
            waiting = await self.pending(tx, tenant, message_id)
            if waiting is not None:
                return waiting
            # It was answered, or cleared away, between the two statements.
            row = await tx.fetchrow(_ANSWERED, tenant, message_id)
        return _answered(row) if row is not None and row["answer_id"] is not None else None

    async def pending(self, tx: Tx, tenant: TenantId, message_id: UUID) -> PendingMessage | None:
        row = await tx.fetchrow(
            "SELECT p.message_id, p.session_id, p.origin, p.attempts, m.text, m.created_at FROM support.pending p"
            " JOIN support.message m USING (tenant_id, message_id) WHERE p.tenant_id = $1 AND p.message_id = $2",
            tenant,
            message_id,
        )
        if row is None:
            return None
        return PendingMessage(
            message_id=row["message_id"],
            session_id=row["session_id"],
            text=row["text"],
            sent_at=row["created_at"],
            origin=msgspec.json.decode(row["origin"], type=Origin),
            attempts=row["attempts"],
        )

    async def history(
        self, tx: Tx, tenant: TenantId, session_id: UUID, after: UUID | None, limit: int
    ) -> list[Message]:
        rows = await tx.fetch(
            f"SELECT {_MESSAGE} FROM support.message WHERE tenant_id = $1 AND session_id = $2 AND message_id >= $3"
            " AND ($4::uuid IS NULL OR message_id > $4) ORDER BY message_id LIMIT $5",
            tenant,
            session_id,
            _first_of(session_id),
            after,
            limit,
        )
        return [_message(row) for row in rows]

    async def clear(self, tx: Tx, tenant: TenantId, session_id: UUID, dialogue: DialogueState, now: datetime) -> int:
        """Delete a session's messages and what is remembered of it; how many messages there were."""
        # The session first: whoever writes an answer meanwhile waits for this row, and finds another version then.
        await tx.execute(
            "UPDATE support.session SET dialogue = $3::jsonb, state = 'active', messages = 0, version = version + 1,"
            " updated_at = $4 WHERE tenant_id = $1 AND session_id = $2",
            tenant,
            session_id,
            _text(dialogue),
            now,
        )
        await tx.execute("DELETE FROM support.pending WHERE tenant_id = $1 AND session_id = $2", tenant, session_id)
        return await tx.execute(
            "DELETE FROM support.message WHERE tenant_id = $1 AND session_id = $2", tenant, session_id
        )


class ConversationsSystemRepository:
    """Work across tenants, in a system transaction."""

    async def make_months(self, tx: Tx, ahead: int) -> int:
        """Make the partitions of so many months to come that are not there yet; how many were made."""
        return await tx.fetchval("SELECT support.make_months($1)", ahead)

    async def renew(self, tx: Tx, messages: Sequence[tuple[TenantId, UUID]], lease_until: datetime) -> None:
        await tx.execute(
            "UPDATE support.pending p SET lease_until = $3 FROM unnest($1::uuid[], $2::uuid[]) AS t(tenant_id, id)"
            " WHERE p.tenant_id = t.tenant_id AND p.message_id = t.id",
            [tenant for tenant, _ in messages],
            [message_id for _, message_id in messages],
            lease_until,
        )

    async def claim(self, tx: Tx, now: datetime, lease_until: datetime, limit: int) -> list[tuple[TenantId, UUID]]:
        """Take messages whose lease has run out; each is another attempt."""
        rows = await tx.fetch(
            # Materialized: within an UPDATE's own FROM the planner may run the subquery again, and take more than $3.
            "WITH due AS MATERIALIZED (SELECT tenant_id, message_id FROM support.pending WHERE lease_until < $1"
            " ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)"
            " UPDATE support.pending p SET lease_until = $2, attempts = p.attempts + 1 FROM due"
            " WHERE p.tenant_id = due.tenant_id AND p.message_id = due.message_id"
            " RETURNING p.tenant_id, p.message_id",
            now,
            lease_until,
            limit,
        )
        return [(TenantId(row["tenant_id"]), row["message_id"]) for row in rows]

    async def count_active(self, tx: Tx, since: datetime) -> int:
        return await tx.fetchval("SELECT count(*) FROM support.session WHERE updated_at >= $1", since)


def _accepted(one: Accepted) -> tuple[Any, ...]:
    session = one.conversation
    return (
        session.id,
        one.message_id,
        one.text,
        one.sent_at,
        session.owner.customer_id,
        _text(one.origin),
        one.lease_until,
        session.version,
        session.owner.kind,
        session.owner.id,
        session.locale,
        _text(session.dialogue),
        _text(session.metadata),
    )


def _completed(one: Completed) -> tuple[Any, ...]:
    session, turn = one.conversation, one.answered
    return (
        session.id,
        session.version,
        session.owner.kind,
        session.owner.id,
        session.locale,
        session.state,
        _text(session.dialogue),
        _text(session.metadata),
        turn.message_id,
        turn.text,
        turn.sent_at,
        _text(turn.intent),
        turn.answer_id,
        turn.answer,
        turn.agent_type,
        _text(turn.citations) if turn.citations else None,
        turn.sentiment,
        " ".join(turn.calls),
        turn.from_cache,
        turn.degraded,
        turn.response_time_ms,
        turn.ticket_id,
        turn.answered_at,
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _first_of(session_id: UUID) -> UUID:
    """An id that is below those of a session's messages, so that only the months since then are looked at."""
    milliseconds = (session_id.int >> 80) - int(_SKEW.total_seconds() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)


def _conversation(row: asyncpg.Record, recent: Sequence[str]) -> Conversation:
    return Conversation(
        id=row["session_id"],
        owner=Owner(OwnerKind(row["owner_kind"]), row["owner_id"]),
        locale=row["locale"],
        state=SessionState(row["state"]),
        dialogue=msgspec.json.decode(row["dialogue"], type=DialogueState),
        version=row["version"],
        messages=row["messages"],
        metadata=msgspec.json.decode(row["metadata"], type=dict[str, str]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        recent=recent,
    )


def _answered(row: asyncpg.Record) -> Answered:
    return Answered(
        session_id=row["session_id"],
        message_id=row["message_id"],
        text=row["text"],
        sent_at=row["sent_at"],
        intent=msgspec.json.decode(row["intent"], type=Intent),
        answer_id=row["answer_id"],
        answer=row["answer"],
        agent_type=AgentType(row["agent_type"]),
        citations=_citations(row),
        sentiment=Sentiment(row["sentiment"]),
        calls=tuple(row["calls"]),
        from_cache=row["from_cache"],
        degraded=row["degraded"],
        response_time_ms=row["response_time_ms"],
        ticket_id=row["ticket_id"],
        answered_at=row["answered_at"],
    )


def _message(row: asyncpg.Record) -> Message:
    return Message(
        id=row["message_id"],
        sender=Sender(row["sender"]),
        text=row["text"],
        created_at=row["created_at"],
        agent_type=AgentType(row["agent_type"]) if row["agent_type"] else None,
        intent=msgspec.json.decode(row["intent"], type=Intent) if row["intent"] else None,
        citations=_citations(row),
        reply_to=row["reply_to"],
        from_cache=row["from_cache"],
        degraded=row["degraded"],
        response_time_ms=row["response_time_ms"],
    )


def _citations(row: asyncpg.Record) -> Sequence[Citation]:
    return msgspec.json.decode(row["citations"], type=list[Citation]) if row["citations"] else ()
