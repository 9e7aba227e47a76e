"""Events of settlements: left in the database with them, in one message, and published by a transaction of their own.

A settlement holds its budgets' locks for as long as its one statement takes. Publishing in the same transaction would
hold them for a round trip to this process, however busy it is, and every other process would wait for it.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.errors import Unavailable
from steward.kit.outbox import DomainEvent
from steward.kit.telemetry import Telemetry
from steward.services.costs.events import BudgetThresholdReached, ReservationExceeded
from steward.services.costs.repository.engine import EngineSystemRepository

_AT_ONCE: Final = 200
_KINDS: Final[Mapping[str, type[DomainEvent]]] = {
    "threshold": BudgetThresholdReached,
    "exceeded": ReservationExceeded,
}


class Notices:
    """Publishes what settlements left: each once, by whichever process comes first."""

    def __init__(self, db: ServiceDb, telemetry: Telemetry) -> None:
        self._db = db
        self._log = telemetry.log
        self._rows = EngineSystemRepository()
        self._task: asyncio.Task[None] | None = None
        self._more = False

    def publish_soon(self) -> None:
        """Publish what there is, off the path of whoever settles."""
        self._more = True
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="costs-notices")

    async def publish(self) -> int:
        """Publish everything that is left; how many events."""
        published = 0
        while True:
            async with self._db.system_tx(SystemCtx(reason="events of settled calls", service="costs")) as tx:
                notices = await self._rows.take_notices(tx, _AT_ONCE)
                for notice in notices:
                    tx.emit(msgspec.json.decode(notice.body, type=_KINDS[notice.kind]), tenant=notice.tenant)
            published += len(notices)
            if len(notices) < _AT_ONCE:
                return published

    async def stop(self) -> None:
        """Wait for what is being published."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        try:
            while self._more:
                self._more = False
                await self.publish()
        except Unavailable as error:
            self._log.warning("events of settled calls are published later", exc_info=error)
        finally:
            self._task = None
