"""The SQL of files and batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.models.api import BatchState
from steward.services.models.batches.records import (
    OUTPUT,
    BatchRow,
    Claimed,
    FileRow,
    LineRow,
    Origin,
    Standing,
)

_BATCH: Final = (
    "SELECT b.batch_id, b.owner, b.endpoint, b.state, b.input_file_id, b.output_file_id, b.error_file_id, b.metadata,"
    " b.origin::text AS origin, b.errors, b.created_at, b.expires_at, b.ended_at, c.total, c.succeeded, c.failed"
    " FROM models.batch b JOIN models.batch_count c ON c.tenant_id = b.tenant_id AND c.batch_id = b.batch_id"
    " WHERE b.tenant_id = $1"
)
_FILE: Final = (
    "SELECT f.file_id, f.owner, f.name, f.purpose, f.created_at, f.batch_id, f.of_errors,"
    " coalesce(CASE WHEN f.of_errors THEN c.error_bytes ELSE c.output_bytes END, f.bytes) AS bytes"
    " FROM models.file f LEFT JOIN models.batch_count c ON c.tenant_id = f.tenant_id AND c.batch_id = f.batch_id"
    " WHERE f.tenant_id = $1"
)


class FilesRepository:
    """The files of the transaction's tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def add(self, row: FileRow) -> None:
        """A second row of the same id is not made."""
        await self._tx.execute(
            "INSERT INTO models.file (tenant_id, file_id, owner, name, purpose, bytes, created_at, batch_id, of_errors)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            self._tenant,
            row.id,
            row.owner,
            row.name,
            row.purpose,
            row.bytes,
            row.created_at,
            row.batch,
            row.of_errors,
        )

    async def add_piece(self, file: UUID, number: int, content: bytes) -> None:
        await self._tx.execute(
            "INSERT INTO models.file_piece (tenant_id, file_id, number, content) VALUES ($1, $2, $3, $4)",
            self._tenant,
            file,
            number,
            content,
        )

    async def stored_bytes(self) -> int:
        """Of all uploaded files."""
        return await self._tx.fetchval(
            "SELECT coalesce(sum(bytes), 0)::bigint FROM models.file WHERE tenant_id = $1", self._tenant
        )

    async def get(self, file: UUID) -> FileRow | None:
        row = await self._tx.fetchrow(f"{_FILE} AND f.file_id = $2", self._tenant, file)
        return None if row is None else _file(row)

    async def list_before(self, before: UUID | None, owner: str | None, limit: int) -> list[FileRow]:
        """Newest first."""
        rows = await self._tx.fetch(
            f"{_FILE} AND ($2::uuid IS NULL OR f.file_id < $2) AND ($3::text IS NULL OR f.owner = $3)"
            " ORDER BY f.file_id DESC LIMIT $4",
            self._tenant,
            before,
            owner,
            limit,
        )
        return [_file(row) for row in rows]

    async def piece(self, file: UUID, number: int) -> bytes | None:
        return await self._tx.fetchval(
            "SELECT content FROM models.file_piece WHERE tenant_id = $1 AND file_id = $2 AND number = $3",
            self._tenant,
            file,
            number,
        )

    async def delete(self, row: FileRow) -> None:
        """With its content; of an output file the results that it shows."""
        if row.batch is not None:
            await self._tx.execute(
                "UPDATE models.batch_line SET result = NULL"
                " WHERE tenant_id = $1 AND batch_id = $2 AND state = 'done' AND ok <> $3",
                self._tenant,
                row.batch,
                row.of_errors,
            )
        for table in ("file_piece", "file"):
            await self._tx.execute(
                f"DELETE FROM models.{table} WHERE tenant_id = $1 AND file_id = $2", self._tenant, row.id
            )

    async def in_use(self, row: FileRow) -> bool:
        """Whether a batch that has not ended reads or writes it."""
        return await self._tx.fetchval(
            "SELECT EXISTS (SELECT FROM models.batch WHERE tenant_id = $1 AND ended_at IS NULL"
            " AND (input_file_id = $2 OR batch_id = $3))",
            self._tenant,
            row.id,
            row.batch,
        )


