"""Making, showing and cancelling batches."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.models.api import Batch, BatchId, BatchState, FileId
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import PURPOSE, BatchRow, Origin, batch_id, batch_row, file_row, owner_of
from steward.services.models.batches.repository import BatchesRepository, FilesRepository
from steward.services.models.batches.requests import ENDPOINTS
from steward.services.models.errors import BatchNotFound, FileNotFound, InvalidParameter

WINDOW: Final = timedelta(hours=24)
MOST_OPEN: Final = 100
"""Batches of a tenant that have not ended."""

_Labels = Annotated[
    Mapping[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
_metadata: Final = msgspec.json.Decoder(dict[str, str])
_CREATE: Final = "create_batch"


class _Asked(msgspec.Struct, frozen=True):
    """What an Idempotency-Key is held to."""

    endpoint: str
    input_file: str
    metadata: Mapping[str, str]


class BatchesUseCase:
    """`create_batch` to `cancel_batch` of `ModelsApi`."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    async def create(self, ctx: Ctx, *, endpoint: str, input_file: FileId, metadata: Mapping[str, str] | None) -> Batch:
        """Raises `InvalidParameter`, `FileNotFound`."""
        keeping = self._keeping
        await keeping.require(ctx, "batches")
        labels = _check(endpoint, metadata)
        row = await self._new(ctx, endpoint, file_row(input_file), labels)
        asked = _Asked(endpoint, input_file, labels)
        await self._check_file(ctx, input_file, row.input_file)
        async with keeping.db.tx(ctx) as tx:
            again = await keeping.idempotency.replay(tx, ctx, _CREATE, asked, Batch)
            if again is not None:
                return again
            rows = BatchesRepository(tx)
            file = await FilesRepository(tx).get(row.input_file)
            if file is None:
                raise FileNotFound(input_file[:100])
            if file.purpose != PURPOSE:
                raise InvalidParameter("input_file_id", f"is of purpose {file.purpose!r}: upload a file of requests")
            if await rows.open_batches() >= MOST_OPEN:
                raise InvalidParameter("input_file_id", f"{MOST_OPEN} batches are open already: wait for one")
            await rows.add(row, lease_until=row.created_at)
            tx.audit(Audit(action="batch.created", resource=f"batch/{batch_id(row.id)}"))
            created = row.shown(labels)
            await keeping.idempotency.remember(tx, ctx, _CREATE, created)
        return created

    async def get(self, ctx: Ctx, *, batch: BatchId) -> Batch:
        return await self._shown(ctx, await self._find(ctx, batch))

    async def list_all(self, ctx: Ctx, *, limit: int, cursor: str | None) -> Page[Batch]:
        """Newest first."""
        await self._keeping.require(ctx, "batches")
        before = decode_cursor(cursor, UUID)
        async with self._keeping.db.read(ctx) as tx:
            found = await BatchesRepository(tx).list_before(before, self._keeping.only_of(ctx), limit + 1)
        items = [await self._shown(ctx, row) for row in found[:limit]]
        return Page(items, encode_cursor(found[limit - 1].id) if len(found) > limit else None)

    async def cancel(self, ctx: Ctx, *, batch: BatchId) -> Batch:
        """One that has ended stays as it is."""
        row = await self._find(ctx, batch)
        async with self._keeping.db.tx(ctx) as tx:
            await BatchesRepository(tx).cancel(row.id)
            tx.audit(Audit(action="batch.cancelled", resource=f"batch/{batch}"))
        return await self.get(ctx, batch=batch)

    async def _new(self, ctx: Ctx, endpoint: str, file: UUID, metadata: Mapping[str, str]) -> BatchRow:
        keeping = self._keeping
        now = keeping.clock.now()
        return BatchRow(
            id=keeping.ids.new(),
            owner=owner_of(ctx),
            endpoint=endpoint,
            state=BatchState.VALIDATING,
            input_file=file,
            output_file=keeping.ids.new(),
            error_file=keeping.ids.new(),
            metadata=await keeping.seal(ctx.require_tenant(), msgspec.json.encode(metadata)),
            origin=Origin.of(ctx),
            errors=(),
            total=0,
            succeeded=0,
            failed=0,
            created_at=now,
            expires_at=now + WINDOW,
        )

    async def _check_file(self, ctx: Ctx, name: FileId, file: UUID) -> None:
        """Before the transaction, for a refusal is audited in one of its own."""
        async with self._keeping.db.read(ctx) as tx:
            row = await FilesRepository(tx).get(file)
        if row is not None and await self._keeping.hidden(ctx, row.owner, f"file/{name}"):
            raise FileNotFound(name[:100])

    async def _find(self, ctx: Ctx, batch: BatchId) -> BatchRow:
        await self._keeping.require(ctx, f"batch/{batch[:100]}")
        async with self._keeping.db.read(ctx) as tx:
            row = await BatchesRepository(tx).get(batch_row(batch))
        if row is None or await self._keeping.hidden(ctx, row.owner, f"batch/{batch}"):
            raise BatchNotFound(batch[:100])
        return row

    async def _shown(self, ctx: Ctx, row: BatchRow) -> Batch:
        return row.shown(_metadata.decode(await self._keeping.open(ctx.require_tenant(), row.metadata)))


def _check(endpoint: str, metadata: Mapping[str, str] | None) -> Mapping[str, str]:
    if endpoint not in ENDPOINTS:
        raise InvalidParameter("endpoint", f"{endpoint[:60]!r} cannot be: one of {', '.join(ENDPOINTS)}")
    try:
        return msgspec.convert(metadata or {}, _Labels)
    except msgspec.ValidationError as error:
        raise InvalidParameter("metadata", f"at most 16 pairs of 64 and 512 characters can be: {error}") from error
