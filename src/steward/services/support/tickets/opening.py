"""Opening tickets: once for a message, and one open ticket for a session."""

from typing import Final
from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.ids import Ids
from steward.kit.telemetry import Telemetry
from steward.services.support.api import HandOffReason, Sentiment, Ticket, TicketPriority, TicketState
from steward.services.support.conversations.records import Conversation
from steward.services.support.events import TicketOpened
from steward.services.support.ports import HandOff, TicketRef
from steward.services.support.tickets.repository import TicketsRepository

MAX_SUBJECT: Final = 200
MAX_SUMMARY: Final = 8000


class TicketOpening:
    """Makes the tickets of hand-offs."""

    def __init__(self, db: ServiceDb, rows: TicketsRepository, clock: Clock, ids: Ids, telemetry: Telemetry) -> None:
        self._db = db
        self._rows = rows
        self._clock = clock
        self._ids = ids
        self._metrics = telemetry.metrics

    async def open(self, ctx: Ctx, conversation: Conversation, message_id: UUID, request: HandOff) -> TicketRef:
        """The ticket of this message, or the session's open one; a new one where there is neither."""
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            found = await self._rows.of_message(tx, tenant, conversation.id, message_id)
            if found is None:
                # Taking the number makes others of the tenant wait, so that a second look sees what they opened.
                number = await self._rows.next_number(tx, tenant)
                found = await self._rows.of_message(tx, tenant, conversation.id, message_id)
                if found is None:
                    found = self._ticket(number, conversation, request)
                    await self._rows.insert(tx, tenant, found, message_id)
                    tx.audit(Audit(action="ticket.opened", resource=f"ticket/{found.id}", reason=request.reason))
                    tx.emit(_event(found))
                    self._metrics.handed_off(request.reason)
        return TicketRef(id=found.id, number=found.number)

    def _ticket(self, number: int, conversation: Conversation, request: HandOff) -> Ticket:
        now = self._clock.now()
        return Ticket(
            id=self._ids.new(),
            number=number,
            session_id=conversation.id,
            customer_id=conversation.owner.customer_id or "",
            state=TicketState.OPEN,
            priority=priority_of(request),
            reason=request.reason,
            subject=request.subject[:MAX_SUBJECT],
            summary=request.summary[:MAX_SUMMARY],
            created_at=now,
            updated_at=now,
        )


def priority_of(request: HandOff) -> TicketPriority:
    """How soon a person should look at a hand-off."""
    if request.sentiment is Sentiment.VERY_NEGATIVE:
        return TicketPriority.URGENT
    if request.reason in {HandOffReason.ANGER, HandOffReason.COMPLAINT} or request.sentiment is Sentiment.NEGATIVE:
        return TicketPriority.HIGH
    if request.reason is HandOffReason.NO_KNOWLEDGE:
        return TicketPriority.LOW
    return TicketPriority.NORMAL


def _event(ticket: Ticket) -> TicketOpened:
    return TicketOpened(
        ticket_id=ticket.id,
        number=ticket.number,
        session_id=ticket.session_id,
        priority=ticket.priority,
        reason=ticket.reason,
    )
