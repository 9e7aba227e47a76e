"""Reading one streamed answer: bytes as they come, and what they say."""

from collections.abc import Sequence

from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import Started, StreamEvent
from steward.services.models.upstream.answers import MAX_ANSWER_BYTES, too_large
from steward.services.models.upstream.failing import broken
from steward.services.models.upstream.http1.connection import Connection
from steward.services.models.upstream.http1.head import BadAnswer
from steward.services.models.upstream.http1.pool import Pool
from steward.services.models.upstream.patience import Patience
from steward.services.models.wire.ports import StreamDecoder
from steward.services.models.wire.sse import EventParser

_DRAIN_SECONDS = 0.25
"""How long the body of a complete answer may take to end, so that its connection can be used again."""
_DONE = b"[DONE]"
_STOP = "message_stop"


class Reading:
    """Hands on what each piece of bytes says, without a task and, between pieces, without waiting."""

    def __init__(
        self, connection: Connection, pool: Pool, decoder: StreamDecoder, patience: Patience, name: str
    ) -> None:
        self._connection = connection
        self._pool = pool
        self._decoder = decoder
        self._patience = patience
        self._name = name
        self._parser = EventParser()
        self._size = 0
        self._complete = False
        """Whether the answer said that it is."""
        self._ended = False
        self._failure: ProviderFailure | None = None
        self._spoke = False

    async def more(self) -> Sequence[StreamEvent]:
        """The next events, at least one; none at the end. Raises `ProviderFailure` behind all that came before it."""
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return ()
        if self._complete:
            await self._drain()
            return ()
        connection = self._connection
        self._patience.begin_waiting()
        try:
            while True:
                piece = connection.take()
                if not piece and not connection.done:
                    await connection.more()
                    continue
                events = self._said(piece) if piece else self._end()
                if events or self._ended:
                    return events
                if self._failure is not None:
                    raise self._failure
        except (BadAnswer, OSError) as error:
            raise broken(self._name, error) from None
        finally:
            self._patience.end_waiting()

    def close(self) -> None:
        """Hang up, unless the answer was read to its end."""
        self._patience.stop()
        self._pool.give_back(self._connection)

    def _end(self) -> Sequence[StreamEvent]:
        self._ended = True
        return self._decoder.end()

    def _said(self, piece: bytes) -> list[StreamEvent]:
        self._size += len(piece)
        if self._size > MAX_ANSWER_BYTES:
            raise too_large(self._name)
        events: list[StreamEvent] = []
        try:
            for event in self._parser.feed(piece):
                events += self._decoder.feed(event)
                if event.data == _DONE or event.event == _STOP:
                    events += self._decoder.end()
                    self._complete, self._ended = True, self._connection.done
                    break
        except ProviderFailure as failure:
            self._failure = failure
        if not self._spoke and not all(isinstance(event, Started) for event in events):
            self._spoke = True
            self._patience.heard()
        return events

    async def _drain(self) -> None:
        self._ended = True
        self._patience.wait_no_longer_than(_DRAIN_SECONDS)
        connection = self._connection
        try:
            while not connection.done:
                if not connection.take():
                    await connection.more()
        except (BadAnswer, OSError, ProviderFailure):
            return
