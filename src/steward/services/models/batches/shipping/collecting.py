"""Results of a provider's batch, line by line into the ledger and into our results."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.services.costs.api import Outcome
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import BatchRow
from steward.services.models.batches.requests import read_line
from steward.services.models.batches.results import answered
from steward.services.models.batches.shipping.ledger import AT_A_TIME, LineLedger, some_at_a_time
from steward.services.models.batches.shipping.ports import Progress, ProviderBatches, Result
from steward.services.models.batches.shipping.questions import Question, Questions
from steward.services.models.batches.shipping.records import HeldLine, SubmissionRow
from steward.services.models.batches.shipping.repository import SubmissionsRepository
from steward.services.models.batches.storing import Storing, request_id
from steward.services.models.calls.verdicts import FailedAttempt, fatal, summary
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint

_OK: Final = 200
_BAD: Final = 400
_UNPROCESSABLE: Final = 422


class Collecting:
    """Fetches results; a second time is no harm."""

    def __init__(self, keeping: Keeping, questions: Questions, ledger: LineLedger) -> None:
        self._keeping = keeping
        self._questions = questions
        self._ledger = ledger

    async def collect(
        self, batch: BatchRow, ctx: Ctx, row: SubmissionRow, endpoint: Endpoint, provider: ProviderBatches, at: Progress
    ) -> None:
        """Settle and store every line that the provider made or refused."""
        some: list[Result] = []
        async with aclosing(provider.results(endpoint, at)) as results:
            async for result in results:
                if result.body is None and result.failure is None:
                    continue
                some.append(result)
                if len(some) >= AT_A_TIME:
                    await self._some(batch, ctx, row, endpoint, some)
                    some = []
        await self._some(batch, ctx, row, endpoint, some)

    async def _some(
        self, batch: BatchRow, ctx: Ctx, row: SubmissionRow, endpoint: Endpoint, results: Sequence[Result]
    ) -> None:
        by_number = {number: one for one in results if (number := row.number(one.custom_id)) is not None}
        tenant = ctx.require_tenant()
        storing = Storing(self._keeping, tenant)
        async with self._keeping.db.read(storing.ctx) as tx:
            held = await SubmissionsRepository(tx).held(row, list(by_number), len(by_number))

        async def one(line: HeldLine) -> None:
            await self._one(batch, ctx, storing, endpoint, line, by_number[line.number])

        await some_at_a_time(one, held)

    async def _one(
        self, batch: BatchRow, ctx: Ctx, storing: Storing, endpoint: Endpoint, line: HeldLine, result: Result
    ) -> None:
        request = read_line(await self._open(ctx.require_tenant(), line))
        question = self._questions.read(batch.endpoint, bytes(request.body))
        status, body = await self._settled(ctx, endpoint, line, question, result)
        told = answered(
            request_id(batch, line.number),
            request.custom_id,
            status=status,
            body=body,
            request_id=batch.origin.request_id,
        )
        await storing.keep(batch, line.number, told, ok=status == _OK)

    async def _settled(
        self, ctx: Ctx, endpoint: Endpoint, line: HeldLine, question: Question, result: Result
    ) -> tuple[int, bytes]:
        """Status and body of the answer, once the ledger has it."""
        failure = result.failure
        if result.body is not None:
            try:
                answer = question.answer(endpoint, result.body)
            except ProviderFailure as error:
                await self._ledger.unread(ctx, line.call_id, line.bound)
                return _told(ctx, question, endpoint, error)
            await self._ledger.succeeded(ctx, line.call_id, answer, line.bound)
            return _OK, answer.body
        outcome = Outcome.TIMED_OUT if failure and failure.kind is FailureKind.TIMED_OUT else Outcome.FAILED
        await self._ledger.unbilled(ctx, line.call_id, outcome)
        return _told(ctx, question, endpoint, failure or ProviderFailure(FailureKind.BROKEN, "it was not made"))

    async def _open(self, tenant: TenantId, line: HeldLine) -> bytes:
        return await self._keeping.open(tenant, line.request)


def _told(ctx: Ctx, question: Question, endpoint: Endpoint, failure: ProviderFailure) -> tuple[int, bytes]:
    told = fatal(failure) or summary(question.model, [FailedAttempt(endpoint.name, failure)], 0.0)
    status = _BAD if told.status == _UNPROCESSABLE else told.status
    return status, question.error(told, ctx.request_id)
