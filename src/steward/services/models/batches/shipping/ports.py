"""How batches reach the batch endpoints of providers."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import msgspec

from steward.services.models.failures import ProviderFailure
from steward.services.models.ports import Endpoint

MARGIN: Final = timedelta(minutes=10)
"""By which a provider's clock may differ from ours."""


class SubmissionRefused(Exception):
    """The provider surely made no batch: it refused, or nothing reached it."""

    def __init__(self, failure: ProviderFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Request(msgspec.Struct, frozen=True):
    """A line in the provider's dialect."""

    custom_id: str
    body: bytes


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """What is submitted at once."""

    id: UUID
    endpoint: str
    """That of our batch; which one it is at the provider is the dialect's to say."""
    requests: Sequence[Request]


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that may have arrived."""

    id: UUID
    lines: int
    made_at: datetime
    others: frozenset[str]
    """Batches at the provider that are known to be another submission's."""


class Found(msgspec.Struct, frozen=True):
    """What a search brought."""

    batch: str | None
    certain: bool
    """Where nothing was found: whether nothing is there."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch stands at its provider."""

    batch: str
    over: bool
    failed: bool = False
    """The provider took none of it on."""
    results: Sequence[str] = ()
    """Where results are, in the provider's own terms."""
    files: Sequence[str] = ()
    """What the provider keeps of it and is to forget in the end."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line: exactly one of `body` and `failure`, or neither where the line was not made."""

    custom_id: str
    body: bytes | None = None
    failure: ProviderFailure | None = None


class ProviderBatches(Protocol):
    """A provider's batch endpoint. All of it raises `ProviderFailure`."""

    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:
        """The batch's id at the provider. Raises `SubmissionRefused`; after a `ProviderFailure` nobody knows."""
        ...

    async def find(self, endpoint: Endpoint, sought: Sought) -> Found:
        """Look for a submission whose outcome nobody knows."""
        ...

    async def poll(self, endpoint: Endpoint, batch: str) -> Progress: ...

    def results(self, endpoint: Endpoint, progress: Progress) -> AsyncGenerator[Result]:
        """In any order."""
        ...

    async def cancel(self, endpoint: Endpoint, batch: str) -> None:
        """One that is over stays as it is."""
        ...

    async def forget(self, endpoint: Endpoint, progress: Progress) -> None:
        """Have the provider delete what it keeps."""
        ...


class BatchHttp(Protocol):
    """Speaks HTTP to an endpoint, below the root of its dialect's batches. All of it raises `ProviderFailure`."""

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        kind: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of an answer of status 200."""
        ...

    def lines(self, endpoint: Endpoint, path: str) -> AsyncGenerator[bytes]:
        """The lines of an answer of status 200 that are not empty."""
        ...

    async def close(self) -> None: ...
