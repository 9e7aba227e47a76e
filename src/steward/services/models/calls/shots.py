"""What one attempt does, for each kind of call: ask once, and end the attempt as the provider answered."""

from collections.abc import Awaitable
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from steward.kit.errors import AppError
from steward.services.costs.api import CallUsage
from steward.services.models.calls.attempts import Attempt, Attempts
from steward.services.models.calls.breakers import Leave
from steward.services.models.calls.demands import ChatDemand, EmbeddingDemand
from steward.services.models.calls.state import CallState
from steward.services.models.calls.tally import Tally, exact, is_counted
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import EmbeddingReply, ModelReply, Usage
from steward.services.models.ports import Target, Upstream

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Shot(Protocol[A_co]):
    """Asks one target once.

    Raises what `plan.TROUBLE` names, after settling. Whoever gets an answer that nobody will use gives it to `discard`.
    """

    async def __call__(self, state: CallState, target: Target, probe: Leave | None = None) -> A_co: ...


class Whole(NamedTuple):
    """A whole answer, and the attempt that brought it."""

    reply: ModelReply
    attempt: Attempt


class Unsaid(Exception):
    """Nothing was sent, for the candidate's dialect has no words for the request: another dialect may have them."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error.message)
        self.error = error


def end_failed(attempt: Attempt, failure: ProviderFailure | CannotExpress, tally: Tally | None = None) -> Unsaid | None:
    """End an attempt that failed; what the dialect cannot say comes as the cause of a refusal, and is given back."""
    error = failure.__cause__ if isinstance(failure, ProviderFailure) else failure
    if isinstance(error, AppError):
        attempt.void()
        return Unsaid(error)
    if isinstance(failure, ProviderFailure):
        attempt.failed(failure, tally)
    return None


async def asked(attempt: Attempt, answer: Awaitable[A]) -> A:
    """Wait for a provider's answer; where none comes, the attempt is ended."""
    try:
        return await answer
    except (ProviderFailure, CannotExpress) as failure:
        unsaid = end_failed(attempt, failure)
        if unsaid is not None:
            raise unsaid from failure
        raise
    except BaseException as error:
        attempt.broke(error)
        raise


class WholeShot:
    """For an answer that comes at once."""

    def __init__(self, attempts: Attempts, upstream: Upstream, demand: ChatDemand) -> None:
        self._attempts = attempts
        self._upstream = upstream
        self._demand = demand

    async def __call__(self, state: CallState, target: Target, probe: Leave | None = None) -> Whole:
        attempt = await self._attempts.begin(state, self._demand, target, probe)
        seconds = attempt.seconds()
        request = self._demand.limited(attempt.granted)
        asking = self._upstream.complete(target.endpoint, request, model=target.candidate.model, seconds=seconds)
        reply = await asked(attempt, asking)
        succeed(attempt, reply.usage, reply.id, reply.model)
        if not reply.provider:
            reply = msgspec.structs.replace(reply, provider=target.endpoint.name)
        return Whole(reply, attempt)


class EmbeddingShot:
    """For vectors."""

    def __init__(self, attempts: Attempts, upstream: Upstream, demand: EmbeddingDemand) -> None:
        self._attempts = attempts
        self._upstream = upstream
        self._demand = demand

    async def __call__(self, state: CallState, target: Target, probe: Leave | None = None) -> EmbeddingReply:
        attempt = await self._attempts.begin(state, self._demand, target, probe)
        seconds = attempt.seconds()
        request = self._demand.request
        asking = self._upstream.embed(target.endpoint, request, model=target.candidate.model, seconds=seconds)
        reply = await asked(attempt, asking)
        succeed(attempt, reply.usage, "", reply.model)
        return reply if reply.provider else msgspec.structs.replace(reply, provider=target.endpoint.name)


def succeed(attempt: Attempt, usage: Usage, provider_id: str, model: str) -> None:
    """End an attempt whose whole answer came; a provider that counted nothing is charged by the bound."""
    if is_counted(usage):
        attempt.succeeded(exact(usage), exact=True, provider_id=provider_id, answered_by=model)
    else:
        bound = CallUsage(input_tokens=attempt.input_tokens, output_tokens=attempt.granted)
        attempt.succeeded(bound, exact=False, provider_id=provider_id, answered_by=model)
