"""What every `CachePort` must do, and the bounds and counters of the cache in this process."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from steward.kit.cache import NOMINAL_BYTES, Cache, CachePort, View
from steward.kit.ids import TenantId
from steward.kit.testing.clock import FakeClock

ACME = TenantId(UUID(int=1))
BETA = TenantId(UUID(int=2))
CACHES = ["memory_cache"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def memory_cache(clock: FakeClock) -> Cache:
    return Cache(clock, max_entries=1000, max_bytes=10_000_000)


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest) -> CachePort:
    return request.getfixturevalue(request.param)


class Loader:
    """A load that a test finishes by hand."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.running = asyncio.Event()
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.started += 1
        self.running.set()
        try:
            return await self.answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def test_value_is_kept_until_its_time_is_over(cache: CachePort, clock: FakeClock) -> None:
    assert cache.get(ACME, "k") is None
    cache.put(ACME, "k", "v", ttl_s=10)
    clock.advance(9.9)
    assert cache.get(ACME, "k") == "v"
    clock.advance(0.1)
    assert cache.get(ACME, "k") is None


def test_tenants_never_see_each_others_values(cache: CachePort) -> None:
    for tenant, value in ((ACME, "a"), (BETA, "b"), (None, "platform")):
        cache.put(tenant, "k", value, ttl_s=10)
    assert (cache.get(ACME, "k"), cache.get(BETA, "k"), cache.get(None, "k")) == ("a", "b", "platform")
    cache.drop(ACME, "k")
    assert (cache.get(ACME, "k"), cache.get(BETA, "k"), cache.get(None, "k")) == (None, "b", "platform")


def test_second_put_replaces_value_and_time(cache: CachePort, clock: FakeClock) -> None:
    cache.put(ACME, "k", "old", ttl_s=1)
    cache.put(ACME, "k", "new", ttl_s=10)
    clock.advance(5)
    assert cache.get(ACME, "k") == "new"


def test_value_without_time_or_none_is_not_kept(cache: CachePort) -> None:
    cache.put(ACME, "k", "old", ttl_s=10)
    cache.put(ACME, "k", "v", ttl_s=0)
    cache.put(ACME, "n", None, ttl_s=10)
    assert cache.get(ACME, "k") is None
    assert cache.get(ACME, "n") is None


def test_prefix_and_tenant_are_dropped_whole(cache: CachePort) -> None:
    for tenant in (ACME, BETA, None):
        for key in ("users:1", "users:2", "roles:1"):
            cache.put(tenant, key, key, ttl_s=10)
    cache.drop_prefix(ACME, "users:")
    assert [cache.get(ACME, key) for key in ("users:1", "users:2", "roles:1")] == [None, None, "roles:1"]
    cache.drop_tenant(BETA)
    assert [cache.get(BETA, key) for key in ("users:1", "users:2", "roles:1")] == [None] * 3
    assert cache.get(None, "users:1") == "users:1"
    cache.drop_tenant(TenantId(UUID(int=99)))


async def test_load_is_called_once_for_all_who_wait(cache: CachePort) -> None:
    load = Loader()
    waiting = [asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10)) for _ in range(20)]
    await load.running.wait()
    load.answer.set_result("v")
    assert await asyncio.gather(*waiting) == ["v"] * 20
    assert await cache.get_or_load(ACME, "k", load, ttl_s=10) == "v"
    assert load.started == 1


async def test_loads_of_other_keys_and_tenants_are_not_shared(cache: CachePort) -> None:
    async def load(value: str) -> str:
        return value

    wanted = [(ACME, "k"), (BETA, "k"), (None, "k"), (ACME, "l")]
    loads = [cache.get_or_load(tenant, key, lambda v=f"{tenant}{key}": load(v), ttl_s=9) for tenant, key in wanted]
    assert await asyncio.gather(*loads) == [f"{tenant}{key}" for tenant, key in wanted]


async def test_failed_load_reaches_all_and_is_not_kept(cache: CachePort) -> None:
    load = Loader()
    waiting = [asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10)) for _ in range(3)]
    await load.running.wait()
    load.answer.set_exception(LookupError("no such thing"))
    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, LookupError)
    again = Loader()
    again.answer.set_result("v")
    assert await cache.get_or_load(ACME, "k", again, ttl_s=10) == "v"


