"""Rows of files and batches."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from steward.kit.context import Actor, Ctx
from steward.kit.ids import TenantId
from steward.services.models.api import Batch, BatchId, BatchState, FileId, FileInfo
from steward.services.models.errors import BatchNotFound, FileNotFound

ENDED: Final = frozenset((BatchState.FAILED, BatchState.COMPLETED, BatchState.EXPIRED, BatchState.CANCELLED))
OUTPUT: Final = "batch_output"
PURPOSE: Final = "batch"

_FILE: Final = re.compile(r"file-([0-9a-f]{32})")
_BATCH: Final = re.compile(r"batch_([0-9a-f]{32})")


def file_id(row: UUID) -> FileId:
    return FileId(f"file-{row.hex}")


def batch_id(row: UUID) -> BatchId:
    return BatchId(f"batch_{row.hex}")


def file_row(name: str) -> UUID:
    """Raises `FileNotFound` for what is no file's id."""
    found = _FILE.fullmatch(name)
    if found is None:
        raise FileNotFound(name[:100])
    return UUID(found[1])


def batch_row(name: str) -> UUID:
    """Raises `BatchNotFound` for what is no batch's id."""
    found = _BATCH.fullmatch(name)
    if found is None:
        raise BatchNotFound(name[:100])
    return UUID(found[1])


def owner_of(ctx: Ctx) -> str:
    return f"{ctx.actor.type}/{ctx.actor.id}"


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    owner: str
    name: bytes
    """Sealed."""
    purpose: str
    bytes: int
    """Of an output file those that are there by now."""
    created_at: datetime
    batch: UUID | None = None
    """Of an output file: whose finished lines it shows."""
    of_errors: bool = False

    def shown(self, name: str) -> FileInfo:
        return FileInfo(
            id=file_id(self.id), name=name, bytes=self.bytes, purpose=self.purpose, created_at=self.created_at
        )


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose batch it is: its calls count for them. Where they called from is not kept, for it lies here unsealed."""

    actor: Actor
    request_id: str
    locale: str
    key_id: UUID | None = None

    @classmethod
    def of(cls, ctx: Ctx) -> "Origin":
        return cls(
            actor=ctx.actor,
            request_id=ctx.request_id,
            locale=ctx.locale,
            key_id=ctx.key_id,
        )

    def ctx(self, tenant: TenantId, deadline: datetime) -> Ctx:
        """For one of its calls."""
        return Ctx(
            tenant=tenant,
            actor=self.actor,
            scopes=frozenset(("model:call",)),
            request_id=self.request_id,
            deadline=deadline,
            locale=self.locale,
            key_id=self.key_id,
        )


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    owner: str
    endpoint: str
    state: BatchState
    input_file: UUID
    output_file: UUID
    error_file: UUID
    metadata: bytes
    """Sealed JSON."""
    origin: Origin
    errors: Sequence[str]
    total: int
    succeeded: int
    failed: int
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def shown(self, metadata: Mapping[str, str]) -> Batch:
        return Batch(
            id=batch_id(self.id),
            endpoint=self.endpoint,
            state=self.state,
            input_file=file_id(self.input_file),
            output_file=file_id(self.output_file) if self.succeeded else None,
            error_file=file_id(self.error_file) if self.failed else None,
            total=self.total,
            succeeded=self.succeeded,
            failed=self.failed,
            metadata=metadata,
            errors=self.errors,
            created_at=self.created_at,
            expires_at=self.expires_at,
            ended_at=self.ended_at,
        )


class Claimed(msgspec.Struct, frozen=True):
    """A batch that this process works on; the epoch changes when another one takes it."""

    tenant: TenantId
    batch: UUID
    epoch: int


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a batch."""

    number: int
    """Of its line in the file, from 1."""
    request: bytes
    """Sealed: the line as it came."""


class Standing(msgspec.Struct, frozen=True):
    """How a batch stands, as whoever works on it needs to know."""

    state: BatchState
    expires_at: datetime
    epoch: int | None
    """None where nobody may work on it any more."""
