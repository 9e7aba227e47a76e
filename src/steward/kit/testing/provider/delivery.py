"""How a reply's bytes go out: when, in which pieces, and where they end."""

from collections.abc import Iterable

from steward.kit.testing.provider.connection import Connection, Gone, head_lines
from steward.kit.testing.provider.replies import Ending, Reply
from steward.kit.testing.provider.speech import Event

_LAST_CHUNK = b"0\r\n\r\n"


class Delivery:
    """Sends one reply; `pieces` is how much of it was said, `finished` whether all of it went out."""

    def __init__(self, connection: Connection, reply: Reply) -> None:
        self.connection = connection
        self._reply = reply
        self._sent = 0
        self.pieces = 0
        self.finished = False

    async def whole(self, body: bytes, content_type: str) -> None:
        """A body with its length. Raises `Gone`."""
        await self._head({"content-type": content_type, "content-length": str(len(body))})
        await self._first()
        if not await self._send(body, chunked=False):
            self.finished = True
            await self._close_after()

    async def stream(self, events: Iterable[Event]) -> None:
        """A body in chunks, an event each. Raises `Gone`."""
        await self._head({"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"})
        await self._first()
        for place, event in enumerate(events):
            if place and self._reply.between:
                await self.connection.wait_gone(self._reply.between)
            self.pieces = event.pieces
            if await self._send(event.data, chunked=True):
                return
        await self.connection.send(_LAST_CHUNK)
        self.finished = True
        await self._close_after()

    async def _head(self, headers: dict[str, str]) -> None:
        reply = self._reply
        if reply.before_head:
            await self.connection.wait_gone(reply.before_head)
        if reply.drop:
            self.connection.end(reply.ending)
            raise Gone
        if reply.head is not None:
            await self.connection.send(reply.head)
            return
        if reply.content_type:
            headers["content-type"] = reply.content_type
        lines = head_lines(reply.status, {**headers, **reply.headers})
        if not reply.between_head_lines:
            lines = [b"".join(lines)]
        for line in lines:
            await self.connection.send(line)
            if reply.between_head_lines:
                await self.connection.wait_gone(reply.between_head_lines)

    async def _first(self) -> None:
        if self._reply.before_first:
            await self.connection.wait_gone(self._reply.before_first)

    async def _send(self, data: bytes, *, chunked: bool) -> bool:
        """Send some of the body; whether the reply's cut ended it."""
        cut = self._reply.cut_at
        ends = cut is not None and self._sent + len(data) >= cut
        if cut is not None and ends:
            data = data[: cut - self._sent]
        size = self._reply.chunk or len(data) or 1
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            await self.connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        self._sent += len(data)
        if ends:
            await self._cut(chunked=chunked)
        return ends

    async def _cut(self, *, chunked: bool) -> None:
        match self._reply.ending:
            case Ending.HANG:
                await self.connection.wait_gone(None)
            case Ending.END if chunked:
                await self.connection.send(_LAST_CHUNK)
            case how:
                self.connection.end(how)

    async def _close_after(self) -> None:
        if self._reply.closes:
            self.connection.end(Ending.CLOSE)
