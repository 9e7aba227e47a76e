"""SQL over all tables of the support service; that of each use case is in its folder."""

from collections.abc import Sequence
from typing import Final

from steward.kit.db import Tx
from steward.kit.ids import TenantId


class ErasingRepository:
    """Deletes the rows of one tenant, in transactions of that tenant."""

    # What is worked on first, so that no answer is written anew behind the messages.
    tables: Final[Sequence[str]] = (
        "pending",
        "session",
        "message",
        "ticket",
        "ticket_counter",
        "intent_model",
        "intent_set",
        "playbook",
        "shop",
        "customer_key",
        "reply",
    )

    async def delete_some(self, tx: Tx, tenant: TenantId, table: str, limit: int) -> int:
        """Delete up to so many rows of a table; how many there were."""
        # A ctid is one of a partition, and names a row in each of them: all are the tenant's.
        return await tx.execute(
            f"DELETE FROM support.{table} WHERE tenant_id = $1 AND ctid = ANY(ARRAY("
            f" SELECT ctid FROM support.{table} WHERE tenant_id = $1 LIMIT $2))",
            tenant,
            limit,
        )
