"""Stored replies: one row for each idempotency key of a tenant, in the service's own schema."""

from datetime import datetime

import msgspec

from steward.kit.context import Ctx
from steward.kit.db import Tx


class StoredReply(msgspec.Struct, frozen=True):
    request_hash: bytes
    sealed: bytes | None


async def claim(tx: Tx, ctx: Ctx, key_hash: bytes, request_hash: bytes) -> bool:
    """Take the key for this request; False when it is taken. Waits for a transaction that is taking it now."""
    taken = await tx.execute(
        f"INSERT INTO {tx.service}.reply (tenant_id, key_hash, request_hash) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        ctx.require_tenant(),
        key_hash,
        request_hash,
    )
    return taken == 1


async def load(tx: Tx, ctx: Ctx, key_hash: bytes) -> StoredReply | None:
    row = await tx.fetchrow(
        f"SELECT request_hash, sealed FROM {tx.service}.reply WHERE tenant_id = $1 AND key_hash = $2",
        ctx.require_tenant(),
        key_hash,
    )
    return StoredReply(row["request_hash"], row["sealed"]) if row else None


async def store(tx: Tx, ctx: Ctx, key_hash: bytes, sealed: bytes) -> None:
    await tx.execute(
        f"UPDATE {tx.service}.reply SET sealed = $3 WHERE tenant_id = $1 AND key_hash = $2",
        ctx.require_tenant(),
        key_hash,
        sealed,
    )


async def drop(tx: Tx, ctx: Ctx, key_hash: bytes) -> None:
    await tx.execute(
        f"DELETE FROM {tx.service}.reply WHERE tenant_id = $1 AND key_hash = $2", ctx.require_tenant(), key_hash
    )


async def drop_older(tx: Tx, before: datetime) -> int:
    """Across tenants: forget replies made before a time; how many."""
    return await tx.execute(f"DELETE FROM {tx.service}.reply WHERE created_at < $1", before)
