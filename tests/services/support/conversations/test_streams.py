"""Streams: the same answer step by step, cut anywhere and resumed in any process."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import cast

import msgspec
import pytest

from steward.kit.errors import InvalidInput
from steward.services.support.api import ChatEvent, ChatEventType
from steward.services.support.conversations.telling import pieces
from steward.services.support.errors import MessageDiffers, MessageNotFound, SessionNotFound
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk, Later
from tests.support.identity import CrashPoint

LONG = "One, two, three. Four five six seven! 八九十。十一十二，十三十四十五十六十七十八；end"


async def test_stream_tells_each_step_and_ends_with_the_answer(desk: Desk) -> None:
    events = [event async for event in desk.stream("call shop.get_order,shop.cancel_order")]
    types = [event.type for event in events]
    assert types[:4] == [ChatEventType.ACCEPTED, ChatEventType.STATUS, ChatEventType.STATUS, ChatEventType.INTENT]
    assert [event.text for event in events[1:3]] == ["shop.get_order", "shop.cancel_order"]
    assert types[-1] is ChatEventType.COMPLETED
    answer = events[-1].answer
    assert answer is not None
    assert "".join(event.text for event in events if event.type is ChatEventType.DELTA) == answer.message
    numbers = [int(event.id.partition(":")[2]) for event in events]
    assert numbers == sorted(set(numbers))
    assert {event.id.partition(":")[0] for event in events} == {str(answer.message_id)}


async def test_stream_resumes_behind_each_of_its_events(desk: Desk) -> None:
    whole = [event async for event in desk.stream(LONG)]
    assert len(whole) > 6
    for number, event in enumerate(whole):
        rest = [one async for one in desk.stream(LONG, after=event.id)]
        assert msgspec.json.encode(rest) == msgspec.json.encode(whole[number + 1 :])


async def test_stream_resumes_in_another_process_while_the_first_works(new_desk: NewDesk) -> None:
    desk = await new_desk()
    second = await new_desk(tenant=desk.tenant)
    desk.script.let_go.clear()
    first = desk.stream("call shop.get_order")
    accepted = await anext(first)
    await desk.script.waiting.wait()
    rest = asyncio.ensure_future(collect(second, "call shop.get_order", accepted.id))
    desk.script.let_go.set()
    here = [event async for event in first]
    assert msgspec.json.encode(await rest) == msgspec.json.encode(here)


async def test_cut_stream_does_not_end_the_work(new_desk: NewDesk) -> None:
    desk = await new_desk()
    desk.script.let_go.clear()
    cut = desk.stream("slow")
    accepted = await anext(cut)
    await desk.script.waiting.wait()
    await cast("AsyncGenerator[ChatEvent]", cut).aclose()
    rest = asyncio.ensure_future(collect(desk, "slow", accepted.id))
    desk.script.let_go.set()
    events = await rest
    assert events[-1].answer is not None
    assert events[-1].answer.message == "at last"
    assert desk.script.responses == 1


async def test_stream_resumes_after_its_process_died(new_desk: NewDesk) -> None:
    crash = CrashPoint()
    desk = await new_desk(failpoints=crash)
    crash.at = "support:called"
    events = desk.stream("call shop.get_order")
    accepted = await anext(events)
    seen = [event async for event in events]
    assert seen[-1].type is ChatEventType.FAILED
    second = await new_desk(tenant=desk.tenant, clock=Later(timedelta(minutes=2)))
    rest = asyncio.ensure_future(collect(second, "call shop.get_order", seen[-1].id))
    await second.sweep()
    told = await rest
    assert told[-1].type is ChatEventType.COMPLETED
    assert ChatEventType.STATUS not in {event.type for event in told}
    assert {event.message_id for event in told} == {accepted.message_id}


async def test_stream_of_somebody_else_or_of_another_message_does_not_resume(desk: Desk) -> None:
    first, *_ = [event async for event in desk.stream("hello")]
    ids = desk.installation.foundation.ids
    for attempt, failure in (
        (desk.stream("hello", after=first.id, user="bob"), SessionNotFound),
        (desk.stream("hello", ids.new(), after=first.id), SessionNotFound),
        (desk.stream("other", after=first.id), MessageDiffers),
        (desk.stream("hello", after=f"{ids.new()}:0"), MessageNotFound),
        (desk.stream("hello", after=f"{'-' * 36}:0"), InvalidInput),
    ):
        with pytest.raises(failure):
            await anext(attempt)


async def test_stream_of_a_customer_who_waits_long_says_so_and_goes_on(new_desk: NewDesk) -> None:
    desk = await new_desk(specialist_seconds="0.05")
    desk.script.let_go.clear()
    events = [event async for event in desk.stream("slow")]
    assert [event.type for event in events] == [ChatEventType.ACCEPTED, ChatEventType.FAILED]
    assert events[1].id == events[0].id
    desk.script.let_go.set()
    patient = await new_desk(tenant=desk.tenant)
    rest = await collect(patient, "slow", events[-1].id)
    assert rest[-1].type is ChatEventType.COMPLETED


def test_pieces_together_are_the_text() -> None:
    for text in (LONG, "", "one", "...", "a. b", "\n\n", "没有标点的一句话", "1,000.50 USD. Yes"):
        assert "".join(pieces(text)) == text
    assert len(list(pieces(LONG))) > 3


async def collect(desk: Desk, text: str, after: str) -> list[ChatEvent]:
    return [event async for event in desk.stream(text, after=after)]
