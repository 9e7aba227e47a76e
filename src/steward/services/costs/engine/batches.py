"""Natural batching: while one batch is at the database the next one gathers, without a timer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Waiting(Generic[T, R]):
    """One item of a batch and who waits for it."""

    __slots__ = ("future", "item")

    def __init__(self, item: T, future: "asyncio.Future[R]") -> None:
        self.item = item
        self.future = future

    def answer(self, result: R | Exception) -> bool:
        """Tell who waits; False where nobody does any more."""
        if self.future.done():
            return False
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)
        return True


class Batches(Generic[T, R]):
    """Gathers items and has them sent together, one batch at a time and at most `most` items each.

    `send` answers every item and raises nothing. An item whose caller has left is sent all the same.
    """

    def __init__(self, name: str, most: int, send: Callable[[Sequence[Waiting[T, R]]], Awaitable[None]]) -> None:
        self._name = name
        self._most = most
        self.send = send
        self._gathered: deque[Waiting[T, R]] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, item: T) -> "asyncio.Future[R]":
        """Put an item into the next batch; what comes of it."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.put(Waiting(item, future))
        return future

    def put(self, waiting: Waiting[T, R]) -> None:
        self._gathered.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=self._name)

    async def drain(self) -> None:
        """Wait until everything that was added is answered."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def cancel(self) -> None:
        """Give up what was not answered yet."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._gathered:
                count = min(len(self._gathered), self._most)
                await self.send([self._gathered.popleft() for _ in range(count)])
        finally:
            self._task = None


def unheard(future: "asyncio.Future[Any]") -> None:
    """Take note of a failure that nobody waits for."""
    if not future.cancelled():
        future.exception()
