"""The contract of the audit service: reading and verifying the trail that every change leaves.

Entries are written by `tx.audit` in the transaction of each change; this service collects them within a second,
chains them by hash per tenant and signs checkpoints. Every method may raise `Forbidden`.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.audit import Outcome
from steward.kit.context import Actor, Ctx
from steward.kit.paging import Cursor, Limit, Page

Filter = Annotated[str, Meta(min_length=1, max_length=200)]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed entry of a tenant's trail."""

    seq: int
    """Position in the tenant's chain, from 1, without gaps."""
    id: UUID
    at: datetime
    service: str
    actor: Actor
    action: str
    """What was done, `resource.verb`, for example `user.invited`."""
    resource: str
    """On what, `kind/id`."""
    outcome: Outcome
    reason: str
    request_id: str
    address: str
    before: msgspec.Raw | None
    """The resource before the change as JSON, sensitive values masked."""
    after: msgspec.Raw | None
    hash: str
    """SHA-256 over the previous entry's hash and this entry in canonical form, as hex."""


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; every field given must hold."""

    actor: Filter | None = None
    action: Filter | None = None
    """An action, or a prefix of one that ends with a dot."""
    resource: Filter | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement that the chain had this hash at this length."""

    seq: int
    hash: str
    at: datetime
    key_id: str
    signature: str
    """Ed25519 over the canonical form of the other fields and the tenant, as hex."""


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with a chain."""

    seq: int
    problem: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a tenant's whole chain found."""

    ok: bool
    entries: int
    checkpoints: int
    findings: Sequence[Finding]
    """At most the first 100."""


class AuditApi(Protocol):
    """Reading and verifying a tenant's audit trail."""

    async def list_entries(
        self, ctx: Ctx, *, where: EntryFilter = EntryFilter(), limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Entry]:
        """Entries, newest first; needs `audit:read`."""
        ...

    async def get_entry(self, ctx: Ctx, *, seq: int) -> Entry:
        """One entry; needs `audit:read`. Raises `EntryNotFound`."""
        ...

    def export_entries(self, ctx: Ctx, *, where: EntryFilter = EntryFilter()) -> AsyncIterator[Entry]:
        """Every entry, oldest first, as a stream; needs `audit:export`."""
        ...

    async def list_checkpoints(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Checkpoint]:
        """Signed checkpoints, newest first; needs `audit:read`."""
        ...

    async def verify_chain(self, ctx: Ctx) -> Verification:
        """Recompute the tenant's whole chain and compare it with every checkpoint; needs `audit:verify`."""
        ...
