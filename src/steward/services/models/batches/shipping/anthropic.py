"""Anthropic's Message Batches (its API reference, "Message Batches", version 2023-06-01)."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

import msgspec

from steward.services.models.batches.shipping.answers import checked_id, reading, submitting
from steward.services.models.batches.shipping.ports import (
    MARGIN,
    BatchHttp,
    Found,
    Progress,
    Result,
    Shipment,
    Sought,
)
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from steward.services.models.wire.anthropic.client import AnthropicClient

_ENDED: Final = "ended"
_PAGE: Final = 100
_MOST_PAGES: Final = 50
_STATUSES: Final[Mapping[str, int]] = {"invalid_request_error": 400, "request_too_large": 413, "not_found_error": 404}
"""Of errors in results, which have types and no status; others are the provider's own fault."""


class _Counts(msgspec.Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


class _Batch(msgspec.Struct):
    id: str
    processing_status: str
    created_at: datetime
    request_counts: _Counts
    results_url: str | None = None


class _Batches(msgspec.Struct):
    data: Sequence[_Batch]
    has_more: bool = False


class _Outcome(msgspec.Struct):
    type: str
    message: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    error: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class _Line(msgspec.Struct):
    custom_id: str
    result: _Outcome


class _ErrorType(msgspec.Struct):
    type: str = ""


class _Error(msgspec.Struct):
    error: _ErrorType


_batch: Final = msgspec.json.Decoder(_Batch).decode
_batches: Final = msgspec.json.Decoder(_Batches).decode
_line: Final = msgspec.json.Decoder(_Line).decode
_error: Final = msgspec.json.Decoder(_Error).decode


class AnthropicBatches:
    """Implements `ProviderBatches`. A batch carries nothing of ours but its lines' ids, which are seen when it has
    ended: a submission is sought among those of its time and size.
    """

    def __init__(self, http: BatchHttp) -> None:
        self._http = http
        self._codec = AnthropicClient()

    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:
        """See `ProviderBatches`."""
        requests = [{"custom_id": one.custom_id, "params": msgspec.Raw(one.body)} for one in shipment.requests]
        body = msgspec.json.encode({"requests": requests})
        answer = await submitting(self._http.send(endpoint, "POST", "", body=body))
        return checked_id(reading(_batch, answer, endpoint.name).id, endpoint.name)

    async def find(self, endpoint: Endpoint, sought: Sought) -> Found:
        """See `ProviderBatches`."""
        query, certain = {"limit": str(_PAGE)}, True
        for _ in range(_MOST_PAGES):
            page = reading(_batches, await self._http.send(endpoint, "GET", "", query=query), endpoint.name)
            for batch in page.data:
                if not _may_be(batch, sought):
                    continue
                if batch.processing_status != _ENDED:
                    certain = False
                elif await self._is(endpoint, batch, sought):
                    return Found(checked_id(batch.id, endpoint.name), certain=True)
            if not page.has_more or not page.data or page.data[-1].created_at < sought.made_at - MARGIN:
                return Found(None, certain)
            query["after_id"] = page.data[-1].id
        return Found(None, certain=False)

    async def poll(self, endpoint: Endpoint, batch: str) -> Progress:
        """See `ProviderBatches`."""
        found = reading(_batch, await self._http.send(endpoint, "GET", f"/{batch}"), endpoint.name)
        return Progress(batch=batch, over=found.processing_status == _ENDED, results=[batch], files=[batch])

    async def results(self, endpoint: Endpoint, progress: Progress) -> AsyncGenerator[Result]:
        """See `ProviderBatches`. The address that the provider names is not followed: the key is for its own."""
        async with aclosing(self._http.lines(endpoint, f"/{progress.batch}/results")) as lines:
            async for line in lines:
                yield _result(self._codec, reading(_line, line, endpoint.name))

    async def cancel(self, endpoint: Endpoint, batch: str) -> None:
        """See `ProviderBatches`."""
        await self._http.send(endpoint, "POST", f"/{batch}/cancel")

    async def forget(self, endpoint: Endpoint, progress: Progress) -> None:
        """See `ProviderBatches`."""
        await self._http.send(endpoint, "DELETE", f"/{progress.batch}")

    async def _is(self, endpoint: Endpoint, batch: _Batch, sought: Sought) -> bool:
        """Whether an ended batch has the submission's lines."""
        path = f"/{checked_id(batch.id, endpoint.name)}/results"
        async with aclosing(self._http.lines(endpoint, path)) as lines:
            async for line in lines:
                return reading(_line, line, endpoint.name).custom_id.startswith(sought.id.hex)
        return False


def _may_be(batch: _Batch, sought: Sought) -> bool:
    near = abs(batch.created_at - sought.made_at) <= MARGIN
    return near and batch.request_counts.total == sought.lines and batch.id not in sought.others


def _result(codec: AnthropicClient, line: _Line) -> Result:
    outcome = line.result
    if outcome.type == "succeeded" and bytes(outcome.message):
        return Result(custom_id=line.custom_id, body=bytes(outcome.message))
    if outcome.type == "errored" and bytes(outcome.error):
        raw = bytes(outcome.error)
        try:
            status = _STATUSES.get(_error(raw).error.type, 500)
        except msgspec.MsgspecError:
            status = 500
        return Result(custom_id=line.custom_id, failure=codec.failure(status, {}, raw))
    if outcome.type in {"canceled", "expired"}:
        return Result(custom_id=line.custom_id)
    message = f"the provider's batch tells of an outcome {outcome.type[:40]!r}, which is not known"
    return Result(custom_id=line.custom_id, failure=ProviderFailure(FailureKind.MALFORMED, message, unbilled=True))
