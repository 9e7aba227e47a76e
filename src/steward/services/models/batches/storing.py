"""How a line's result is kept."""

from steward.kit.context import SystemCtx
from steward.kit.ids import TenantId
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import BatchRow
from steward.services.models.batches.repository import BatchesRepository, FilesRepository, output_row


class Storing:
    """Stores results of one tenant's batches; the first one of a line stays."""

    def __init__(self, keeping: Keeping, tenant: TenantId) -> None:
        self._keeping = keeping
        self._tenant = tenant
        self.ctx = SystemCtx(reason="a batch of requests", service="models", tenant=tenant)

    async def keep(self, batch: BatchRow, number: int, result: bytes, *, ok: bool) -> None:
        """Make a line done, and count it; the file that shows it is there from the first on."""
        sealed = await self._keeping.seal(self._tenant, result)
        name = await self._keeping.seal(self._tenant, b"batch_output.jsonl" if ok else b"batch_errors.jsonl")
        async with self._keeping.db.tx(self.ctx) as tx:
            kept = await BatchesRepository(tx).finish_line(batch.id, number, ok=ok, result=sealed, size=len(result))
            if kept:
                file = output_row(batch, name, self._keeping.clock.now(), of_errors=not ok)
                await FilesRepository(tx).add(file)


def request_id(batch: BatchRow, number: int) -> str:
    """Names one request in its result."""
    return f"{batch.id.hex}{number:05d}"
