"""A line of a batch as a request of a provider's batch, and its result as the line's answer."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
from yarl import URL

from steward.kit.clock import Clock
from steward.kit.errors import AppError
from steward.kit.ids import Ids
from steward.services.models.api import Speaks
from steward.services.models.batches.requests import EMBEDDINGS
from steward.services.models.calls.demands import ChatDemand, Demand, EmbeddingDemand
from steward.services.models.counting.bounds import bound
from steward.services.models.errors import CannotExpress
from steward.services.models.messages import EmbeddingRequest, Usage
from steward.services.models.ports import Endpoint, Target
from steward.services.models.wire.anthropic.client import AnthropicClient
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsClient, OpenAiEmbeddingsServer
from steward.services.models.wire.openai.server import OpenAiServer
from steward.services.models.wire.ports import Asked, ClientCodec, ServerCodec
from steward.services.models.wire.responses.server import ResponsesServer

_STRICT_HOSTS: Final = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_OPENAI_HOST: Final = "api.openai.com"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a line is answered, and what it used."""

    body: bytes
    usage: Usage
    provider_id: str


class Question(Protocol):
    """One line, read."""

    @property
    def model(self) -> str:
        """The name that it asks for."""
        ...

    @property
    def demand(self) -> Demand:
        """What it may use."""
        ...

    def encode(self, target: Target, granted: int) -> bytes:
        """For the provider, with no more output tokens than granted. Raises `CannotExpress` and its like."""
        ...

    def answer(self, endpoint: Endpoint, body: bytes) -> Answer:
        """From the provider's. Raises `ProviderFailure` for what cannot be read."""
        ...

    def error(self, error: AppError, request_id: str) -> bytes:
        """A failure, as the line's surface tells it."""
        ...


class _Clients:
    """The dialects, as they are spoken to providers."""

    def __init__(self) -> None:
        self._openai = OpenAiClient(newer=False)
        self._newer = OpenAiClient(newer=True)
        self._anthropic = AnthropicClient()
        self.embeddings = OpenAiEmbeddingsClient()

    def of(self, endpoint: Endpoint) -> ClientCodec:
        if endpoint.speaks is Speaks.ANTHROPIC:
            return self._anthropic
        host = URL(endpoint.base_url).host or ""
        return self._newer if host == _OPENAI_HOST or host.endswith(_STRICT_HOSTS) else self._openai


class Questions:
    """Reads lines."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._codecs: Mapping[str, ServerCodec] = {
            "/v1/chat/completions": OpenAiServer(clock, ids),
            "/v1/responses": ResponsesServer(clock=clock, ids=ids),
        }
        self._embeddings = OpenAiEmbeddingsServer()
        self._clients = _Clients()

    def read(self, endpoint: str, body: bytes) -> Question:
        """Raises what the surface raises for a request that cannot be."""
        if endpoint == EMBEDDINGS:
            return _Embedding(self._clients.embeddings, self._embeddings, self._embeddings.decode(body))
        codec = self._codecs[endpoint]
        return _Chat(self._clients, codec, codec.decode(body))


class _Chat:
    """Implements `Question`."""

    def __init__(self, clients: _Clients, codec: ServerCodec, asked: Asked) -> None:
        self._clients = clients
        self._codec = codec
        self._asked = asked
        self.model = asked.request.model
        self.demand = ChatDemand(asked.request, bound)

    def encode(self, target: Target, granted: int) -> bytes:
        request = self.demand.limited(granted)
        return self._clients.of(target.endpoint).encode(request, model=target.candidate.model, stream=False)

    def answer(self, endpoint: Endpoint, body: bytes) -> Answer:
        reply = msgspec.structs.replace(self._clients.of(endpoint).decode(body), provider=endpoint.name)
        return Answer(body=self._codec.encode(reply, self._asked), usage=reply.usage, provider_id=reply.id)

    def error(self, error: AppError, request_id: str) -> bytes:
        return self._codec.error(error, request_id)


class _Embedding:
    """Implements `Question`."""

    def __init__(self, client: OpenAiEmbeddingsClient, codec: OpenAiEmbeddingsServer, asked: EmbeddingRequest) -> None:
        self._client = client
        self._codec = codec
        self._asked = asked
        self.model = asked.model
        self.demand = EmbeddingDemand(asked)

    def encode(self, target: Target, granted: int) -> bytes:  # noqa: ARG002 a vector is no output
        if target.endpoint.speaks is not Speaks.OPENAI:
            raise CannotExpress("input", target.endpoint.speaks.value)
        return self._client.encode(self._asked, model=target.candidate.model)

    def answer(self, endpoint: Endpoint, body: bytes) -> Answer:
        reply = msgspec.structs.replace(self._client.decode(body), provider=endpoint.name)
        return Answer(body=self._codec.encode(reply, self._asked), usage=reply.usage, provider_id="")

    def error(self, error: AppError, request_id: str) -> bytes:
        return self._codec.error(error, request_id)