class BatchesRepository:
    """The batches of the transaction's tenant, and their lines."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def add(self, row: BatchRow, lease_until: datetime) -> None:
        await self._tx.execute(
            "INSERT INTO models.batch (tenant_id, batch_id, owner, endpoint, state, input_file_id, output_file_id,"
            " error_file_id, metadata, origin, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)",
            self._tenant,
            row.id,
            row.owner,
            row.endpoint,
            row.state,
            row.input_file,
            row.output_file,
            row.error_file,
            row.metadata,
            msgspec.json.encode(row.origin).decode(),
            row.created_at,
            row.expires_at,
        )
        await self._tx.execute(
            "INSERT INTO models.batch_count (tenant_id, batch_id, total, succeeded, failed) VALUES ($1, $2, 0, 0, 0)",
            self._tenant,
            row.id,
        )
        await self._tx.execute(
            "INSERT INTO models.batch_work (tenant_id, batch_id, lease_until, epoch) VALUES ($1, $2, $3, 0)",
            self._tenant,
            row.id,
            lease_until,
        )

    async def get(self, batch: UUID) -> BatchRow | None:
        row = await self._tx.fetchrow(f"{_BATCH} AND b.batch_id = $2", self._tenant, batch)
        return None if row is None else _batch(row)

    async def list_before(self, before: UUID | None, owner: str | None, limit: int) -> list[BatchRow]:
        """Newest first."""
        rows = await self._tx.fetch(
            f"{_BATCH} AND ($2::uuid IS NULL OR b.batch_id < $2) AND ($3::text IS NULL OR b.owner = $3)"
            " ORDER BY b.batch_id DESC LIMIT $4",
            self._tenant,
            before,
            owner,
            limit,
        )
        return [_batch(row) for row in rows]

    async def open_batches(self) -> int:
        """How many have not ended."""
        return await self._tx.fetchval("SELECT count(*) FROM models.batch_work WHERE tenant_id = $1", self._tenant)

    async def cancel(self, batch: UUID) -> None:
        """Have no more of its lines begun."""
        await self._tx.execute(
            "UPDATE models.batch SET state = 'cancelling' WHERE tenant_id = $1 AND batch_id = $2"
            " AND state IN ('validating', 'in_progress')",
            self._tenant,
            batch,
        )

    async def standing(self, batch: UUID) -> Standing | None:
        row = await self._tx.fetchrow(
            "SELECT b.state, b.expires_at, w.epoch FROM models.batch b LEFT JOIN models.batch_work w"
            " ON w.tenant_id = b.tenant_id AND w.batch_id = b.batch_id WHERE b.tenant_id = $1 AND b.batch_id = $2",
            self._tenant,
            batch,
        )
        return None if row is None else Standing(BatchState(row["state"]), row["expires_at"], row["epoch"])

    async def add_lines(self, batch: UUID, lines: Sequence[LineRow]) -> None:
        """Lines that are there already stay."""
        await self._tx.execute(
            "INSERT INTO models.batch_line (tenant_id, batch_id, number, state, epoch, request)"
            " SELECT $1, $2, number, 'pending', 0, request FROM unnest($3::int[], $4::bytea[]) AS t(number, request)"
            " ON CONFLICT DO NOTHING",
            self._tenant,
            batch,
            [line.number for line in lines],
            [line.request for line in lines],
        )

    async def begin(self, claimed: Claimed, total: int) -> None:
        """All lines are stored: work begins."""
        await self._tx.execute(
            "UPDATE models.batch_count SET total = $3 WHERE tenant_id = $1 AND batch_id = $2",
            self._tenant,
            claimed.batch,
            total,
        )
        await self._tx.execute(
            "UPDATE models.batch SET state = 'in_progress' WHERE tenant_id = $1 AND batch_id = $2"
            " AND state = 'validating'",
            self._tenant,
            claimed.batch,
        )

    async def take(self, claimed: Claimed, most: int) -> list[LineRow]:
        """Mark lines as running that are not, or that another epoch left so. None without the lease."""
        rows = await self._tx.fetch(
            "WITH due AS MATERIALIZED (SELECT number FROM models.batch_line WHERE tenant_id = $1 AND batch_id = $2"
            " AND (state = 'pending' OR (state = 'running' AND epoch < $4)) AND EXISTS ("
            " SELECT FROM models.batch_work w WHERE w.tenant_id = $1 AND w.batch_id = $2 AND w.epoch = $4)"
            " ORDER BY number LIMIT $3 FOR UPDATE)"
            " UPDATE models.batch_line l SET state = 'running', epoch = $4 FROM due"
            " WHERE l.tenant_id = $1 AND l.batch_id = $2 AND l.number = due.number RETURNING l.number, l.request",
            self._tenant,
            claimed.batch,
            most,
            claimed.epoch,
        )
        return sorted((LineRow(number=row["number"], request=row["request"]) for row in rows), key=_number)

    async def finish_line(self, batch: UUID, number: int, *, ok: bool, result: bytes, size: int) -> bool:
        """Store a result and count it, in one statement; False where the line has one already."""
        counted = await self._tx.execute(
            "WITH done AS (UPDATE models.batch_line SET state = 'done', ok = $4, result = $5"
            " WHERE tenant_id = $1 AND batch_id = $2 AND number = $3 AND state IN ('running', 'submitted')"
            " RETURNING ok::int AS good)"
            " UPDATE models.batch_count c SET succeeded = c.succeeded + good, failed = c.failed + 1 - good,"
            " output_bytes = c.output_bytes + good * $6::bigint, error_bytes = c.error_bytes + (1 - good) * $6::bigint"
            " FROM done WHERE c.tenant_id = $1 AND c.batch_id = $2",
            self._tenant,
            batch,
            number,
            ok,
            result,
            size,
        )
        return counted > 0

    async def end(self, claimed: Claimed, state: BatchState, errors: Sequence[str], now: datetime) -> bool:
        """Nobody works on it any more; False without the lease."""
        released = await self._tx.execute(
            "DELETE FROM models.batch_work WHERE tenant_id = $1 AND batch_id = $2 AND epoch = $3",
            self._tenant,
            claimed.batch,
            claimed.epoch,
        )
        if released:
            await self._tx.execute(
                "UPDATE models.batch SET state = $3, errors = $4, ended_at = $5 WHERE tenant_id = $1 AND batch_id = $2",
                self._tenant,
                claimed.batch,
                state,
                list(errors),
                now,
            )
        return released > 0

    async def delete_lines(self, batch: UUID) -> None:
        """Of a batch whose file is not good."""
        await self._tx.execute(
            "DELETE FROM models.batch_line WHERE tenant_id = $1 AND batch_id = $2", self._tenant, batch
        )

    async def results_after(self, batch: UUID, number: int, *, of_errors: bool, limit: int) -> list[tuple[int, bytes]]:
        """Finished lines of one sort in their order, from after a number on."""
        rows = await self._tx.fetch(
            "SELECT number, result FROM models.batch_line WHERE tenant_id = $1 AND batch_id = $2 AND number > $3"
            " AND state = 'done' AND ok <> $4 AND result IS NOT NULL ORDER BY number LIMIT $5",
            self._tenant,
            batch,
            number,
            of_errors,
            limit,
        )
        return [(row["number"], row["result"]) for row in rows]


class BatchesSystemRepository:
    """Work across tenants, in a system transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
        """Take batches that nobody works on, those first that wait longest; each with its next epoch."""
        rows = await self._tx.fetch(
            "WITH due AS MATERIALIZED (SELECT tenant_id, batch_id FROM models.batch_work WHERE lease_until <= $1"
            " ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)"
            " UPDATE models.batch_work w SET lease_until = $2, epoch = w.epoch + 1 FROM due"
            " WHERE w.tenant_id = due.tenant_id AND w.batch_id = due.batch_id"
            " RETURNING w.tenant_id, w.batch_id, w.epoch",
            now,
            lease_until,
            limit,
        )
        return [Claimed(TenantId(row["tenant_id"]), row["batch_id"], row["epoch"]) for row in rows]

    async def renew(self, claimed: Sequence[Claimed], lease_until: datetime) -> None:
        """Set the leases of those that are still held; a time that is past gives them up."""
        await self._tx.execute(
            "UPDATE models.batch_work w SET lease_until = $4"
            " FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS t(tenant_id, batch_id, epoch)"
            " WHERE w.tenant_id = t.tenant_id AND w.batch_id = t.batch_id AND w.epoch = t.epoch",
            [one.tenant for one in claimed],
            [one.batch for one in claimed],
            [one.epoch for one in claimed],
            lease_until,
        )


