"""Tries a call's targets until one answers; optionally two at a time, where the first lets wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from steward.kit.clock import Clock
from steward.services.models.calls.plan import TROUBLE, Plan
from steward.services.models.calls.settlement import NoBudget
from steward.services.models.calls.shots import Shot
from steward.services.models.calls.waiting import within
from steward.services.models.ports import Target

A = TypeVar("A")


async def first_answer(plan: Plan, shot: Shot[A]) -> A:
    """One target after the other. Raises the call's error."""
    while True:
        target = await plan.next()
        try:
            return await shot(plan.state, target, plan.probe())
        except TROUBLE as trouble:
            plan.failed(target, trouble)


class Hedge(Generic[A]):
    """Asks a second target when the first has brought nothing after a while; who answers first is heard.

    The other one is cancelled, and settles itself in the background.
    """

    def __init__(
        self, plan: Plan, shot: Shot[A], discard: Callable[[A], Awaitable[None]], clock: Clock, losers: "Losers"
    ) -> None:
        self._plan = plan
        self._shot = shot
        self._discard = discard
        self._clock = clock
        self._losers = losers
        self._running: dict[asyncio.Task[A], Target] = {}

    async def answer(self, after: float) -> A:
        """The first answer. Raises the call's error."""
        plan = self._plan
        try:
            first = self._start(await plan.next())
            if not await within(self._clock, first, min(after, plan.state.left())) and plan.can_hedge:
                self._start(plan.take())
            while self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                winner = self._look()
                if winner is not None:
                    return winner.result()
        finally:
            for task in self._running:
                self._losers.add(task, self._discard)
        return await first_answer(plan, self._shot)

    def _start(self, target: Target) -> "asyncio.Task[A]":
        task = asyncio.ensure_future(self._shot(self._plan.state, target, self._plan.probe()))
        self._running[task] = target
        return task

    def _look(self) -> "asyncio.Task[A] | None":
        """One that has answered; those that failed are told to the plan."""
        done = [task for task in self._running if task.done()]
        for task in done:
            if task.exception() is None:
                del self._running[task]
                return task
        for task in done:
            target = self._running.pop(task)
            error = task.exception()
            if isinstance(error, NoBudget) and self._running:
                continue
            if isinstance(error, TROUBLE):
                self._plan.failed(target, error)
            elif error is not None:
                raise error
        return None


class Losers:
    """Tasks whose answers nobody waits for: cancelled, and watched until they have ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, task: "asyncio.Task[A]", discard: Callable[[A], Awaitable[None]]) -> None:
        """Cancel a task; what it answers all the same is discarded."""
        task.cancel()
        ending = asyncio.get_running_loop().create_task(self._end(task, discard))
        self._tasks.add(ending)
        ending.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Wait until all have ended, for at most so many seconds."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=seconds)

    async def _end(self, task: "asyncio.Task[A]", discard: Callable[[A], Awaitable[None]]) -> None:
        await asyncio.wait((task,))
        if not task.cancelled() and task.exception() is None:
            await discard(task.result())
