"""All SQL of the audit service."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.bus import Position
from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.audit.api import EntryFilter
from steward.services.audit.chain import Head, Link


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed entry as it is stored; `body` is the record in canonical form."""

    tenant_id: TenantId
    seq: int
    id: UUID
    at: datetime
    actor: str
    action: str
    resource: str
    outcome: str
    body: str
    hash: bytes


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    public_key: bytes
    sealed: bytes
    created_at: datetime


_COLUMNS = "tenant_id, seq, id, at, actor, action, resource, outcome, body, hash"
_FILTER = """
    AND ($2::text IS NULL OR actor = $2)
    AND ($3::text IS NULL OR action = $3 OR ($3 LIKE '%.' AND starts_with(action, $3)))
    AND ($4::text IS NULL OR resource = $4)
    AND ($5::text IS NULL OR outcome = $5)
    AND ($6::timestamptz IS NULL OR at >= $6)
    AND ($7::timestamptz IS NULL OR at < $7)
"""


class AuditRepository:
    """One tenant's trail, in a transaction of that tenant."""

    async def newest(
        self, tx: Tx, tenant: TenantId, where: EntryFilter, before: int | None, limit: int
    ) -> list[EntryRow]:
        rows = await tx.fetch(
            f"SELECT {_COLUMNS} FROM audit.entry WHERE tenant_id = $1 {_FILTER}"
            " AND ($8::bigint IS NULL OR seq < $8) ORDER BY seq DESC LIMIT $9",
            tenant,
            *_arguments(where),
            before,
            limit,
        )
        return [EntryRow(**row) for row in rows]

    async def oldest(self, tx: Tx, tenant: TenantId, where: EntryFilter, after: int, limit: int) -> list[EntryRow]:
        rows = await tx.fetch(
            f"SELECT {_COLUMNS} FROM audit.entry WHERE tenant_id = $1 {_FILTER} AND seq > $8 ORDER BY seq LIMIT $9",
            tenant,
            *_arguments(where),
            after,
            limit,
        )
        return [EntryRow(**row) for row in rows]

    async def get(self, tx: Tx, tenant: TenantId, seq: int) -> EntryRow | None:
        row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM audit.entry WHERE tenant_id = $1 AND seq = $2", tenant, seq)
        return EntryRow(**row) if row else None

    async def head(self, tx: Tx, tenant: TenantId) -> Link | None:
        row = await tx.fetchrow("SELECT seq, hash FROM audit.head WHERE tenant_id = $1", tenant)
        return Link(row["seq"], row["hash"]) if row else None

    async def checkpoints(self, tx: Tx, tenant: TenantId, before: int | None, limit: int) -> list[Head]:
        rows = await tx.fetch(
            "SELECT tenant_id AS tenant, seq, hash, at, key_id, signature FROM audit.checkpoint WHERE tenant_id = $1"
            " AND ($2::bigint IS NULL OR seq < $2) ORDER BY seq DESC LIMIT $3",
            tenant,
            before,
            limit,
        )
        return [Head(**row) for row in rows]

    async def keys(self, tx: Tx) -> list[KeyRow]:
        rows = await tx.fetch("SELECT id, public_key, sealed, created_at FROM audit.signing_key ORDER BY created_at")
        return [KeyRow(**row) for row in rows]

    async def insert_key(self, tx: Tx, key: KeyRow) -> None:
        await tx.execute(
            "INSERT INTO audit.signing_key (id, public_key, sealed, created_at) VALUES ($1, $2, $3, $4)",
            key.id,
            key.public_key,
            key.sealed,
            key.created_at,
        )


class CollectorSystemRepository:
    """The collector's writes across tenants, in a system transaction."""

    async def position(self, tx: Tx, source: str) -> Position:
        row = await tx.fetchrow("SELECT xid, id FROM audit.collected WHERE source = $1", source)
        return Position(row["xid"], row["id"]) if row else Position()

    async def advance(self, tx: Tx, source: str, old: Position, new: Position) -> bool:
        """Move the cursor of a source; False when another collector has moved it meanwhile."""
        if old == Position():
            moved = await tx.execute(
                "INSERT INTO audit.collected (source, xid, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                source,
                new.xid,
                new.id,
            )
            return moved == 1
        moved = await tx.execute(
            "UPDATE audit.collected SET xid = $4, id = $5 WHERE source = $1 AND xid = $2 AND id = $3",
            source,
            old.xid,
            old.id,
            new.xid,
            new.id,
        )
        return moved == 1

    async def lock_heads(self, tx: Tx, tenants: Sequence[TenantId]) -> dict[TenantId, Link]:
        rows = await tx.fetch(
            "SELECT tenant_id, seq, hash FROM audit.head WHERE tenant_id = ANY($1::uuid[])"
            " ORDER BY tenant_id FOR UPDATE",
            list(tenants),
        )
        return {TenantId(row["tenant_id"]): Link(row["seq"], row["hash"]) for row in rows}

    async def append(self, tx: Tx, entries: Sequence[EntryRow]) -> None:
        columns = zip(*(msgspec.structs.astuple(entry) for entry in entries), strict=True)
        await tx.execute(
            f"INSERT INTO audit.entry ({_COLUMNS}) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[],"
            " $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])",
            *(list(column) for column in columns),
        )

    async def save_heads(self, tx: Tx, heads: Mapping[TenantId, Link]) -> None:
        await tx.execute(
            "INSERT INTO audit.head (tenant_id, seq, hash) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])"
            " ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
            list(heads),
            [link.seq for link in heads.values()],
            [link.hash for link in heads.values()],
        )

    async def insert_checkpoints(self, tx: Tx, heads: Sequence[Head]) -> None:
        columns = zip(*(msgspec.structs.astuple(head) for head in heads), strict=True)
        await tx.execute(
            "INSERT INTO audit.checkpoint (tenant_id, seq, hash, at, key_id, signature) SELECT * FROM"
            " unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::timestamptz[], $5::text[], $6::bytea[])",
            *(list(column) for column in columns),
        )


def _arguments(where: EntryFilter) -> tuple[object, ...]:
    return (where.actor, where.action, where.resource, where.outcome, where.since, where.until)
