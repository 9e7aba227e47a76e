"""The work on one batch, from its validation to its end, as long as its lease is held."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.ids import TenantId
from steward.kit.telemetry import Telemetry
from steward.services.models.api import BatchState
from steward.services.models.batches.files import FilesUseCase
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import BatchRow, Claimed, LineRow
from steward.services.models.batches.repository import BatchesRepository
from steward.services.models.batches.requests import Checking, LineRequest, Lines, read_line
from steward.services.models.batches.results import GOOD, answered, not_made
from steward.services.models.batches.rights import Rights, Watch
from steward.services.models.batches.shipping.shipping import Shipping, Work
from steward.services.models.batches.storing import Storing, request_id

RunLine = Callable[[Ctx, str, bytes], Awaitable[tuple[int, bytes]]]
"""Makes one request of an endpoint at low priority: its status, and its body as JSON. Raises nothing for a request that
failed as such."""

CONCURRENCY: Final = 8
"""Requests at a time of one batch."""
LINE_SECONDS: Final = timedelta(minutes=10)
"""Within which a request is answered."""
ATTEMPTS: Final = 5
STORED_AT_A_TIME: Final = 200
_PASSING: Final = frozenset((429, 503, 504))
"""Statuses after which the same request may do a while later."""
_FINAL_TYPES: Final = frozenset(("insufficient_quota",))
_FIRST_WAIT: Final = 2.0


class _ErrorType(msgspec.Struct):
    type: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorType = msgspec.field(default_factory=_ErrorType)


_error: Final = msgspec.json.Decoder(_ErrorBody)


class Run:
    """One process's work on one batch."""

    def __init__(
        self,
        keeping: Keeping,
        files: FilesUseCase,
        run_line: RunLine,
        claimed: Claimed,
        telemetry: Telemetry,
        *,
        shipping: Shipping,
        rights: Rights,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._keeping = keeping
        self._files = files
        self._run_line = run_line
        self._claimed = claimed
        self._shipping = shipping
        self._watch = Watch(keeping, claimed.tenant, rights)
        self._concurrency = concurrency
        self._log = telemetry.log
        self._tenant: TenantId = claimed.tenant
        self._storing = Storing(keeping, claimed.tenant)
        self._ctx = self._storing.ctx

    async def work(self) -> bool:
        """Ends with the batch, without its lease, or where there is nothing to do but to wait for providers: then it is
        True.
        """
        async with self._keeping.db.read(self._ctx) as tx:
            batch = await BatchesRepository(tx).get(self._claimed.batch)
        if batch is None:
            return False
        if batch.state is BatchState.VALIDATING:
            if not await self._validate(batch):
                return False
        elif not batch.total:
            # Cancelled while its file was read: what is stored of it is not whole.
            await self._forget_lines(batch)
        state, waits = await self._shipped_and_made(batch)
        if state is not None and not waits:
            await self._close_rest(batch, state)
            await self._end(state, self._watch.faults)
        return state is not None and waits

    async def _shipped_and_made(self, batch: BatchRow) -> tuple[BatchState | None, bool]:
        """The state that the work ends in, None without the lease; and whether providers are still at work for it."""
        work = Work(batch, self._claimed)
        state = await self._state(batch)
        waits, held = await self._shipping.advance(work, stop=_stops(state)), False
        if state is BatchState.COMPLETED:
            held = await self._shipping.ship(work, waiting=waits)
            if not held:
                state = await self._work_off(batch)
            stops = _stops(state)
            waits = await (self._shipping.advance(work, stop=True) if stops else self._shipping.is_open(work))
        return state, waits or held

    async def _state(self, batch: BatchRow) -> BatchState | None:
        """What the batch ends in as things stand; None where it is another process's."""
        await self._watch.look(batch)
        async with self._keeping.db.read(self._ctx) as tx:
            return await self._stands(batch, BatchesRepository(tx))

    async def _stands(self, batch: BatchRow, rows: BatchesRepository) -> BatchState | None:
        standing = await rows.standing(batch.id)
        if standing is None or standing.epoch != self._claimed.epoch:
            return None
        if standing.state is BatchState.CANCELLING:
            return BatchState.CANCELLED
        expired = self._keeping.clock.now() >= standing.expires_at
        return BatchState.EXPIRED if expired else BatchState.COMPLETED

    async def _validate(self, batch: BatchRow) -> bool:
        """Read the file into lines; whether it is good. A second time is no harm."""
        checking, lines = Checking(batch.endpoint), Lines()
        owner = batch.origin.ctx(self._tenant, batch.expires_at)
        async for piece in self._files.pieces(owner, batch.input_file):
            await self._store(batch, checking, list(lines.feed(piece)))
            if checking.full:
                break
        else:
            await self._store(batch, checking, list(lines.end()))
        checking.end()
        if checking.faults:
            await self._forget_lines(batch)
            await self._end(BatchState.FAILED, checking.faults)
            return False
        async with self._keeping.db.tx(self._ctx) as tx:
            await BatchesRepository(tx).begin(self._claimed, checking.count)
        return True

    async def _store(self, batch: BatchRow, checking: Checking, lines: list[tuple[int, bytes]]) -> None:
        """Keep the good lines of a piece, as long as all have been good."""
        for start in range(0, len(lines), STORED_AT_A_TIME):
            some = lines[start : start + STORED_AT_A_TIME]
            good = [one for one in some if not checking.full and checking.check(*one)]
            if checking.faults:
                await asyncio.sleep(0)
                continue
            sealed = [
                LineRow(number=number, request=await self._keeping.seal(self._tenant, line)) for number, line in good
            ]
            async with self._keeping.db.tx(self._ctx) as tx:
                await BatchesRepository(tx).add_lines(batch.id, sealed)

    async def _work_off(self, batch: BatchRow) -> BatchState | None:
        """Make the requests; the state that this ends in, or None where another process goes on."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                state, taken = await self._take(batch, self._concurrency - len(running))
                running |= {asyncio.create_task(self._make(batch, line)) for line in taken}
                if not running:
                    return state
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _take(self, batch: BatchRow, most: int) -> tuple[BatchState | None, list[LineRow]]:
        """The next lines, or what the batch ends in where there are none to be made."""
        await self._watch.look(batch)
        async with self._keeping.db.tx(self._ctx) as tx:
            rows = BatchesRepository(tx)
            state = await self._stands(batch, rows)
            return state, await rows.take(self._claimed, most) if state is BatchState.COMPLETED else []

    async def _make(self, batch: BatchRow, line: LineRow) -> None:
        request = read_line(await self._keeping.open(self._tenant, line.request))
        status, body = await self._attempts(batch, request)
        result = answered(
            request_id(batch, line.number),
            request.custom_id,
            status=status,
            body=body,
            request_id=batch.origin.request_id,
        )
        await self._storing.keep(batch, line.number, result, ok=status in GOOD)

    async def _attempts(self, batch: BatchRow, request: LineRequest) -> tuple[int, bytes]:
        """A request that the next minutes may do for is made again; a budget that is spent is not waited for."""
        wait = _FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            status, body = await self._once(batch, request)
            if attempt == ATTEMPTS or status not in _PASSING or _is_final(body):
                return status, body
            await self._keeping.clock.sleep(wait)
            wait *= 2
        raise AssertionError

    async def _once(self, batch: BatchRow, request: LineRequest) -> tuple[int, bytes]:
        ctx = batch.origin.ctx(self._tenant, self._keeping.clock.now() + LINE_SECONDS)
        try:
            return await self._run_line(ctx, batch.endpoint, bytes(request.body))
        except AppError as error:
            return error.status, _told(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - reported; the other lines are not to fail with it
            self._log.exception("a line of a batch failed", batch=str(batch.id), exc_info=error)
            return 500, _told("internal", "the request failed here: send it again")

    async def _close_rest(self, batch: BatchRow, state: BatchState) -> None:
        """Say of each line that was not made why it was not."""
        why = "was cancelled" if state is BatchState.CANCELLED else "was not done within its 24 hours"
        code = f"batch_{state}"
        while state is not BatchState.COMPLETED:
            async with self._keeping.db.tx(self._ctx) as tx:
                lines = await BatchesRepository(tx).take(self._claimed, STORED_AT_A_TIME)
            if not lines:
                return
            for line in lines:
                request = read_line(await self._keeping.open(self._tenant, line.request))
                message = f"the batch {why} before this request was made"
                result = not_made(request_id(batch, line.number), request.custom_id, code=code, message=message)
                await self._storing.keep(batch, line.number, result, ok=False)

    async def _forget_lines(self, batch: BatchRow) -> None:
        async with self._keeping.db.tx(self._ctx) as tx:
            await BatchesRepository(tx).delete_lines(batch.id)

    async def _end(self, state: BatchState, errors: Sequence[str] = ()) -> None:
        async with self._keeping.db.tx(self._ctx) as tx:
            await BatchesRepository(tx).end(self._claimed, state, errors, self._keeping.clock.now())


def _stops(state: BatchState | None) -> bool:
    return state in {BatchState.CANCELLED, BatchState.EXPIRED}


def _is_final(body: bytes) -> bool:
    try:
        return _error.decode(body).error.type in _FINAL_TYPES
    except msgspec.DecodeError:
        return False


def _told(code: str, message: str) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": "server_error", "param": None, "code": code}})
