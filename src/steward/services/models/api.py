"""The contract of the models service: the one door to every model, whoever provides it.

Every method may raise `Forbidden`. Calls may raise `ModelNotFound`, `ModelNotAllowed`, `CannotExpress` (the request
has what no candidate's dialect can say, named), `BudgetExhausted` and `PriceUnknown` of the costs service,
`ProviderRefused` (a provider's 4xx, with its words), `ProvidersBusy`, `ProvidersUnavailable`, `ProviderTimedOut` (none
could answer in time) and `ContextTooLong`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType, Protocol

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.services.models.catalog import (
    Alias,
    AliasInput,
    AliasName,
    BaseUrl,
    Candidate,
    Complexity,
    Connection,
    ConnectionInput,
    ConnectionName,
    ModelInfo,
    ModelName,
    Seconds,
    Secret,
    Size,
    Speaks,
    TaskType,
    TimeOuts,
)
from steward.services.models.messages import (
    Audio,
    CacheHint,
    Choice,
    Delta,
    Dialect,
    EmbeddingReply,
    EmbeddingRequest,
    Extra,
    Failed,
    File,
    Finished,
    Image,
    Message,
    ModelReply,
    ModelRequest,
    Opaque,
    OutputFormat,
    OutputKind,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Role,
    Started,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Usage,
    UsageReport,
)

__all__ = [
    "Alias",
    "AliasInput",
    "AliasName",
    "Audio",
    "BaseUrl",
    "Batch",
    "BatchId",
    "BatchState",
    "CacheHint",
    "CacheMode",
    "CallOptions",
    "Candidate",
    "Choice",
    "Complexity",
    "Connection",
    "ConnectionInput",
    "ConnectionName",
    "Delta",
    "Dialect",
    "EmbeddingReply",
    "EmbeddingRequest",
    "Extra",
    "Failed",
    "File",
    "FileId",
    "FileInfo",
    "Finished",
    "Image",
    "Message",
    "ModelInfo",
    "ModelName",
    "ModelReply",
    "ModelRequest",
    "ModelsApi",
    "Opaque",
    "OutputFormat",
    "OutputKind",
    "Part",
    "PartFinished",
    "PartStarted",
    "Reasoning",
    "Refusal",
    "Role",
    "Seconds",
    "Secret",
    "Size",
    "Speaks",
    "Started",
    "StopReason",
    "StreamEvent",
    "TagName",
    "TagValue",
    "TaskType",
    "Text",
    "Thinking",
    "TimeOuts",
    "TokenCount",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolMode",
    "ToolResult",
    "Usage",
    "UsageReport",
]

FileId = NewType("FileId", str)
BatchId = NewType("BatchId", str)

TagName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")]
TagValue = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CacheMode(StrEnum):
    ON = "on"
    """As the alias says."""
    EXACT = "exact"
    """Only equal requests."""
    OFF = "off"


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a call is to be made, beside what it says."""

    cache: CacheMode = CacheMode.ON
    coalesce: bool = True
    """Whether it may share the answer of an equal call that is in flight."""
    hedge: bool = True
    task: TaskType | None = None
    complexity: Complexity | None = None
    agent: Annotated[str, Meta(max_length=200)] = ""
    runs: Annotated[Sequence[str], Meta(max_length=16)] = ()
    """The run and those above it."""
    tags: Annotated[Mapping[TagName, TagValue], Meta(max_length=20)] = {}
    audience: Annotated[str, Meta(max_length=200)] = ""
    """Names who may see what the prompt was built from, such as a digest of the documents' permissions: an answer is
    shared within one audience only."""
    low_priority: bool = False
    """Waits behind others for a connection's places; of batches."""


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens a request has for a model."""

    tokens: int
    exact: bool
    """Counted with the model's own vocabulary; otherwise an estimate."""
    error_percent: int
    """Of an estimate: 95 of 100 texts lie within it."""
    bound: int
    """It cannot have more."""


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    id: FileId
    name: str
    bytes: int
    purpose: str
    created_at: datetime


