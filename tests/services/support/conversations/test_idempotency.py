"""The same Idempotency-Key twice: one message, one answer, also through a crash and at the same time."""

import asyncio
from datetime import timedelta

import pytest

from steward.kit.idempotency.errors import IdempotencyKeyReused
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk, Later
from tests.support.identity import Crashed, CrashPoint


async def test_same_key_gives_the_first_answer(desk: Desk) -> None:
    first = await desk.say("call shop.cancel_order", ctx=desk.ctx(idempotency_key="k"))
    again = await desk.say("call shop.cancel_order", ctx=desk.ctx(idempotency_key="k"))
    assert (again.message_id, again.message, again.session_id) == (first.message_id, first.message, first.session_id)
    assert len(desk.script.calls) == 1
    assert len(await desk.history(first.session_id)) == 2
    with pytest.raises(IdempotencyKeyReused):
        await desk.say("something else", ctx=desk.ctx(idempotency_key="k"))
    with pytest.raises(IdempotencyKeyReused):
        await desk.say("call shop.cancel_order", user="bob", ctx=desk.ctx(idempotency_key="k"))


async def test_same_key_at_the_same_time_is_one_message(new_desk: NewDesk) -> None:
    desk = await new_desk()
    answers = await asyncio.gather(
        *(desk.say("call shop.cancel_order", ctx=desk.ctx(idempotency_key="k")) for _ in range(5))
    )
    assert len({answer.message_id for answer in answers}) == 1
    assert len(desk.script.calls) == 1


async def test_same_key_after_a_crash_gives_the_answer_of_whoever_took_it_up(new_desk: NewDesk) -> None:
    crash = CrashPoint()
    desk = await new_desk(failpoints=crash)
    crash.at = "support:called"
    with pytest.raises(Crashed):
        await desk.say("call shop.cancel_order", ctx=desk.ctx(idempotency_key="k"))
    second = await new_desk(tenant=desk.tenant, clock=Later(timedelta(minutes=2)))
    again = asyncio.ensure_future(second.say("call shop.cancel_order", ctx=second.ctx(idempotency_key="k")))
    await second.sweep()
    assert (await again).message == "shop.cancel_order: ok for ann"
    assert desk.script.calls == second.script.calls
