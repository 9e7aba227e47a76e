"""What calls go by: connections to providers, aliases and their candidates, sizes of models."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

ConnectionName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="A connection's name.", examples=["openai"])
]


AliasName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$", description="What callers ask for.", examples=["support"]),
]


ModelName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]+$", examples=["gpt-4.1-mini"])]


BaseUrl = Annotated[str, Meta(max_length=500, pattern=r"^https?://[^\s?#]+$", examples=["https://api.openai.com/v1"])]


Secret = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"^[!-~]+$", extra={"sensitive": True})]


Seconds = Annotated[float, Meta(gt=0, le=3600)]


class Speaks(StrEnum):
    """What a connection speaks."""

    OPENAI = "openai"
    """OpenAI Chat Completions and Embeddings, as most providers do."""
    ANTHROPIC = "anthropic"
    PYDANTIC_AI = "pydantic-ai"
    """Through a model class of pydantic-ai, where that extra is installed; `library` says which."""


class TimeOuts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first_token: Seconds = 30.0
    """From sending to the first byte of a streamed answer's content."""
    between_tokens: Seconds = 30.0
    total: Seconds = 600.0
    """Of one attempt; a whole answer that is not streamed has just this."""


class ConnectionInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach a provider."""

    speaks: Speaks
    base_url: BaseUrl | None = None
    """The provider's own when absent, where there is one."""
    key: Secret | None = None
    """Kept sealed and never shown again; absent keeps the one that is there."""
    prices: Annotated[str, Meta(max_length=60)] = ""
    """The provider's name in the price list; the connection's name when empty."""
    library: Annotated[str, Meta(max_length=60)] = ""
    """With `pydantic-ai`: its name of the provider, such as `google-gla`."""
    headers: Annotated[Mapping[str, str], Meta(max_length=20)] = {}
    """Sent with each request; none of them a secret."""
    query: Annotated[Mapping[str, str], Meta(max_length=10)] = {}
    """Sent with each request, such as Azure's `api-version`."""
    key_header: Annotated[str, Meta(max_length=60)] = ""
    """The field that carries the key, such as Azure's `api-key`; the dialect's own when empty."""
    max_concurrency: Annotated[int, Meta(ge=1, le=100_000)] = 256
    """Calls at a time of one process; more wait for at most `queue_seconds`."""
    requests_per_minute: Annotated[int, Meta(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Meta(ge=1)] | None = None
    queue_seconds: Annotated[float, Meta(ge=0, le=60)] = 5.0
    time_outs: TimeOuts = msgspec.field(default_factory=TimeOuts)
    can_continue: bool = False
    """Whether its models go on where the last message, an assistant's, ends."""
    batches: bool = False
    """Whether it has a batch endpoint of its dialect."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as a tenant, or the whole installation, reaches it."""

    name: ConnectionName
    own: bool
    """The tenant's; otherwise the installation's, which the tenant may use and not see into."""
    speaks: Speaks
    base_url: str
    has_key: bool
    prices: str
    library: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    key_header: str
    max_concurrency: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    queue_seconds: float
    time_outs: TimeOuts
    can_continue: bool
    batches: bool
    updated_at: datetime


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class TaskType(StrEnum):
    FAQ = "faq"
    ORDER = "order"
    REFUND = "refund"
    TECHNICAL = "technical"
    HUMAN = "human"
    UNKNOWN = "unknown"


class Complexity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to answer an alias."""

    connection: ConnectionName
    model: ModelName
    weight: Annotated[int, Meta(ge=0, le=1000)] = 1
    """Share among the candidates of the same `order`; 0 takes it out."""
    order: Annotated[int, Meta(ge=0, le=20)] = 0
    """Lower ones are tried first; the others are the fallback."""
    size: Size | None = None
    """Of a routed alias: which size it is."""
    max_output_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 4096
    """Asked for where the caller names no limit, and the most that it may name."""
    context_tokens: Annotated[int, Meta(ge=1)] | None = None
    price_as: Annotated[str, Meta(max_length=200)] = ""
    """The model's name in the price list, where it differs (an Azure deployment)."""
    image_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000
    """Most tokens that an image counts for."""


class AliasInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    candidates: Annotated[Sequence[Candidate], Meta(min_length=1, max_length=50)]
    routed: bool = False
    """Whether the size follows from task type and complexity; each candidate then names its size."""
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    """Over all candidates."""
    deadline: Seconds = 600.0
    """Of the whole call, all attempts together."""
    hedge_after: Seconds | None = None
    """Ask the next candidate, too, when nothing came by then; the first to answer is heard, the other cancelled."""
    exact_cache_seconds: Annotated[int, Meta(ge=0, le=30 * 86400)] = 0
    """How long an equal request is answered from the cache; 0 never."""
    semantic_cache_seconds: Annotated[int, Meta(ge=0, le=30 * 86400)] = 0
    """The same for a request of equal meaning; needs `embeddings`."""
    embeddings: AliasName | None = None
    """The alias that embeds questions for the semantic cache."""


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    name: AliasName
    own: bool
    settings: AliasInput
    updated_at: datetime


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a call may ask for."""

    name: str
    owned_by: str
    """The connection, or `steward` for an alias."""
    created: int
    """Seconds since 1970."""
