"""Single calls in flight and in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.costs.api import Actual, CallId, CallUsage, LedgerEntry, Outcome, Price
from steward.services.costs.records import OpenCall, Posted
from steward.services.costs.subjects import subject_of

USAGE: Final = CallUsage.__struct_fields__
ENTRY: Final = (
    "call_id, revision, at, request_id, subjects, tags, alias, connection, provider, model, operation, "
    f"{', '.join(USAGE)}, cost, priced, latency_ms, first_token_ms, cache, outcome, exact, provider_id"
)
"""The columns that `ledger_entry` reads."""


class CallsSystemRepository:
    """Calls of a tenant that is named, as the system role: the ledger is written by it alone."""

    async def open_call(self, tx: Tx, tenant: TenantId, call_id: UUID) -> OpenCall | None:
        found = await tx.fetchrow(
            "SELECT call->'price' AS price FROM costs.open_call WHERE tenant_id = $1 AND call_id = $2", tenant, call_id
        )
        return OpenCall(price=_price(found["price"])) if found else None

    async def posted(self, tx: Tx, tenant: TenantId, call_id: UUID) -> Posted | None:
        """What the ledger says of a call, all its entries together; None where it has none."""
        rows = await tx.fetch(
            f"SELECT revision, exact, outcome, cost, latency_ms, reserved, reserved_tokens, connection, provider,"
            f" model, price, {', '.join(USAGE)} FROM costs.ledger WHERE tenant_id = $1 AND call_id = $2"
            " ORDER BY revision",
            tenant,
            call_id,
        )
        return _posted(rows) if rows else None

    async def add_revision(
        self,
        tx: Tx,
        tenant: TenantId,
        call_id: UUID,
        now: datetime,
        posted: Posted,
        difference: Actual,
        cost: int,
        reason: str,
    ) -> int:
        """Write an entry of differences; how many notices there are. Raises asyncpg's unique violation."""
        return await tx.fetchval(
            "SELECT costs.add_revision($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            now,
            tenant,
            call_id,
            posted.revision + 1,
            difference.outcome,
            difference.exact,
            cost,
            list(msgspec.structs.astuple(difference.usage)),
            difference.latency_ms,
            difference.first_token_ms,
            difference.provider_id,
            reason,
        )

    async def entries(self, tx: Tx, tenant: TenantId, call_id: UUID) -> Sequence[LedgerEntry]:
        """All entries of a call."""
        rows = await tx.fetch(
            f"SELECT {ENTRY} FROM costs.ledger WHERE tenant_id = $1 AND call_id = $2 ORDER BY revision", tenant, call_id
        )
        return [ledger_entry(row) for row in rows]


def ledger_entry(row: asyncpg.Record) -> LedgerEntry:
    """An entry from the columns in `ENTRY`."""
    values = dict(row)
    values["call_id"] = CallId(row["call_id"])
    values["subjects"] = [subject_of(text) for text in row["subjects"]]
    values["tags"] = msgspec.json.decode(row["tags"])
    values["outcome"] = Outcome(row["outcome"])
    return LedgerEntry(**values)


def _posted(rows: Sequence[asyncpg.Record]) -> Posted:
    first, last = rows[0], rows[-1]
    return Posted(
        revision=last["revision"],
        exact=last["exact"],
        outcome=Outcome(last["outcome"]),
        cost=sum(row["cost"] for row in rows),
        usage=CallUsage(**{name: sum(row[name] for row in rows) for name in USAGE}),
        latency_ms=sum(row["latency_ms"] for row in rows),
        reserved=first["reserved"],
        reserved_tokens=first["reserved_tokens"],
        connection=first["connection"],
        provider=first["provider"],
        model=first["model"],
        price=_price(first["price"]),
    )


def _price(text: str | None) -> Price | None:
    return msgspec.json.decode(text, type=Price | None) if text else None
