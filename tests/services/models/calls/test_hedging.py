"""A second candidate is asked when the first lets wait: who answers first is heard, the other is settled."""

import asyncio

import pytest

from steward.services.costs.api import Outcome
from steward.services.models.api import CallOptions
from steward.services.models.errors import ProviderRefused, ProvidersUnavailable
from steward.services.models.failures import FailureKind
from steward.services.models.messages import Started
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import Say, World, exhausted, fails, target, text_of

TWO = (target("a"), target("b", order=1))


def complete(world: World, *, stream: bool = False, options: CallOptions | None = None, **more: object) -> str:
    """Who answered."""

    async def work() -> str:
        call = world.call(*TWO, hedge_after=1.0, options=options, **more)
        if stream:
            events = await world.read(call)
            assert text_of(events) == "hello"
            name = next(event.provider for event in events if isinstance(event, Started))
        else:
            name = (await world.calls.complete(call)).provider
        world.ended_at = world.now
        await world.calls.drain()
        return name

    found = run(work())
    world.costs.check_settled_once()
    return found


@pytest.mark.parametrize("stream", [False, True])
def test_quick_answer_needs_no_second(stream: bool) -> None:
    world = World()
    world.upstream.script("a", Say(after=0.9))
    assert complete(world, stream=stream) == "a"
    assert world.asked == ["a"]


@pytest.mark.parametrize("stream", [False, True])
def test_second_answers_where_the_first_lets_wait(stream: bool) -> None:
    world = World()
    world.upstream.script("a", Say(after=30.0))
    world.upstream.script("b", Say(after=0.5))
    assert complete(world, stream=stream) == "b"
    assert world.ended_at == 1.5
    assert world.upstream.cancelled == ["a"]
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.CANCELLED, Outcome.SUCCEEDED]


def test_first_is_heard_when_it_answers_before_the_second() -> None:
    world = World()
    world.upstream.script("a", Say(after=2.0))
    world.upstream.script("b", Say(after=30.0))
    assert complete(world) == "a"
    assert world.ended_at == 2.0
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.SUCCEEDED, Outcome.CANCELLED]


@pytest.mark.parametrize("stream", [False, True])
def test_both_at_the_same_moment_are_both_settled(stream: bool) -> None:
    world = World()
    world.upstream.script("a", Say(after=2.0))
    world.upstream.script("b", Say(after=1.0))
    complete(world, stream=stream)
    assert len(world.costs.actuals) == 2
    assert world.upstream.open == 0


def test_failure_of_one_leaves_it_to_the_other() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, after=2.0))
    world.upstream.script("b", Say(after=5.0))
    assert complete(world) == "b"
    world = World()
    world.upstream.script("a", Say(after=5.0))
    world.upstream.script("b", fails(FailureKind.BROKEN, after=0.5))
    assert complete(world) == "a"


def test_both_failed_goes_on_as_without() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, after=2.0), Say())
    world.upstream.script("b", fails(FailureKind.UNAUTHORIZED, after=0.5))
    assert complete(world) == "a"
    assert world.asked == ["a", "b", "a"]


def test_refusal_of_one_ends_both() -> None:
    world = World()
    world.upstream.script("a", Say(after=30.0))
    world.upstream.script("b", fails(FailureKind.REFUSED, unbilled=True))
    with pytest.raises(ProviderRefused):
        complete(world)


def test_budget_without_room_for_two_waits_for_the_one() -> None:
    world = World()
    world.costs.grants.extend((1000, exhausted()))
    world.upstream.script("a", Say(after=5.0))
    assert complete(world) == "a"
    assert world.asked == ["a"]


def test_a_single_attempt_and_the_option_hold_it_off() -> None:
    world = World()
    world.upstream.script("a", Say(after=5.0))
    assert complete(world, attempts=1) == "a"
    assert complete(world, options=CallOptions(hedge=False)) == "a"
    assert world.asked == ["a", "a"]


def test_attempts_hold_for_both_together() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, after=2.0))
    world.upstream.script("b", fails(FailureKind.BROKEN, after=2.0))
    with pytest.raises(ProvidersUnavailable):
        complete(world, attempts=2)
    assert world.asked == ["a", "b"]


def test_caller_who_leaves_cancels_both() -> None:
    world = World()
    world.upstream.script("a", Say(after=30.0))
    world.upstream.script("b", Say(after=30.0))

    async def work() -> None:
        task = asyncio.ensure_future(world.calls.complete(world.call(*TWO, hedge_after=1.0)))
        await world.clock.sleep(3.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await world.calls.drain()
        assert world.now == 3.0

    run(work())
    world.costs.check_settled_once()
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.CANCELLED] * 2
