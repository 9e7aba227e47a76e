"""OpenAI's Files and Batches (its API reference, "Batch")."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from steward.services.models.batches.requests import EMBEDDINGS
from steward.services.models.batches.shipping.answers import checked_id, reading, submitting
from steward.services.models.batches.shipping.ports import (
    MARGIN,
    BatchHttp,
    Found,
    Progress,
    Request,
    Result,
    Shipment,
    Sought,
    SubmissionRefused,
)
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from steward.services.models.wire.openai.errors import failure

_CHAT: Final = "/v1/chat/completions"
_MARK: Final = "steward_submission"
_OVER: Final = frozenset({"failed", "completed", "expired", "cancelled"})
_NOT_MADE: Final = frozenset({"batch_expired", "batch_cancelled"})
_OK: Final = 200
_PAGE: Final = 100
_MOST_PAGES: Final = 50


class _File(msgspec.Struct):
    id: str


class _Batch(msgspec.Struct):
    id: str
    status: str
    created_at: int = 0
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    metadata: Mapping[str, str] | None = None


class _Batches(msgspec.Struct):
    data: Sequence[_Batch]
    has_more: bool = False


class _Response(msgspec.Struct):
    status_code: int
    body: msgspec.Raw


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


_file: Final = msgspec.json.Decoder(_File).decode
_batch: Final = msgspec.json.Decoder(_Batch).decode
_batches: Final = msgspec.json.Decoder(_Batches).decode
_line: Final = msgspec.json.Decoder(_Line).decode


class OpenAiBatches:
    """Implements `ProviderBatches`. A submission is found again by its metadata."""

    def __init__(self, http: BatchHttp) -> None:
        self._http = http

    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:
        """See `ProviderBatches`."""
        url = shipment.endpoint if shipment.endpoint == EMBEDDINGS else _CHAT
        file = await self._uploaded(endpoint, shipment, url)
        asked = {
            "input_file_id": file,
            "endpoint": url,
            "completion_window": "24h",
            "metadata": {_MARK: shipment.id.hex},
        }
        answer = await submitting(self._http.send(endpoint, "POST", "/batches", body=msgspec.json.encode(asked)))
        return checked_id(reading(_batch, answer, endpoint.name).id, endpoint.name)

    async def find(self, endpoint: Endpoint, sought: Sought) -> Found:
        """See `ProviderBatches`."""
        oldest = int((sought.made_at - MARGIN).timestamp())
        query = {"limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            body = await self._http.send(endpoint, "GET", "/batches", query=query)
            page = reading(_batches, body, endpoint.name)
            for batch in page.data:
                if batch.metadata and batch.metadata.get(_MARK) == sought.id.hex:
                    return Found(checked_id(batch.id, endpoint.name), certain=True)
            if not page.has_more or not page.data or page.data[-1].created_at < oldest:
                return Found(None, certain=True)
            query["after"] = page.data[-1].id
        return Found(None, certain=False)

    async def poll(self, endpoint: Endpoint, batch: str) -> Progress:
        """See `ProviderBatches`."""
        body = await self._http.send(endpoint, "GET", f"/batches/{batch}")
        found = reading(_batch, body, endpoint.name)
        results = [one for one in (found.output_file_id, found.error_file_id) if one]
        return Progress(
            batch=batch,
            over=found.status in _OVER,
            failed=found.status == "failed",
            results=[checked_id(one, endpoint.name) for one in results],
            files=[checked_id(one, endpoint.name) for one in (found.input_file_id, *results) if one],
        )

    async def results(self, endpoint: Endpoint, progress: Progress) -> AsyncGenerator[Result]:
        """See `ProviderBatches`."""
        for file in progress.results:
            async with aclosing(self._http.lines(endpoint, f"/files/{file}/content")) as lines:
                async for line in lines:
                    yield _result(reading(_line, line, endpoint.name))

    async def cancel(self, endpoint: Endpoint, batch: str) -> None:
        """See `ProviderBatches`."""
        await self._http.send(endpoint, "POST", f"/batches/{batch}/cancel")

    async def forget(self, endpoint: Endpoint, progress: Progress) -> None:
        """See `ProviderBatches`."""
        for file in progress.files:
            await self._http.send(endpoint, "DELETE", f"/files/{file}")

    async def _uploaded(self, endpoint: Endpoint, shipment: Shipment, url: str) -> str:
        """The file's id; whatever goes wrong, no batch is made of it."""
        kind, body = _form(shipment, url)
        try:
            answer = await self._http.send(endpoint, "POST", "/files", body=body, kind=kind)
            return checked_id(reading(_file, answer, endpoint.name).id, endpoint.name)
        except ProviderFailure as error:
            raise SubmissionRefused(error) from error


def _form(shipment: Shipment, url: str) -> tuple[str, bytes]:
    """A form with the file (RFC 7578): its content type and its body."""
    boundary = f"steward-{shipment.id.hex}"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{boundary}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{boundary}.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    ).encode()
    lines = [_written(request, url) for request in shipment.requests]
    body = b"".join((head, *lines, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body


def _written(request: Request, url: str) -> bytes:
    line = {"custom_id": request.custom_id, "method": "POST", "url": url, "body": msgspec.Raw(request.body)}
    return msgspec.json.encode(line) + b"\n"


def _result(line: _Line) -> Result:
    if line.response is not None:
        body, status = bytes(line.response.body), line.response.status_code
        if status == _OK:
            return Result(custom_id=line.custom_id, body=body)
        return Result(custom_id=line.custom_id, failure=failure(status, {}, body))
    error = line.error or _Error()
    if error.code in _NOT_MADE:
        return Result(custom_id=line.custom_id)
    message = (error.message or "the provider's batch did not make this request and gives no reason")[:1000]
    told = ProviderFailure(FailureKind.BROKEN, message, code=error.code or "", unbilled=True)
    return Result(custom_id=line.custom_id, failure=told)
