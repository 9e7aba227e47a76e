"""The `Upstream` of a process: to each endpoint by what it speaks."""

from collections.abc import AsyncGenerator, Callable, Iterable

from steward.kit.http.addresses import AddressPolicy, Resolver
from steward.services.models.api import Speaks
from steward.services.models.messages import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest, StreamEvent
from steward.services.models.ports import Endpoint, Upstream
from steward.services.models.upstream.direct import DirectUpstream
from steward.services.models.upstream.pools import Pools
from steward.services.models.upstream.prepared import Preparations
from steward.services.models.upstream.pydantic_ai.upstream import PydanticAiUpstream
from steward.services.models.upstream.sessions import Sessions


class ProviderUpstream:
    """Calls providers. A connection of a tenant reaches public addresses by https, and the hosts that the
    installation allows by name; one of the installation reaches anything.

    `guard` is called before each call; it raises while a transaction is open.
    """

    def __init__(self, resolver: Resolver, allowed_hosts: Iterable[str], guard: Callable[[], None]) -> None:
        policy = AddressPolicy(frozenset(allowed_hosts))
        self._pools = Pools(resolver, policy)
        self._sessions = Sessions(resolver, policy)
        self._direct = DirectUpstream(self._pools, Preparations(policy), guard)
        self._library = PydanticAiUpstream(self._sessions, guard)

    async def complete(self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float) -> ModelReply:
        """See `Upstream`."""
        return await self._of(endpoint).complete(endpoint, request, model=model, seconds=seconds)

    def stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        """See `Upstream`."""
        return self._of(endpoint).stream(endpoint, request, model=model, seconds=seconds)

    async def embed(
        self, endpoint: Endpoint, request: EmbeddingRequest, *, model: str, seconds: float
    ) -> EmbeddingReply:
        """See `Upstream`."""
        return await self._of(endpoint).embed(endpoint, request, model=model, seconds=seconds)

    async def close(self) -> None:
        """See `Upstream`."""
        await self._library.close()
        await self._sessions.close()
        await self._pools.close()

    def _of(self, endpoint: Endpoint) -> Upstream:
        return self._library if endpoint.speaks is Speaks.PYDANTIC_AI else self._direct
