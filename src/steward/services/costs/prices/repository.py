"""All SQL of price overrides."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.costs.api import PriceInput

EVER_SINCE: Final = date(1, 1, 1)
"""`effective_from` of a price without a date."""

_COLUMNS: Final = "tenant_id, provider, model, effective_from, price"


class OverrideRow(msgspec.Struct, frozen=True, kw_only=True):
    """A price that a tenant, or the installation, has set."""

    tenant_id: TenantId
    provider: str
    model: str
    effective_from: date
    price: PriceInput


class PricesRepository:
    """One tenant's overrides, in a transaction of that tenant."""

    async def lock(self, tx: Tx, tenant: TenantId) -> None:
        """One change of a tenant's overrides at a time, so that their number is right."""
        await tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('costs.price_override:' || $1, 0))", str(tenant)
        )

    async def all(self, tx: Tx, tenant: TenantId) -> Sequence[OverrideRow]:
        rows = await tx.fetch(f"SELECT {_COLUMNS} FROM costs.price_override WHERE tenant_id = $1", tenant)
        return [_row(row) for row in rows]

    async def of_model(self, tx: Tx, tenant: TenantId, provider: str, model: str) -> Sequence[OverrideRow]:
        """Newest first."""
        rows = await tx.fetch(
            f"SELECT {_COLUMNS} FROM costs.price_override WHERE tenant_id = $1 AND provider = $2 AND model = $3"
            " ORDER BY effective_from DESC",
            tenant,
            provider,
            model,
        )
        return [_row(row) for row in rows]

    async def count(self, tx: Tx, tenant: TenantId) -> int:
        return await tx.fetchval("SELECT count(*) FROM costs.price_override WHERE tenant_id = $1", tenant)

    async def put(self, tx: Tx, row: OverrideRow, now: datetime) -> None:
        await tx.execute(
            "INSERT INTO costs.price_override (tenant_id, provider, model, effective_from, price, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, provider, model, effective_from)"
            " DO UPDATE SET price = excluded.price, updated_at = excluded.updated_at",
            row.tenant_id,
            row.provider,
            row.model,
            row.effective_from,
            msgspec.json.encode(row.price).decode(),
            now,
        )

    async def delete(self, tx: Tx, tenant: TenantId, provider: str, model: str) -> int:
        """All of a model's; how many there were."""
        return await tx.execute(
            "DELETE FROM costs.price_override WHERE tenant_id = $1 AND provider = $2 AND model = $3",
            tenant,
            provider,
            model,
        )

    async def erase(self, tx: Tx, tenant: TenantId) -> int:
        """All of a tenant that was deleted."""
        return await tx.execute("DELETE FROM costs.price_override WHERE tenant_id = $1", tenant)


class PricesSystemRepository:
    """Every tenant's overrides, in a system transaction."""

    async def everything(self, tx: Tx) -> Sequence[OverrideRow]:
        return [_row(row) for row in await tx.fetch(f"SELECT {_COLUMNS} FROM costs.price_override")]


def _row(row: asyncpg.Record) -> OverrideRow:
    return OverrideRow(
        tenant_id=row["tenant_id"],
        provider=row["provider"],
        model=row["model"],
        effective_from=row["effective_from"],
        price=msgspec.json.decode(row["price"], type=PriceInput),
    )
