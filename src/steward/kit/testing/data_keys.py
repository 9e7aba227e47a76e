"""Data keys in memory: the fake of `DataKeyStore`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.crypto.errors import KeyDestroyed
from steward.kit.crypto.keys import DataKey, KeyUse
from steward.kit.ids import TenantId


class MemoryDataKeys:
    """A `DataKeyStore` that lives as long as the object."""

    def __init__(self) -> None:
        self._keys: dict[UUID, DataKey] = {}
        self._destroyed: set[TenantId | None] = set()

    async def current(self, tenant: TenantId | None, use: KeyUse) -> DataKey | None:
        """See `DataKeyStore`."""
        self._refuse_destroyed(tenant)
        found = (key for key in self._keys.values() if key.tenant == tenant and key.use is use)
        return next((key for key in found if key.retired_at is None), None)

    async def get(self, tenant: TenantId | None, key_id: UUID) -> DataKey | None:
        """See `DataKeyStore`."""
        self._refuse_destroyed(tenant)
        key = self._keys.get(key_id)
        return key if key is not None and key.tenant == tenant else None

    async def add(self, key: DataKey) -> DataKey:
        """See `DataKeyStore`."""
        winner = await self.current(key.tenant, key.use)
        if winner is None:
            winner = self._keys[key.id] = key
        return winner

    async def retire(self, tenant: TenantId | None, key_id: UUID, at: datetime) -> None:
        """See `DataKeyStore`."""
        key = self._keys.get(key_id)
        if key is not None and key.tenant == tenant and key.retired_at is None:
            self._keys[key_id] = msgspec.structs.replace(key, retired_at=at)

    async def delete_all(self, tenant: TenantId) -> None:
        """See `DataKeyStore`."""
        self._destroyed.add(tenant)
        self._keys = {key_id: key for key_id, key in self._keys.items() if key.tenant != tenant}

    async def current_before(self, before: datetime, limit: int) -> Sequence[DataKey]:
        """See `DataKeyStore`."""
        due = [
            key
            for key in self._keys.values()
            if key.use is KeyUse.SEAL and key.retired_at is None and key.created_at < before
        ]
        return sorted(due, key=lambda key: key.created_at)[:limit]

    def _refuse_destroyed(self, tenant: TenantId | None) -> None:
        if tenant in self._destroyed:
            raise KeyDestroyed(tenant)
