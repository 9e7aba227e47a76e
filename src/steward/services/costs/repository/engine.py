"""Calls of all tenants: reserved, settled, recorded and swept together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.costs.api import CallUsage
from steward.services.costs.records import Ask, Ending, Hit, Notice, Settled, Told

_RESERVE = "SELECT costs.reserve_calls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_SETTLE = "SELECT costs.settle_calls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_RECORD = "SELECT costs.record_hits($1, $2, $3, $4, $5, $6, $7, $8)"

_told = msgspec.json.Decoder(list[Told] | None)
_settled = msgspec.json.Decoder(Settled)


class EngineSystemRepository:
    """The engine's functions, each a statement of its own; in single statements of the system role."""

    async def reserve(self, tx: Tx, now: datetime, holder: UUID, asks: Sequence[Ask]) -> Sequence[Told]:
        """Reserve calls, each of its own id; what there is to tell of those not granted in full."""
        answer: str | None = await tx.fetchval(
            _RESERVE,
            now,
            holder,
            [ask.tenant for ask in asks],
            [ask.call_id for ask in asks],
            [ask.subjects for ask in asks],
            [ask.call for ask in asks],
            [ask.nanos for ask in asks],
            [ask.bound.fixed for ask in asks],
            [ask.bound.rate for ask in asks],
            [ask.input_tokens for ask in asks],
            [ask.output_tokens for ask in asks],
            [ask.least_output_tokens for ask in asks],
            [ask.priced for ask in asks],
        )
        return () if answer is None else _told.decode(answer) or ()

    async def settle(self, tx: Tx, now: datetime, endings: Sequence[Ending]) -> Settled:
        """Settle calls, each of its own id. Raises asyncpg's unique violation for one that is in the ledger, too."""
        answer: str = await tx.fetchval(
            _SETTLE,
            now,
            [ending.tenant for ending in endings],
            [ending.call_id for ending in endings],
            [ending.actual.outcome for ending in endings],
            [ending.actual.exact for ending in endings],
            [ending.cost for ending in endings],
            list(_counts(ending.actual.usage for ending in endings)),
            [ending.actual.latency_ms for ending in endings],
            [ending.actual.first_token_ms for ending in endings],
            [ending.actual.provider_id for ending in endings],
        )
        return _settled.decode(answer)

    async def release(self, tx: Tx, calls: Sequence[tuple[TenantId, UUID]]) -> None:
        """Take reservations back as if they had never been."""
        tenants, ids = [tenant for tenant, _ in calls], [call_id for _, call_id in calls]
        await tx.fetchval("SELECT costs.release_calls($1, $2)", tenants, ids)

    async def record(self, tx: Tx, now: datetime, hits: Sequence[Hit]) -> None:
        """Write calls into the ledger that no provider was asked for; those that are in it already stay as they are."""
        await tx.fetchval(
            _RECORD,
            now,
            [hit.tenant for hit in hits],
            [hit.call_id for hit in hits],
            [hit.subjects for hit in hits],
            [hit.call for hit in hits],
            [hit.cache for hit in hits],
            list(_counts(hit.usage for hit in hits)),
            [hit.latency_ms for hit in hits],
        )

    async def sweep(self, tx: Tx, now: datetime, *, silent_since: datetime, old_since: datetime, most: int) -> int:
        """Charge calls whose holder is silent, or that are very old, at their reservation; how many."""
        return await tx.fetchval("SELECT costs.sweep_calls($1, $2, $3, $4)", now, silent_since, old_since, most)

    async def beat(self, tx: Tx, holder: UUID, now: datetime) -> None:
        await tx.execute(
            "INSERT INTO costs.holder (holder_id, beat_at) VALUES ($1, $2)"
            " ON CONFLICT (holder_id) DO UPDATE SET beat_at = excluded.beat_at",
            holder,
            now,
        )

    async def leave(self, tx: Tx, holder: UUID) -> None:
        await tx.execute("DELETE FROM costs.holder WHERE holder_id = $1", holder)

    async def forget_holders(self, tx: Tx, before: datetime) -> None:
        await tx.execute("DELETE FROM costs.holder WHERE beat_at < $1", before)

    async def make_months(self, tx: Tx, ahead: int) -> int:
        """Make the ledger's partitions up to so many months ahead; how many were missing."""
        return await tx.fetchval("SELECT costs.make_months($1)", ahead)

    async def take_notices(self, tx: Tx, most: int) -> Sequence[Notice]:
        """Take events out that are still to be published; those that another process takes now are passed over."""
        rows = await tx.fetch(
            "DELETE FROM costs.notice n USING (SELECT tenant_id, notice_id FROM costs.notice ORDER BY notice_id"
            " LIMIT $1 FOR UPDATE SKIP LOCKED) taken"
            " WHERE n.tenant_id = taken.tenant_id AND n.notice_id = taken.notice_id"
            " RETURNING n.tenant_id, n.notice_id, n.kind, n.body",
            most,
        )
        return [
            Notice(tenant=TenantId(row["tenant_id"]), kind=row["kind"], body=msgspec.Raw(row["body"].encode()))
            for row in sorted(rows, key=lambda row: row["notice_id"])
        ]


def _counts(usages: Iterator[CallUsage]) -> Iterator[int]:
    """Eight counts of each, in the order of the ledger's columns."""
    for usage in usages:
        yield from msgspec.structs.astuple(usage)
