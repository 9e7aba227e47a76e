"""Calls from their reservation to the ledger: the use cases behind `reserve`, `settle` and `record_hit`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.kit.ids import TenantId
from steward.services.costs.amounts import (
    FREE,
    MOST_NANOS,
    MOST_TOKENS,
    Bound,
    bound_of,
    charge_of,
    snapshot_of,
)
from steward.services.costs.api import (
    Actual,
    CacheHit,
    CallId,
    CallInfo,
    Price,
    Reservation,
    Subject,
    SubjectKind,
    WorstCase,
)
from steward.services.costs.engine.corrections import Corrections
from steward.services.costs.engine.engine import Engine
from steward.services.costs.errors import PriceUnknown
from steward.services.costs.records import Ask, Call, Ending, Hit
from steward.services.costs.repository.calls import CallsSystemRepository
from steward.services.costs.subjects import counted_for

_SERVICE: Final = "service:costs"
_REMEMBERED: Final = 100_000
"""Calls in flight whose price a process remembers; of older ones it asks the database."""
_SECONDS_OFF: Final = 86_400.0
_NOT_IN_JSON: Final = "\\u0000"
"""How JSON writes the one character that PostgreSQL's text cannot hold."""

_encoder = msgspec.json.Encoder()


class PriceBook(Protocol):
    """Knows what models cost."""

    async def price_of(
        self, tenant: TenantId, provider: str, model: str, at: datetime, *, batch: bool = False, tier: str = ""
    ) -> Price | None:
        """What a model costs a tenant at an instant; from memory as a rule. None where nobody knows."""
        ...


class Calls:
    """Reserves and settles calls of one process."""

    def __init__(
        self,
        db: ServiceDb,
        authz: Authz,
        clock: Clock,
        prices: PriceBook,
        engine: Engine,
        corrections: Corrections,
        *,
        meter_unknown: bool,
    ) -> None:
        self._db = db
        self._authz = authz
        self._clock = clock
        self._prices = prices
        self._engine = engine
        self._corrections = corrections
        self._meter_unknown = meter_unknown
        self._rows = CallsSystemRepository()
        self._held: dict[UUID, Price | None] = {}

    async def reserve(
        self, ctx: Ctx, *, call_id: CallId, subjects: Sequence[Subject], worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        await self._authz.require(ctx, _SERVICE)
        tenant = ctx.require_tenant()
        price = await self._prices.price_of(
            tenant,
            worst_case.provider,
            worst_case.model,
            self._clock.now(),
            batch=worst_case.batch,
            tier=worst_case.tier,
        )
        if price is None and not self._meter_unknown:
            raise PriceUnknown(worst_case.provider, worst_case.model)
        _check_id(call_id, self._clock.now())
        snapshot = snapshot_of(price, batch=worst_case.batch) if price else None
        bound = bound_of(snapshot, worst_case) if snapshot else FREE
        _check(worst_case, bound)
        counted = counted_for(subjects)
        call = _call(info, subjects, worst_case.provider, worst_case.model, snapshot)
        granted = await self._engine.reserve(
            Ask(
                tenant=tenant,
                call_id=call_id,
                subjects=counted,
                call=call,
                bound=bound,
                nanos=bound.nanos(worst_case.output_tokens),
                input_tokens=worst_case.input_tokens,
                output_tokens=worst_case.output_tokens,
                least_output_tokens=min(worst_case.least_output_tokens, worst_case.output_tokens),
                priced=price is not None,
                provider=worst_case.provider,
                model=worst_case.model,
            )
        )
        self._remember(call_id, snapshot)
        return Reservation(call_id=call_id, nanos=granted.nanos, output_tokens=granted.output_tokens)

    async def settle(self, ctx: Ctx, *, call_id: CallId, actual: Actual) -> int:
        await self._authz.require(ctx, _SERVICE)
        tenant = ctx.require_tenant()
        if call_id in self._held:
            snapshot = self._held.pop(call_id)
        else:
            async with self._db.system_read(SystemCtx(reason="a call's price", service="costs")) as tx:
                open_call = await self._rows.open_call(tx, tenant, call_id)
            if open_call is None:
                return await self._corrections.settle_late(ctx, call_id, actual)
            snapshot = open_call.price
        cost = charge_of(snapshot, actual.usage)
        if await self._engine.settle(Ending(tenant=tenant, call_id=call_id, actual=_clean(actual), cost=cost)):
            return cost
        return await self._corrections.settle_late(ctx, call_id, actual)

    async def record_hit(self, ctx: Ctx, *, hit: CacheHit) -> None:
        await self._authz.require(ctx, _SERVICE)
        _check_id(hit.call_id, self._clock.now())
        await self._engine.record(
            Hit(
                tenant=ctx.require_tenant(),
                call_id=hit.call_id,
                subjects=counted_for(hit.subjects),
                call=_call(hit.info, hit.subjects, hit.provider, hit.model, None),
                cache=hit.cache,
                usage=hit.usage,
                latency_ms=hit.latency_ms,
            )
        )

    def _remember(self, call_id: UUID, snapshot: Price | None) -> None:
        if len(self._held) >= _REMEMBERED:
            del self._held[next(iter(self._held))]
        self._held[call_id] = snapshot


def _check_id(call_id: UUID, now: datetime) -> None:
    """The ledger is divided by the time in the id: one of another time, or kind, may have no place there."""
    made = (call_id.int >> 80) / 1000
    if abs(made - now.timestamp()) > _SECONDS_OFF:
        raise InvalidInput(
            f"call id {call_id} is not of now: make a UUIDv7 for each call, and mind the clocks", field="call_id"
        )


def _check(worst: WorstCase, bound: Bound) -> None:
    """Refuse what the database could not reckon with; nobody means such a call."""
    tokens = worst.input_tokens + worst.output_tokens
    if not (worst.input_tokens >= 0 and worst.output_tokens >= 0 and tokens <= MOST_TOKENS):
        raise InvalidInput(f"a call may use at most {MOST_TOKENS} tokens, not {tokens}", field="worst_case")
    if bound.nanos(worst.output_tokens) > MOST_NANOS:
        raise InvalidInput(
            f"a call of {worst.input_tokens} and {worst.output_tokens} tokens could cost more than"
            f" {MOST_NANOS // 10**9} USD: ask for fewer, or mend the price of {worst.provider}/{worst.model}",
            field="worst_case",
        )


def _call(info: CallInfo, subjects: Sequence[Subject], provider: str, model: str, price: Price | None) -> str:
    first: dict[SubjectKind, str] = {}
    for subject in subjects:
        first.setdefault(subject.kind, subject.id)
    call = Call(
        request_id=info.request_id,
        user=first.get(SubjectKind.USER, ""),
        agent=first.get(SubjectKind.AGENT, ""),
        key=first.get(SubjectKind.KEY, ""),
        team=first.get(SubjectKind.TEAM),
        tags=info.tags,
        alias=info.alias,
        connection=info.connection,
        operation=info.operation,
        provider=provider,
        model=model,
        price=price,
    )
    text = _encoder.encode(call).decode()
    if _NOT_IN_JSON in text:
        raise InvalidInput("a name or tag of the call holds U+0000: send it without", field="info")
    return text


def _clean(actual: Actual) -> Actual:
    """With an id of the answer that the database can hold, whatever the provider sent."""
    sent = actual.provider_id
    if sent.isascii() and "\0" not in sent:
        return actual
    kept = sent.replace("\0", "").encode("utf-8", "replace").decode()
    return msgspec.structs.replace(actual, provider_id=kept)
