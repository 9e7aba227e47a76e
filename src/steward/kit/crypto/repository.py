"""Wrapped data keys in PostgreSQL: the `DataKeyStore` of the real platform."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from steward.kit.context import SystemCtx
from steward.kit.crypto.errors import KeyDestroyed
from steward.kit.crypto.keys import DataKey, KeyUse
from steward.kit.db import Database, Tx
from steward.kit.ids import PLATFORM, TenantId

_COLUMNS = "tenant_id, id, use, wrapped, master_key_id, created_at, retired_at"


class PostgresDataKeys:
    """Data keys under row-level security, each tenant's in transactions of that tenant."""

    def __init__(self, database: Database) -> None:
        self._db = database.service("kit")

    async def current(self, tenant: TenantId | None, use: KeyUse) -> DataKey | None:
        async with self._db.tx(_ctx(tenant)) as tx:
            await _refuse_destroyed(tx, tenant)
            return await _current(tx, tenant, use)

    async def get(self, tenant: TenantId | None, key_id: UUID) -> DataKey | None:
        async with self._db.tx(_ctx(tenant)) as tx:
            await _refuse_destroyed(tx, tenant)
            row = await tx.fetchrow(
                f"SELECT {_COLUMNS} FROM kit.data_key WHERE tenant_id = $1 AND id = $2", tenant or PLATFORM, key_id
            )
        return _key(row) if row else None

    async def add(self, key: DataKey) -> DataKey:
        async with self._db.tx(_ctx(key.tenant)) as tx:
            await _lock(tx, key.tenant)
            await _refuse_destroyed(tx, key.tenant)
            await tx.execute(
                f"INSERT INTO kit.data_key ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, NULL)"
                " ON CONFLICT (tenant_id, use) WHERE retired_at IS NULL DO NOTHING",
                key.tenant or PLATFORM,
                key.id,
                key.use,
                key.wrapped,
                key.master_key_id,
                key.created_at,
            )
            return await _current(tx, key.tenant, key.use) or key

    async def retire(self, tenant: TenantId | None, key_id: UUID, at: datetime) -> None:
        async with self._db.tx(_ctx(tenant)) as tx:
            await tx.execute(
                "UPDATE kit.data_key SET retired_at = $3 WHERE tenant_id = $1 AND id = $2 AND retired_at IS NULL",
                tenant or PLATFORM,
                key_id,
                at,
            )

    async def delete_all(self, tenant: TenantId) -> None:
        async with self._db.tx(_ctx(tenant)) as tx:
            await _lock(tx, tenant)
            await tx.execute(
                "INSERT INTO kit.data_key_destroyed (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", tenant
            )
            await tx.execute("DELETE FROM kit.data_key WHERE tenant_id = $1", tenant)

    async def current_before(self, before: datetime, limit: int) -> Sequence[DataKey]:
        async with self._db.system_tx(SystemCtx(reason="keys due for rotation", service="kit")) as tx:
            rows = await tx.fetch(
                f"SELECT {_COLUMNS} FROM kit.data_key WHERE retired_at IS NULL AND use = 'seal' AND created_at < $1"
                " ORDER BY created_at LIMIT $2",
                before,
                limit,
            )
        return [_key(row) for row in rows]


def _ctx(tenant: TenantId | None) -> SystemCtx:
    return SystemCtx(reason="data keys", service="kit", tenant=tenant or PLATFORM)


async def _lock(tx: Tx, tenant: TenantId | None) -> None:
    """One change of a tenant's keys at a time, so that none is added while they are destroyed."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", ((tenant or PLATFORM).int >> 65) & (2**62 - 1))


async def _refuse_destroyed(tx: Tx, tenant: TenantId | None) -> None:
    if tenant is None:
        return
    if await tx.fetchval("SELECT true FROM kit.data_key_destroyed WHERE tenant_id = $1", tenant):
        raise KeyDestroyed(tenant)


async def _current(tx: Tx, tenant: TenantId | None, use: KeyUse) -> DataKey | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM kit.data_key WHERE tenant_id = $1 AND use = $2 AND retired_at IS NULL",
        tenant or PLATFORM,
        use,
    )
    return _key(row) if row else None


def _key(row: asyncpg.Record) -> DataKey:
    tenant = TenantId(row["tenant_id"])
    return DataKey(
        id=row["id"],
        tenant=None if tenant == PLATFORM else tenant,
        use=KeyUse(row["use"]),
        wrapped=row["wrapped"],
        master_key_id=row["master_key_id"],
        created_at=row["created_at"],
        retired_at=row["retired_at"],
    )
