"""What every `DataKeyStore` must do. To add a store, add a fixture and its name to `STORES`."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from steward.kit.clock import SystemClock
from steward.kit.crypto import DataKey, DataKeyStore, KeyDestroyed, KeyUse
from steward.kit.crypto.repository import PostgresDataKeys
from steward.kit.ids import Ids, TenantId
from steward.kit.testing.data_keys import MemoryDataKeys
from tests.support.database import database_at
from tests.support.postgres import PostgresForTests

IDS = Ids(SystemClock())
NOW = datetime(2026, 3, 1, tzinfo=UTC)
STORES = ["memory_data_keys", "postgres_data_keys"]


@pytest.fixture
def memory_data_keys() -> DataKeyStore:
    return MemoryDataKeys()


@pytest_asyncio.fixture(scope="module")
async def postgres_data_keys(postgres: PostgresForTests) -> AsyncGenerator[DataKeyStore]:
    name = await postgres.clone()
    async with database_at(postgres.dsn(name, "steward_app")) as database:
        yield PostgresDataKeys(database)
    await postgres.drop(name)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> DataKeyStore:
    return request.getfixturevalue(request.param)


@pytest.fixture
def tenant() -> TenantId:
    return TenantId(IDS.new())


def key_of(tenant: TenantId | None, use: KeyUse = KeyUse.SEAL, created_at: datetime = NOW) -> DataKey:
    return DataKey(
        id=IDS.new(),
        tenant=tenant,
        use=use,
        wrapped=IDS.token(60),
        master_key_id="local:0123456789abcdef",
        created_at=created_at,
    )


async def test_added_key_is_current_and_comes_back_whole(store: DataKeyStore, tenant: TenantId) -> None:
    key = key_of(tenant)
    assert await store.current(tenant, KeyUse.SEAL) is None
    assert await store.add(key) == key
    assert await store.current(tenant, KeyUse.SEAL) == key
    assert await store.get(tenant, key.id) == key


async def test_second_add_returns_the_first_key_and_keeps_nothing(store: DataKeyStore, tenant: TenantId) -> None:
    first, second = key_of(tenant), key_of(tenant)
    await store.add(first)
    assert await store.add(second) == first
    assert await store.get(tenant, second.id) is None


async def test_adds_at_the_same_time_agree_on_one_key(store: DataKeyStore, tenant: TenantId) -> None:
    winners = await asyncio.gather(*(store.add(key_of(tenant)) for _ in range(8)))
    assert len({winner.id for winner in winners}) == 1
    assert await store.current(tenant, KeyUse.SEAL) == winners[0]


async def test_uses_have_keys_of_their_own(store: DataKeyStore, tenant: TenantId) -> None:
    seal, index = key_of(tenant), key_of(tenant, KeyUse.INDEX)
    assert await store.add(seal) == seal
    assert await store.add(index) == index
    assert await store.current(tenant, KeyUse.SEAL) == seal
    assert await store.current(tenant, KeyUse.INDEX) == index


async def test_tenants_and_the_platform_do_not_see_each_others_keys(store: DataKeyStore, tenant: TenantId) -> None:
    other = TenantId(IDS.new())
    mine, theirs = await store.add(key_of(tenant)), await store.add(key_of(other))
    platform = await store.add(key_of(None))
    assert len({mine.id, theirs.id, platform.id}) == 3
    for owner, key in ((tenant, theirs), (tenant, platform), (None, mine), (other, mine)):
        assert await store.get(owner, key.id) is None
    assert await store.get(None, platform.id) == platform
    await store.retire(other, mine.id, NOW)
    await store.delete_all(other)
    assert await store.current(tenant, KeyUse.SEAL) == mine
    assert await store.current(None, KeyUse.SEAL) == platform


async def test_retired_key_stays_and_makes_room_for_another(store: DataKeyStore, tenant: TenantId) -> None:
    old, new = key_of(tenant), key_of(tenant)
    await store.add(old)
    await store.retire(tenant, old.id, NOW)
    await store.retire(tenant, old.id, NOW + timedelta(days=1))
    assert await store.current(tenant, KeyUse.SEAL) is None
    assert await store.add(new) == new
    assert await store.get(tenant, old.id) == msgspec.structs.replace(old, retired_at=NOW)


async def test_retiring_an_unknown_key_does_nothing(store: DataKeyStore, tenant: TenantId) -> None:
    key = await store.add(key_of(tenant))
    await store.retire(tenant, IDS.new(), NOW)
    assert await store.current(tenant, KeyUse.SEAL) == key


async def test_destroyed_keys_are_gone_and_never_come_back(store: DataKeyStore, tenant: TenantId) -> None:
    old = await store.add(key_of(tenant))
    await store.retire(tenant, old.id, NOW)
    current = await store.add(key_of(tenant))
    await store.delete_all(tenant)
    await store.delete_all(tenant)
    for key in (old, current):
        with pytest.raises(KeyDestroyed):
            await store.get(tenant, key.id)
    with pytest.raises(KeyDestroyed):
        await store.current(tenant, KeyUse.SEAL)
    for use in KeyUse:
        with pytest.raises(KeyDestroyed):
            await store.add(key_of(tenant, use))
    assert tenant not in {key.tenant for key in await store.current_before(NOW + timedelta(days=1), 100)}


async def test_tenant_without_keys_is_marked_too(store: DataKeyStore, tenant: TenantId) -> None:
    await store.delete_all(tenant)
    with pytest.raises(KeyDestroyed):
        await store.add(key_of(tenant))


async def test_old_current_sealing_keys_are_found_oldest_first(store: DataKeyStore) -> None:
    days = [3, 1, 2]
    # Long ago, so that a store which other tests share has nothing older.
    start = datetime(2001, 1, 1, tzinfo=UTC)
    keys = [await store.add(key_of(TenantId(IDS.new()), created_at=start + timedelta(days=day))) for day in days]
    await store.add(key_of(TenantId(IDS.new()), KeyUse.INDEX, start))
    retired = await store.add(key_of(TenantId(IDS.new()), created_at=start))
    await store.retire(retired.tenant, retired.id, NOW)
    before = start + timedelta(days=3)
    assert [key.id for key in await store.current_before(before, 10)] == [keys[1].id, keys[2].id]
    assert [key.id for key in await store.current_before(before, 1)] == [keys[1].id]
