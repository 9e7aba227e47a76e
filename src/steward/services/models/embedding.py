"""Vectors for the semantic cache, by the alias that an alias names for it."""

from collections.abc import Sequence

import msgspec

from steward.services.models.calls import EmbeddingCall, ProviderCalls
from steward.services.models.messages import EmbeddingRequest
from steward.services.models.ports import Call, Directory


class Embedder:
    """Embeds the questions of calls, on the account of who asks them."""

    def __init__(self, directory: Directory, calls: ProviderCalls) -> None:
        self._directory = directory
        self._calls = calls

    async def vector(self, call: Call, text: str) -> Sequence[float]:
        """The vector of a text. Raises what a call for vectors raises."""
        model = call.resolved.settings.embeddings or ""
        reply = await self._calls.embed(
            EmbeddingCall(
                ctx=call.ctx,
                request=EmbeddingRequest(model=model, texts=[text]),
                options=call.options,
                resolved=await self._directory.resolve(call.ctx, model, call.options),
            )
        )
        return msgspec.json.decode(reply.vectors[0], type=list[float])
