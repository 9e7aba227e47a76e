"""A wait that is limited in time ends as `asyncio.timeout` would end it."""

import asyncio

import pytest

from steward.services.models.calls.waiting import TimeLimit


async def test_wait_ends_with_timeout_and_leaves_the_task_uncancelled() -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(TimeoutError), TimeLimit(0.001):
        await asyncio.get_running_loop().create_future()
    assert task.cancelling() == 0


async def test_no_time_left_still_lets_go_on_what_needs_no_wait() -> None:
    with TimeLimit(0.0):
        found = 1
    await asyncio.sleep(0)
    assert found == 1


async def test_wait_that_is_done_in_time_leaves_no_timer_behind() -> None:
    with TimeLimit(0.005):
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)


async def test_cancelling_from_outside_stays_a_cancellation() -> None:
    async def limited() -> None:
        with TimeLimit(60.0):
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_at_the_moment_of_the_timeout_is_not_lost() -> None:
    async def limited() -> None:
        with TimeLimit(0.001):
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(limited())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_failure_inside_is_not_touched() -> None:
    with pytest.raises(ValueError, match="inside"), TimeLimit(60.0):
        raise ValueError("inside")