async def test_cancelling_one_who_waits_leaves_the_others_waiting(cache: CachePort) -> None:
    load = Loader()
    first, second = (asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10)) for _ in range(2))
    await load.running.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    load.answer.set_result("v")
    assert await second == "v"
    assert (load.started, load.cancelled) == (1, 0)


async def test_load_is_cancelled_when_nobody_waits_any_more(cache: CachePort) -> None:
    load = Loader()
    waiting = [asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10)) for _ in range(2)]
    await load.running.wait()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    again = Loader()
    again.answer.set_result("fresh")
    assert await cache.get_or_load(ACME, "k", again, ttl_s=10) == "fresh"
    assert load.cancelled == 1


@pytest.mark.parametrize(
    "drop",
    [
        lambda cache: cache.drop(ACME, "users:1"),
        lambda cache: cache.drop_prefix(ACME, "users:"),
        lambda cache: cache.drop_tenant(ACME),
    ],
    ids=["drop", "drop_prefix", "drop_tenant"],
)
async def test_value_dropped_during_its_load_is_not_kept(cache: CachePort, drop: Callable[[CachePort], None]) -> None:
    old, new = Loader(), Loader()
    before = asyncio.create_task(cache.get_or_load(ACME, "users:1", old, ttl_s=10))
    await old.running.wait()
    drop(cache)
    after = asyncio.create_task(cache.get_or_load(ACME, "users:1", new, ttl_s=10))
    await new.running.wait()
    new.answer.set_result("new")
    assert await after == "new"
    old.answer.set_result("old")
    assert await before == "old"
    assert cache.get(ACME, "users:1") == "new"


async def test_value_put_during_its_load_stays(cache: CachePort) -> None:
    load = Loader()
    loading = asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10))
    await load.running.wait()
    cache.put(ACME, "k", "put", ttl_s=10)
    load.answer.set_result("loaded")
    assert await loading == "loaded"
    assert cache.get(ACME, "k") == "put"


async def test_drop_of_another_tenant_leaves_a_load_alone(cache: CachePort) -> None:
    load = Loader()
    loading = asyncio.create_task(cache.get_or_load(ACME, "k", load, ttl_s=10))
    await load.running.wait()
    cache.drop_tenant(BETA)
    cache.drop_prefix(ACME, "other")
    load.answer.set_result("v")
    assert await loading == "v"
    assert cache.get(ACME, "k") == "v"


async def test_view_prefixes_its_keys_and_has_its_own_life(cache: CachePort, clock: FakeClock) -> None:
    names: View[str] = View(cache, "names", ttl_s=5, size=len)
    ages: View[int] = View(cache, "ages", ttl_s=50)
    names.put(ACME, "1", "Ann")

    async def load() -> int:
        return 42

    assert await ages.get_or_load(ACME, "1", load) == 42
    assert (names.get(ACME, "1"), ages.get(ACME, "1"), names.get(BETA, "1")) == ("Ann", 42, None)
    clock.advance(5)
    assert (names.get(ACME, "1"), ages.get(ACME, "1")) == (None, 42)
    names.put(ACME, "2", "Bob")
    names.put(ACME, "3", "Cid")
    names.drop(ACME, "2")
    ages.drop_all(ACME)
    assert (names.get(ACME, "2"), names.get(ACME, "3"), ages.get(ACME, "1")) == (None, "Cid", None)


class Counts:
    """Counts what a cache reports."""

    def __init__(self) -> None:
        self.hits = self.misses = self.evictions = 0

    def hit(self) -> None:
        self.hits += 1

    def miss(self) -> None:
        self.misses += 1

    def evicted(self) -> None:
        self.evictions += 1


