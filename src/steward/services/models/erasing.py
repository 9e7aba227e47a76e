"""What is left of a tenant that was deleted goes, some rows at a time."""

from typing import Final

from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.services.models.repository import ErasingRepository

AT_A_TIME: Final = 1000
_DELETED: Final = "tenants.TenantDeleted"


class Erasing:
    """Deletes a tenant's rows; doing it twice, or again after a crash, is no harm."""

    def __init__(self, db: ServiceDb) -> None:
        self._db = db
        self._rows = ErasingRepository()

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus."""
        if event.type == _DELETED:
            await self.erase(event.tenant)

    async def erase(self, tenant: TenantId) -> None:
        ctx = SystemCtx(reason="rows of a deleted tenant", service="models", tenant=tenant)
        for table in self._rows.tables:
            deleted = AT_A_TIME
            while deleted == AT_A_TIME:
                async with self._db.tx(ctx) as tx:
                    deleted = await self._rows.delete_some(tx, tenant, table, AT_A_TIME)
