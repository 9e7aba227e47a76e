"""Streamed answers: what is shown, who takes over, how they end, and what they are charged."""

import asyncio
from contextlib import aclosing

import pytest

from steward.services.costs.api import CallUsage, Outcome
from steward.services.models.calls.streams import _is_silent
from steward.services.models.calls.tally import Tally
from steward.services.models.errors import ProviderRefused, ProvidersUnavailable
from steward.services.models.failures import FailureKind
from steward.services.models.messages import (
    Delta,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Reasoning,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import INPUT_BOUND, Say, World, ask, ends_once, fails, target, text_of


def read(world: World, *targets: object, **more: object) -> list[StreamEvent]:
    async def work() -> list[StreamEvent]:
        try:
            return await world.read(world.call(*targets, **more))
        finally:
            world.ended_at = world.now
            await world.calls.drain()

    try:
        return run(work())
    finally:
        world.costs.check_settled_once()


def test_stream_is_shown_as_it_comes_and_settled() -> None:
    world = World()
    world.upstream.script("a", Say(text="hello", after=0.5, pause=0.125))
    events = read(world, target("a"))
    assert events[0] == Started(id="r1", model="m", provider="a")
    assert text_of(events) == "hello"
    assert isinstance(events[-1], UsageReport)
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.exact) == (Outcome.SUCCEEDED, True)
    assert actual.usage == CallUsage(input_tokens=10, output_tokens=5)
    assert (actual.first_token_ms, actual.latency_ms) == (500, 1125)


def test_nothing_is_held_back_but_what_shows_nothing() -> None:
    world = World()
    world.upstream.script("a", Say(text="ab", after=1.0, pause=1.0))

    async def work() -> list[float]:
        times = [world.now async for _ in world.calls.stream(world.call(target("a")))]
        await world.calls.drain()
        return times

    assert run(work())[:4] == [1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("event", "silent"),
    [
        (Started(id="1", model="m"), True),
        (UsageReport(usage=Usage()), True),
        (PartStarted(index=0, part=Text(text="")), True),
        (PartStarted(index=0, part=Reasoning()), True),
        (Delta(index=0, text=""), True),
        (PartStarted(index=0, part=Text(text="x")), False),
        (PartStarted(index=0, part=ToolCall(id="1", name="f", arguments="")), False),
        (Delta(index=0, text="x"), False),
        (Delta(index=0, arguments="{"), False),
    ],
)
def test_what_counts_as_shown(event: StreamEvent, silent: bool) -> None:
    assert _is_silent(event) is silent


def test_other_provider_takes_over_while_nothing_was_shown() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.CUT, after=1.0))
    events = read(world, target("a"), target("b", order=1))
    assert [event.provider for event in events if isinstance(event, Started)] == ["b"]
    assert text_of(events) == "hello"
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.FAILED, Outcome.SUCCEEDED]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureKind.CUT, "providers_unavailable"),
        (FailureKind.TIMED_OUT, "provider_timed_out"),
        (FailureKind.RATE_LIMITED, "providers_busy"),
        (FailureKind.REFUSED, "provider_refused"),
    ],
)
def test_stream_that_breaks_after_something_was_shown_ends_with_failed(kind: FailureKind, code: str) -> None:
    world = World()
    world.upstream.script("a", fails(kind, shown=3))
    events = read(world, target("a"), target("b", order=1))
    assert text_of(events) == "abc"
    assert isinstance(events[-1], Failed)
    assert events[-1].code == code
    assert ends_once(events)
    assert world.asked == ["a"]
    (actual,) = world.costs.actuals
    assert actual.exact is False
    assert actual.usage == CallUsage(input_tokens=INPUT_BOUND, output_tokens=3 + 256)


def test_bound_of_a_broken_stream_is_never_above_the_reservation() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.CUT, shown=3))
    read(world, target("a"), request=ask(max_output_tokens=100))
    assert world.costs.actuals[0].usage.output_tokens == 100


def test_failure_before_the_first_event_is_raised() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.REFUSED, unbilled=True))
    with pytest.raises(ProviderRefused):
        read(world, target("a"))
    world.upstream.script("a", fails(FailureKind.BROKEN))
    with pytest.raises(ProvidersUnavailable):
        read(world, target("a"), attempts=2)


