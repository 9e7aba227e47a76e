"""OpenAI's surface of files and batches."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, SkipValidation
from msgspec import Meta

from steward.kit.paging import MAX_LIMIT, Page, encode_cursor
from steward.kit.web import JSON_LINES, TAKES_FORM, Caller, JsonLines, RawJson, fails_as, reads_as, takes_bytes
from steward.services.models.api import Batch, BatchId, BatchState, FileId, FileInfo, ModelsApi
from steward.services.models.errors import InvalidParameter, UnsupportedParameter
from steward.services.models.http import failures
from steward.services.models.http.upload import MOST_FORM_BYTES, read_upload

T = TypeVar("T", Batch, FileInfo)

AnyRequest = Request[Any, Any, Any]
ModelsPort = NamedDependency[SkipValidation[ModelsApi]]

TAGS: Final = ("Models: OpenAI",)
WINDOW: Final = "24h"
_FAILS: Final[Mapping[str, Any]] = fails_as(failures.OPENAI)
_LARGE: Final = 1 << 20
_LIMIT: Final = 20
_PREFIXES: Final[Mapping[str, str]] = {"files": "file-", "batches": "batch_"}


class FileForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form with a file (RFC 7578)."""

    file: Annotated[str, Meta(extra_json_schema={"format": "binary"})]
    """JSON Lines: on each line `custom_id`, `method` (`POST`), `url` (the endpoint) and `body`."""
    purpose: Literal["batch"]


