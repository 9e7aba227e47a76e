"""Limits of a connection: places, a fair queue, requests and tokens a minute, the provider's Retry-After."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from steward.kit.ids import TenantId
from steward.services.models.api import CallOptions
from steward.services.models.calls.limits import Busy, Gate, Gates
from steward.services.models.calls.places import Places
from steward.services.models.errors import ProvidersBusy
from steward.services.models.failures import FailureKind
from tests.services.models.calls.virtual_time import VirtualClock, run
from tests.services.models.calls.world import Say, World, endpoint, fails, target


def gate(**more: Any) -> Gate:
    return Gate(endpoint("a", **more), VirtualClock())


def test_calls_at_a_time_are_bounded() -> None:
    world = World()
    world.upstream.script("a", Say(after=1.0))
    of = target("a", of=endpoint("a", max_concurrency=3))

    async def work() -> None:
        await asyncio.gather(*(world.calls.complete(world.call(of)) for _ in range(10)))
        assert world.now == 4.0
        await world.calls.drain()

    run(work())
    assert world.upstream.most_running == 3
    world.costs.check_settled_once()


def test_nothing_is_reserved_while_a_call_waits_for_its_place() -> None:
    world = World()
    world.upstream.script("a", Say(after=10.0))
    of = target("a", of=endpoint("a", max_concurrency=1, queue_seconds=2.0))

    async def work() -> None:
        first = asyncio.ensure_future(world.calls.complete(world.call(of)))
        await world.clock.sleep(1.0)
        with pytest.raises(ProvidersBusy):
            await world.calls.complete(world.call(of))
        assert world.now == 3.0
        assert len(world.costs.reserved) == 1
        assert (await world.calls.complete(world.call(of, target("b", order=1)))).provider == "b"
        await first
        await world.calls.drain()

    run(work())


def test_other_candidate_of_the_same_order_is_asked_rather_than_waited_for() -> None:
    world = World()
    world.upstream.script("a", Say(after=10.0))
    of = target("a", of=endpoint("a", max_concurrency=1), weight=1000)

    async def work() -> None:
        first = asyncio.ensure_future(world.calls.complete(world.call(of)))
        await world.clock.sleep(1.0)
        assert (await world.calls.complete(world.call(of, target("b")))).provider == "b"
        assert world.now == 1.0
        await first
        await world.calls.drain()

    run(work())


def test_queue_is_fair_between_tenants_and_low_priority_is_last() -> None:
    async def work() -> list[str]:
        clock = VirtualClock()
        places = Places(1, clock)
        served: list[str] = []

        async def call(name: str, *, low: bool = False) -> None:
            assert await places.take(name[0], 100.0, low=low)
            served.append(name)
            await clock.sleep(1.0)
            places.give_back()

        names = ("a1", "a2", "a3", "b1", "c1", "c2")
        await asyncio.gather(call("x0"), call("d1", low=True), *(call(name) for name in names))
        assert (places.used, places.waiting) == (0, 0)
        return served

    assert run(work()) == ["x0", "a1", "b1", "c1", "a2", "c2", "a3", "d1"]


def test_queue_is_bounded() -> None:
    async def work() -> None:
        places = Places(1, VirtualClock())
        assert places.try_take()
        waiting = [asyncio.ensure_future(places.take("a", 9.0, low=False)) for _ in range(64)]
        await asyncio.sleep(0)
        assert await places.take("a", 9.0, low=False) is False
        assert await asyncio.gather(*waiting) == [False] * 64
        assert places.waiting == 0

    run(work())


@pytest.mark.parametrize("granted", [False, True])
def test_place_of_one_who_leaves_the_queue_goes_to_the_next(granted: bool) -> None:
    async def work() -> None:
        places = Places(1, VirtualClock())
        assert places.try_take()
        first, second = (asyncio.ensure_future(places.take("a", 9.0, low=False)) for _ in range(2))
        await asyncio.sleep(0)
        if granted:
            places.give_back()
        first.cancel()
        await asyncio.wait((first,))
        if not granted:
            places.give_back()
        assert await second is True
        places.give_back()
        assert (places.used, places.waiting) == (0, 0)

    run(work())


def test_requests_a_minute_are_spread_once_the_minute_is_used() -> None:
    async def work() -> list[float]:
        one = gate(requests_per_minute=6)
        times: list[float] = []
        for _ in range(8):
            assert not one.try_enter()
            await one.enter(None, 10, 60.0, low=False)
            one.leave(10, 10)
            times.append(asyncio.get_running_loop().time())
        return times

    assert run(work()) == [0.0] * 6 + [10.0, 20.0]


def test_tokens_that_were_not_used_are_given_back() -> None:
    async def work() -> list[float]:
        one = gate(tokens_per_minute=600)
        times: list[float] = []
        for _ in range(4):
            await one.enter(None, 400, 60.0, low=False)
            one.leave(400, 200)
            times.append(asyncio.get_running_loop().time())
        return times

    assert run(work()) == [0.0, 0.0, 20.0, 40.0]


def test_call_larger_than_a_minute_gets_in() -> None:
    async def work() -> None:
        one = gate(tokens_per_minute=100)
        await one.enter(None, 5000, 1.0, low=True)
        one.leave(5000, 90)
        with pytest.raises(Busy) as busy:
            await one.enter(None, 5000, 1.0, low=False)
        assert busy.value.retry_after == pytest.approx(54.0)

    run(work())


def test_refused_call_takes_nothing() -> None:
    async def work() -> None:
        one = gate(requests_per_minute=1)
        await one.enter(None, 1, 1.0, low=False)
        for _ in range(3):
            with pytest.raises(Busy) as busy:
                await one.enter(None, 1, 1.0, low=False)
            assert busy.value.retry_after == pytest.approx(60.0)

    run(work())


def test_low_priority_leaves_a_fifth_to_others() -> None:
    async def work() -> None:
        one = gate(requests_per_minute=10)
        for _ in range(8):
            await one.enter(None, 1, 0.0, low=True)
        with pytest.raises(Busy):
            await one.enter(None, 1, 0.0, low=True)
        await one.enter(None, 1, 0.0, low=False)

    run(work())


def test_retry_after_of_one_call_holds_the_others_back() -> None:
    world = World()
    limited = fails(FailureKind.RATE_LIMITED, retry_after=3.0, unbilled=True)
    world.upstream.script("a", limited, Say())

    async def work() -> None:
        await asyncio.gather(*(world.calls.complete(world.call(target("a"))) for _ in range(1)))
        assert world.now == 3.0
        world.upstream.script("a", limited, Say())
        with pytest.raises(ProvidersBusy):
            await world.calls.complete(world.call(target("a"), attempts=1))
        await world.calls.complete(world.call(target("a")))
        assert world.now == 6.0
        world.upstream.script("a", fails(FailureKind.RATE_LIMITED, retry_after=900.0, unbilled=True), Say())
        with pytest.raises(ProvidersBusy):
            await world.calls.complete(world.call(target("a"), attempts=1))
        with pytest.raises(ProvidersBusy) as busy:
            await world.calls.complete(world.call(target("a")))
        assert busy.value.data["retry_after"] == pytest.approx(60.0)
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()


def test_new_revision_begins_anew() -> None:
    gates = Gates(VirtualClock())
    first = gates.of(endpoint("a", 1))
    assert gates.of(endpoint("a", 1)) is first
    assert gates.of(endpoint("a", 2)) is not first


def test_low_priority_of_the_options_is_heard() -> None:
    world = World()
    world.upstream.script("a", Say(after=1.0))
    of = target("a", of=endpoint("a", max_concurrency=1))

    async def work() -> None:
        finished: list[str] = []

        async def call(name: str, low: bool) -> None:
            options = CallOptions(low_priority=low)
            ctx = world.ctx(tenant=TenantId(UUID(int=8)))
            await world.calls.complete(world.call(of, options=options, ctx=ctx))
            finished.append(name)

        await asyncio.gather(call("first", False), call("batch", True), call("person", False))
        assert finished == ["first", "person", "batch"]
        await world.calls.drain()

    run(work())
