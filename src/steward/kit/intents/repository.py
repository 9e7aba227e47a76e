"""The rows of unfinished intents, in the service's own schema."""

from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId


class IntentRow(msgspec.Struct, frozen=True, kw_only=True):
    tenant: TenantId
    id: UUID
    kind: str
    step: int
    undoing: bool
    attempts: int
    sealed: bytes


async def insert(tx: Tx, row: IntentRow, due_at: datetime) -> None:
    await tx.execute(
        f"INSERT INTO {tx.service}.intent (tenant_id, id, kind, due_at, sealed) VALUES ($1, $2, $3, $4, $5)",
        row.tenant,
        row.id,
        row.kind,
        due_at,
        row.sealed,
    )


async def save(tx: Tx, row: IntentRow, due_at: datetime) -> bool:
    """Write how far an intent got; False where it is gone."""
    saved = await tx.execute(
        f"UPDATE {tx.service}.intent SET step = $3, undoing = $4, attempts = $5, due_at = $6, sealed = $7"
        " WHERE tenant_id = $1 AND id = $2",
        row.tenant,
        row.id,
        row.step,
        row.undoing,
        row.attempts,
        due_at,
        row.sealed,
    )
    return saved == 1


async def load(tx: Tx, tenant: TenantId, intent_id: UUID) -> IntentRow | None:
    row = await tx.fetchrow(
        f"SELECT tenant_id AS tenant, id, kind, step, undoing, attempts, sealed FROM {tx.service}.intent"
        " WHERE tenant_id = $1 AND id = $2",
        tenant,
        intent_id,
    )
    return IntentRow(**row) if row else None


async def delete(tx: Tx, tenant: TenantId, intent_id: UUID) -> None:
    await tx.execute(f"DELETE FROM {tx.service}.intent WHERE tenant_id = $1 AND id = $2", tenant, intent_id)


async def claim_due(tx: Tx, due: datetime, until: datetime, limit: int) -> list[tuple[TenantId, UUID]]:
    """Across tenants: take intents that are due, for this process, until a time."""
    rows = await tx.fetch(
        f"WITH taken AS MATERIALIZED (SELECT tenant_id, id FROM {tx.service}.intent WHERE due_at <= $1 ORDER BY due_at"
        f" LIMIT $3 FOR UPDATE SKIP LOCKED) UPDATE {tx.service}.intent i SET due_at = $2 FROM taken"
        " WHERE i.tenant_id = taken.tenant_id AND i.id = taken.id"
        " RETURNING i.tenant_id, i.id",
        due,
        until,
        limit,
    )
    return [(row["tenant_id"], row["id"]) for row in rows]
