"""Streamed answers: opened up to their first content, so that until then another provider can take over."""

from collections.abc import AsyncGenerator

import msgspec

from steward.services.models.calls.attempts import Attempt, Attempts
from steward.services.models.calls.breakers import Leave
from steward.services.models.calls.demands import ChatDemand
from steward.services.models.calls.shots import Unsaid, end_failed
from steward.services.models.calls.state import CallState
from steward.services.models.calls.tally import Tally, exact
from steward.services.models.calls.verdicts import cut_short
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Delta,
    Failed,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StreamEvent,
    Text,
    Usage,
    UsageReport,
)
from steward.services.models.ports import Target, Upstream


class Opened:
    """A stream whose first content is there. To be read to its end, or closed; `end` may be called again."""

    __slots__ = ("_ended", "attempt", "held", "source", "tally")

    def __init__(self, attempt: Attempt, source: AsyncGenerator[StreamEvent]) -> None:
        self.attempt = attempt
        self.source = source
        self.tally = Tally()
        self.held: list[StreamEvent] = []
        """What came up to the first content; not shown yet."""
        self._ended = False

    @property
    def usage(self) -> Usage | None:
        """The provider's count, as far as it came."""
        return self.tally.usage

    async def events(self) -> AsyncGenerator[StreamEvent]:
        """All of it. Raises `ProviderFailure`. Whatever ends it, it is settled and closed then."""
        note = self.tally.note
        try:
            for event in self.held:
                yield event
            async for event in self.source:
                note(event)
                yield event
            self.complete()
        except ProviderFailure as failure:
            self.failed(failure)
            raise
        except BaseException as error:
            await self.close(error)
            raise
        finally:
            await self.close()

    def complete(self) -> None:
        """The provider has said all. Raises `ProviderFailure` for a stream that says it without having finished."""
        if not self.tally.finished:
            raise ProviderFailure(FailureKind.CUT, "the stream ended before the answer did")
        if not self._ended:
            self._ended = True
            tally = self.tally
            usage = exact(tally.usage) if tally.usage is not None and tally.reported else self.attempt.bound(tally)
            self.attempt.succeeded(usage, exact=tally.reported, provider_id=tally.id, answered_by=tally.model)

    def failed(self, failure: ProviderFailure | CannotExpress) -> Unsaid | None:
        """The provider failed; or nothing was sent, for its dialect has no words for the request."""
        if self._ended:
            return None
        self._ended = True
        return end_failed(self.attempt, failure, self.tally)

    async def close(self, error: BaseException | None = None) -> None:
        """End the provider's work, where it goes on, and settle what came."""
        try:
            await self.source.aclose()
        finally:
            if not self._ended:
                self._close(error)

    def _close(self, error: BaseException | None) -> None:
        tally = self.tally
        if tally.finished >= self.attempt.demand.choices and tally.reported:
            self.complete()
            return
        self._ended = True
        if error is None:
            self.attempt.cancelled(tally)
        else:
            self.attempt.broke(error, tally)


class StreamShot:
    """Opens a stream."""

    def __init__(self, attempts: Attempts, upstream: Upstream, demand: ChatDemand) -> None:
        self._attempts = attempts
        self._upstream = upstream
        self._demand = demand

    async def __call__(self, state: CallState, target: Target, probe: Leave | None = None) -> Opened:
        attempt = await self._attempts.begin(state, self._demand, target, probe)
        seconds = attempt.seconds()
        request = self._demand.limited(attempt.granted)
        source = self._upstream.stream(target.endpoint, request, model=target.candidate.model, seconds=seconds)
        opened = Opened(attempt, source)
        try:
            await _to_first_content(opened, target.endpoint.name)
        except (ProviderFailure, CannotExpress) as failure:
            unsaid = opened.failed(failure)
            await opened.close()
            if unsaid is not None:
                raise unsaid from failure
            raise
        except BaseException as error:
            await opened.close(error)
            raise
        attempt.content_came()
        return opened


def failed_event(opened: Opened, failure: ProviderFailure) -> Failed:
    """What ends a stream of which something was shown."""
    state = opened.attempt.state
    error = cut_short(state.alias, opened.attempt.target.endpoint.name, failure, state.seconds - state.left())
    return Failed(code=error.code, message=error.message)


async def _to_first_content(opened: Opened, connection: str) -> None:
    note = opened.tally.note
    held = opened.held
    async for event in opened.source:
        note(event)
        named = not isinstance(event, Started) or event.provider
        held.append(event if named else msgspec.structs.replace(event, provider=connection))
        if not _is_silent(event):
            return
    opened.complete()


def _is_silent(event: StreamEvent) -> bool:
    """Whether an event shows nothing of the answer yet."""
    if isinstance(event, Delta):
        return not (event.text or event.arguments or event.signature or event.summary or event.raw)
    if isinstance(event, PartStarted):
        return isinstance(event.part, Text | Reasoning | Refusal) and not event.part.text
    return isinstance(event, Started | UsageReport)
