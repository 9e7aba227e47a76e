"""Streamed answers that a reservation cut short: continued in the same stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from steward.services.models.calls.attempts import Attempts
from steward.services.models.calls.continuing import MOST_PARTS, NOT_CONTINUED, Continuing, may_continue, settled, used
from steward.services.models.calls.joining import Joined
from steward.services.models.calls.streams import Opened, StreamShot, failed_event
from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import ModelRequest, StreamEvent
from steward.services.models.ports import Upstream


class ContinuingStreams:
    """Reads a stream and its continuations."""

    def __init__(self, attempts: Attempts, upstream: Upstream, continuing: Continuing) -> None:
        self._attempts = attempts
        self._upstream = upstream
        self._continuing = continuing

    async def read(self, opened: Opened, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        """All of the answer, from its first event."""
        joined = Joined()
        current: Opened | None = opened
        parts = 0
        while current is not None:
            reading, parts = current, parts + 1
            try:
                async with aclosing(reading.events()) as events:
                    async for event in events:
                        for shown in joined.shown(event):
                            yield shown
            except ProviderFailure as failure:
                if parts == 1:
                    yield failed_event(reading, failure)
                    return
                joined.abandon()
                break
            current = await self._next(joined, reading, request) if parts < MOST_PARTS else None
            if current is not None:
                joined.goes_on()
        for shown in joined.ending():
            yield shown

    async def _next(self, joined: Joined, before: Opened, request: ModelRequest) -> Opened | None:
        """The continuation, opened; None where there can be none."""
        attempt = before.attempt
        wanted = attempt.wanted - used(attempt, before.tally.usage)
        if wanted <= 0 or not joined.cut or not may_continue(attempt, request):
            return None
        await settled(attempt)
        demand = self._continuing.demand(request, joined.text, wanted)
        try:
            return await StreamShot(self._attempts, self._upstream, demand)(attempt.state, attempt.target)
        except NOT_CONTINUED:
            return None
