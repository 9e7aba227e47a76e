"""One WebSocket as the edge uses it: text in, text out, within limits, one message ahead and no further.

The server below refuses what breaks RFC 6455 (invalid UTF-8, unmasked or oversized frames) by itself, without a code.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from enum import IntEnum
from typing import Final

from steward.gateway import problems
from steward.gateway.exchange import Header, Message, Receive, Send
from steward.kit.errors import AppError

CLOSE_SECONDS: Final = 2.0
"""How long a close may take to be sent to somebody who reads nothing."""
_MAX_REASON: Final = 123
_HEADERS: Final[Sequence[Header]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


class Code(IntEnum):
    """Why a connection ends: RFC 6455 section 7.4, and from 4000 on the HTTP status that says the same."""

    LEFT = 1005
    BINARY = 1003
    TOO_LARGE = 1009
    BROKEN = 1011
    RESTART = 1012
    NO_CREDENTIAL = 4401
    FORBIDDEN = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429


class Closing(Exception):
    """The connection is to end."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Wire:
    """Reads and writes one connection."""

    def __init__(self, receive: Receive, send: Send, most_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._most_bytes = most_bytes
        self._listening: asyncio.Task[Message] | None = None
        self._work: asyncio.Task[None] | None = None
        self._end: Closing | None = None

    async def accept(self) -> None:
        await self._send({"type": "websocket.accept", "headers": [], "subprotocol": None})

    async def refuse(self, error: AppError, request_id: str, *, credential_sent: bool) -> None:
        """Answer the handshake with a failure, as any request is."""
        body = problems.body_of(error, request_id)
        headers = problems.headers_of(error, len(body), credential_sent=credential_sent)
        headers += [*_HEADERS, (b"x-request-id", request_id.encode())]
        await self._send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def say(self, text: bytes) -> None:
        await self._send({"type": "websocket.send", "text": text.decode()})

    async def next(self, seconds: float, late: str) -> bytes:
        """The next message. Raises `Closing`, with the reason `late` when none comes in time."""
        if self._end is not None:
            raise self._end
        listening = self._listen()
        done, _ = await asyncio.wait((listening,), timeout=seconds)
        if self._end is not None:
            raise self._end
        if not done:
            raise Closing(Code.TOO_SLOW, late)
        self._listening = None
        return self._read(listening.result())

    async def during(self, work: Awaitable[None]) -> None:
        """Do the work unless the caller leaves meanwhile; what else they send waits for its turn."""
        self._work = task = asyncio.ensure_future(work)
        listening = self._listen()
        try:
            await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and _is_end(listening):
                raise Closing(Code.LEFT, "")
            await asyncio.wait((task,))
        finally:
            self._work = None
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        if task.cancelled() and self._end is not None:
            raise self._end
        await task

    @property
    def busy(self) -> bool:
        """Whether a message is worked on."""
        return self._work is not None

    def finish(self, end: Closing) -> None:
        """End the connection when the message that is worked on is answered; at once where there is none."""
        self._end = end
        if self._work is None and self._listening is not None:
            self._listening.cancel()

    def abandon(self) -> None:
        """Give up the message that is worked on."""
        if self._work is not None:
            self._work.cancel()

    async def close(self, end: Closing) -> None:
        """Say why the connection ends, unless it has, and stop listening."""
        if self._listening is not None and not self._listening.done():
            self._listening.cancel()
            await asyncio.wait((self._listening,))
        if end.code is Code.LEFT:
            return
        reason = end.reason.encode()[:_MAX_REASON].decode(errors="ignore")
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": int(end.code), "reason": reason})
        except TimeoutError:
            # Who reads nothing hears nothing; the server below cuts the connection when the application returns.
            return

    def _listen(self) -> "asyncio.Task[Message]":
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._receive())
        return self._listening

    def _read(self, message: Message) -> bytes:
        if message["type"] == "websocket.disconnect":
            raise Closing(Code.LEFT, "")
        text: str | None = message.get("text")
        if text is None:
            raise Closing(Code.BINARY, "messages are JSON in text frames, and this frame is binary")
        data = text.encode()
        if len(data) > self._most_bytes:
            raise Closing(Code.TOO_LARGE, f"a message may have {self._most_bytes} bytes")
        return data


def _is_end(listening: "asyncio.Task[Message]") -> bool:
    return listening.done() and not listening.cancelled() and listening.result()["type"] == "websocket.disconnect"
