"""Reading outboxes and keeping cursors."""

from collections.abc import Sequence
from datetime import datetime
from typing import NewType
from uuid import UUID

import msgspec

from steward.kit.context import SystemCtx
from steward.kit.db import Database
from steward.kit.errors import AppError
from steward.kit.ids import PLATFORM

OutboxTable = NewType("OutboxTable", str)

EVENTS = OutboxTable("outbox")
AUDITS = OutboxTable("audit_outbox")

NOTIFY = "SELECT pg_notify($1, $2)"

TRY_LOCK = """
SELECT CASE WHEN EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
        AND ((classid::bigint << 32) | objid::bigint) = $1::bigint)
THEN true ELSE pg_try_advisory_lock($1::bigint) END
"""
"""Takes an advisory lock of the session once, however often it is asked for."""

_NO_ID = UUID(int=0)


class CursorAhead(AppError):
    """A cursor lies beyond the transactions of the database."""

    code = "cursor_ahead"

    def __init__(self, source: str, cursor: int, reached: int) -> None:
        super().__init__(
            f"a cursor over the outbox of {source!r} is at transaction {cursor}, the database only at {reached}: it "
            "was restored from a dump; set the cursors back as docs/operations/backup.md says",
            source=source,
        )


class Position(msgspec.Struct, frozen=True):
    """How far an outbox was read: everything up to this transaction and id."""

    xid: int = 0
    id: UUID = _NO_ID


class Row(msgspec.Struct, frozen=True):
    """A row of an outbox, its body still encoded."""

    position: Position
    tenant: UUID
    body: str


class Batch(msgspec.Struct, frozen=True):
    """What one look at an outbox found."""

    rows: Sequence[Row]
    held_back: bool
    """There are more, of transactions before which an older one may still write."""


class Reader:
    """Reads the outboxes of services in commit-safe order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, source: str, table: OutboxTable, after: Position, limit: int) -> Batch:
        """The next rows after a position, none of a transaction that could still get a row before them."""
        db = self._database.service(source)
        async with db.system_read(SystemCtx(reason=f"relay of {source}.{table}", service=source)) as tx:
            rows = await tx.fetch(
                "SELECT xid, id, tenant_id, body, xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled"
                f" FROM {source}.{table} WHERE (xid, id) > ($1, $2) ORDER BY xid, id LIMIT $3",
                after.xid,
                after.id,
                limit,
            )
        settled = [
            Row(Position(row["xid"], row["id"]), row["tenant_id"], row["body"]) for row in rows if row["settled"]
        ]
        return Batch(settled, held_back=len(settled) < len(rows))

    async def tip(self, source: str) -> Position:
        """The position from which a reader sees only what is committed from now on, and maybe a little before."""
        db = self._database.service(source)
        async with db.system_read(SystemCtx(reason=f"tip of {source}", service=source)) as tx:
            return Position(await tx.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())"))

    async def check(self, source: str, after: Position) -> None:
        """Raise `CursorAhead` for a position that the database has not reached, as after a restore from a dump.

        Such a cursor would pass over everything that is written from now on, and nobody would be told.
        """
        db = self._database.service(source)
        async with db.system_read(SystemCtx(reason=f"check of a cursor of {source}", service=source)) as tx:
            reached = await tx.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        if after.xid > reached:
            raise CursorAhead(source, after.xid, reached)

    async def delete(self, source: str, table: OutboxTable, upto: Position, before: datetime) -> int:
        """Delete rows that were read (up to a position) and are older than `before`; how many."""
        # The first 48 bits of a UUIDv7 are its milliseconds, so that age is a range of ids.
        floor = UUID(int=int(before.timestamp() * 1000) << 80)
        db = self._database.service(source)
        async with db.system_tx(SystemCtx(reason=f"clean-up of {source}.{table}", service=source)) as tx:
            return await tx.execute(
                f"DELETE FROM {source}.{table} WHERE (xid, id) <= ($1, $2) AND id < $3", upto.xid, upto.id, floor
            )


class Cursors:
    """The cursors of group consumers, kept in the kit's schema."""

    def __init__(self, database: Database) -> None:
        self._db = database.service("kit")

    async def load(self, consumer: str, source: str) -> Position:
        """Where a consumer stands; from its first start on it has a cursor, and nothing it lacks is swept away."""
        start = Position()
        async with self._db.tx(_cursor_ctx()) as tx:
            await tx.execute(
                "INSERT INTO kit.bus_cursor (consumer, source, xid, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                consumer,
                source,
                start.xid,
                start.id,
            )
            row = await tx.fetchrow(
                "SELECT xid, id FROM kit.bus_cursor WHERE consumer = $1 AND source = $2", consumer, source
            )
        return Position(row["xid"], row["id"]) if row else start

    async def save(self, consumer: str, source: str, position: Position) -> None:
        async with self._db.tx(_cursor_ctx()) as tx:
            await tx.execute(
                "INSERT INTO kit.bus_cursor (consumer, source, xid, id) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (consumer, source) DO UPDATE SET xid = excluded.xid, id = excluded.id, updated_at = now()"
                " WHERE (bus_cursor.xid, bus_cursor.id) < (excluded.xid, excluded.id)",
                consumer,
                source,
                position.xid,
                position.id,
            )

    async def slowest(self, source: str) -> Position | None:
        """The position that every group consumer of a source has passed; None without consumers."""
        async with self._db.tx(_cursor_ctx()) as tx:
            row = await tx.fetchrow(
                "SELECT xid, id FROM kit.bus_cursor WHERE source = $1 ORDER BY xid, id LIMIT 1", source
            )
        return Position(row["xid"], row["id"]) if row else None

    async def park(self, consumer: str, row: Row, error: str) -> None:
        """Set aside an event that its consumer could not handle, for a person to look at."""
        async with self._db.tx(_cursor_ctx()) as tx:
            await tx.execute(
                "INSERT INTO kit.bus_parked (consumer, event_id, tenant_id, body, error) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING",
                consumer,
                row.position.id,
                row.tenant,
                row.body,
                error,
            )


def _cursor_ctx() -> SystemCtx:
    return SystemCtx(reason="cursor of the bus", service="kit", tenant=PLATFORM)
