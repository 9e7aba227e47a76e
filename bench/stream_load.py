"""A load of streamed answers over plain sockets: how even their events come.

Open loop: all streams run at once, each for one answer. A stream stalls when nothing comes for too long.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

_PATIENCE_S: Final = 60.0
_DATA: Final = b"data:"
_DONE: Final = b"data: [DONE]"


class Streamed(NamedTuple):
    """One answer as it came."""

    first_s: float
    """Until the first event with content."""
    longest_gap_s: float
    """Between two pieces that came, from the first to the end."""
    events: int
    whole: bool
    """Whether it ended as the format wants it."""


async def listen(host: str, port: int, requests: Sequence[bytes], *, ramp_s: float) -> Sequence[Streamed]:
    """One streamed answer to each request, begun evenly within `ramp_s`."""
    loop = asyncio.get_running_loop()
    listeners: list[_Listener] = []
    async with asyncio.timeout(_PATIENCE_S):
        for request in requests:
            listener = _Listener(request)
            listeners.append(listener)
            await loop.create_connection(lambda listener=listener: listener, host, port)
            await asyncio.sleep(ramp_s / len(requests))
        return await asyncio.gather(*(listener.done for listener in listeners))


class _Listener(asyncio.Protocol):
    """One connection with one request."""

    def __init__(self, request: bytes) -> None:
        self.done: asyncio.Future[Streamed] = asyncio.get_running_loop().create_future()
        self._request = request
        self._answered = False
        self._events = 0
        self._tail = b""
        self._first = self._longest = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._began = self._last = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self._answered:
            self._answered = data.startswith(b"HTTP/1.1 200")
            if not self._answered:
                self._end(RuntimeError(data[:500].decode("utf-8", "replace")))
                return
        found = data.count(_DATA)
        if self._events:
            self._longest = max(self._longest, now - self._last)
        elif found:
            self._first = now - self._began
        self._last = now
        self._events += found
        self._tail = (self._tail + data)[-64:]
        if _DONE in self._tail:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the protocol's shape
        if not self.done.done():
            self.done.set_result(Streamed(self._first, self._longest, self._events, whole=False))

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(Streamed(self._first, self._longest, self._events, whole=True))
        else:
            self.done.set_exception(error)
        self._transport.close()
