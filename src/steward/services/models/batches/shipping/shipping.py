"""Submissions from their making to their end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from steward.kit.context import Ctx, SystemCtx
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import CallUsage, Reservation
from steward.services.models.api import Speaks
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import BatchRow, Claimed
from steward.services.models.batches.shipping.bundles import Bundle, Packing, Parcel
from steward.services.models.batches.shipping.collecting import Collecting
from steward.services.models.batches.shipping.ledger import BUDGET_EXHAUSTED, LineLedger, Refused, some_at_a_time
from steward.services.models.batches.shipping.ports import (
    Progress,
    ProviderBatches,
    Request,
    Shipment,
    Sought,
    SubmissionRefused,
)
from steward.services.models.batches.shipping.questions import Questions
from steward.services.models.batches.shipping.records import HeldLine, SubmissionRow, SubmissionState
from steward.services.models.batches.shipping.repository import SubmissionsRepository
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Directory, Endpoint

SETTLED: Final = timedelta(minutes=5)
"""After which a submission that is not at the provider never will be: longer than the sending of one can take."""
GIVEN_UP: Final = timedelta(hours=2)
"""After the end of a batch's time: a provider that says nothing until then is not asked any more."""
_LINES_AT_A_TIME: Final = 100
_RELEASED_AT_A_TIME: Final = 500
_LEASE: Final = timedelta(minutes=10)

EndpointOf = Callable[[Ctx, str], Awaitable[Endpoint | None]]
"""A connection by its name, for a tenant."""


class Work(msgspec.Struct, frozen=True):
    """A batch that this process works on."""

    batch: BatchRow
    claimed: Claimed


