"""The SQL of submissions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.services.costs.api import CallUsage
from steward.services.models.batches.records import Claimed, LineRow
from steward.services.models.batches.shipping.records import HeldLine, SubmissionRow, SubmissionState

_HELD = "EXISTS (SELECT FROM models.batch_work w WHERE w.tenant_id = $1 AND w.batch_id = $2 AND w.epoch = $3)"


class SubmissionsRepository:
    """The submissions of the transaction's tenant. Steps towards a provider are done by who holds the lease only."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def pending(self, batch: UUID, after: int, limit: int) -> list[LineRow]:
        """Lines that nobody has begun and that may be submitted, in their order."""
        rows = await self._tx.fetch(
            "SELECT number, request FROM models.batch_line WHERE tenant_id = $1 AND batch_id = $2 AND number > $3"
            " AND state = 'pending' AND NOT alone ORDER BY number LIMIT $4",
            self._tenant,
            batch,
            after,
            limit,
        )
        return [LineRow(number=row["number"], request=row["request"]) for row in rows]

    async def intend(self, claimed: Claimed, row: SubmissionRow, calls: Mapping[int, UUID]) -> bool:
        """Store a submission and give it its lines; False without the lease."""
        made = await self._tx.execute(
            "INSERT INTO models.batch_submission (tenant_id, batch_id, submission_id, connection, state, lines,"
            f" made_at) SELECT $1, $2, $4, $5, $6, $7, $8 WHERE {_HELD}",
            self._tenant,
            claimed.batch,
            claimed.epoch,
            row.id,
            row.connection,
            row.state,
            row.lines,
            row.made_at,
        )
        if made:
            await self._tx.execute(
                "UPDATE models.batch_line l SET state = 'submitted', submission_id = $3, call_id = t.call_id"
                " FROM unnest($4::int[], $5::uuid[]) AS t(number, call_id)"
                " WHERE l.tenant_id = $1 AND l.batch_id = $2 AND l.number = t.number AND l.state = 'pending'",
                self._tenant,
                claimed.batch,
                row.id,
                list(calls),
                list(calls.values()),
            )
        return made > 0

    async def send(self, claimed: Claimed, submission: UUID, bounds: Mapping[int, CallUsage], now: datetime) -> bool:
        """It is about to be sent, now and never again, with what its lines can use; False without the lease."""
        sent = await self._tx.execute(
            "UPDATE models.batch_submission SET state = 'sent', lines = $5, made_at = $6 WHERE tenant_id = $1"
            f" AND batch_id = $2 AND submission_id = $4 AND state = 'intended' AND {_HELD}",
            self._tenant,
            claimed.batch,
            claimed.epoch,
            submission,
            len(bounds),
            now,
        )
        if sent:
            await self._tx.execute(
                "UPDATE models.batch_line l SET input_tokens = t.input, output_tokens = t.output"
                " FROM unnest($4::int[], $5::bigint[], $6::bigint[]) AS t(number, input, output)"
                " WHERE l.tenant_id = $1 AND l.batch_id = $2 AND l.number = t.number AND l.submission_id = $3",
                self._tenant,
                claimed.batch,
                submission,
                list(bounds),
                [one.input_tokens for one in bounds.values()],
                [one.output_tokens for one in bounds.values()],
            )
        return sent > 0

    async def accept(self, row: SubmissionRow, provider_batch: str) -> None:
        """The provider has it, by this id."""
        await self._tx.execute(
            "UPDATE models.batch_submission SET state = 'accepted', provider_batch = $4"
            " WHERE tenant_id = $1 AND batch_id = $2 AND submission_id = $3 AND state = 'sent'",
            self._tenant,
            row.batch,
            row.id,
            provider_batch,
        )

    async def cancelled(self, row: SubmissionRow) -> None:
        """The provider was told."""
        await self._tx.execute(
            "UPDATE models.batch_submission SET cancelled = true"
            " WHERE tenant_id = $1 AND batch_id = $2 AND submission_id = $3",
            self._tenant,
            row.batch,
            row.id,
        )

    async def end(self, row: SubmissionRow) -> None:
        """Nothing is left to be done for it."""
        await self._tx.execute(
            "UPDATE models.batch_submission SET state = 'ended'"
            " WHERE tenant_id = $1 AND batch_id = $2 AND submission_id = $3",
            self._tenant,
            row.batch,
            row.id,
        )

    async def open(self, batch: UUID) -> list[SubmissionRow]:
        """Those that have not ended, oldest first."""
        rows = await self._tx.fetch(
            "SELECT submission_id, batch_id, connection, state, provider_batch, lines, cancelled, made_at"
            " FROM models.batch_submission WHERE tenant_id = $1 AND batch_id = $2 AND state <> 'ended'"
            " ORDER BY submission_id",
            self._tenant,
            batch,
        )
        return [_row(row) for row in rows]

    async def provider_batches(self, connection: str) -> frozenset[str]:
        """What a connection's provider is known to have made of our submissions."""
        rows = await self._tx.fetch(
            "SELECT provider_batch FROM models.batch_submission"
            " WHERE tenant_id = $1 AND connection = $2 AND provider_batch <> ''",
            self._tenant,
            connection,
        )
        return frozenset(row["provider_batch"] for row in rows)

    async def held(self, row: SubmissionRow, numbers: Sequence[int] | None, limit: int) -> list[HeldLine]:
        """Lines of a submission that have no result: these, or with None any."""
        rows = await self._tx.fetch(
            "SELECT number, call_id, request, input_tokens, output_tokens FROM models.batch_line"
            " WHERE tenant_id = $1 AND batch_id = $2 AND submission_id = $3 AND state = 'submitted'"
            " AND ($4::int[] IS NULL OR number = ANY($4))"
            " ORDER BY number LIMIT $5",
            self._tenant,
            row.batch,
            row.id,
            None if numbers is None else list(numbers),
            limit,
        )
        return [_held(each) for each in rows]

    async def release(self, row: SubmissionRow, numbers: Sequence[int], *, alone: bool) -> None:
        """Give lines back, to be made by themselves, or to be submitted anew."""
        await self._tx.execute(
            "UPDATE models.batch_line SET state = 'pending', submission_id = NULL, call_id = NULL, alone = $5"
            " WHERE tenant_id = $1 AND batch_id = $2 AND submission_id = $3 AND state = 'submitted'"
            " AND number = ANY($4::int[])",
            self._tenant,
            row.batch,
            row.id,
            list(numbers),
            alone,
        )


def _held(row: asyncpg.Record) -> HeldLine:
    return HeldLine(
        number=row["number"],
        call_id=row["call_id"],
        request=row["request"],
        bound=CallUsage(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"]),
    )


def _row(row: asyncpg.Record) -> SubmissionRow:
    return SubmissionRow(
        id=row["submission_id"],
        batch=row["batch_id"],
        connection=row["connection"],
        state=SubmissionState(row["state"]),
        provider_batch=row["provider_batch"],
        lines=row["lines"],
        cancelled=row["cancelled"],
        made_at=row["made_at"],
    )
