"""The SQL of connections, aliases and allow-lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from steward.kit.db import Tx
from steward.services.models.api import AliasInput, ConnectionInput
from steward.services.models.registry.records import AliasRow, ConnectionRow, Registered

_CONNECTION: Final = "connection"
_ALIAS: Final = "alias"


class RegistryRepository:
    """What the transaction's tenant has registered; the installation's is tenant `PLATFORM`'s."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def everything(self) -> Registered:
        """All of it, in one statement."""
        rows = await self._tx.fetch(
            "SELECT 'connection' AS kind, name, settings::text AS settings, key, revision, updated_at"
            " FROM models.connection WHERE tenant_id = $1"
            " UNION ALL SELECT 'alias', name, settings::text, NULL, revision, updated_at"
            " FROM models.alias WHERE tenant_id = $1"
            " UNION ALL SELECT 'allowed', '', to_json(names)::text, NULL, NULL, updated_at"
            " FROM models.allowed WHERE tenant_id = $1 ORDER BY 1, 2",
            self._tenant,
        )
        allowed = [row["settings"] for row in rows if row["kind"] not in {_CONNECTION, _ALIAS}]
        return Registered(
            connections=[_connection(row) for row in rows if row["kind"] == _CONNECTION],
            aliases=[_alias(row) for row in rows if row["kind"] == _ALIAS],
            allowed=msgspec.json.decode(allowed[0], type=list[str]) if allowed else None,
        )

    async def lock(self) -> None:
        """Let one change at a time be made to what the tenant has registered, until the transaction ends."""
        await self._tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('models:' || $1::uuid::text, 0))", self._tenant
        )

    async def put_connection(self, row: ConnectionRow) -> None:
        await self._tx.execute(
            "INSERT INTO models.connection (tenant_id, name, settings, key, revision, updated_at)"
            " VALUES ($1, $2, $3::jsonb, $4, $5, $6) ON CONFLICT (tenant_id, name)"
            " DO UPDATE SET settings = $3::jsonb, key = $4, revision = $5, updated_at = $6",
            self._tenant,
            row.name,
            msgspec.json.encode(msgspec.structs.replace(row.settings, key=None)).decode(),
            row.key,
            row.revision,
            row.updated_at,
        )

    async def delete_connection(self, name: str) -> None:
        await self._tx.execute("DELETE FROM models.connection WHERE tenant_id = $1 AND name = $2", self._tenant, name)

    async def put_alias(self, row: AliasRow) -> None:
        await self._tx.execute(
            "INSERT INTO models.alias (tenant_id, name, settings, revision, updated_at)"
            " VALUES ($1, $2, $3::jsonb, $4, $5) ON CONFLICT (tenant_id, name)"
            " DO UPDATE SET settings = $3::jsonb, revision = $4, updated_at = $5",
            self._tenant,
            row.name,
            msgspec.json.encode(row.settings).decode(),
            row.revision,
            row.updated_at,
        )

    async def delete_alias(self, name: str) -> None:
        await self._tx.execute("DELETE FROM models.alias WHERE tenant_id = $1 AND name = $2", self._tenant, name)

    async def put_allowed(self, names: Sequence[str], now: datetime) -> None:
        await self._tx.execute(
            "INSERT INTO models.allowed (tenant_id, names, updated_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (tenant_id) DO UPDATE SET names = $2, updated_at = $3",
            self._tenant,
            list(names),
            now,
        )

    async def delete_allowed(self) -> None:
        await self._tx.execute("DELETE FROM models.allowed WHERE tenant_id = $1", self._tenant)


def _connection(row: asyncpg.Record) -> ConnectionRow:
    return ConnectionRow(
        name=row["name"],
        settings=msgspec.json.decode(row["settings"], type=ConnectionInput),
        key=row["key"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )


def _alias(row: asyncpg.Record) -> AliasRow:
    return AliasRow(
        name=row["name"],
        settings=msgspec.json.decode(row["settings"], type=AliasInput),
        revision=row["revision"],
        updated_at=row["updated_at"],
    )
