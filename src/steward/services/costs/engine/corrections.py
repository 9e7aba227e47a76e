"""Calls that were charged by a bound and whose true usage is known later: entries with the differences."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.db.errors import TransactionConflict
from steward.kit.ids import TenantId
from steward.services.costs.amounts import charge_of
from steward.services.costs.api import Actual, CallId, CallUsage, Correction, LedgerEntry
from steward.services.costs.engine.notices import Notices
from steward.services.costs.errors import CallNotFound, CallSettled
from steward.services.costs.events import ReservationExceeded
from steward.services.costs.records import Posted
from steward.services.costs.repository.calls import CallsSystemRepository

_TRIES: Final = 4


class _Outcome(NamedTuple):
    cost: int
    notices: int


class _Charged(msgspec.Struct, frozen=True):
    """For the trail."""

    nanos: int


class Corrections:
    """Adds revisions to the ledger; two at once make one."""

    def __init__(self, db: ServiceDb, authz: Authz, clock: Clock, notices: Notices) -> None:
        self._db = db
        self._authz = authz
        self._clock = clock
        self._notices = notices
        self._rows = CallsSystemRepository()

    async def settle_late(self, ctx: Ctx, call_id: CallId, actual: Actual) -> int:
        """Settle a call that is in the ledger already; what it costs all in all. Raises `CallNotFound`."""
        return await self._add(ctx, call_id, actual, "")

    async def correct(self, ctx: Ctx, *, call_id: CallId, correction: Correction) -> Sequence[LedgerEntry]:
        await self._authz.require(ctx, "cost:configure", f"call/{call_id}")
        tenant = ctx.require_tenant()
        await self._add(ctx, call_id, correction.usage, correction.reason)
        async with self._db.system_read(SystemCtx(reason="a corrected call", service="costs")) as tx:
            return await self._rows.entries(tx, tenant, call_id)

    async def _add(self, ctx: Ctx, call_id: UUID, said: Actual | CallUsage, reason: str) -> int:
        for _ in range(_TRIES):
            try:
                async with self._db.system_tx(SystemCtx(reason="a call's true usage", service="costs")) as tx:
                    done = await self._revise(tx, ctx, call_id, said, reason)
            except (asyncpg.UniqueViolationError, TransactionConflict):
                # Another one was quicker; what it wrote is seen the next time.
                continue
            if done.notices:
                self._notices.publish_soon()
            return done.cost
        raise TransactionConflict

    async def _revise(self, tx: Tx, ctx: Ctx, call_id: UUID, said: Actual | CallUsage, reason: str) -> _Outcome:
        tenant = ctx.require_tenant()
        posted = await self._rows.posted(tx, tenant, call_id)
        if posted is None:
            raise CallNotFound(call_id)
        corrected = isinstance(said, CallUsage)
        if posted.exact:
            if corrected:
                raise CallSettled(call_id)
            return _Outcome(posted.cost, 0)
        actual = said if isinstance(said, Actual) else Actual(outcome=posted.outcome, usage=said)
        cost = charge_of(posted.price, actual.usage)
        if not corrected and (actual.usage, actual.exact, cost) == (posted.usage, posted.exact, posted.cost):
            return _Outcome(cost, 0)
        notices = await self._rows.add_revision(
            tx, tenant, call_id, self._clock.now(), posted, _difference(actual, posted), cost - posted.cost, reason
        )
        if cost > posted.reserved:
            tx.emit(_exceeded(posted, call_id, actual, cost), tenant=tenant, by=ctx)
        if corrected:
            self._note(tx, ctx, tenant, call_id, posted, cost, reason)
        return _Outcome(cost, notices)

    def _note(self, tx: Tx, ctx: Ctx, tenant: TenantId, call_id: UUID, posted: Posted, cost: int, reason: str) -> None:
        tx.audit(
            Audit(
                action="cost.corrected",
                resource=f"call/{call_id}",
                before=_Charged(posted.cost),
                after=_Charged(cost),
                reason=reason,
            ),
            tenant=tenant,
            by=ctx,
        )


def _difference(actual: Actual, posted: Posted) -> Actual:
    """The same ending with what its usage and latency differ by, which may be less than nothing."""
    was, now = msgspec.structs.astuple(posted.usage), msgspec.structs.astuple(actual.usage)
    names = CallUsage.__struct_fields__
    usage = CallUsage(**{name: after - before for name, after, before in zip(names, now, was, strict=True)})
    latency = actual.latency_ms - posted.latency_ms if actual.latency_ms else 0
    return msgspec.structs.replace(actual, usage=usage, latency_ms=latency)


def _exceeded(posted: Posted, call_id: UUID, actual: Actual, cost: int) -> ReservationExceeded:
    return ReservationExceeded(
        call_id=call_id,
        connection=posted.connection,
        provider=posted.provider,
        model=posted.model,
        reserved=posted.reserved,
        cost=cost,
        reserved_tokens=posted.reserved_tokens,
        tokens=actual.usage.input_tokens + actual.usage.output_tokens,
    )
