"""The audit service over gRPC: its description and its client."""

from collections.abc import AsyncIterator

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
from steward.services.audit.api import AuditApi, Checkpoint, Entry, EntryFilter, Verification
from steward_proto.v1 import audit_pb2

AUDIT = RpcService(
    "audit",
    audit_pb2.DESCRIPTOR.services_by_name["AuditService"],
    AuditApi,
    {
        "ListEntries": AuditApi.list_entries,
        "GetEntry": AuditApi.get_entry,
        "ExportEntries": AuditApi.export_entries,
        "ListCheckpoints": AuditApi.list_checkpoints,
        "VerifyChain": AuditApi.verify_chain,
    },
)


class AuditClient(AuditApi):
    """The audit service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def list_entries(
        self,
        ctx: Ctx,
        *,
        where: EntryFilter = EntryFilter(),
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Entry]:
        return await self._rpc.call(ctx, "ListEntries", where=where, limit=limit, cursor=cursor)

    async def get_entry(self, ctx: Ctx, *, seq: int) -> Entry:
        return await self._rpc.call(ctx, "GetEntry", seq=seq)

    def export_entries(self, ctx: Ctx, *, where: EntryFilter = EntryFilter()) -> AsyncIterator[Entry]:
        return self._rpc.stream(ctx, "ExportEntries", where=where)

    async def list_checkpoints(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Checkpoint]:
        return await self._rpc.call(ctx, "ListCheckpoints", limit=limit, cursor=cursor)

    async def verify_chain(self, ctx: Ctx) -> Verification:
        return await self._rpc.call(ctx, "VerifyChain")
