"""Lines of a batch as calls: each is a request of a surface, and is answered as the surface would answer it."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, Kind
from steward.kit.ids import Ids
from steward.services.models.api import CallOptions, ModelsApi
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsServer
from steward.services.models.wire.openai.server import OpenAiServer
from steward.services.models.wire.ports import ServerCodec
from steward.services.models.wire.responses.server import ResponsesServer

_OPTIONS: Final = CallOptions(low_priority=True)
_OK: Final = 200
_BAD: Final = 400


class _Tells(Protocol):
    def error(self, error: AppError, request_id: str) -> bytes: ...


class LineCalls:
    """Makes a batch's requests, at low priority."""

    def __init__(self, models: Callable[[], ModelsApi], clock: Clock, ids: Ids) -> None:
        self._models = models
        self._codecs: Mapping[str, ServerCodec] = {
            "/v1/chat/completions": OpenAiServer(clock, ids),
            "/v1/responses": ResponsesServer(clock=clock, ids=ids),
        }
        self._embeddings = OpenAiEmbeddingsServer()

    async def run(self, ctx: Ctx, endpoint: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to one line; a failed request is told as the surface tells it."""
        codec = self._codecs.get(endpoint)
        teller: _Tells = self._embeddings if codec is None else codec
        try:
            return _OK, await (self._embedded(ctx, body) if codec is None else self._called(ctx, codec, body))
        except AppError as error:
            status = _BAD if error.kind is Kind.UNPROCESSABLE else error.status
            return status, teller.error(error, ctx.request_id)

    async def _called(self, ctx: Ctx, codec: ServerCodec, body: bytes) -> bytes:
        asked = codec.decode(body)
        reply = await self._models().complete(ctx, request=asked.request, options=_OPTIONS)
        return codec.encode(reply, asked)

    async def _embedded(self, ctx: Ctx, body: bytes) -> bytes:
        asked = self._embeddings.decode(body)
        return self._embeddings.encode(await self._models().embed(ctx, request=asked, options=_OPTIONS), asked)
