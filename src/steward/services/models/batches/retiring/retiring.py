"""The job that deletes what is old."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.context import SystemCtx
from steward.kit.ids import TenantId
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import batch_id, file_id
from steward.services.models.batches.repository import FilesRepository
from steward.services.models.batches.retiring.repository import OldRepository, OldSystemRepository

EVERY_SECONDS: Final = 3600.0
AT_A_TIME: Final = 100


class Retiring:
    """Deletes batches so many days after they ended, and files so many days after they were uploaded; a file that a
    batch is still to read goes a later time.
    """

    def __init__(self, keeping: Keeping, days: int) -> None:
        self._keeping = keeping
        self._age = timedelta(days=days)

    async def sweep(self) -> int:
        """How many were deleted."""
        before = self._keeping.clock.now() - self._age
        return await self._batches(before) + await self._files(before)

    async def _batches(self, before: datetime) -> int:
        count = 0
        while True:
            async with self._keeping.db.system_tx(_system("batches that are old")) as tx:
                found = await OldSystemRepository(tx).batches(before, AT_A_TIME)
            for tenant, batch in found:
                ctx = SystemCtx(reason="a batch that is old", service="models", tenant=tenant)
                async with self._keeping.db.tx(ctx) as tx:
                    await OldRepository(tx).delete_batch(batch)
                    tx.audit(Audit(action="batch.retired", resource=f"batch/{batch_id(batch)}"))
            count += len(found)
            if len(found) < AT_A_TIME:
                return count

    async def _files(self, before: datetime) -> int:
        count, last = 0, None
        while True:
            async with self._keeping.db.system_tx(_system("files that are old")) as tx:
                found = await OldSystemRepository(tx).files(before, AT_A_TIME, last)
            for tenant, file, _ in found:
                count += await self._file(tenant, file)
            if len(found) < AT_A_TIME:
                return count
            last = found[-1][2]

    async def _file(self, tenant: TenantId, file: UUID) -> bool:
        ctx = SystemCtx(reason="a file that is old", service="models", tenant=tenant)
        async with self._keeping.db.tx(ctx) as tx:
            rows = FilesRepository(tx)
            row = await rows.get(file)
            if row is None or await rows.in_use(row):
                return False
            await rows.delete(row)
            tx.audit(Audit(action="file.retired", resource=f"file/{file_id(file)}"))
        return True


def _system(reason: str) -> SystemCtx:
    return SystemCtx(reason=reason, service="models")
