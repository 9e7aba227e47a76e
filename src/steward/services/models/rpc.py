"""The models service over gRPC: its description and its client."""

from collections.abc import AsyncIterator, Mapping, Sequence

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
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
    ModelsApi,
    StreamEvent,
    TokenCount,
)
from steward_proto.v1 import models_pb2

MODELS = RpcService(
    "models",
    models_pb2.DESCRIPTOR.services_by_name["ModelsService"],
    ModelsApi,
    {
        "Complete": ModelsApi.complete,
        "Stream": ModelsApi.stream,
        "Embed": ModelsApi.embed,
        "CountTokens": ModelsApi.count_tokens,
        "ListModels": ModelsApi.list_models,
        "PutConnection": ModelsApi.put_connection,
        "ListConnections": ModelsApi.list_connections,
        "DeleteConnection": ModelsApi.delete_connection,
        "PutAlias": ModelsApi.put_alias,
        "ListAliases": ModelsApi.list_aliases,
        "DeleteAlias": ModelsApi.delete_alias,
        "SetAllowedModels": ModelsApi.set_allowed,
        "GetAllowedModels": ModelsApi.get_allowed,
        "PutFile": ModelsApi.put_file,
        "GetFile": ModelsApi.get_file,
        "ListFiles": ModelsApi.list_files,
        "ReadFile": ModelsApi.read_file,
        "DeleteFile": ModelsApi.delete_file,
        "CreateBatch": ModelsApi.create_batch,
        "GetBatch": ModelsApi.get_batch,
        "ListBatches": ModelsApi.list_batches,
        "CancelBatch": ModelsApi.cancel_batch,
    },
)


class ModelsClient(ModelsApi):
    """The models service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def complete(self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None) -> ModelReply:
        return await self._rpc.call(ctx, "Complete", request=request, options=options)

    def stream(
        self, ctx: Ctx, *, request: ModelRequest, options: CallOptions | None = None
    ) -> AsyncIterator[StreamEvent]:
        return self._rpc.stream(ctx, "Stream", request=request, options=options)

    async def embed(self, ctx: Ctx, *, request: EmbeddingRequest, options: CallOptions | None = None) -> EmbeddingReply:
        return await self._rpc.call(ctx, "Embed", request=request, options=options)

    async def count_tokens(self, ctx: Ctx, *, request: ModelRequest) -> TokenCount:
        return await self._rpc.call(ctx, "CountTokens", request=request)

    async def list_models(self, ctx: Ctx) -> Sequence[ModelInfo]:
        return await self._rpc.call(ctx, "ListModels")

    async def put_connection(
        self, ctx: Ctx, *, name: ConnectionName, connection: ConnectionInput, installation: bool = False
    ) -> Connection:
        return await self._rpc.call(ctx, "PutConnection", name=name, connection=connection, installation=installation)

    async def list_connections(self, ctx: Ctx) -> Sequence[Connection]:
        return await self._rpc.call(ctx, "ListConnections")

    async def delete_connection(self, ctx: Ctx, *, name: ConnectionName, installation: bool = False) -> None:
        await self._rpc.call(ctx, "DeleteConnection", name=name, installation=installation)

    async def put_alias(self, ctx: Ctx, *, name: AliasName, alias: AliasInput, installation: bool = False) -> Alias:
        return await self._rpc.call(ctx, "PutAlias", name=name, alias=alias, installation=installation)

    async def list_aliases(self, ctx: Ctx) -> Sequence[Alias]:
        return await self._rpc.call(ctx, "ListAliases")

    async def delete_alias(self, ctx: Ctx, *, name: AliasName, installation: bool = False) -> None:
        await self._rpc.call(ctx, "DeleteAlias", name=name, installation=installation)

    async def set_allowed(self, ctx: Ctx, *, models: Sequence[str] | None) -> None:
        await self._rpc.call(ctx, "SetAllowedModels", models=models)

    async def get_allowed(self, ctx: Ctx) -> Sequence[str] | None:
        return await self._rpc.call(ctx, "GetAllowedModels")

    async def put_file(self, ctx: Ctx, *, name: str, purpose: str, content: bytes) -> FileInfo:
        return await self._rpc.call(ctx, "PutFile", name=name, purpose=purpose, content=content)

    async def get_file(self, ctx: Ctx, *, file_id: FileId) -> FileInfo:
        return await self._rpc.call(ctx, "GetFile", file_id=file_id)

    async def list_files(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[FileInfo]:
        return await self._rpc.call(ctx, "ListFiles", limit=limit, cursor=cursor)

    def read_file(self, ctx: Ctx, *, file_id: FileId) -> AsyncIterator[bytes]:
        return self._rpc.stream(ctx, "ReadFile", file_id=file_id)

    async def delete_file(self, ctx: Ctx, *, file_id: FileId) -> None:
        await self._rpc.call(ctx, "DeleteFile", file_id=file_id)

    async def create_batch(
        self, ctx: Ctx, *, endpoint: str, input_file: FileId, metadata: Mapping[str, str] | None = None
    ) -> Batch:
        return await self._rpc.call(ctx, "CreateBatch", endpoint=endpoint, input_file=input_file, metadata=metadata)

    async def get_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._rpc.call(ctx, "GetBatch", batch_id=batch_id)

    async def list_batches(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Batch]:
        return await self._rpc.call(ctx, "ListBatches", limit=limit, cursor=cursor)

    async def cancel_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._rpc.call(ctx, "CancelBatch", batch_id=batch_id)