async def test_observer_counts_hits_misses_and_evictions(clock: FakeClock) -> None:
    counts = Counts()
    cache = Cache(clock, max_entries=2, max_bytes=10_000, observer=counts)

    async def load() -> str:
        return "v"

    await cache.get_or_load(ACME, "k", load, ttl_s=10)
    await cache.get_or_load(ACME, "k", load, ttl_s=10)
    assert (counts.hits, counts.misses, counts.evictions) == (1, 1, 0)
    clock.advance(10)
    assert cache.get(ACME, "k") is None
    assert (counts.hits, counts.misses, counts.evictions) == (1, 2, 0)
    for key in "abc":
        cache.put(ACME, key, key, ttl_s=10)
    assert counts.evictions == 1
    clock.advance(10)
    cache.put(ACME, "d", "d", ttl_s=10)
    assert counts.evictions == 1


def test_least_recently_used_leaves_first(clock: FakeClock) -> None:
    cache = Cache(clock, max_entries=3, max_bytes=10_000)
    for key in "abc":
        cache.put(ACME, key, key, ttl_s=10)
    cache.get(ACME, "a")
    cache.put(BETA, "d", "d", ttl_s=10)
    assert [cache.get(ACME, key) for key in "abc"] == ["a", None, "c"]


def test_bytes_are_bounded_and_a_larger_value_is_not_kept(clock: FakeClock) -> None:
    cache = Cache(clock, max_entries=100, max_bytes=100)
    cache.put(ACME, "a", "a", ttl_s=10, size=60)
    cache.put(ACME, "b", "b", ttl_s=10, size=60)
    assert (cache.get(ACME, "a"), cache.get(ACME, "b"), cache.used_bytes) == (None, "b", 60)
    cache.put(ACME, "huge", "h", ttl_s=10, size=101)
    assert (cache.get(ACME, "huge"), cache.get(ACME, "b")) == (None, "b")
    cache.drop_tenant(ACME)
    assert (len(cache), cache.used_bytes, cache._shelves) == (0, 0, {})


async def test_nothing_of_a_load_stays_behind(clock: FakeClock) -> None:
    cache = Cache(clock, max_entries=10, max_bytes=10 * NOMINAL_BYTES)
    loads = [Loader() for _ in range(3)]
    waiting = [asyncio.create_task(cache.get_or_load(ACME, str(n), load, ttl_s=1)) for n, load in enumerate(loads)]
    for load in loads:
        await load.running.wait()
    loads[0].answer.set_result("v")
    loads[1].answer.set_exception(LookupError())
    waiting[2].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert cache._loads == {}


KEYS = st.sampled_from(["a1", "a2", "b1", "b2"])
TENANTS = st.sampled_from([ACME, BETA, None])


class CacheAgainstModel(RuleBasedStateMachine):
    """The cache against a plain dictionary that forgets nothing but what was dropped or has expired."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.cache = Cache(self.clock, max_entries=5, max_bytes=50)
        self.model: dict[tuple[TenantId | None, str], tuple[int, float]] = {}

    @rule(tenant=TENANTS, key=KEYS, value=st.integers(), ttl=st.integers(1, 5), size=st.integers(0, 20))
    def put(self, tenant: TenantId | None, key: str, value: int, ttl: int, size: int) -> None:
        self.cache.put(tenant, key, value, ttl_s=ttl, size=size)
        self.model[tenant, key] = (value, self.clock.monotonic() + ttl)
        assert self.cache.get(tenant, key) == value

    @rule(tenant=TENANTS, key=KEYS)
    def get(self, tenant: TenantId | None, key: str) -> None:
        found = self.cache.get(tenant, key)
        value, expires = self.model.get((tenant, key), (None, 0.0))
        assert found is None or (found == value and self.clock.monotonic() < expires)

    @rule(tenant=TENANTS, prefix=st.sampled_from(["", "a", "b", "b2"]))
    def drop_prefix(self, tenant: TenantId | None, prefix: str) -> None:
        self.cache.drop_prefix(tenant, prefix)
        self.model = {
            place: kept for place, kept in self.model.items() if place[0] != tenant or not place[1].startswith(prefix)
        }

    @rule(seconds=st.integers(0, 3))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def bounds_hold(self) -> None:
        entries = [entry for shelf in self.cache._shelves.values() for entry in shelf.values()]
        assert len(entries) == len(self.cache) <= 5
        assert sum(entry.size for entry in entries) == self.cache.used_bytes <= 50
        assert set(entries) == set(self.cache._order)


CacheAgainstModel.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestCacheAgainstModel = CacheAgainstModel.TestCase
