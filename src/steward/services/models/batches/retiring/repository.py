"""The SQL of what is old."""

from datetime import datetime
from typing import Final
from uuid import UUID

from steward.kit.db import Tx
from steward.kit.ids import TenantId

_OF_BATCH: Final = ("batch_line", "batch_submission", "batch_count", "file", "batch")


class OldSystemRepository:
    """Looks across tenants, in a system transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def batches(self, before: datetime, limit: int) -> list[tuple[TenantId, UUID]]:
        """Batches that ended before, oldest first."""
        rows = await self._tx.fetch(
            "SELECT tenant_id, batch_id FROM models.batch WHERE ended_at < $1 ORDER BY ended_at LIMIT $2",
            before,
            limit,
        )
        return [(TenantId(row["tenant_id"]), row["batch_id"]) for row in rows]

    async def files(
        self, before: datetime, limit: int, after: datetime | None
    ) -> list[tuple[TenantId, UUID, datetime]]:
        """Uploaded files that were made before, oldest first."""
        rows = await self._tx.fetch(
            "SELECT tenant_id, file_id, created_at FROM models.file WHERE created_at < $1 AND batch_id IS NULL"
            " AND ($3::timestamptz IS NULL OR created_at > $3) ORDER BY created_at LIMIT $2",
            before,
            limit,
            after,
        )
        return [(TenantId(row["tenant_id"]), row["file_id"], row["created_at"]) for row in rows]


class OldRepository:
    """Deletes rows of the transaction's tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def delete_batch(self, batch: UUID) -> None:
        """With its lines, its results, and the files that show them."""
        for table in _OF_BATCH:
            await self._tx.execute(
                f"DELETE FROM models.{table} WHERE tenant_id = $1 AND batch_id = $2", self._tenant, batch
            )
