"""One connection to a provider: a request is written as one piece, and its answer waited for, one after the other."""

import asyncio
import select
from collections.abc import Callable
from typing import cast

from steward.services.models.upstream.http1.answer import AnswerReader
from steward.services.models.upstream.http1.head import BadAnswer, Head

_HUNG_UP = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_MOST_HELD_BYTES = 256 * 1024
"""Of a stream that its reader has not taken: more is left in the network."""
_MOST_COPIED_BYTES = 64 * 1024
_OK = 200
_CLOSED = "the connection ended before the answer did"


class Connection(asyncio.Protocol):
    """Used by one call at a time; `lost` is called when it is gone.

    What fails, comes out of `take`, behind all that came before it: `OSError` for a connection that broke, `BadAnswer`
    for what is not HTTP, and what was given to `fail`.
    """

    __slots__ = (
        *("_answered", "_descriptor", "_failure", "_gone", "_lost", "_paused", "_poll", "_reader", "_taken"),
        *("_transport", "_used", "_waiter", "_whole", "idle_since"),
    )

    def __init__(self, lost: "Callable[[Connection], None]") -> None:
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._gone = False
        self._paused = False
        self._used = False
        self._answered = False
        self._whole = 0
        self._taken = 0
        self._descriptor = -1
        self.idle_since = 0.0

    # What a call does.

    @property
    def stale(self) -> bool:
        """Whether the provider has hung up, even if the loop has not told it yet, or sends what nobody asked for.

        A request that was written may have been worked on, and so have cost money, even if the connection then breaks
        without an answer; one that was not written may safely be sent over another connection.
        """
        transport = self._transport
        return self._gone or transport is None or transport.is_closing() or bool(self._poll.poll(0))

    def ask(self, head: bytes, body: bytes, *, whole: int = 0) -> None:
        """Write a request. With `whole`, `answered` waits for a good answer's end, or until it has more bytes."""
        transport = self._transport
        if transport is None:
            raise ConnectionResetError(_CLOSED)
        self._reader = AnswerReader()
        self._whole = whole
        self._taken = 0
        self._answered = False
        if len(body) > _MOST_COPIED_BYTES:
            transport.writelines((head, body))
        else:
            transport.write(head + body)

    async def answered(self) -> Head:
        """The answer's head. Raises what failed."""
        reader = self._reader
        if reader is None:
            raise ConnectionResetError(_CLOSED)
        while not self._tells(reader) or reader.head is None:
            if self._failure is not None:
                raise self._failure
            await self.more()
        self._answered = True
        return reader.head

    def more(self) -> asyncio.Future[None]:
        """To be awaited when `take` gave nothing: done with the next bytes that count, the end, or a failure."""
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        return waiter

    def take(self) -> bytes:
        """What came of the body and was not taken; nothing where nothing came, or at the end. Raises what failed."""
        reader = self._reader
        piece = reader.take() if reader is not None else b""
        if piece and reader is not None:
            self._taken = reader.size
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
        elif self._failure is not None:
            raise self._failure
        return piece

    @property
    def received(self) -> int:
        """Bytes of the body that came."""
        return 0 if self._reader is None else self._reader.size

    @property
    def done(self) -> bool:
        """Whether the answer came to its end."""
        return self._reader is not None and self._reader.done

    def fail(self, error: Exception) -> None:
        """Let the call that waits fail; the connection is of no more use."""
        if self._failure is None:
            self._failure = error
        self._wake()

    def finish(self) -> bool:
        """The call is over. Whether the connection may be used again; if not, it is closed at once."""
        reader = self._reader
        self._reader = self._waiter = None
        if reader is not None and reader.keep and self._is_at_rest():
            if not self._used:
                # From now on nothing may come unasked; before, it may be what TLS has to say after its handshake.
                self._used = True
                self._poll.modify(self._descriptor, _HUNG_UP | select.POLLIN)
            return True
        self.close()
        return False

    def close(self) -> None:
        """At once: what is not written yet is not written any more."""
        self._gone = True
        if self._transport is not None:
            self._transport.abort()

    # What the loop does.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._poll.register(self._descriptor, _HUNG_UP)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        reader = self._reader
        if reader is None:
            self.close()
            return
        try:
            reader.feed(data)
        except BadAnswer as error:
            self.fail(error)
            self.close()
            return
        if self._waiter is not None and self._tells(reader):
            self._wake()
        if reader.size - self._taken > _MOST_HELD_BYTES and not self._paused and not self._gathers(reader):
            self._paused = True
            if self._transport is not None:
                self._transport.pause_reading()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`; the transport closes itself."""
        self._gone = True

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._gone = True
        self._transport = None
        reader = self._reader
        if reader is not None and not reader.end():
            self.fail(exc if isinstance(exc, OSError) else ConnectionResetError(_CLOSED))
        self._wake()
        self._lost(self)

    def _is_at_rest(self) -> bool:
        """Whether nothing is under way; a request may be answered before all of it is written."""
        transport = self._transport
        if transport is None or self._gone or self._paused or self._failure is not None:
            return False
        return not transport.get_write_buffer_size()

    def _gathers(self, reader: AnswerReader) -> bool:
        """Whether an answer comes of which nothing is wanted before its end."""
        return bool(self._whole) and (reader.head is None or reader.head.status == _OK)

    def _tells(self, reader: AnswerReader) -> bool:
        """Whether who waits has to know."""
        if reader.head is None:
            return False
        if self._gathers(reader):
            return reader.done or reader.size > self._whole
        return not self._answered or reader.done or bool(reader.pieces)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