class BatchState(StrEnum):
    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that are worked off at low priority."""

    id: BatchId
    endpoint: str
    """`/v1/chat/completions`, `/v1/responses` or `/v1/embeddings`."""
    state: BatchState
    input_file: FileId
    output_file: FileId | None
    error_file: FileId | None
    total: int
    succeeded: int
    failed: int
    metadata: Mapping[str, str]
    errors: Sequence[str]
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class ModelsApi(Protocol):
    """Calls to models, and what they go by."""

    async def complete(self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None) -> ModelReply:
        """A whole answer; `model:call`."""
        ...

    def stream(
        self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None
    ) -> AsyncIterator[StreamEvent]:
        """An answer as it is made; `model:call`. What fails before the first event is raised; later it is `Failed`.

        Closing the iterator cancels the provider's work.
        """
        ...

    async def embed(self, ctx: Ctx, *, request: EmbeddingRequest, options: CallOptions | None = None) -> EmbeddingReply:
        """Vectors of texts; `model:call`."""
        ...

    async def count_tokens(self, ctx: Ctx, *, request: ModelRequest) -> TokenCount:
        """How many tokens a request has, without asking anybody; `model:call`."""
        ...

    async def list_models(self, ctx: Ctx) -> Sequence[ModelInfo]:
        """Every name that this caller may ask for; `model:call`."""
        ...

    async def put_connection(
        self, ctx: Ctx, *, name: ConnectionName, connection: ConnectionInput, installation: bool = False
    ) -> Connection:
        """Make or change a connection; `model:configure`. In use with the next call; calls in flight end as begun.

        With `installation` it is for all tenants, and needs `platform:tenants`. Raises `ConnectionRefused`.
        """
        ...

    async def list_connections(self, ctx: Ctx) -> Sequence[Connection]:
        """The tenant's connections and the installation's; `model:read`."""
        ...

    async def delete_connection(self, ctx: Ctx, *, name: ConnectionName, installation: bool = False) -> None:
        """Raises `ConnectionNotFound`, `ConnectionInUse` by an alias; `model:configure`, or as `put_connection`."""
        ...

    async def put_alias(self, ctx: Ctx, *, name: AliasName, alias: AliasInput, installation: bool = False) -> Alias:
        """Make or change an alias; `model:configure`, or with `installation`, for all tenants, `platform:tenants`.

        Raises `ConnectionNotFound`, `AliasNotFound` for its `embeddings`.
        """
        ...

    async def list_aliases(self, ctx: Ctx) -> Sequence[Alias]:
        """The tenant's aliases and the installation's; `model:read`."""
        ...

    async def delete_alias(self, ctx: Ctx, *, name: AliasName, installation: bool = False) -> None:
        """Raises `AliasNotFound`; `model:configure`, or as `put_alias`."""
        ...

    async def set_allowed(self, ctx: Ctx, *, models: Annotated[Sequence[str], Meta(max_length=200)] | None) -> None:
        """Hold the tenant to these names (`*` ends a prefix), or with None to all; `model:configure`."""
        ...

    async def get_allowed(self, ctx: Ctx) -> Sequence[str] | None:
        """The list of allowed names; None for all; `model:read`."""
        ...

    async def put_file(self, ctx: Ctx, *, name: str, purpose: str, content: bytes) -> FileInfo:
        """Keep the requests of a batch, at most 32 MiB; `model:call`. Raises `FileRefused`."""
        ...

    async def get_file(self, ctx: Ctx, *, file_id: FileId) -> FileInfo:
        """Raises `FileNotFound`."""
        ...

    async def list_files(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[FileInfo]:
        """The caller's files, newest first; `model:call`."""
        ...

    def read_file(self, ctx: Ctx, *, file_id: FileId) -> AsyncIterator[bytes]:
        """A file's content in pieces. Raises `FileNotFound`."""
        ...

    async def delete_file(self, ctx: Ctx, *, file_id: FileId) -> None:
        """Raises `FileNotFound`; `model:call`."""
        ...

    async def create_batch(
        self, ctx: Ctx, *, endpoint: str, input_file: FileId, metadata: Mapping[str, str] | None = None
    ) -> Batch:
        """Have a file's requests worked off within 24 hours; `model:call`."""
        ...

    async def get_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        """Raises `BatchNotFound`."""
        ...

    async def list_batches(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Batch]:
        """The caller's batches, newest first; `model:call`."""
        ...

    async def cancel_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        """Begin no more of its requests; what is done stays. Raises `BatchNotFound`."""
        ...
