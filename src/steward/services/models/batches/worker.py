"""Who works on which batch: claims, leases, and the work of this process."""

import asyncio
from datetime import timedelta
from typing import Final

from steward.kit.context import SystemCtx
from steward.kit.telemetry import Telemetry
from steward.services.models.batches.files import FilesUseCase
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import Claimed
from steward.services.models.batches.repository import BatchesSystemRepository
from steward.services.models.batches.rights import Rights
from steward.services.models.batches.running import CONCURRENCY, Run, RunLine
from steward.services.models.batches.shipping.shipping import Shipping

LEASE: Final = timedelta(seconds=60)
SWEEP_SECONDS: Final = 2.0
POLL: Final = timedelta(seconds=20)
"""After which providers that are at work for a batch are asked again, by whichever process comes first."""
AT_A_TIME: Final = 8
"""Batches that one process works on."""


class BatchWorker:
    """Background work of batches. `sweep` is to be repeated in every process."""

    def __init__(
        self,
        keeping: Keeping,
        files: FilesUseCase,
        run_line: RunLine,
        telemetry: Telemetry,
        *,
        shipping: Shipping,
        rights: Rights,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._keeping = keeping
        self._files = files
        self._run_line = run_line
        self._telemetry = telemetry
        self._shipping = shipping
        self._rights = rights
        self._concurrency = concurrency
        self._working: dict[Claimed, asyncio.Task[None]] = {}
        self._stopped = False

    async def sweep(self) -> int:
        """Keep what is worked on here, and take up what nobody works on; how many batches were taken up."""
        if self._stopped:
            return 0
        now = self._keeping.clock.now()
        async with self._keeping.db.system_tx(_system("batches that wait")) as tx:
            rows = BatchesSystemRepository(tx)
            if self._working:
                await rows.renew(list(self._working), now + LEASE)
            claimed = await rows.claim(now, now + LEASE, AT_A_TIME - len(self._working))
        for one in claimed:
            task = asyncio.create_task(self._work(one), name=f"batch-{one.batch}")
            self._working[one] = task
        return len(claimed)

    async def drain(self) -> None:
        """Wait for the work that was begun here."""
        await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Leave the work to others: calls in flight are cancelled, and their lines made again."""
        self._stopped = True
        held = list(self._working)
        for task in self._working.values():
            task.cancel()
        await self.drain()
        if held:
            await self._leave(held, timedelta())

    async def _work(self, claimed: Claimed) -> None:
        run = Run(
            self._keeping,
            self._files,
            self._run_line,
            claimed,
            self._telemetry,
            shipping=self._shipping,
            rights=self._rights,
            concurrency=self._concurrency,
        )
        waits = False
        try:
            waits = await run.work()
        except Exception as error:
            self._telemetry.log.exception("a batch was left", batch=str(claimed.batch), exc_info=error)
        finally:
            self._working.pop(claimed, None)
        if waits:
            await self._leave([claimed], POLL)

    async def _leave(self, held: list[Claimed], after: timedelta) -> None:
        """Let anybody take them up, after a while."""
        async with self._keeping.db.system_tx(_system("batches that this process leaves")) as tx:
            await BatchesSystemRepository(tx).renew(held, self._keeping.clock.now() + after)


def _system(reason: str) -> SystemCtx:
    return SystemCtx(reason=reason, service="models")
