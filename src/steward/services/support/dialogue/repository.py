"""SQL of the tenants' own playbooks."""

from datetime import datetime

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.support.api import Playbook


class PlaybooksRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def list_all(self, tx: Tx, tenant: TenantId) -> list[Playbook]:
        rows = await tx.fetch(
            "SELECT name, source, version, updated_at FROM support.playbook WHERE tenant_id = $1 ORDER BY name", tenant
        )
        return [_playbook(row) for row in rows]

    async def put(self, tx: Tx, tenant: TenantId, name: str, source: str, now: datetime) -> Playbook:
        """Insert a playbook, or its next version."""
        row = await tx.fetchrow(
            "INSERT INTO support.playbook AS p (tenant_id, name, version, source, updated_at)"
            " VALUES ($1, $2, 1, $3, $4) ON CONFLICT (tenant_id, name) DO UPDATE SET version = p.version + 1,"
            " source = excluded.source, updated_at = excluded.updated_at RETURNING name, source, version, updated_at",
            tenant,
            name,
            source,
            now,
        )
        assert row is not None, "an insert that returns has a row"
        return _playbook(row)

    async def delete(self, tx: Tx, tenant: TenantId, name: str) -> bool:
        """Delete a playbook; False when there is none."""
        return await tx.execute("DELETE FROM support.playbook WHERE tenant_id = $1 AND name = $2", tenant, name) == 1


def _playbook(row: asyncpg.Record) -> Playbook:
    return Playbook(name=row["name"], source=row["source"], version=row["version"], updated_at=row["updated_at"])
