"""Settlement: in the background, until it succeeds, once; and what a broken-off reservation leaves."""

import asyncio

import pytest

from steward.kit.errors import DeadlineExceeded, InvalidInput, Unavailable
from steward.services.costs.api import Outcome
from steward.services.models.calls import settlement
from steward.services.models.errors import ProvidersUnavailable
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import World, target


def test_answer_does_not_wait_for_its_settlement() -> None:
    world = World()

    async def work() -> None:
        await world.calls.complete(world.call(target("a")))
        assert world.costs.actuals == []
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()


def test_settlement_is_tried_until_it_succeeds() -> None:
    world = World()
    world.costs.settle_errors.extend([Unavailable("the database is away"), OSError("reset")] * 5)

    async def work() -> None:
        await world.calls.complete(world.call(target("a"), ctx=world.ctx(1.0)))
        await world.calls.drain(100.0)

    run(work())
    world.costs.check_settled_once()
    assert world.costs.contexts[-1].deadline > world.costs.contexts[0].deadline
    (line,) = [line for line in world.telemetry.logs if line["event_type"] == "llm.settle_failed"]
    assert line["data"]["reason"] == "unavailable"


def test_refused_settlement_is_an_error_and_not_tried_again() -> None:
    world = World()
    world.costs.settle_errors.append(InvalidInput("no such thing", field="actual"))

    async def work() -> None:
        await world.calls.complete(world.call(target("a")))
        await world.calls.drain()

    run(work())
    assert world.costs.actuals == []
    (line,) = [line for line in world.telemetry.logs if line["level"] == "error"]
    assert line["event_type"] == "llm.settle_refused"


def test_drain_gives_up_in_time_and_says_so() -> None:
    world = World()

    async def work() -> None:
        world.costs.settle_errors.extend(OSError("away") for _ in range(1000))
        await world.calls.complete(world.call(target("a")))
        await world.calls.drain(5.0)
        assert world.now == 5.0

    run(work())
    (line,) = [line for line in world.telemetry.logs if line["event_type"] == "llm.unsettled"]
    assert line["data"]["calls"] == 1


@pytest.mark.parametrize("reserved", [False, True])
def test_reservation_that_was_broken_off_is_given_back_where_it_was_made(reserved: bool) -> None:
    world = World()
    if reserved:
        world.costs.reserve_takes = 5.0
    else:
        world.costs.grants.append(Unavailable("no answer"))

    async def work() -> None:
        task = asyncio.ensure_future(world.calls.complete(world.call(target("a"))))
        await world.clock.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError if reserved else Unavailable):
            await task
        await world.calls.drain(60.0)

    run(work())
    world.costs.check_settled_once()
    assert world.asked == []
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.CANCELLED] * reserved
    assert not [line for line in world.telemetry.logs if line["level"] == "error"]


def test_no_call_is_begun_while_too_many_settlements_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "MAX_PENDING", 3)
    world = World()
    world.costs.settle_errors.extend(OSError("away") for _ in range(4))

    async def work() -> None:
        for _ in range(3):
            await world.calls.complete(world.call(target("a")))
        with pytest.raises(ProvidersUnavailable, match="3 calls wait to be settled"):
            await world.calls.complete(world.call(target("a")))
        await world.calls.drain(60.0)
        await world.calls.complete(world.call(target("a")))
        await world.calls.drain(60.0)

    run(work())
    world.costs.check_settled_once()
    assert len(world.costs.reserved) == 4


def test_reservation_that_hangs_ends_with_the_deadline() -> None:
    world = World()
    world.costs.reserve_takes = 1000.0

    async def work() -> None:
        with pytest.raises(DeadlineExceeded):
            await world.calls.complete(world.call(target("a"), deadline=3.0))
        assert world.now == 3.0
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    assert world.asked == []
