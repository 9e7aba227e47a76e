"""An `Upstream` through the library's model classes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from steward.kit.errors import AppError
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    EmbeddingReply,
    EmbeddingRequest,
    ModelReply,
    ModelRequest,
    Started,
    StreamEvent,
)
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.failing import broken, without_key
from steward.services.models.upstream.failing import inexpressible as failed_expression
from steward.services.models.upstream.pydantic_ai.answering import Answering
from steward.services.models.upstream.pydantic_ai.asking import Asking
from steward.services.models.upstream.pydantic_ai.clients import Clients
from steward.services.models.upstream.pydantic_ai.failing import Failing
from steward.services.models.upstream.pydantic_ai.library import Library, inexpressible
from steward.services.models.upstream.pydantic_ai.settings import parameters_of, settings_of
from steward.services.models.upstream.sessions import Sessions

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
    from pydantic_ai.settings import ModelSettings

T = TypeVar("T")


class _Parts(NamedTuple):
    """What is made when the library is there."""

    library: Library
    clients: Clients
    answering: Answering
    failing: Failing


class _Prepared(NamedTuple):
    parts: _Parts
    model: "Model[object]"
    messages: "list[ModelMessage]"
    settings: "ModelSettings"
    parameters: "ModelRequestParameters"


class PydanticAiUpstream:
    """For endpoints whose `library` names a provider of pydantic-ai; one attempt a call, as everywhere."""

    def __init__(self, sessions: Sessions, guard: Callable[[], None]) -> None:
        self._sessions = sessions
        self._guard = guard
        self._parts: _Parts | None = None

    async def complete(self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float) -> ModelReply:
        """See `Upstream`."""
        self._guard()
        left = min(endpoint.time_outs.total, seconds)
        try:
            prepared = await self._prepared(endpoint, request, model)
            async with asyncio.timeout(left):
                response = await prepared.model.request(prepared.messages, prepared.settings, prepared.parameters)
            return prepared.parts.answering.reply(response, endpoint.name)
        except TimeoutError:
            message = f"{endpoint.name} did not send a whole answer within {left:g} s"
            raise ProviderFailure(FailureKind.TIMED_OUT, message) from None
        except ProviderFailure as failure:
            raise without_key(failure, endpoint) from failure.__cause__
        except Exception as error:  # noqa: BLE001 the library's classes raise what they like; all of it is a failure
            raise self._failure(error, endpoint) from None

    async def stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        """See `Upstream`."""
        self._guard()
        try:
            prepared = await self._prepared(endpoint, request, model)
            answering, waiting = prepared.parts.answering, Waiting(endpoint, seconds)
            opened = prepared.model.request_stream(prepared.messages, prepared.settings, prepared.parameters)
            async with AsyncExitStack() as stack:
                response = await waiting.of(stack.enter_async_context(opened))
                theirs, started = aiter(response), False
                while (event := await waiting.of(anext(theirs, None))) is not None:
                    if not started:
                        started = True
                        yield _started(response, endpoint)
                    for said in answering.events(event):
                        waiting.heard()
                        yield said
                for said in _ending(response, prepared, endpoint, started=started):
                    yield said
        except ProviderFailure as failure:
            raise without_key(failure, endpoint) from failure.__cause__
        except Exception as error:  # noqa: BLE001 the library's classes raise what they like; all of it is a failure
            raise self._failure(error, endpoint) from None

    async def embed(
        self, endpoint: Endpoint, request: EmbeddingRequest, *, model: str, seconds: float
    ) -> EmbeddingReply:
        """Not through this library: raises `ProviderFailure`."""
        del endpoint, request, model, seconds
        raise failed_expression(inexpressible("input"))

    async def close(self) -> None:
        """See `Upstream`; the sessions are closed by who made them."""
        self._parts = None

    async def _prepared(self, endpoint: Endpoint, request: ModelRequest, name: str) -> _Prepared:
        parts = await self._loaded()
        # In a thread, for the first time imports the provider's package.
        make = parts.clients.model
        known = parts.clients.knows(endpoint)
        model = make(endpoint, name) if known else await asyncio.to_thread(make, endpoint, name)
        try:
            return _Prepared(
                parts=parts,
                model=model,
                messages=Asking(parts.library, model.system).messages(request.messages),
                settings=settings_of(model, request),
                parameters=parameters_of(parts.library, request),
            )
        except AppError as error:
            raise failed_expression(error) from error

    async def _loaded(self) -> _Parts:
        if self._parts is None:
            library = await asyncio.to_thread(Library)
            self._parts = _Parts(library, Clients(library, self._sessions), Answering(library), Failing(library))
        return self._parts

    def _failure(self, error: Exception, endpoint: Endpoint) -> ProviderFailure:
        if self._parts is None:
            return broken(endpoint.name, error)
        return without_key(self._parts.failing.failure(error, endpoint.name), endpoint)


class Waiting:
    """The time-outs of one stream, step by step."""

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._times = endpoint.time_outs
        self._name = endpoint.name
        self._total = min(self._times.total, seconds)
        began = self._loop.time()
        self._ends = began + self._total
        self._until = began + self._times.first_token
        self._missed = f"a first token within {self._times.first_token:g} s"

    def heard(self) -> None:
        """Something was said."""
        self._missed = f"another token within {self._times.between_tokens:g} s"
        self._until = self._loop.time() + self._times.between_tokens

    async def of(self, step: Awaitable[T]) -> T:
        """The step's outcome. Raises `ProviderFailure` when it takes too long."""
        try:
            async with asyncio.timeout_at(min(self._until, self._ends)):
                return await step
        except TimeoutError:
            missed = self._missed if self._until < self._ends else f"a whole answer within {self._total:g} s"
            raise ProviderFailure(FailureKind.TIMED_OUT, f"{self._name} did not send {missed}") from None


def _started(response: "StreamedResponse", endpoint: Endpoint) -> Started:
    return Started(
        id=response.provider_response_id or "",
        model=response.model_name,
        created=int(response.timestamp.timestamp()),
        provider=endpoint.name,
    )


def _ending(
    response: "StreamedResponse", prepared: _Prepared, endpoint: Endpoint, *, started: bool
) -> Iterator[StreamEvent]:
    whole = response.get()
    if whole.finish_reason is None:
        message = f"the answer of {endpoint.name} ended without saying that it is complete"
        raise ProviderFailure(FailureKind.CUT, message)
    if not started:
        yield _started(response, endpoint)
    yield from prepared.parts.answering.ending(whole)
