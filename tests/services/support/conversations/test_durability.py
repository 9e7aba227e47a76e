"""Messages through crashes between each two steps: none is lost, none is answered twice, and nothing is done twice."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from steward.services.support.api import ChatEventType, HandOffReason, TicketPriority
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk, Later
from tests.support.identity import Crashed, CrashPoint

LATER = timedelta(minutes=2)
STEPS = ["support:accepted", "support:called", "support:worked-out", "support:answered"]


async def settled(desk: Desk, session_texts: int) -> list[str]:
    """The texts of the tenant's only session, once it has so many."""
    page = await desk.api.list_chat_sessions(desk.ctx("conversation:read"))
    async with asyncio.timeout(5):
        while len(texts := await desk.texts(page.items[0].id)) < session_texts:  # noqa: ASYNC110 the database has none
            await asyncio.sleep(0)
    return texts


@pytest.mark.parametrize("step", STEPS)
async def test_crash_leaves_a_message_that_is_answered_once(new_desk: NewDesk, step: str) -> None:
    crash = CrashPoint()
    desk = await new_desk(failpoints=crash)
    crash.at = step
    with pytest.raises(Crashed):
        await desk.say("call shop.cancel_order")
    second = await new_desk(tenant=desk.tenant, clock=Later(LATER))
    await second.sweep()
    assert await settled(second, 2) == ["call shop.cancel_order", "shop.cancel_order: ok for ann"]
    keys = {key for script in (desk.script, second.script) for _, key in script.calls}
    assert len(keys) == 1
    await second.sweep()
    assert len(await settled(second, 2)) == 2


async def test_crash_before_anything_is_acknowledged_leaves_nothing(new_desk: NewDesk) -> None:
    crash = CrashPoint()
    desk = await new_desk(failpoints=crash)
    crash.at = "support:worked-out"
    with pytest.raises(Crashed):
        await desk.say("hello")
    assert list((await desk.api.list_chat_sessions(desk.ctx("conversation:read"))).items) == []


@pytest.mark.parametrize("step", ["support:handed-off", "support:worked-out"])
async def test_crash_around_a_hand_off_makes_one_ticket(new_desk: NewDesk, step: str) -> None:
    crash = CrashPoint()
    desk = await new_desk(failpoints=crash)
    crash.at = step
    with pytest.raises(Crashed):
        await desk.say("person please")
    second = await new_desk(tenant=desk.tenant, clock=Later(LATER))
    await second.sweep()
    assert await settled(second, 2) == ["person please", "ticket 1"]
    tickets = await second.api.list_tickets(second.ctx("ticket:read"))
    assert [ticket.number for ticket in tickets.items] == [1]


async def test_message_is_stored_before_a_tool_is_called(new_desk: NewDesk) -> None:
    desk = await new_desk()
    desk.script.let_go.clear()
    events = desk.stream("call shop.get_order")
    accepted = await anext(events)
    assert accepted.type is ChatEventType.ACCEPTED
    await desk.script.waiting.wait()
    assert await desk.texts(accepted.session_id) == ["call shop.get_order"]
    desk.script.let_go.set()
    assert [event.type async for event in events][-1] is ChatEventType.COMPLETED


async def test_message_that_fails_is_tried_again_and_then_given_up(new_desk: NewDesk) -> None:
    desk = await new_desk()
    desk.script.broken = True
    late = await desk.say("break this")
    assert late.degraded
    assert "working" in late.message
    # Each of these comes when the lease of the one before has run out.
    later = [await new_desk(tenant=desk.tenant, clock=Later(LATER * number)) for number in range(1, 7)]
    for process in later:
        process.script.broken = True
        await process.sweep()
        await idle()
    last = later[-1]
    texts = await settled(last, 2)
    assert "ticket 1" in texts[1]
    ticket = (await last.api.list_tickets(last.ctx("ticket:read"))).items[0]
    assert (ticket.reason, ticket.priority) == (HandOffReason.UNAVAILABLE, TicketPriority.NORMAL)
    assert "break this" in ticket.summary


async def test_message_that_failed_once_is_answered_by_the_next_try(new_desk: NewDesk) -> None:
    desk = await new_desk()
    desk.script.broken = True
    late = await desk.say("break this")
    second = await new_desk(tenant=desk.tenant, clock=Later(LATER))
    await second.sweep()
    assert await settled(second, 2) == ["break this", "whole again"]
    assert late.session_id == (await second.api.list_chat_sessions(second.ctx("conversation:read"))).items[0].id


async def test_work_under_way_is_not_taken_up_by_another_process(new_desk: NewDesk) -> None:
    clock = Later(timedelta())
    desk = await new_desk(clock=clock)
    second = await new_desk(tenant=desk.tenant, clock=clock)
    desk.script.let_go.clear()
    events = desk.stream("slow")
    await anext(events)
    working = asyncio.ensure_future(anext(events))
    await desk.script.waiting.wait()
    # A lease is 6 s: the first one has run out by the end, the one renewed in between has not.
    clock.ahead = timedelta(seconds=5)
    await desk.sweep()
    clock.ahead = timedelta(seconds=8)
    await second.sweep()
    await idle(but=1)
    assert second.script.responses == 0
    desk.script.let_go.set()
    await working
    assert [event.type async for event in events][-1] is ChatEventType.COMPLETED


async def test_customer_who_waits_long_is_told_and_answered_later(new_desk: NewDesk) -> None:
    desk = await new_desk(specialist_seconds="0.05")
    desk.script.let_go.clear()
    late = await desk.say("slow")
    assert late.degraded
    assert "working" in late.message
    assert await desk.texts(late.session_id) == ["slow"]
    desk.script.let_go.set()
    assert await settled(desk, 2) == ["slow", "at last"]
    chinese = await desk.say("我的訂單到哪裡了 slow")
    assert not chinese.degraded


async def test_late_word_is_in_the_customers_language(new_desk: NewDesk) -> None:
    desk = await new_desk(specialist_seconds="0.05")
    desk.script.let_go.clear()
    said: Sequence[str] = [
        (await desk.say(f"slow {text}")).message for text in ("我的訂單在哪裡呢", "我的订单在哪里呢")
    ]
    assert "訊息" in said[0]
    assert "消息" in said[1]
    desk.script.let_go.set()


async def idle(but: int = 0) -> None:
    """Wait until no message is worked on, but so many."""
    async with asyncio.timeout(5):
        while sum(task.get_name().startswith("turn-") for task in asyncio.all_tasks()) > but:  # noqa: ASYNC110 no event
            await asyncio.sleep(0)
