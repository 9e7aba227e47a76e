"""Equal calls in flight: one is made, all hear it, and it ends when the last has left."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from steward.services.models.messages import StreamEvent

T = TypeVar("T")


class _Flight(Generic[T]):
    """One call that is under way for everybody who waits for it."""

    def __init__(self) -> None:
        self.task: asyncio.Task[T] | None = None
        self.waiting: set[asyncio.Future[None]] = set()


class Flights(Generic[T]):
    """Whole answers under way, by key. Whoever asks for the key of one joins it."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def under_way(self, key: str) -> bool:
        """Whether an equal call is under way."""
        return key in self._flights

    async def join(self, key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer of the call under this key, made by `make` where there is none under way."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            flight.task = asyncio.create_task(make())
            flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        assert flight.task is not None, "a flight is listed with its task"
        if not flight.task.done():
            await self._wait(key, flight, flight.task)
        return flight.task.result()

    async def _wait(self, key: str, flight: _Flight[T], task: "asyncio.Task[T]") -> None:
        """Until the call has ended. Each waits for a future of its own: leaving must not end it for the others."""
        waiter: asyncio.Future[None] = task.get_loop().create_future()
        flight.waiting.add(waiter)
        try:
            await waiter
        finally:
            flight.waiting.discard(waiter)
            if not flight.waiting and not task.done():
                self._forget(key, flight)
                task.cancel()
                # The call settles what it used before this returns.
                await asyncio.wait((task,))

    def _landed(self, key: str, flight: _Flight[T], task: "asyncio.Task[T]") -> None:
        self._forget(key, flight)
        if not task.cancelled():
            # Somebody may have left just before it failed: heard here, so that nobody reports it as lost.
            task.exception()
        for waiter in flight.waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _forget(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Broadcast:
    """A stream under way, with everything that it has said."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self.ended = False
        self._error: Exception | None = None
        self.listeners = 0
        self.task: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] | None = None

    def broke(self, error: Exception) -> None:
        """Have it raised at each listener, behind what was said before."""
        self._error = error

    def check(self) -> None:
        """Raise what broke the stream, where something did."""
        if self._error is not None:
            raise self._error

    def tell(self) -> None:
        """Wake everybody who waits for more."""
        if self._news is not None:
            self._news.set_result(None)
            self._news = None

    async def more(self) -> None:
        """Wait until there is more, or the end."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._news)


class Streams:
    """Streams under way, by key: each listener hears all of it from the start."""

    def __init__(self) -> None:
        self._streams: dict[str, _Broadcast] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def under_way(self, key: str) -> bool:
        """Whether an equal stream is under way."""
        return key in self._streams

    async def join(self, key: str, make: Callable[[], AsyncGenerator[StreamEvent]]) -> AsyncGenerator[StreamEvent]:
        """The events of the stream under this key. What fails before its first event is raised at every listener."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Broadcast()
            stream.task = asyncio.create_task(self._play(key, stream, make()))
        assert stream.task is not None, "a stream is listed with its task"
        stream.listeners += 1
        heard = 0
        try:
            while True:
                while heard < len(stream.events):
                    event = stream.events[heard]
                    heard += 1
                    yield event
                if stream.ended:
                    break
                await stream.more()
            stream.check()
        finally:
            stream.listeners -= 1
            if stream.listeners == 0 and not stream.task.done():
                self._forget(key, stream)
                stream.task.cancel()
                await asyncio.wait((stream.task,))

    async def _play(self, key: str, stream: _Broadcast, source: AsyncGenerator[StreamEvent]) -> None:
        try:
            async with aclosing(source):
                async for event in source:
                    stream.events.append(event)
                    stream.tell()
        except Exception as error:  # noqa: BLE001 - it is raised again at each listener
            stream.broke(error)
        finally:
            self._forget(key, stream)
            stream.ended = True
            stream.tell()

    def _forget(self, key: str, stream: _Broadcast) -> None:
        if self._streams.get(key) is stream:
            del self._streams[key]
