"""Data keys as they are stored, and the port to where they are."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from steward.kit.ids import TenantId


class KeyUse(StrEnum):
    SEAL = "seal"
    """Encrypts values; rotated."""
    INDEX = "index"
    """Blind indexes are made with it; never rotated, for equal values must go on giving equal indexes."""


class DataKey(msgspec.Struct, frozen=True, kw_only=True):
    """A data key in its wrapped form, which is the only one that is stored."""

    id: UUID
    tenant: TenantId | None
    """None for the platform's own keys."""
    use: KeyUse
    wrapped: bytes
    """The key under the master key, at most 1 KiB."""
    master_key_id: str
    """Which master key wrapped it, at most 200 characters."""
    created_at: datetime
    retired_at: datetime | None = None
    """Since when nothing new is sealed with it; None for the current key."""


class DataKeyStore(Protocol):
    """Where wrapped data keys are kept. A tenant has at most one current key (not retired) for each use.

    `delete_all` leaves a mark. From then on `current`, `get` and `add` raise `KeyDestroyed` for that tenant, so that
    no process that is behind brings a deleted tenant's keys back.
    """

    async def current(self, tenant: TenantId | None, use: KeyUse) -> DataKey | None:
        """The key that new values are sealed with; None before the first. Raises `KeyDestroyed`."""
        ...

    async def get(self, tenant: TenantId | None, key_id: UUID) -> DataKey | None:
        """One key of this tenant, retired or not; None if the tenant never had it. Raises `KeyDestroyed`."""
        ...

    async def add(self, key: DataKey) -> DataKey:
        """Make the key current unless there is one, and return the current key: of several processes that add at
        the same time one wins and all get the winner's. Durable on return. Raises `KeyDestroyed`.
        """
        ...

    async def retire(self, tenant: TenantId | None, key_id: UUID, at: datetime) -> None:
        """End the key's time as current one; nothing happens if it is retired already or unknown."""
        ...

    async def delete_all(self, tenant: TenantId) -> None:
        """Destroy the wrapped form of all of the tenant's keys and mark the tenant; again is fine."""
        ...

    async def current_before(self, before: datetime, limit: int) -> Sequence[DataKey]:
        """Current keys of use `seal`, of every tenant, that were created before a time: oldest first."""
        ...
