"""Training of sets that are too large to wait for: queued in the database, done by one process of the fleet."""

import asyncio
from collections.abc import Sequence
from typing import Final

from steward.kit.bus import Wake
from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import Telemetry
from steward.services.support.api import IntentExamples, TrainingState
from steward.services.support.events import IntentsTrained
from steward.services.support.understanding.model import Model
from steward.services.support.understanding.repository import IntentsRepository, IntentsSystemRepository
from steward.services.support.understanding.training.trainer import Trainer, TrainingFailed

_LOCK: Final = "support:training"
"""Held by the process that trains until it ends; what it leaves behind is then trained by the next one."""
_REPLACED: Final = "support.IntentsReplaced"


class Trainings:
    """Trains what waits."""

    def __init__(
        self, db: ServiceDb, rows: IntentsRepository, trainer: Trainer, wake: Wake, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._db = db
        self._rows = rows
        self._all_rows = IntentsSystemRepository()
        self._trainer = trainer
        self._wake = wake
        self._clock = clock
        self._log = telemetry.log
        self._turn = asyncio.Lock()
        self._kick = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="support-trainings")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def on_event(self, event: StoredEvent) -> None:
        """Look at once when a tenant put intents, in whichever process."""
        if event.type == _REPLACED:
            self._kick.set()

    async def run(self) -> int:
        """Train all that waits, if this is the process that trains; how many."""
        async with self._turn:
            if not await self._wake.try_lock(_LOCK):
                return 0
            async with self._db.system_tx(SystemCtx(reason="intents to train", service="support")) as tx:
                waiting = await self._all_rows.waiting(tx)
            for tenant, version in waiting:
                await self._train(tenant, version)
            return len(waiting)

    async def _work(self) -> None:
        while True:
            await self._kick.wait()
            self._kick.clear()
            try:
                await self.run()
            except Exception as error:  # noqa: BLE001 - reported; the job tries again what is left behind
                self._log.exception("training of intents failed", exc_info=error)

    async def _train(self, tenant: TenantId, version: int) -> None:
        ctx = SystemCtx(reason="train intents", service="support", tenant=tenant)
        async with self._db.tx(ctx) as tx:
            intents = await self._rows.examples(tx, tenant, version)
            if not intents:
                return
            await self._rows.mark(tx, tenant, version, TrainingState.TRAINING)
        try:
            model = await self.trained(intents)
        except TrainingFailed as error:
            async with self._db.tx(ctx) as tx:
                await self._rows.mark(tx, tenant, version, TrainingState.FAILED, str(error))
            return
        encoded = await asyncio.to_thread(model.encode)
        async with self._db.tx(ctx) as tx:
            if await self._rows.trained(tx, tenant, version, encoded, model.accuracy, self._clock.now()):
                tx.emit(IntentsTrained(version=version))

    async def trained(self, intents: Sequence[IntentExamples]) -> Model:
        """A model of a tenant's intents; raises `TrainingFailed`."""
        return await self._trainer.train([(each.name, each.examples) for each in intents])
