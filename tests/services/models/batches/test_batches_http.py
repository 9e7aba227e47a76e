"""Files and batches over HTTP: OpenAI's own client against the handlers, and forms as they should not be."""

from collections.abc import AsyncIterator, Mapping

import httpx2
import openai
import pytest
import pytest_asyncio
from litestar import Litestar, MediaType, Response
from litestar.di import Provide
from openai.types import Batch as OpenAiBatch
from openai.types import FileObject

from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.paging import Page
from steward.services.models.api import Batch, BatchId, FileId, FileInfo
from steward.services.models.errors import FileTooLarge, InvalidParameter, UnsupportedParameter
from steward.services.models.http import failures, upload
from steward.services.models.http.batches import BATCH_ROUTES
from steward.services.models.http.upload import Upload, read_upload
from tests.services.models.batches.shop import CHAT, Room, caller
from tests.support.database import new_tenant


class Contract:
    """The part of `ModelsApi` that this room answers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def put_file(self, ctx: Ctx, *, name: str, purpose: str, content: bytes) -> FileInfo:
        return await self._room.files.put(ctx, name=name, purpose=purpose, content=content)

    async def get_file(self, ctx: Ctx, *, file_id: FileId) -> FileInfo:
        return await self._room.files.get(ctx, file=file_id)

    async def list_files(self, ctx: Ctx, *, limit: int, cursor: str | None) -> Page[FileInfo]:
        return await self._room.files.list_all(ctx, limit=limit, cursor=cursor)

    def read_file(self, ctx: Ctx, *, file_id: FileId) -> AsyncIterator[bytes]:
        return self._room.files.read(ctx, file=file_id)

    async def delete_file(self, ctx: Ctx, *, file_id: FileId) -> None:
        await self._room.files.delete(ctx, file=file_id)

    async def create_batch(
        self, ctx: Ctx, *, endpoint: str, input_file: FileId, metadata: Mapping[str, str] | None
    ) -> Batch:
        return await self._room.batches.create(ctx, endpoint=endpoint, input_file=input_file, metadata=metadata)

    async def get_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._room.batches.get(ctx, batch=batch_id)

    async def list_batches(self, ctx: Ctx, *, limit: int, cursor: str | None) -> Page[Batch]:
        return await self._room.batches.list_all(ctx, limit=limit, cursor=cursor)

    async def cancel_batch(self, ctx: Ctx, *, batch_id: BatchId) -> Batch:
        return await self._room.batches.cancel(ctx, batch=batch_id)


def _told(_: object, error: AppError) -> Response[bytes]:
    return Response(failures.OPENAI.body(error, "r"), status_code=error.status, media_type=MediaType.JSON)


@pytest_asyncio.fixture
async def client(room: Room) -> AsyncIterator[openai.AsyncOpenAI]:
    ctx, contract = caller(new_tenant()), Contract(room)
    app = Litestar(
        BATCH_ROUTES,
        dependencies={
            "ctx": Provide(lambda: ctx, sync_to_thread=False),
            "models": Provide(lambda: contract, sync_to_thread=False),
        },
        exception_handlers={AppError: _told},
        request_max_body_size=None,
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport) as http:
        yield openai.AsyncOpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)


async def test_the_official_client_runs_a_batch(client: openai.AsyncOpenAI, room: Room) -> None:
    content = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","word":"w"}}\n'
    file = await client.files.create(file=("requests.jsonl", content), purpose="batch")
    FileObject.model_validate(file.to_dict())
    assert (file.filename, file.bytes, file.purpose) == ("requests.jsonl", len(content), "batch")
    assert (await client.files.content(file.id)).content == content

    batch = await client.batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata={"a": "b"}
    )
    OpenAiBatch.model_validate(batch.to_dict())
    assert (batch.status, batch.metadata) == ("validating", {"a": "b"})
    await room.work()
    batch = await client.batches.retrieve(batch.id)
    OpenAiBatch.model_validate(batch.to_dict())
    assert batch.request_counts is not None
    assert (batch.status, batch.request_counts.completed, batch.error_file_id) == ("completed", 1, None)
    assert batch.completed_at is not None
    assert batch.output_file_id is not None
    output = await client.files.content(batch.output_file_id)
    assert output.json()["response"]["body"] == {"said": "w"}

    await client.files.delete(file.id)
    with pytest.raises(openai.NotFoundError, match="there is no file"):
        await client.files.retrieve(file.id)


async def test_faults_of_a_file_are_told_with_their_lines(client: openai.AsyncOpenAI, room: Room) -> None:
    file = await client.files.create(file=("in.jsonl", b"\n{}\n"), purpose="batch")
    batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    await room.work()
    batch = await client.batches.retrieve(batch.id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert batch.errors.data[0].line == 2


async def test_the_official_client_reads_lists_to_their_end(client: openai.AsyncOpenAI) -> None:
    file = await client.files.create(file=("in.jsonl", b"{}"), purpose="batch")
    made = [
        (await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")).id
        for _ in range(3)
    ]
    assert [one.id async for one in client.batches.list(limit=2)] == list(reversed(made))
    assert [one.id async for one in client.files.list()] == [file.id]
    cancelled = await client.batches.cancel(made[0])
    assert cancelled.status == "cancelling"


async def test_what_cannot_be_is_a_bad_request(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="completion_window"):
        await client.batches.create(input_file_id="file-1", endpoint=CHAT, completion_window="1h")  # pyright: ignore[reportArgumentType] it is wrong on purpose
    with pytest.raises(openai.BadRequestError, match="output_expires_after"):
        await client.batches.create(
            input_file_id="file-1",
            endpoint=CHAT,
            completion_window="24h",
            output_expires_after={"anchor": "created_at", "seconds": 3600},
        )
    with pytest.raises(openai.BadRequestError, match="purpose 'vision'"):
        await client.files.create(file=("a", b"{}"), purpose="vision")
    for query in ({"order": "asc"}, {"limit": "x"}, {"after": "y"}):
        with pytest.raises(openai.BadRequestError):
            await client.files.list(extra_query=query)
    with pytest.raises(openai.BadRequestError, match="input_file_id"):
        await client.post("/batches", body={"endpoint": CHAT}, cast_to=object)


def form(*parts: tuple[str, bytes], boundary: bytes = b"xyz") -> bytes:
    pieces = [b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (boundary, head.encode(), content)
              for head, content in parts]  # fmt: skip
    return b"".join(pieces) + b"--%b--\r\n" % boundary


KIND = "multipart/form-data; boundary=xyz"
FILE = ('name="file"; filename="a b.jsonl"', b"{}\r\n--xy\n")
PURPOSE = ('name="purpose"', b"batch")


def test_a_form_is_read() -> None:
    read = Upload("a b.jsonl", "batch", b"{}\r\n--xy\n")
    assert read_upload(KIND, form(PURPOSE, FILE)) == read
    assert read_upload('multipart/form-data; charset=utf-8; boundary="xyz"', form(FILE, PURPOSE)) == read


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json", form(FILE, PURPOSE), InvalidParameter),
        ("multipart/form-data", form(FILE, PURPOSE), InvalidParameter),
        (KIND, b"", InvalidParameter),
        (KIND, form(FILE, PURPOSE)[:-9], InvalidParameter),
        (KIND, form(FILE), InvalidParameter),
        (KIND, form(PURPOSE), InvalidParameter),
        (KIND, form(FILE, FILE, PURPOSE), InvalidParameter),
        (KIND, form(FILE, PURPOSE, ('name="expires_after[anchor]"', b"x")), UnsupportedParameter),
        (KIND, form(FILE, PURPOSE, ("", b"x")), InvalidParameter),
        (KIND, form(*[PURPOSE] * 20), (InvalidParameter, FileTooLarge)),
        (KIND, form(('name="file"; x="' + "y" * 9000 + '"', b"x")), (InvalidParameter, FileTooLarge)),
        ("multipart/form-data; boundary=other", form(FILE, PURPOSE), InvalidParameter),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    kind: str, body: bytes, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        read_upload(kind, body)


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MOST_FILE_BYTES", 10)
    with pytest.raises(FileTooLarge):
        read_upload(KIND, form(('name="file"', b"x" * 11), PURPOSE))
