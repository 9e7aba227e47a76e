"""How the rooms of the models service meet: what a call goes by, who makes it, who reaches the provider."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.services.models.api import AliasInput, CallOptions, Candidate, Speaks, TimeOuts
from steward.services.models.messages import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest, StreamEvent


class Key:
    """A provider's key that no log, error or repr shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """For the one request that carries it."""
        return self._text

    def __repr__(self) -> str:
        return "Key(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A connection, ready to be used."""

    name: str
    owner: TenantId | None
    """None for the installation's: one breaker and one set of limits for all tenants that use it."""
    revision: UUID
    """New with each change: breakers, limits and sockets of an older one are dropped when their calls have ended."""
    speaks: Speaks
    base_url: str
    key: Key | None
    key_header: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    prices: str
    """The provider's name in the price list."""
    library: str
    max_concurrency: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    queue_seconds: float
    time_outs: TimeOuts
    can_continue: bool
    batches: bool


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate of a call with its endpoint."""

    endpoint: Endpoint
    candidate: Candidate


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """What a model's name stands for, for this tenant."""

    alias: str
    settings: AliasInput
    targets: Sequence[Target]
    """All of the alias, or of its chosen size; in the alias's order, weights not yet applied."""
    own: bool
    revision: str
    """Changes with the alias and with any of its connections; part of every cache key."""


class Directory(Protocol):
    """Room `registry`: what names stand for."""

    async def resolve(self, ctx: Ctx, model: str, options: CallOptions) -> Resolved:
        """From memory as a rule. Raises `ModelNotFound`, `ModelNotAllowed`."""
        ...


class Upstream(Protocol):
    """Room `upstream`: speaks to a provider once. All of it raises `ProviderFailure` and nothing else.

    Time-outs of the endpoint hold; `seconds` is what is left of the whole call. Cancelling ends the provider's work.
    """

    async def complete(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> ModelReply: ...

    def stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        """`aclose` ends the provider's work at once."""
        ...

    async def embed(
        self, endpoint: Endpoint, request: EmbeddingRequest, *, model: str, seconds: float
    ) -> EmbeddingReply: ...

    async def close(self) -> None: ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call to a model, resolved."""

    ctx: Ctx
    request: ModelRequest
    options: CallOptions
    resolved: Resolved


class Calls(Protocol):
    """Makes calls. Room `calls` makes them for good: attempts, reservations, settlement; room `sharing` stands before
    it with the same face and answers from caches and from equal calls in flight.
    """

    async def complete(self, call: Call) -> ModelReply: ...

    def stream(self, call: Call) -> AsyncGenerator[StreamEvent]:
        """What fails before the first event is raised; what fails later is `Failed`. `aclose` cancels and settles."""
        ...
