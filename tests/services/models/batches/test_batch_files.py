"""Files of requests: kept sealed, in pieces, for their tenant and their owner."""

import pytest

from steward.services.models.api import FileId
from steward.services.models.batches.files import MOST_BYTES, PIECE_BYTES
from steward.services.models.errors import FileInUse, FileNotFound, FileRefused, FileTooLarge
from tests.services.models.batches.shop import Room, caller, line
from tests.support.database import as_owner, new_tenant


async def test_a_file_comes_back_as_it_was(room: Room) -> None:
    ctx = caller(new_tenant())
    content = b"0123456789abcdef" * (PIECE_BYTES // 16) * 2 + b"end"
    stored = await room.files.put(ctx, name="nächtlich.jsonl", purpose="batch", content=content)
    assert (stored.name, stored.bytes, stored.purpose) == ("nächtlich.jsonl", len(content), "batch")
    assert await room.files.get(ctx, file=stored.id) == stored
    pieces = [piece async for piece in room.files.read(ctx, file=stored.id)]
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 3]
    assert b"".join(pieces) == content


async def test_nothing_of_a_request_lies_readable(room: Room, owner_dsn: str) -> None:
    ctx = caller(new_tenant())
    await room.batch(ctx, [line("Geheimnis")])
    await room.work()
    for table in ("file", "file_piece", "batch", "batch_line", "outbox", "audit_outbox"):
        for (row,) in await as_owner(
            owner_dsn, f"SELECT t::text FROM models.{table} t WHERE tenant_id = $1", ctx.tenant
        ):
            assert "Geheimnis" not in row
            assert b"Geheimnis".hex() not in row


@pytest.mark.parametrize(
    ("name", "purpose", "size", "error"),
    [
        ("a.jsonl", "assistants", 1, FileRefused),
        ("", "batch", 1, FileRefused),
        ("a\n", "batch", 1, FileRefused),
        ("a.jsonl", "batch", 0, FileRefused),
        ("a.jsonl", "batch", MOST_BYTES + 1, FileTooLarge),
    ],
)
async def test_a_file_that_cannot_be_is_refused(
    room: Room, name: str, purpose: str, size: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await room.files.put(caller(new_tenant()), name=name, purpose=purpose, content=b"x" * size)


async def test_a_deleted_file_is_gone_and_one_in_use_stays(room: Room) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("a")])
    with pytest.raises(FileInUse):
        await room.files.delete(ctx, file=created.input_file)
    await room.work()
    output = (await room.batches.get(ctx, batch=created.id)).output_file
    assert output is not None
    assert [one.id for one in (await room.files.list_all(ctx, limit=9, cursor=None)).items] == [
        output, created.input_file
    ]  # fmt: skip
    for file in (created.input_file, output):
        await room.files.delete(ctx, file=file)
        with pytest.raises(FileNotFound):
            await room.files.get(ctx, file=file)
        with pytest.raises(FileNotFound):
            _ = [piece async for piece in room.files.read(ctx, file=file)]
    assert (await room.files.list_all(ctx, limit=9, cursor=None)).items == []


async def test_a_file_is_its_owners(room: Room) -> None:
    tenant = new_tenant()
    file = await room.upload(caller(tenant), [line("a")])
    for stranger in (caller(tenant, user="other"), caller(new_tenant())):
        with pytest.raises(FileNotFound):
            await room.files.get(stranger, file=file)
        with pytest.raises(FileNotFound):
            await room.batches.create(stranger, endpoint="/v1/responses", input_file=file, metadata=None)
    with pytest.raises(FileNotFound):
        await room.files.get(caller(tenant), file=FileId("../etc"))
