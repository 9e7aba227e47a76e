"""Watches over one request: ends it when its time is up or when the caller has gone."""

import asyncio
from enum import Enum
from typing import Final

from steward.gateway.exchange import Receive

_GLANCE_S: Final = 0.25
"""How often a running request is looked at; one that is done sooner pays for a single timer."""


class End(Enum):
    """Why a request was ended from outside."""

    TIMED_OUT = "timed out"
    CALLER_GONE = "caller gone"
    SHUTDOWN = "shutdown"


class Vigil:
    """Cancels the task of a request at its deadline, or when its caller disconnects.

    The server does not tell a handler that its caller went away unless it listens, and listening takes a task. So a
    request is listened to only once it has lasted a quarter of a second, and only when its body has been read.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.end: End | None = None
        """Set before the request's task is cancelled."""
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._deadline = self._loop.time() + seconds
        self._body_read = False
        self._listener: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(min(_GLANCE_S, seconds), self._glance)

    def extend(self, seconds: float) -> None:
        """Move the deadline to so many seconds from now."""
        self._deadline = self._loop.time() + seconds

    def body_was_read(self) -> None:
        """From here on whatever else the connection brings is its end."""
        self._body_read = True

    async def caller_gone(self) -> None:
        """Wait until the caller is gone."""
        await asyncio.shield(self._listen())

    def close(self) -> None:
        """The request is done."""
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    def stop(self, end: End) -> None:
        """End the request now, for this reason; the first reason counts."""
        if self.end is None and self._task is not None:
            self.end = end
            self._task.cancel()

    def settle(self) -> None:
        """Take back the cancellation, which was ours, so that the task can still answer."""
        if self._task is not None:
            self._task.uncancel()

    def _glance(self) -> None:
        left = self._deadline - self._loop.time()
        if left <= 0:
            self.stop(End.TIMED_OUT)
            return
        if self._body_read:
            self._listen()
        self._timer = self._loop.call_later(min(_GLANCE_S, left), self._glance)

    def _listen(self) -> "asyncio.Task[None]":
        if self._listener is None:
            self._listener = self._loop.create_task(self._until_gone())
        return self._listener

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.stop(End.CALLER_GONE)
