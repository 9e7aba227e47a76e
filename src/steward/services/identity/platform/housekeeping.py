"""Removal of what has expired, across tenants, in small transactions."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.telemetry import Metrics
from steward.services.identity.platform.repository import SweepSystemRepository

BATCH = 1000

_KEPT = timedelta(days=1)
"""How long a session or a count of failures stays after its end, for whoever looks into what happened."""


class Housekeeping:
    """Deletes ended sessions with their refresh tokens, spent time's refresh tokens, invitations, old failures."""

    def __init__(self, db: ServiceDb, clock: Clock, metrics: Metrics) -> None:
        self._db = db
        self._metrics = metrics
        self._clock = clock

    async def sweep(self) -> int:
        """Remove all there is now; how many rows."""
        now = self._clock.now()
        return sum(
            [
                await self._all(lambda tx: SweepSystemRepository(tx).sessions(now - _KEPT, BATCH)),
                await self._all(lambda tx: SweepSystemRepository(tx).refresh_tokens(now, BATCH)),
                await self._all(lambda tx: SweepSystemRepository(tx).invitations(now, BATCH)),
                await self._all(lambda tx: SweepSystemRepository(tx).login_attempts(now - _KEPT, BATCH)),
            ]
        )

    async def count_sessions(self) -> None:
        """Show how many live sessions the installation has; each process shows the same."""
        async with self._db.system_tx(SystemCtx(reason="count of sessions", service="identity")) as tx:
            self._metrics.active_sessions(await SweepSystemRepository(tx).live_sessions(self._clock.now()))

    async def _all(self, batch: Callable[[Tx], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._db.system_tx(SystemCtx(reason="removal of what expired", service="identity")) as tx:
                removed = await batch(tx)
            total += removed
            if removed < BATCH:
                return total
