"""SQL over all tables of the models service; that of each use case is in its folder."""

from collections.abc import Sequence
from typing import Final

from steward.kit.db import Tx
from steward.kit.ids import TenantId


class ErasingRepository:
    """Deletes the rows of one tenant, in transactions of that tenant."""

    tables: Final[Sequence[str]] = (
        # What is worked on first, so that no line is made behind the others.
        "batch_work",
        "batch_submission",
        "batch_line",
        "batch_count",
        "batch",
        "file_piece",
        "file",
        "connection",
        "alias",
        "allowed",
        "reply",
    )

    async def delete_some(self, tx: Tx, tenant: TenantId, table: str, limit: int) -> int:
        """Delete up to so many rows of a table; how many there were."""
        return await tx.execute(
            f"DELETE FROM models.{table} WHERE tenant_id = $1 AND ctid = ANY(ARRAY("
            f" SELECT ctid FROM models.{table} WHERE tenant_id = $1 LIMIT $2))",
            tenant,
            limit,
        )
