"""Hand-off: one ticket a session, counted per tenant, with what a person needs to know."""

import asyncio

import pytest

from steward.services.support.api import HandOffReason, Sentiment, SessionState, TicketPriority, TicketState
from steward.services.support.errors import TicketNotFound
from steward.services.support.ports import HandOff
from steward.services.support.tickets.opening import priority_of
from tests.services.support.conversations.desk import READS, Desk, left_behind

TICKETS = "ticket:read"


async def test_hand_off_opens_one_ticket_a_session(desk: Desk) -> None:
    first = await desk.say("person please")
    again = await desk.say("person please", first.session_id)
    assert first.ticket_id == again.ticket_id
    assert first.message == "ticket 1"
    ticket = await desk.api.get_ticket(desk.ctx(TICKETS), ticket_id=first.ticket_id or first.session_id)
    assert (ticket.number, ticket.state, ticket.reason) == (1, TicketState.OPEN, HandOffReason.REQUEST)
    assert (ticket.session_id, ticket.customer_id, ticket.subject) == (first.session_id, "ann", "A person")
    sessions = await desk.api.list_chat_sessions(desk.ctx(READS))
    assert [session.state for session in sessions.items] == [SessionState.ESCALATED]
    events = [event for event in await left_behind(desk, "outbox") if event["type"] == "support.TicketOpened"]
    assert [event["payload"]["number"] for event in events] == [1]
    actions = [entry["action"] for entry in await left_behind(desk, "audit_outbox")]
    assert actions.count("ticket.opened") == 1


async def test_tickets_are_counted_without_gaps_and_listed_newest_first(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.say("person please", user=f"u{number}") for number in range(6)))
    page = await desk.api.list_tickets(desk.ctx(TICKETS), limit=4)
    rest = await desk.api.list_tickets(desk.ctx(TICKETS), limit=4, cursor=page.next_cursor)
    found = [*page.items, *rest.items]
    assert sorted(ticket.number for ticket in found) == [1, 2, 3, 4, 5, 6]
    assert {ticket.id for ticket in found} == {answer.ticket_id for answer in answers}
    assert [ticket.id for ticket in found] == sorted((ticket.id for ticket in found), reverse=True)
    closed = await desk.api.list_tickets(desk.ctx(TICKETS), state=TicketState.CLOSED)
    assert list(closed.items) == []


async def test_ticket_of_another_tenant_is_not_there(desk: Desk) -> None:
    ticket_id = (await desk.say("person please")).ticket_id
    assert ticket_id is not None
    other = (await desk.installation.tenant()).id
    with pytest.raises(TicketNotFound):
        await desk.api.get_ticket(desk.ctx(TICKETS, tenant=other), ticket_id=ticket_id)


@pytest.mark.parametrize(
    ("reason", "sentiment", "priority"),
    [
        (HandOffReason.REQUEST, Sentiment.NEUTRAL, TicketPriority.NORMAL),
        (HandOffReason.REQUEST, Sentiment.NEGATIVE, TicketPriority.HIGH),
        (HandOffReason.COMPLAINT, Sentiment.NEUTRAL, TicketPriority.HIGH),
        (HandOffReason.ANGER, Sentiment.VERY_NEGATIVE, TicketPriority.URGENT),
        (HandOffReason.NO_KNOWLEDGE, Sentiment.POSITIVE, TicketPriority.LOW),
    ],
)
def test_priority_follows_reason_and_mood(
    reason: HandOffReason, sentiment: Sentiment, priority: TicketPriority
) -> None:
    assert priority_of(HandOff(reason=reason, subject="s", summary="", sentiment=sentiment)) is priority
