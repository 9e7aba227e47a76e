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
    BODY_TOO_SLOW = "body too slow"
    SHUTDOWN = "shutdown"


class Vigil:
    """Cancels the task of a request at its deadline, or that of its body, or when its caller disconnects.

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
        self.body_seconds = 0.0
        """Time that the body is given, once it is awaited."""
        self._body_deadline: float | None = None
        self._body_read = False
        self._listener: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(min(_GLANCE_S, seconds), self._glance)

    def extend(self, seconds: float) -> None:
        """Move the deadline to so many seconds from now."""
        self._deadline = self._loop.time() + seconds

    def await_body(self, seconds: float) -> None:
        """The body has to be there in so many seconds; one timer watches over this and all else."""
        self.body_seconds = seconds
        self._body_deadline = self._loop.time() + seconds
        if seconds < _GLANCE_S:
            self._timer.cancel()
            self._glance()

    def body_was_read(self) -> None:
        """From here on whatever else the connection brings is its end."""
        self._body_read = True
        self._body_deadline = None

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
        now = self._loop.time()
        left = self._deadline - now
        if left <= 0:
            self.stop(End.TIMED_OUT)
            return
        if self._body_deadline is not None:
            body_left = self._body_deadline - now
            if body_left <= 0:
                self.stop(End.BODY_TOO_SLOW)
                return
            left = min(left, body_left)
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
