"""Calls over real HTTP to the fake provider, in both dialects: what is settled covers what the provider counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from steward.kit.testing.provider import Ending, Reply
from steward.services.models.api import Speaks
from steward.services.models.errors import ProviderRefused, ProvidersUnavailable, ProviderTimedOut
from steward.services.models.messages import Delta, Failed, Finished, Role, StopReason
from tests.services.models.calls.house import House, house_on
from tests.services.models.calls.world import ask, text_of

DIALECTS = [Speaks.OPENAI, Speaks.ANTHROPIC]
LONG = "abcd" * 30


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with house_on() as made:
        yield made


async def check(house: House, *, bills: int, exact: bool) -> None:
    """Everything is settled once, never below what the provider counted, and to the token where it told it."""
    await house.calls.drain()
    house.costs.check_settled_once()
    charged = [actual for actual in house.costs.actuals if actual.usage.input_tokens]
    counted = [bill for bill in house.provider.billed if bill.input_tokens or bill.output_tokens]
    assert len(counted) == len(charged) == bills
    for bill, actual in zip(counted, charged, strict=True):
        assert bill.kept_max
        told = (actual.usage.input_tokens, actual.usage.output_tokens)
        if exact:
            assert actual.exact
            assert told == (bill.input_tokens, bill.output_tokens)
        assert told[0] >= bill.input_tokens
        assert told[1] >= bill.output_tokens


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_answers_are_settled_to_the_providers_count(house: House, speaks: Speaks) -> None:
    house.provider.tell(Reply(text="All right."), Reply(text="All right."))
    reply = await house.calls.complete(house.call(house.target(speaks)))
    assert (reply.provider, reply.choices[0].stop) == ("a", StopReason.END)
    assert text_of(await house.read(house.call(house.target(speaks)))) == "All right."
    await check(house, bills=2, exact=True)


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_limit_of_the_reservation_reaches_the_provider(house: House, speaks: Speaks) -> None:
    house.costs.grants.append(10)
    house.provider.tell(Reply(text=LONG))
    events = await house.read(house.call(house.target(speaks)))
    assert text_of(events) == LONG[:40]
    assert [event.stop for event in events if isinstance(event, Finished)] == [StopReason.LENGTH]
    assert house.provider.asked[0].asked_max == 10
    await check(house, bills=1, exact=True)


@pytest.mark.parametrize("speaks", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_cut_answer_is_continued(house: House, speaks: Speaks, stream: bool) -> None:
    house.costs.grants.append(10)
    house.provider.tell(Reply(text=LONG), Reply(text="and so on."))
    call = house.call(house.target(speaks, can_continue=True))
    if stream:
        text = text_of(await house.read(call))
    else:
        reply = await house.calls.complete(call)
        text = "".join(part.text for part in reply.choices[0].parts)
        assert reply.usage.output_tokens == sum(bill.output_tokens for bill in house.provider.billed)
    assert text == LONG[:40] + "and so on."
    last = house.provider.asked[1].body["messages"][-1]
    assert (last["role"], LONG[:40] in str(last["content"])) == (Role.ASSISTANT.value, True)
    await check(house, bills=2, exact=True)


@pytest.mark.parametrize("stream", [False, True])
async def test_fallback_speaks_another_dialect(house: House, stream: bool) -> None:
    house.provider.tell(Reply(status=529 if stream else 500), Reply(text="All right."))
    call = house.call(house.target(Speaks.ANTHROPIC), house.target(Speaks.OPENAI, "b", order=1))
    if stream:
        assert text_of(await house.read(call)) == "All right."
    else:
        assert (await house.calls.complete(call)).provider == "b"
    await check(house, bills=1, exact=True)


async def test_parameter_without_words_goes_to_the_dialect_that_has_them(house: House) -> None:
    call = house.call(
        house.target(Speaks.ANTHROPIC), house.target(Speaks.OPENAI, "b", order=1), request=ask("hi", seed=7)
    )
    assert (await house.calls.complete(call)).provider == "b"
    assert len(house.provider.asked) == 1
    await check(house, bills=1, exact=True)


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_stream_cut_before_content_is_made_again_elsewhere(house: House, speaks: Speaks) -> None:
    house.provider.tell(Reply(text=LONG, cut_at=10, ending=Ending.RESET), Reply(text="All right."))
    call = house.call(house.target(speaks), house.target(speaks, "b", order=1))
    assert text_of(await house.read(call)) == "All right."
    await check(house, bills=2, exact=False)


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_stream_cut_after_content_ends_with_failed_and_is_charged_from_above(
    house: House, speaks: Speaks
) -> None:
    house.provider.tell(Reply(text=LONG, cut_at=2500))
    events = await house.read(house.call(house.target(speaks), house.target(speaks, "b", order=1)))
    assert LONG.startswith(text_of(events))
    assert text_of(events)
    assert isinstance(events[-1], Failed)
    await check(house, bills=1, exact=False)


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_reader_who_leaves_ends_the_providers_work(house: House, speaks: Speaks) -> None:
    house.provider.tell(Reply(text=LONG, between=0.01))
    async with aclosing(house.calls.stream(house.call(house.target(speaks)))) as events:
        async for event in events:
            if isinstance(event, Delta) and event.text:
                break
    for _ in range(10_000):
        if house.provider.billed:
            break
        await asyncio.sleep(0)
    assert house.provider.billed[0].finished is False
    await check(house, bills=1, exact=False)


async def test_refusal_time_out_and_silence_are_told_as_they_are(house: House) -> None:
    of = house.target(Speaks.OPENAI)
    house.provider.tell(Reply(status=400, error_message="temperature is too high", error_param="temperature"))
    with pytest.raises(ProviderRefused, match="temperature is too high"):
        await house.calls.complete(house.call(of))
    house.provider.tell(Reply(text="late", before_head=5.0))
    with pytest.raises(ProviderTimedOut):
        await house.calls.complete(house.call(of, deadline=0.05))
    house.provider.tell(Reply(drop=True))
    with pytest.raises(ProvidersUnavailable, match="a: "):
        await house.calls.complete(house.call(of, attempts=1))
    await house.calls.drain()
    house.costs.check_settled_once()