def test_stream_that_ends_without_finishing_is_cut() -> None:
    world = World()

    class Mute:
        def stream(self, *_: object, **__: object) -> object:
            async def silent() -> object:
                yield Started(id="1", model="m")

            return silent()

    world.calls._upstream = Mute()
    with pytest.raises(ProvidersUnavailable, match="cut"):
        read(world, target("a"), attempts=1)


def test_reader_who_leaves_cancels_and_settles_what_came() -> None:
    world = World()
    world.upstream.script("a", Say(text="abcdef", pause=1.0))

    async def work() -> None:
        async with aclosing(world.calls.stream(world.call(target("a")))) as events:
            async for event in events:
                if isinstance(event, Delta) and event.text == "c":
                    break
        assert world.upstream.open == 0
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    assert world.upstream.cancelled == ["a"]
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.exact) == (Outcome.CANCELLED, False)
    assert actual.usage == CallUsage(input_tokens=INPUT_BOUND, output_tokens=3 + 256)


@pytest.mark.parametrize("seconds", [0.5, 2.5])
def test_reader_who_is_cancelled_cancels_and_settles(seconds: float) -> None:
    world = World()
    world.upstream.script("a", Say(text="abcdef", after=1.0, pause=1.0))

    async def work() -> None:
        task = asyncio.ensure_future(world.read(world.call(target("a"))))
        await world.clock.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    assert world.upstream.cancelled == ["a"]
    assert world.costs.actuals[0].outcome is Outcome.CANCELLED


def test_reader_who_leaves_at_the_end_is_charged_what_the_provider_counted() -> None:
    world = World()

    async def work() -> None:
        async with aclosing(world.calls.stream(world.call(target("a")))) as events:
            async for event in events:
                if isinstance(event, UsageReport):
                    break
        await world.calls.drain()

    run(work())
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.exact, actual.usage.output_tokens) == (Outcome.SUCCEEDED, True, 5)


def test_stream_without_a_count_is_charged_by_what_came() -> None:
    world = World()
    world.upstream.script("a", Say(text="héllo", usage=None))
    read(world, target("a"))
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.exact) == (Outcome.SUCCEEDED, False)
    assert actual.usage == CallUsage(input_tokens=INPUT_BOUND, output_tokens=6 + 256)


def test_model_that_was_seen_to_reason_is_charged_in_full_when_cut() -> None:
    world = World()
    thinking = Usage(input_tokens=10, output_tokens=50, reasoning_tokens=40)
    world.upstream.script("a", Say(usage=thinking), fails(FailureKind.CUT, shown=2))

    async def work() -> None:
        for _ in range(2):
            await world.read(world.call(target("a")))
        await world.calls.drain()

    run(work())
    assert [actual.usage.output_tokens for actual in world.costs.actuals] == [50, 1000]


def test_time_between_tokens_counts_towards_the_deadline() -> None:
    world = World()
    world.upstream.script("a", Say(text="abcdef", pause=1.0))
    events = read(world, target("a"), deadline=2.5)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "provider_timed_out"
    assert world.ended_at == 2.5


def test_count_at_the_beginning_is_no_final_count() -> None:
    tally = Tally()
    tally.note(Started(id="1", model="m", usage=Usage(input_tokens=9, output_tokens=1)))
    tally.note(Delta(index=0, text="words"))
    tally.note(Finished(stop=StopReason.END))
    assert not tally.reported
    assert tally.bound(INPUT_BOUND, 1000, 1) == CallUsage(input_tokens=9, output_tokens=5 + 256)
    tally.note(UsageReport(usage=Usage(input_tokens=9, output_tokens=3)))
    assert tally.reported


@pytest.mark.parametrize(
    "part",
    [Reasoning(redacted="x"), Reasoning(encrypted="x"), Reasoning(signature="x")],
)
def test_hidden_thoughts_make_bytes_no_bound(part: Reasoning) -> None:
    tally = Tally()
    tally.note(PartStarted(index=0, part=part))
    assert tally.bound(INPUT_BOUND, 1000, 1).output_tokens == 1000
    tally = Tally()
    tally.note(PartStarted(index=0, part=Reasoning()))
    tally.note(PartFinished(index=0, part=part))
    assert tally.bound(INPUT_BOUND, 1000, 1).output_tokens == 1000


def test_input_that_grows_on_the_way_is_charged_by_the_bound() -> None:
    tally = Tally()
    tally.note(Started(id="1", model="m", usage=Usage(input_tokens=9)))
    assert tally.bound(INPUT_BOUND, 1000, 1, reads_more=True).input_tokens == INPUT_BOUND
