"""Implements the contract: permissions and look-up here, the work in the rooms."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Final, Protocol

import msgspec

from steward.kit.authz import Authz
from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.services.models.api import (
    Alias,
    AliasInput,
    AliasName,
    Batch,
    BatchId,
    CallOptions,
    Connection,
    ConnectionInput,
    ConnectionName,
    EmbeddingReply,
    EmbeddingRequest,
    FileId,
    FileInfo,
    ModelInfo,
    ModelReply,
    ModelRequest,
    StreamEvent,
    TokenCount,
)
from steward.services.models.batches.batches import BatchesUseCase
from steward.services.models.batches.files import FilesUseCase
from steward.services.models.calls import EmbeddingCall
from steward.services.models.ports import Call, Calls
from steward.services.models.registry.aliases import AliasesUseCase
from steward.services.models.registry.connections import ConnectionsUseCase
from steward.services.models.registry.directory import TenantDirectory
from steward.services.models.tokens import Tokens

CALL: Final = "model:call"
_RESOURCE: Final = "model"
_USUAL: Final = CallOptions()


class Embeddings(Protocol):
    """Makes calls for vectors."""

    async def embed(self, call: EmbeddingCall) -> EmbeddingReply: ...


class Rooms(msgspec.Struct, frozen=True, kw_only=True):
    """What does the work."""

    directory: TenantDirectory
    calls: Calls
    embeddings: Embeddings
    tokens: Tokens
    connections: ConnectionsUseCase
    aliases: AliasesUseCase
    files: FilesUseCase
    batches: BatchesUseCase


class ModelsService:
    """Implements `ModelsApi`."""

    def __init__(self, authz: Authz, rooms: Rooms) -> None:
        self._authz = authz
        self._directory = rooms.directory
        self._calls = rooms.calls
        self._embeddings = rooms.embeddings
        self._tokens = rooms.tokens
        self._connections = rooms.connections
        self._aliases = rooms.aliases
        self._files = rooms.files
        self._batches = rooms.batches

    async def complete(self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None) -> ModelReply:
        return await self._calls.complete(await self._call(ctx, request, options or _USUAL))

    async def stream(
        self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None
    ) -> AsyncGenerator[StreamEvent]:
        call = await self._call(ctx, request, options or _USUAL)
        async with aclosing(self._calls.stream(call)) as events:
            async for event in events:
                yield event

    async def embed(self, ctx: Ctx, *, request: EmbeddingRequest, options: CallOptions | None = None) -> EmbeddingReply:
        await self._authz.require(ctx, CALL, _RESOURCE)
        options = options or _USUAL
        resolved = await self._directory.resolve(ctx, request.model, options)
        return await self._embeddings.embed(EmbeddingCall(ctx=ctx, request=request, options=options, resolved=resolved))

    async def count_tokens(self, ctx: Ctx, *, request: ModelRequest) -> TokenCount:
        call = await self._call(ctx, request, _USUAL)
        return await self._tokens.count(request, call.resolved.targets[0].candidate.model)

    async def list_models(self, ctx: Ctx) -> Sequence[ModelInfo]:
        await self._authz.require(ctx, CALL, _RESOURCE)
        return await self._directory.listed(ctx)

    async def put_connection(
        self, ctx: Ctx, *, name: ConnectionName, connection: ConnectionInput, installation: bool = False
    ) -> Connection:
        return await self._connections.put(ctx, name=name, connection=connection, installation=installation)

    async def list_connections(self, ctx: Ctx) -> Sequence[Connection]:
        return await self._connections.list_all(ctx)

    async def delete_connection(self, ctx: Ctx, *, name: ConnectionName, installation: bool = False) -> None:
        await self._connections.delete(ctx, name=name, installation=installation)

    async def put_alias(self, ctx: Ctx, *, name: AliasName, alias: AliasInput, installation: bool = False) -> Alias:
        return await self._aliases.put(ctx, name=name, alias=alias, installation=installation)

    async def list_aliases(self, ctx: Ctx) -> Sequence[Alias]:
        return await self._aliases.list_all(ctx)

    async def delete_alias(self, ctx: Ctx, *, name: AliasName, installation: bool = False) -> None:
        await self._aliases.delete(ctx, name=name, installation=installation)

    async def set_allowed(self, ctx: Ctx, *, models: Sequence[str] | None) -> None:
        await self._aliases.set_allowed(ctx, models=models)

    async def get_allowed(self, ctx: Ctx) -> Sequence[str] | None:
        return await self._aliases.get_allowed(ctx)

    async def put_file(self, ctx: Ctx, *, name: str, purpose: str, content: bytes) -> FileInfo:
        return await self._files.put(ctx, name=name, purpose=purpose, content=content)

    async def get_file(self, ctx: Ctx, *, file_id: FileId) -> FileInfo:
        return await self._files.get(ctx, file=file_id)

    async def list_files(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[FileInfo]:
        return await self._files.list_all(ctx, limit=limit, cursor=cursor)

    def read_file(self, ctx: Ctx, *, file_id: FileId) -> AsyncIterator[bytes]:
        return self._files.read(ctx, file=file_id)

    async def delete_file(self, ctx: Ctx, *, file_id: FileId) -> None:
        await self._files.delete(ctx, file=file_id)

    async def create_batch(
        self, ctx: Ctx, *, endpoint: str, input_file: FileId, metadata: Mapping[str, str] | None = None
    ) -> Batch:
        return await self._batches.create(ctx, endpoint=endpoint, input_file=input_file, metadata=metadata)

    async def get_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._batches.get(ctx, batch=batch_id)

    async def list_batches(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Batch]:
        return await self._batches.list_all(ctx, limit=limit, cursor=cursor)

    async def cancel_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._batches.cancel(ctx, batch=batch_id)

    async def _call(self, ctx: Ctx, request: ModelRequest, options: CallOptions) -> Call:
        await self._authz.require(ctx, CALL, _RESOURCE)
        resolved = await self._directory.resolve(ctx, request.model, options)
        return Call(ctx=ctx, request=request, options=options, resolved=resolved)