def _number(line: LineRow) -> int:
    return line.number


def _file(row: asyncpg.Record) -> FileRow:
    return FileRow(
        id=row["file_id"],
        owner=row["owner"],
        name=row["name"],
        purpose=row["purpose"],
        bytes=int(row["bytes"]),
        created_at=row["created_at"],
        batch=row["batch_id"],
        of_errors=row["of_errors"],
    )


def _batch(row: asyncpg.Record) -> BatchRow:
    fields: dict[str, Any] = {
        name: row[name] for name in ("owner", "endpoint", "metadata", "errors", "created_at", "expires_at", "ended_at")
    }
    counts = {name: row[name] for name in ("total", "succeeded", "failed")}
    return BatchRow(
        id=row["batch_id"],
        state=BatchState(row["state"]),
        input_file=row["input_file_id"],
        output_file=row["output_file_id"],
        error_file=row["error_file_id"],
        origin=msgspec.json.decode(row["origin"], type=Origin),
        **fields,
        **counts,
    )


def output_row(batch: BatchRow, name: bytes, now: datetime, *, of_errors: bool) -> FileRow:
    """The file that shows a batch's finished lines of one sort."""
    return FileRow(
        id=batch.error_file if of_errors else batch.output_file,
        owner=batch.owner,
        name=name,
        purpose=OUTPUT,
        bytes=0,
        created_at=now,
        batch=batch.id,
        of_errors=of_errors,
    )
