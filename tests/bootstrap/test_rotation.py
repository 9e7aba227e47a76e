"""Rotation of data keys: each in its time, one that fails without the others, and what was sealed still opens."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from steward.bootstrap.rotation import OLDEST, rotation
from steward.kit.crypto import Envelope, Keyring, KeyUse, LocalMasterKey
from steward.kit.errors import Unavailable
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys

PURPOSE = "test"


class Store(MemoryDataKeys):
    """A store that fails for one tenant."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: TenantId | None = None

    async def retire(self, tenant: TenantId | None, key_id: UUID, at: datetime) -> None:
        if tenant is not None and tenant == self.broken:
            raise Unavailable("the store does not answer", retry_after=1)
        await super().retire(tenant, key_id, at)


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.ids = Ids(self.clock)
        self.store = Store()
        self.keyring = Keyring(self.store, LocalMasterKey(folder / "master.key", self.ids), self.clock, self.ids)
        self.envelope = Envelope(self.keyring, self.ids)
        self.telemetry = Telemetry.for_tests(self.clock)
        self.run = rotation(self.keyring, self.telemetry.log).run

    async def sealing_key(self, tenant: TenantId | None) -> UUID:
        """The id of the key that seals now."""
        await self.envelope.seal(tenant, b"", purpose=PURPOSE)
        key = await self.store.current(tenant, KeyUse.SEAL)
        assert key is not None
        return key.id

    def tenant(self) -> TenantId:
        return TenantId(self.ids.new())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_only_keys_past_their_time_get_a_successor_and_old_values_open(world: World) -> None:
    old, young = world.tenant(), world.tenant()
    sealed = await world.envelope.seal(old, b"value", purpose=PURPOSE)
    old_key, platform_key = await world.sealing_key(old), await world.sealing_key(None)
    world.clock.advance(timedelta(days=1).total_seconds())
    young_key = await world.sealing_key(young)
    world.clock.advance(OLDEST.total_seconds() - 1)
    assert await world.run() == 2
    assert await world.sealing_key(old) != old_key
    assert await world.sealing_key(None) != platform_key
    assert await world.sealing_key(young) == young_key
    assert await world.envelope.open(old, sealed, purpose=PURPOSE) == b"value"
    assert await world.run() == 0


async def test_key_that_cannot_be_rotated_is_told_of_and_keeps_no_other_from_it(world: World) -> None:
    tenants = [world.tenant() for _ in range(3)]
    before = [await world.sealing_key(tenant) for tenant in tenants]
    world.store.broken = tenants[0]
    world.clock.advance(OLDEST.total_seconds() + 1)
    assert await world.run() == 2
    after = [await world.sealing_key(tenant) for tenant in tenants]
    assert [key == was for key, was in zip(after, before, strict=True)] == [True, False, False]
    failed = [line for line in world.telemetry.logs if line["event_type"] == "key.rotation_failed"]
    assert {line["tenant_id"] for line in failed} == {str(tenants[0])}
    world.store.broken = None
    assert await world.run() == 1
