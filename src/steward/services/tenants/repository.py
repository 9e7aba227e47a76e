"""All SQL of the tenants service."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.tenants.api import Plan, Quota, Tenant, TenantState, TenantUpdate

_COLUMNS = "tenant_id, slug, name, plan, state, locale, allowed_origins, created_at, updated_at, version"
_WIDTH = len(_COLUMNS.split(", "))
_OLD_AND_NEW = ", ".join(f"{side}.{column}" for side in ("old", "new") for column in _COLUMNS.split(", "))


_VERSIONS = range(2**31)


class TenantsRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def insert(self, tx: Tx, tenant: Tenant) -> bool:
        """Insert a tenant; False when it is there already. Raises asyncpg's unique violation for a taken slug."""
        return (
            await tx.execute(
                f"INSERT INTO tenants.tenant ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                " ON CONFLICT (tenant_id) DO NOTHING",
                *_values(tenant),
            )
            == 1
        )

    async def get(self, tx: Tx, tenant_id: TenantId) -> Tenant | None:
        row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM tenants.tenant WHERE tenant_id = $1", tenant_id)
        return _tenant(row) if row else None

    async def lock(self, tx: Tx, tenant_id: TenantId) -> Tenant | None:
        """One tenant, locked until the transaction ends."""
        row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM tenants.tenant WHERE tenant_id = $1 FOR UPDATE", tenant_id)
        return _tenant(row) if row else None

    async def change(
        self, tx: Tx, tenant_id: TenantId, change: TenantUpdate, now: datetime
    ) -> tuple[Tenant, Tenant] | None:
        """Change a tenant in one statement; it before and after, None where it is gone or of another version."""
        row = await tx.fetchrow(
            "UPDATE tenants.tenant SET name = coalesce($2, name), plan = coalesce($3, plan),"
            " locale = coalesce($4, locale), allowed_origins = coalesce($5, allowed_origins),"
            " updated_at = $6, version = version + 1"
            " WHERE tenant_id = $1 AND state <> 'deleted' AND ($7::int IS NULL OR version = $7)"
            f" RETURNING {_OLD_AND_NEW}",
            tenant_id,
            change.name,
            change.plan,
            change.locale,
            None if change.allowed_origins is None else list(change.allowed_origins),
            now,
            # What the column cannot hold is no version of any tenant, and neither is -1.
            change.version if change.version is None or change.version in _VERSIONS else -1,
        )
        return (_tenant(row), _tenant(row, len(row) // 2)) if row else None

    async def update(self, tx: Tx, tenant: Tenant) -> None:
        await tx.execute(
            "UPDATE tenants.tenant SET slug = $2, name = $3, plan = $4, state = $5, locale = $6, allowed_origins = $7,"
            " updated_at = $9, version = $10 WHERE tenant_id = $1 AND created_at = $8",
            *_values(tenant),
        )

    async def overrides(self, tx: Tx, tenant_id: TenantId) -> dict[Quota, int]:
        rows = await tx.fetch("SELECT quota, ceiling FROM tenants.quota_override WHERE tenant_id = $1", tenant_id)
        return {Quota(row["quota"]): row["ceiling"] for row in rows}

    async def uses(self, tx: Tx, tenant_id: TenantId) -> dict[Quota, int]:
        rows = await tx.fetch("SELECT quota, used FROM tenants.quota_use WHERE tenant_id = $1", tenant_id)
        return {Quota(row["quota"]): row["used"] for row in rows}

    async def set_override(self, tx: Tx, tenant_id: TenantId, quota: Quota, ceiling: int | None) -> None:
        if ceiling is None:
            await tx.execute("DELETE FROM tenants.quota_override WHERE tenant_id = $1 AND quota = $2", tenant_id, quota)
            return
        await tx.execute(
            "INSERT INTO tenants.quota_override (tenant_id, quota, ceiling) VALUES ($1, $2, $3)"
            " ON CONFLICT (tenant_id, quota) DO UPDATE SET ceiling = excluded.ceiling",
            tenant_id,
            quota,
            ceiling,
        )

    async def plan_and_override(self, tx: Tx, tenant_id: TenantId, quota: Quota) -> tuple[Plan, int | None] | None:
        row = await tx.fetchrow(
            "SELECT t.plan, o.ceiling FROM tenants.tenant t LEFT JOIN tenants.quota_override o"
            " ON o.tenant_id = t.tenant_id AND o.quota = $2 WHERE t.tenant_id = $1",
            tenant_id,
            quota,
        )
        return (Plan(row["plan"]), row["ceiling"]) if row else None

    async def insert_hold(
        self, tx: Tx, tenant_id: TenantId, quota: Quota, holder: UUID, amount: int, now: datetime
    ) -> bool:
        """Note a hold; False when the holder has one already."""
        return (
            await tx.execute(
                "INSERT INTO tenants.quota_hold (tenant_id, quota, holder, amount, held_at) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING",
                tenant_id,
                quota,
                holder,
                amount,
                now,
            )
            == 1
        )

    async def add_use(self, tx: Tx, tenant_id: TenantId, quota: Quota, amount: int, ceiling: int) -> bool:
        """Count `amount` more if that stays within the ceiling; one statement, so exact under concurrency."""
        added = await tx.execute(
            "INSERT INTO tenants.quota_use AS u (tenant_id, quota, used)"
            " SELECT $1, $2, $3 WHERE $3::bigint <= $4::bigint OR EXISTS"
            " (SELECT FROM tenants.quota_use WHERE tenant_id = $1 AND quota = $2)"
            " ON CONFLICT (tenant_id, quota) DO UPDATE SET used = u.used + excluded.used"
            " WHERE u.used + excluded.used <= $4::bigint",
            tenant_id,
            quota,
            amount,
            ceiling,
        )
        return added == 1

    async def delete_hold(self, tx: Tx, tenant_id: TenantId, quota: Quota, holder: UUID) -> int:
        """Remove a hold; the amount it had, 0 when there was none."""
        amount = await tx.fetchval(
            "DELETE FROM tenants.quota_hold WHERE tenant_id = $1 AND quota = $2 AND holder = $3 RETURNING amount",
            tenant_id,
            quota,
            holder,
        )
        return amount or 0

    async def subtract_use(self, tx: Tx, tenant_id: TenantId, quota: Quota, amount: int) -> None:
        await tx.execute(
            "UPDATE tenants.quota_use SET used = used - $3 WHERE tenant_id = $1 AND quota = $2",
            tenant_id,
            quota,
            amount,
        )


class TenantsSystemRepository:
    """Rows of all tenants, in a system transaction."""

    async def list_after(self, tx: Tx, after: UUID | None, limit: int) -> list[Tenant]:
        rows = await tx.fetch(
            f"SELECT {_COLUMNS} FROM tenants.tenant WHERE ($1::uuid IS NULL OR tenant_id > $1) AND state <> 'deleted'"
            " ORDER BY tenant_id LIMIT $2",
            after,
            limit,
        )
        return [_tenant(row) for row in rows]

    async def find(self, tx: Tx, slug: str) -> TenantId | None:
        return await tx.fetchval("SELECT tenant_id FROM tenants.tenant WHERE slug = $1", slug)


def _values(tenant: Tenant) -> tuple[Any, ...]:
    return (
        tenant.id,
        tenant.slug,
        tenant.name,
        tenant.plan,
        tenant.state,
        tenant.locale,
        list(tenant.allowed_origins),
        tenant.created_at,
        tenant.updated_at,
        tenant.version,
    )


def _tenant(row: asyncpg.Record, first: int = 0) -> Tenant:
    """The tenant in the columns from `first` on."""
    tenant_id, slug, name, plan, state, locale, origins, created_at, updated_at, version = row[first : first + _WIDTH]
    return Tenant(
        id=TenantId(tenant_id),
        slug=slug,
        name=name,
        plan=Plan(plan),
        state=TenantState(state),
        locale=locale,
        allowed_origins=origins,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
    )