class Shipping:
    """Takes lines to providers' batch endpoints, and their results from there."""

    def __init__(
        self,
        *,
        keeping: Keeping,
        directory: Directory,
        endpoint_of: EndpointOf,
        providers: Mapping[Speaks, ProviderBatches],
        questions: Questions,
        ledger: LineLedger,
        telemetry: Telemetry,
    ) -> None:
        self._keeping = keeping
        self._packing = Packing(directory, questions, providers)
        self._endpoint_of = endpoint_of
        self._providers = providers
        self._ledger = ledger
        self._collecting = Collecting(keeping, questions, ledger)
        self._log = telemetry.log

    async def advance(self, work: Work, *, stop: bool) -> bool:
        """Do what can be done for what was submitted; whether some of it is still open. `stop`: it is to be cancelled
        at the providers.
        """
        async with self._keeping.db.read(_system(work)) as tx:
            rows = await SubmissionsRepository(tx).open(work.batch.id)
        left = False
        for row in rows:
            try:
                left = not await self._advance(work, row, stop=stop) or left
            except ProviderFailure as failure:
                left = True
                self._note(work, row, failure)
        return left

    async def is_open(self, work: Work) -> bool:
        """Whether some of what was submitted has not ended."""
        async with self._keeping.db.read(_system(work)) as tx:
            return bool(await SubmissionsRepository(tx).open(work.batch.id))

    async def ship(self, work: Work, *, waiting: bool) -> bool:
        """Submit what can be submitted; whether lines wait for others of their batch, whose reservations leave them no
        budget. `waiting`: others of the batch are submitted already.
        """
        bundles: dict[UUID, Bundle] = {}
        last = 0
        while True:
            async with self._keeping.db.read(_system(work)) as tx:
                lines = await SubmissionsRepository(tx).pending(work.batch.id, last, _LINES_AT_A_TIME)
            if not lines:
                break
            last = lines[-1].number
            for line in lines:
                plain = await self._keeping.open(work.claimed.tenant, line.request)
                parcel = await self._packing.parcel(self._ctx(work), work.batch.endpoint, line.number, plain)
                await asyncio.sleep(0)
                if parcel is None:
                    continue
                bundle = bundles.setdefault(parcel.endpoint.revision, Bundle(parcel.endpoint))
                bundle.add(parcel)
                if bundle.full:
                    del bundles[parcel.endpoint.revision]
                    if await self._submit(work, bundle, waiting=waiting):
                        return True
        for bundle in bundles.values():
            if await self._submit(work, bundle, waiting=waiting):
                return True
        return False

    async def _submit(self, work: Work, bundle: Bundle, *, waiting: bool) -> bool:
        """See `ship`."""
        row = await self._intended(work, bundle)
        if row is None:
            return False
        calls, row = row
        found = await self._reserved(work, bundle, calls)
        granted = [(parcel, one) for parcel, one in found if isinstance(one, Reservation)]
        poor = [p.number for p, one in found if isinstance(one, Refused) and one.code == BUDGET_EXHAUSTED]
        held = bool(poor) and (waiting or bool(granted))
        await self._release(work, row, poor, alone=not held)
        unpriced = [p.number for p, one in found if isinstance(one, Refused) and one.code != BUDGET_EXHAUSTED]
        await self._release(work, row, unpriced, alone=True)
        if not granted:
            await self._end(work, row)
            return held
        return await self._send(work, bundle.endpoint, row, granted) and held

    async def _reserved(
        self, work: Work, bundle: Bundle, calls: Mapping[int, UUID]
    ) -> Sequence[tuple[Parcel, Reservation | Refused]]:
        """In order; where the budget ends, no more is asked for."""
        ctx, exhausted = self._ctx(work), Refused(BUDGET_EXHAUSTED)
        ends: list[Refused] = []

        async def reserve(parcel: Parcel) -> Reservation | Refused:
            if ends:
                return exhausted
            found = await self._ledger.reserve(ctx, calls[parcel.number], parcel.question, parcel.resolved)
            if found == exhausted:
                ends.append(exhausted)
            return found

        return list(zip(bundle.parcels, await some_at_a_time(reserve, bundle.parcels), strict=True))

    async def _intended(self, work: Work, bundle: Bundle) -> tuple[Mapping[int, UUID], SubmissionRow] | None:
        """Store the submission with a call for each line, before anything is reserved; None without the lease."""
        calls = {parcel.number: self._keeping.ids.new() for parcel in bundle.parcels}
        row = SubmissionRow(
            id=self._keeping.ids.new(),
            batch=work.batch.id,
            connection=bundle.endpoint.name,
            state=SubmissionState.INTENDED,
            lines=len(calls),
            made_at=self._keeping.clock.now(),
        )
        async with self._keeping.db.tx(_system(work)) as tx:
            stored = await SubmissionsRepository(tx).intend(work.claimed, row, calls)
        return (calls, row) if stored else None

    async def _send(
        self, work: Work, endpoint: Endpoint, row: SubmissionRow, granted: Sequence[tuple[Parcel, Reservation]]
    ) -> bool:
        """Send it, once. Whether it is, or may be, with the provider."""
        bounds = {
            parcel.number: CallUsage(
                input_tokens=parcel.question.demand.input_tokens(parcel.resolved.targets[0].candidate),
                output_tokens=min(one.output_tokens, parcel.wanted),
            )
            for parcel, one in granted
        }
        requests = [
            Request(row.custom_id(parcel.number), parcel.limited(bounds[parcel.number].output_tokens))
            for parcel, _ in granted
        ]
        async with self._keeping.db.tx(_system(work)) as tx:
            if not await SubmissionsRepository(tx).send(work.claimed, row.id, bounds, self._keeping.clock.now()):
                return False
        shipment = Shipment(id=row.id, endpoint=work.batch.endpoint, requests=requests)
        try:
            made = await self._providers[endpoint.speaks].submit(endpoint, shipment)
        except SubmissionRefused as refused:
            self._note(work, row, refused.failure)
            await self._free(work, row, alone=True)
            return False
        except ProviderFailure as failure:
            self._note(work, row, failure)
        else:
            await self._accept(work, row, made)
        return True

    async def _advance(self, work: Work, row: SubmissionRow, *, stop: bool) -> bool:
        """Whether it has ended."""
        if row.state is SubmissionState.INTENDED:
            # Whoever stored it was to send it, and did not: it lost its lease before.
            await self._free(work, row, alone=False)
            return True
        endpoint = await self._endpoint_of(self._ctx(work), row.connection)
        provider = self._providers.get(endpoint.speaks) if endpoint is not None else None
        late = self._keeping.clock.now() >= work.batch.expires_at + GIVEN_UP
        if endpoint is None or provider is None:
            return late and await self._give_up(work, row)
        try:
            found = await self._found(work, row, endpoint, provider)
            if found is None:
                return False
            if found.state is SubmissionState.INTENDED:
                await self._free(work, row, alone=False)
                return True
            return await self._polled(work, found, endpoint, provider, stop=stop) or (
                late and await self._give_up(work, row)
            )
        except ProviderFailure as failure:
            gone = failure.kind is FailureKind.NOT_FOUND and row.state is SubmissionState.ACCEPTED
            if not late and not gone:
                raise
            self._note(work, row, failure)
            return await self._give_up(work, row)

    async def _found(
        self, work: Work, row: SubmissionRow, endpoint: Endpoint, provider: ProviderBatches
    ) -> SubmissionRow | None:
        """The submission as it is at the provider; as `intended` where it never arrived, None where nobody knows."""
        if row.state is SubmissionState.ACCEPTED:
            return row
        async with self._keeping.db.read(_system(work)) as tx:
            others = await SubmissionsRepository(tx).provider_batches(row.connection)
        sought = Sought(id=row.id, lines=row.lines, made_at=row.made_at, others=others)
        # Judged by the time before the search: what arrives while it lasts is not overlooked.
        settled = self._keeping.clock.now() >= row.made_at + SETTLED
        found = await provider.find(endpoint, sought)
        if found.batch is not None:
            return await self._accept(work, row, found.batch)
        if found.certain and settled:
            return msgspec.structs.replace(row, state=SubmissionState.INTENDED)
        return None

    async def _polled(
        self, work: Work, row: SubmissionRow, endpoint: Endpoint, provider: ProviderBatches, *, stop: bool
    ) -> bool:
        progress = await provider.poll(endpoint, row.provider_batch)
        if stop and not progress.over and not row.cancelled:
            await provider.cancel(endpoint, row.provider_batch)
            async with self._keeping.db.tx(_system(work)) as tx:
                await SubmissionsRepository(tx).cancelled(row)
            progress = await provider.poll(endpoint, row.provider_batch)
        if not progress.over:
            return False
        await self._collecting.collect(work.batch, self._ctx(work), row, endpoint, provider, progress)
        # What it did not make, being refused, expired or cancelled, is made line by line, if there is time.
        await self._free(work, row, alone=True)
        await self._forget(work, row, endpoint, provider, progress)
        return True

    async def _forget(
        self, work: Work, row: SubmissionRow, endpoint: Endpoint, provider: ProviderBatches, progress: Progress
    ) -> None:
        try:
            await provider.forget(endpoint, progress)
        except ProviderFailure as failure:
            self._note(work, row, failure)

    async def _free(self, work: Work, row: SubmissionRow, *, alone: bool) -> None:
        """End a submission whose lines are not, or no longer, with the provider: they cost nothing."""
        ctx = self._ctx(work)

        async def unbilled(line: HeldLine) -> None:
            await self._ledger.unbilled(ctx, line.call_id)

        while True:
            async with self._keeping.db.read(_system(work)) as tx:
                held = await SubmissionsRepository(tx).held(row, None, _RELEASED_AT_A_TIME)
            if not held:
                break
            await some_at_a_time(unbilled, held)
            await self._release(work, row, [line.number for line in held], alone=alone)
        await self._end(work, row)

    async def _give_up(self, work: Work, row: SubmissionRow) -> bool:
        """The provider says nothing of it any more: the ledger charges its calls as unknown, for none is settled."""
        while True:
            async with self._keeping.db.read(_system(work)) as tx:
                held = await SubmissionsRepository(tx).held(row, None, _RELEASED_AT_A_TIME)
            if not held:
                break
            await self._release(work, row, [line.number for line in held], alone=True)
        await self._end(work, row)
        return True

    async def _accept(self, work: Work, row: SubmissionRow, made: str) -> SubmissionRow:
        async with self._keeping.db.tx(_system(work)) as tx:
            await SubmissionsRepository(tx).accept(row, made)
        return msgspec.structs.replace(row, state=SubmissionState.ACCEPTED, provider_batch=made)

    async def _release(self, work: Work, row: SubmissionRow, numbers: Sequence[int], *, alone: bool) -> None:
        if numbers:
            async with self._keeping.db.tx(_system(work)) as tx:
                await SubmissionsRepository(tx).release(row, numbers, alone=alone)

    async def _end(self, work: Work, row: SubmissionRow) -> None:
        async with self._keeping.db.tx(_system(work)) as tx:
            await SubmissionsRepository(tx).end(row)

    def _ctx(self, work: Work) -> Ctx:
        return work.batch.origin.ctx(work.claimed.tenant, self._keeping.clock.now() + _LEASE)

    def _note(self, work: Work, row: SubmissionRow, failure: ProviderFailure) -> None:
        """Without the provider's words, which may quote the requests."""
        self._log.warning(
            "a provider's batch endpoint failed",
            event_type="llm.batch_failed",
            batch=str(work.batch.id),
            connection=row.connection,
            kind=failure.kind.value,
            status=failure.status,
            code=failure.code[:60],
        )


def _system(work: Work) -> SystemCtx:
    return SystemCtx(reason="a batch with a provider", service="models", tenant=work.claimed.tenant)
