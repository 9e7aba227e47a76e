"""A small HTTP/1.1 server (RFC 9112) of which the fake provider rules every byte."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import msgspec

from steward.kit.testing.provider.replies import Ending

_HEAD_END = b"\r\n\r\n"
_NO_LINGER: bytes = struct.pack("ii", 1, 0)
_REASONS: Mapping[int, str] = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}


class Request(msgspec.Struct, frozen=True):
    """What came in."""

    method: str
    target: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


class Gone(Exception):
    """The client closed the connection."""


class Connection(asyncio.Protocol):
    """One client's connection; `serve` answers one request after the other."""

    def __init__(self, serve: Callable[["Connection", Request], Awaitable[None]]) -> None:
        self._serve = serve
        self._buffer = bytearray()
        self._gone = asyncio.Event()
        self._more = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        self._more.set()

    def eof_received(self) -> bool:
        """The client hangs up: a provider takes that for the end of its interest."""
        self._gone.set()
        self._more.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's shape
        """See `asyncio.Protocol`."""
        self._gone.set()
        self._more.set()

    async def wait_gone(self, seconds: float | None) -> None:
        """Let time pass. Raises `Gone` as soon as the client goes away; for ever with None."""
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return
        raise Gone

    async def send(self, data: bytes) -> None:
        """Hand bytes to the network, at once and in one piece. Raises `Gone`."""
        if self._gone.is_set() or self._transport is None:
            raise Gone
        self._transport.write(data)
        await asyncio.sleep(0)

    def end(self, how: Ending) -> None:
        """End the connection."""
        if self._transport is None:
            return
        if how is Ending.RESET:
            reset(self._transport)
        else:
            self._transport.close()

    async def stop(self) -> None:
        """End it, whatever it is doing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._transport is not None:
            self._transport.abort()

    async def _run(self) -> None:
        try:
            while True:
                request = await self._request()
                self.busy = True
                await self._serve(self, request)
                self.busy = False
        except Gone:
            self.end(Ending.CLOSE)

    async def _request(self) -> Request:
        head = (await self._until(_HEAD_END)).decode("latin-1")
        first, *lines = head[: -len(_HEAD_END)].split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunked()
        else:
            body = await self._exactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)

    async def _chunked(self) -> bytes:
        body = bytearray()
        while size := int((await self._until(b"\r\n")).split(b";")[0], 16):
            body += await self._exactly(size)
            await self._exactly(2)
        await self._until(b"\r\n")
        return bytes(body)

    async def _until(self, end: bytes) -> bytes:
        while (at := self._buffer.find(end)) < 0:
            await self._wait_more()
        return await self._exactly(at + len(end))

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._wait_more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _wait_more(self) -> None:
        if self._gone.is_set():
            raise Gone
        self._more.clear()
        await self._more.wait()


def reset(transport: asyncio.Transport) -> None:
    """Close a connection by a TCP reset."""
    taken = transport.get_extra_info("socket")
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def head_lines(status: int, headers: Mapping[str, str]) -> list[bytes]:
    """Status line and header lines, each with its end, and the empty line."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", *(f"{n}: {v}" for n, v in headers.items()), ""]
    return [f"{line}\r\n".encode("latin-1") for line in lines]
