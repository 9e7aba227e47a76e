"""All SQL of tickets."""

from typing import Any
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.support.api import HandOffReason, Ticket, TicketPriority, TicketState

_COLUMNS = (
    "ticket_id, number, session_id, customer_id, state, priority, reason, subject, summary, created_at, updated_at"
)


class TicketsRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def of_message(self, tx: Tx, tenant: TenantId, session_id: UUID, message_id: UUID) -> Ticket | None:
        """The ticket that a message made, or the session's open one."""
        row = await tx.fetchrow(
            f"SELECT {_COLUMNS} FROM support.ticket WHERE tenant_id = $1 AND (message_id = $3 OR"
            " (session_id = $2 AND state NOT IN ('resolved', 'closed'))) ORDER BY message_id = $3 DESC LIMIT 1",
            tenant,
            session_id,
            message_id,
        )
        return _ticket(row) if row else None

    async def next_number(self, tx: Tx, tenant: TenantId) -> int:
        """Counts on; whoever opens a ticket of the tenant meanwhile waits for the end of this transaction."""
        return await tx.fetchval(
            "INSERT INTO support.ticket_counter AS c (tenant_id, last) VALUES ($1, 1)"
            " ON CONFLICT (tenant_id) DO UPDATE SET last = c.last + 1 RETURNING last",
            tenant,
        )

    async def insert(self, tx: Tx, tenant: TenantId, ticket: Ticket, message_id: UUID) -> None:
        await tx.execute(
            f"INSERT INTO support.ticket (tenant_id, message_id, {_COLUMNS})"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            tenant,
            message_id,
            *_values(ticket),
        )

    async def get(self, tx: Tx, tenant: TenantId, ticket_id: UUID) -> Ticket | None:
        row = await tx.fetchrow(
            f"SELECT {_COLUMNS} FROM support.ticket WHERE tenant_id = $1 AND ticket_id = $2", tenant, ticket_id
        )
        return _ticket(row) if row else None

    async def list_before(
        self, tx: Tx, tenant: TenantId, state: TicketState | None, before: UUID | None, limit: int
    ) -> list[Ticket]:
        """Newest first."""
        rows = await tx.fetch(
            f"SELECT {_COLUMNS} FROM support.ticket WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2)"
            " AND ($3::uuid IS NULL OR ticket_id < $3) ORDER BY ticket_id DESC LIMIT $4",
            tenant,
            state,
            before,
            limit,
        )
        return [_ticket(row) for row in rows]


def _values(ticket: Ticket) -> tuple[Any, ...]:
    return (
        ticket.id,
        ticket.number,
        ticket.session_id,
        ticket.customer_id,
        ticket.state,
        ticket.priority,
        ticket.reason,
        ticket.subject,
        ticket.summary,
        ticket.created_at,
        ticket.updated_at,
    )


def _ticket(row: asyncpg.Record) -> Ticket:
    return Ticket(
        id=row["ticket_id"],
        number=row["number"],
        session_id=row["session_id"],
        customer_id=row["customer_id"],
        state=TicketState(row["state"]),
        priority=TicketPriority(row["priority"]),
        reason=HandOffReason(row["reason"]),
        subject=row["subject"],
        summary=row["summary"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
