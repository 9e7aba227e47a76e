"""So many at a time: places, and a queue before them that is fair between tenants and bounded."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Final

from steward.kit.clock import Clock
from steward.services.models.calls.waiting import within

_LEAST_QUEUE: Final = 64
_QUEUE_PER_PLACE: Final = 4

Waiter = asyncio.Future[None]


class _Queue:
    """Waiters by whom they wait for; each of these gets one in turn."""

    def __init__(self) -> None:
        self._by_owner: OrderedDict[Hashable, deque[Waiter]] = OrderedDict()

    def add(self, owner: Hashable, waiter: Waiter) -> None:
        self._by_owner.setdefault(owner, deque()).append(waiter)

    def remove(self, owner: Hashable, waiter: Waiter) -> None:
        waiters = self._by_owner[owner]
        waiters.remove(waiter)
        if not waiters:
            del self._by_owner[owner]

    def pop(self) -> Waiter | None:
        if not self._by_owner:
            return None
        owner, waiters = self._by_owner.popitem(last=False)
        waiter = waiters.popleft()
        if waiters:
            self._by_owner[owner] = waiters
        return waiter


class Places:
    """At most `count` calls at a time. Those of low priority wait behind all others."""

    def __init__(self, count: int, clock: Clock) -> None:
        self._count = count
        self._clock = clock
        self._most_waiting = max(_LEAST_QUEUE, _QUEUE_PER_PLACE * count)
        self._normal = _Queue()
        self._low = _Queue()
        self.used = 0
        self.waiting = 0

    @property
    def free(self) -> bool:
        """Whether a call would get a place at once."""
        return self.used < self._count and not self.waiting

    def try_take(self) -> bool:
        """A place, if one is free and nobody waits for it."""
        if self.used < self._count and not self.waiting:
            self.used += 1
            return True
        return False

    async def take(self, owner: Hashable, seconds: float, *, low: bool) -> bool:
        """Wait for a place for at most so many seconds; whether there was one. A full queue refuses at once."""
        if self.try_take():
            return True
        if self.waiting >= self._most_waiting or seconds <= 0:
            return False
        queue = self._low if low else self._normal
        waiter: Waiter = asyncio.get_running_loop().create_future()
        queue.add(owner, waiter)
        self.waiting += 1
        try:
            await within(self._clock, waiter, seconds)
        except BaseException:
            if waiter.done():
                self.give_back()
            raise
        finally:
            if not waiter.done():
                queue.remove(owner, waiter)
                self.waiting -= 1
        return waiter.done()

    def give_back(self) -> None:
        """A call has ended: its place goes to the next one that waits."""
        waiter = self._normal.pop() or self._low.pop()
        if waiter is None:
            self.used -= 1
        else:
            self.waiting -= 1
            waiter.set_result(None)
