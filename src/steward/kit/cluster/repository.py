"""The table of live processes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    services: Sequence[str]
    address: str
    public_key: bytes
    seen_at: datetime


async def upsert(tx: Tx, row: ProcessRow) -> None:
    await tx.execute(
        "INSERT INTO kit.process (id, services, address, public_key, started_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        row.id,
        list(row.services),
        row.address,
        row.public_key,
        row.seen_at,
    )


async def list_seen(tx: Tx, since: datetime) -> list[ProcessRow]:
    rows = await tx.fetch(
        "SELECT id, services, address, public_key, seen_at FROM kit.process WHERE seen_at >= $1 ORDER BY id", since
    )
    return [ProcessRow(**row) for row in rows]


async def delete(tx: Tx, process_id: UUID) -> None:
    await tx.execute("DELETE FROM kit.process WHERE id = $1", process_id)


async def delete_unseen(tx: Tx, before: datetime) -> None:
    await tx.execute("DELETE FROM kit.process WHERE seen_at < $1", before)