class BatchBody(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to work off, in the form of OpenAI's Batches."""

    input_file_id: str
    """Of an uploaded file: on each line `custom_id`, `method` (`POST`), `url` (the endpoint) and `body`."""
    endpoint: Annotated[str, Meta(examples=["/v1/chat/completions"])]
    """`/v1/chat/completions`, `/v1/responses` or `/v1/embeddings`."""
    completion_window: str = WINDOW
    """`24h`."""
    metadata: Annotated[Mapping[str, str], Meta(max_length=16)] | None = None


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file in OpenAI's form."""

    id: str
    bytes: int
    created_at: int
    """Seconds since 1970."""
    filename: str
    purpose: str
    object: str = "file"
    status: str = "processed"


class FileEntries(msgspec.Struct, frozen=True, kw_only=True):
    data: Sequence[FileEntry]
    has_more: bool
    first_id: str | None
    last_id: str | None
    object: str = "list"


class DeletedFile(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    deleted: bool = True
    object: str = "file"


class BatchCounts(msgspec.Struct, frozen=True, kw_only=True):
    total: int
    completed: int
    failed: int


class BatchFault(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    line: int | None
    """Of the file."""
    code: str = "invalid_request"
    param: str | None = None


class BatchFaults(msgspec.Struct, frozen=True, kw_only=True):
    data: Sequence[BatchFault]
    object: str = "list"


class BatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in OpenAI's form; output and error file can be read while it runs."""

    id: str
    endpoint: str
    input_file_id: str
    status: str
    created_at: int
    expires_at: int
    output_file_id: str | None
    error_file_id: str | None
    request_counts: BatchCounts
    metadata: Mapping[str, str]
    errors: BatchFaults | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelled_at: int | None = None
    completion_window: str = WINDOW
    object: str = "batch"


class BatchEntries(msgspec.Struct, frozen=True, kw_only=True):
    data: Sequence[BatchEntry]
    has_more: bool
    first_id: str | None
    last_id: str | None
    object: str = "list"


_body: Final = msgspec.json.Decoder(Mapping[str, msgspec.Raw])
_encode: Final = msgspec.json.Encoder().encode


@post(
    "/v1/files",
    tags=TAGS,
    status_code=200,
    opt={**_FAILS, **TAKES_FORM, **takes_bytes(MOST_FORM_BYTES), **reads_as(FileForm, FileEntry)},
)
async def upload_file(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """Upload a file of requests for a batch, of up to 32 MiB, in OpenAI's form

    A form with the fields `file` and `purpose`, which is `batch`. Needs `model:call`.
    """
    body, kind = await request.body(), request.headers.get("content-type", "")
    read = asyncio.to_thread(read_upload, kind, body) if len(body) > _LARGE else None
    upload = read_upload(kind, body) if read is None else await read
    stored = await models.put_file(ctx, name=upload.name, purpose=upload.purpose, content=upload.content)
    return RawJson(_encode(_file(stored)))


@get("/v1/files", tags=TAGS, opt={**_FAILS, **reads_as(None, FileEntries)})
async def list_files(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """List files, newest first, in OpenAI's form: a page of `limit` after the file `after`. Needs `model:call`"""
    limit, cursor = _paging(request, "files")
    return RawJson(_listed(await models.list_files(ctx, limit=limit, cursor=cursor), _file))


@get("/v1/files/{file_id:str}", tags=TAGS, opt={**_FAILS, **reads_as(None, FileEntry)})
async def get_file(ctx: Caller, models: ModelsPort, file_id: FromPath[str]) -> RawJson:
    """Get what is known of a file, in OpenAI's form. Needs `model:call`"""
    return RawJson(_encode(_file(await models.get_file(ctx, file_id=FileId(file_id)))))


@get("/v1/files/{file_id:str}/content", tags=TAGS, media_type=JSON_LINES, opt=_FAILS)
async def read_file(ctx: Caller, models: ModelsPort, file_id: FromPath[str]) -> JsonLines:
    """Read a file; of a batch that still runs, the results that are there by now. Needs `model:call`"""
    content = _bytes(models.read_file(ctx, file_id=FileId(file_id)))
    return JsonLines(await anext(content, b""), content)


@delete("/v1/files/{file_id:str}", tags=TAGS, status_code=200, opt={**_FAILS, **reads_as(None, DeletedFile)})
async def delete_file(ctx: Caller, models: ModelsPort, file_id: FromPath[str]) -> RawJson:
    """Delete a file that no running batch uses. Needs `model:call`"""
    await models.delete_file(ctx, file_id=FileId(file_id))
    return RawJson(_encode(DeletedFile(id=file_id)))


@post("/v1/batches", tags=TAGS, status_code=200, opt={**_FAILS, **reads_as(BatchBody, BatchEntry)})
async def create_batch(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """Have a file's requests worked off within 24 hours, at low priority, in OpenAI's form

    Results can be read while it runs. Needs `model:call`.
    """
    asked = _asked(await request.body())
    created = await models.create_batch(
        ctx, endpoint=asked.endpoint, input_file=FileId(asked.input_file_id), metadata=asked.metadata
    )
    return RawJson(_encode(_batch(created)))


@get("/v1/batches", tags=TAGS, opt={**_FAILS, **reads_as(None, BatchEntries)})
async def list_batches(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """List batches, newest first, in OpenAI's form: a page of `limit` after the batch `after`. Needs `model:call`"""
    limit, cursor = _paging(request, "batches")
    return RawJson(_listed(await models.list_batches(ctx, limit=limit, cursor=cursor), _batch))


@get("/v1/batches/{batch_id:str}", tags=TAGS, opt={**_FAILS, **reads_as(None, BatchEntry)})
async def get_batch(ctx: Caller, models: ModelsPort, batch_id: FromPath[str]) -> RawJson:
    """Get a batch with its progress, in OpenAI's form. Needs `model:call`"""
    return RawJson(_encode(_batch(await models.get_batch(ctx, batch_id=BatchId(batch_id)))))


@post("/v1/batches/{batch_id:str}/cancel", tags=TAGS, status_code=200, opt={**_FAILS, **reads_as(None, BatchEntry)})
async def cancel_batch(ctx: Caller, models: ModelsPort, batch_id: FromPath[str]) -> RawJson:
    """Begin no more of a batch's requests; what is done stays. Needs `model:call`"""
    return RawJson(_encode(_batch(await models.cancel_batch(ctx, batch_id=BatchId(batch_id)))))


BATCH_ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    upload_file,
    list_files,
    get_file,
    read_file,
    delete_file,
    create_batch,
    list_batches,
    get_batch,
    cancel_batch,
)


async def _bytes(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    async for piece in pieces:
        yield piece


def _asked(body: bytes) -> BatchBody:
    """Raises `InvalidParameter`, `UnsupportedParameter`."""
    try:
        given = _body.decode(body)
        for name in given.keys() - set(BatchBody.__struct_fields__):
            raise UnsupportedParameter(name[:60], "leave it out")
        asked = msgspec.json.decode(body, type=BatchBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said, _, path = str(error).partition(" - at `$.")
        raise InvalidParameter(path.rstrip("`") or "body", said[:1].lower() + said[1:]) from error
    if asked.completion_window != WINDOW:
        raise InvalidParameter("completion_window", f"{asked.completion_window[:20]!r} cannot be: only {WINDOW!r}")
    return asked


def _paging(request: AnyRequest, kind: str) -> tuple[int, str | None]:
    """`limit` and `after` as a page's size and cursor; more than a page can hold is cut to that."""
    query = dict(request.query_params)
    limit, after = str(query.pop("limit", _LIMIT)), query.pop("after", None)
    if query:
        raise UnsupportedParameter(str(next(iter(query)))[:60], "leave it out: lists are newest first, and of all")
    if not limit.isascii() or not limit.isdigit() or not int(limit[:9]):
        raise InvalidParameter("limit", f"is {limit[:20]!r}: send a whole number from 1")
    if after is None:
        return min(int(limit[:9]), MAX_LIMIT), None
    prefix = _PREFIXES[kind]
    try:
        last = UUID(hex=after.removeprefix(prefix))
    except ValueError as error:
        raise InvalidParameter("after", f"{after[:60]!r} is no id of this list") from error
    return min(int(limit[:9]), MAX_LIMIT), encode_cursor(last)


def _listed(page: Page[T], told: Callable[[T], msgspec.Struct]) -> bytes:
    return _encode(
        {
            "object": "list",
            "data": [told(each) for each in page.items],
            "has_more": page.next_cursor is not None,
            "first_id": page.items[0].id if page.items else None,
            "last_id": page.items[-1].id if page.items else None,
        }
    )


def _file(file: FileInfo) -> FileEntry:
    return FileEntry(
        id=file.id, bytes=file.bytes, created_at=_seconds(file.created_at), filename=file.name, purpose=file.purpose
    )


def _batch(batch: Batch) -> BatchEntry:
    ended = None if batch.ended_at is None else _seconds(batch.ended_at)
    return BatchEntry(
        id=batch.id,
        endpoint=batch.endpoint,
        input_file_id=batch.input_file,
        status=batch.state,
        created_at=_seconds(batch.created_at),
        expires_at=_seconds(batch.expires_at),
        output_file_id=batch.output_file,
        error_file_id=batch.error_file,
        request_counts=BatchCounts(total=batch.total, completed=batch.succeeded, failed=batch.failed),
        metadata=batch.metadata,
        errors=BatchFaults(data=[_fault(each) for each in batch.errors]) if batch.errors else None,
        completed_at=ended if batch.state is BatchState.COMPLETED else None,
        failed_at=ended if batch.state is BatchState.FAILED else None,
        expired_at=ended if batch.state is BatchState.EXPIRED else None,
        cancelled_at=ended if batch.state is BatchState.CANCELLED else None,
    )


def _fault(error: str) -> BatchFault:
    """With the number of its line, which it begins with where it has one."""
    head, _, _ = error.partition(":")
    number = head.removeprefix("line ")
    return BatchFault(message=error, line=int(number) if number.isdigit() else None)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
