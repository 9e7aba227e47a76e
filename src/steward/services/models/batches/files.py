"""Keeping, showing and reading files."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.models.api import FileId, FileInfo
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.records import PURPOSE, FileRow, file_id, file_row, owner_of
from steward.services.models.batches.repository import BatchesRepository, FilesRepository
from steward.services.models.errors import FileInUse, FileNotFound, FileRefused, FileTooLarge

MOST_BYTES: Final = 32 * 1024 * 1024
PIECE_BYTES: Final = 1024 * 1024
MOST_STORED_BYTES: Final = 4 * 1024**3
"""Of all files of a tenant."""
_LONGEST_NAME: Final = 255
_RESULTS_AT_A_TIME: Final = 100


class FilesUseCase:
    """`put_file` to `delete_file` of `ModelsApi`."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    async def put(self, ctx: Ctx, *, name: str, purpose: str, content: bytes) -> FileInfo:
        """Raises `FileRefused`, `FileTooLarge`."""
        keeping = self._keeping
        await keeping.require(ctx, "files")
        _check(name, purpose, content)
        tenant = ctx.require_tenant()
        pieces: list[bytes] = []
        for start in range(0, len(content), PIECE_BYTES):
            pieces.append(await keeping.seal(tenant, content[start : start + PIECE_BYTES]))
            # Sealing waits for nothing while the key is at hand: others get their turn here.
            await asyncio.sleep(0)
        row = FileRow(
            id=keeping.ids.new(),
            owner=owner_of(ctx),
            name=await keeping.seal(tenant, name.encode()),
            purpose=purpose,
            bytes=len(content),
            created_at=keeping.clock.now(),
        )
        async with keeping.db.tx(ctx) as tx:
            rows = FilesRepository(tx)
            if await rows.stored_bytes() + len(content) > MOST_STORED_BYTES:
                raise FileRefused(f"the tenant's files have more than {MOST_STORED_BYTES} bytes with it: delete some")
            await rows.add(row)
            for number, piece in enumerate(pieces):
                await rows.add_piece(row.id, number, piece)
            tx.audit(Audit(action="file.stored", resource=f"file/{file_id(row.id)}"))
        return row.shown(name)

    async def get(self, ctx: Ctx, *, file: FileId) -> FileInfo:
        return await self._shown(ctx, await self._find(ctx, file))

    async def list_all(self, ctx: Ctx, *, limit: int, cursor: str | None) -> Page[FileInfo]:
        """Newest first."""
        await self._keeping.require(ctx, "files")
        before = decode_cursor(cursor, UUID)
        async with self._keeping.db.read(ctx) as tx:
            found = await FilesRepository(tx).list_before(before, self._keeping.only_of(ctx), limit + 1)
        items = [await self._shown(ctx, row) for row in found[:limit]]
        return Page(items, encode_cursor(found[limit - 1].id) if len(found) > limit else None)

    async def read(self, ctx: Ctx, *, file: FileId) -> AsyncIterator[bytes]:
        """In pieces; of an output file what is there by now."""
        row = await self._find(ctx, file)
        content = self.pieces(ctx, row.id) if row.batch is None else self._results(ctx, row, row.batch)
        async for piece in content:
            yield piece

    async def pieces(self, ctx: Ctx, file: UUID) -> AsyncIterator[bytes]:
        """An uploaded file's content."""
        number = 0
        while True:
            async with self._keeping.db.read(ctx) as tx:
                sealed = await FilesRepository(tx).piece(file, number)
            if sealed is None:
                return
            yield await self._keeping.open(ctx.require_tenant(), sealed)
            number += 1

    async def delete(self, ctx: Ctx, *, file: FileId) -> None:
        """Raises `FileNotFound`, `FileInUse`."""
        row = await self._find(ctx, file)
        async with self._keeping.db.tx(ctx) as tx:
            rows = FilesRepository(tx)
            if await rows.in_use(row):
                raise FileInUse(file)
            await rows.delete(row)
            tx.audit(Audit(action="file.deleted", resource=f"file/{file}"))

    async def _results(self, ctx: Ctx, row: FileRow, batch: UUID) -> AsyncIterator[bytes]:
        last = 0
        while True:
            async with self._keeping.db.read(ctx) as tx:
                found = await BatchesRepository(tx).results_after(
                    batch, last, of_errors=row.of_errors, limit=_RESULTS_AT_A_TIME
                )
            if not found:
                return
            last = found[-1][0]
            for _, sealed in found:
                yield await self._keeping.open(ctx.require_tenant(), sealed)

    async def _find(self, ctx: Ctx, file: FileId) -> FileRow:
        await self._keeping.require(ctx, f"file/{file[:100]}")
        async with self._keeping.db.read(ctx) as tx:
            row = await FilesRepository(tx).get(file_row(file))
        if row is None or await self._keeping.hidden(ctx, row.owner, f"file/{file}"):
            raise FileNotFound(file[:100])
        return row

    async def _shown(self, ctx: Ctx, row: FileRow) -> FileInfo:
        return row.shown((await self._keeping.open(ctx.require_tenant(), row.name)).decode())


def _check(name: str, purpose: str, content: bytes) -> None:
    if purpose != PURPOSE:
        raise FileRefused(f"purpose {purpose[:40]!r} cannot be: files are for batches here, so say {PURPOSE!r}")
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise FileRefused(f"its name must have 1 to {_LONGEST_NAME} characters that can be printed")
    if not content:
        raise FileRefused("it is empty: write one request on each line")
    if len(content) > MOST_BYTES:
        raise FileTooLarge(MOST_BYTES)
