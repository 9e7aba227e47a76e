"""Caching in the process: values of a tenant under a time to live, bounded in entries and bytes."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from steward.kit.clock import Clock
from steward.kit.ids import TenantId

V = TypeVar("V")

NOMINAL_BYTES = 512
"""What an entry is reckoned at where the caller does not know its size."""


class CacheObserver(Protocol):
    """What is told of a cache's work; telemetry implements it."""

    def hit(self) -> None:
        """A value was found."""
        ...

    def miss(self) -> None:
        """No value was found, or it had expired."""
        ...

    def evicted(self) -> None:
        """A value that had not expired made room for another."""
        ...


class NullObserver:
    """Counts nothing."""

    def hit(self) -> None:
        """Ignore it."""

    def miss(self) -> None:
        """Ignore it."""

    def evicted(self) -> None:
        """Ignore it."""


class CachePort(Protocol):
    """A cache of values that belong to a tenant; tenant None stands for the platform itself.

    Every operation takes the tenant, and no operation reaches another tenant's values. What is put or dropped holds
    in this process at once. An implementation with a shared tier behind it may let other processes see the older
    value for as long as its time to live, so that is also the longest a value can be stale. None is not a value: a
    load that returns it is not kept. All methods are called on the event loop's thread.
    """

    def get(self, tenant: TenantId | None, key: str) -> Any | None:
        """The value under the key, or None."""
        ...

    def put(self, tenant: TenantId | None, key: str, value: Any, *, ttl_s: float, size: int = NOMINAL_BYTES) -> None:
        """Keep a value for `ttl_s` seconds; `size` in bytes counts against the bound. Too large a value is not kept."""
        ...

    async def get_or_load(
        self,
        tenant: TenantId | None,
        key: str,
        load: Callable[[], Awaitable[V]],
        *,
        ttl_s: float,
        size: Callable[[V], int] | int = NOMINAL_BYTES,
    ) -> V:
        """The value under the key; on a miss `load` is called, once for all who ask meanwhile.

        What `load` raises goes to all who wait and is not kept. Cancelling one who waits leaves the others waiting;
        when nobody is left the load is cancelled. A value that was dropped or put during its load is not kept, and
        whoever asks after the drop gets a load that began after it.
        """
        ...

    def drop(self, tenant: TenantId | None, key: str) -> None:
        """Forget one value."""
        ...

    def drop_prefix(self, tenant: TenantId | None, prefix: str) -> None:
        """Forget the tenant's values whose keys begin so."""
        ...

    def drop_tenant(self, tenant: TenantId | None) -> None:
        """Forget all of a tenant's values."""
        ...


class _Entry:
    """One value. Compared by identity, which keeps the order of use cheap to maintain."""

    __slots__ = ("expires", "key", "size", "tenant", "value")

    def __init__(self, tenant: int, key: str, value: Any, expires: float, size: int) -> None:
        self.tenant = tenant
        self.key = key
        self.value = value
        self.expires = expires
        self.size = size


class _Flight:
    """One load under way and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.waiting = 0


_PLATFORM = -1


def _number(tenant: TenantId | None) -> int:
    # An integer hashes in C, a UUID in Python; the difference is a third of a look-up.
    return _PLATFORM if tenant is None else tenant.int


class Cache:
    """The `CachePort` in this process's memory: least recently used values leave first."""

    def __init__(
        self, clock: Clock, *, max_entries: int, max_bytes: int, observer: CacheObserver | None = None
    ) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._observer = observer or NullObserver()
        self._shelves: dict[int, dict[str, _Entry]] = {}
        self._order: OrderedDict[_Entry, None] = OrderedDict()
        self._loads: dict[tuple[int, str], _Flight] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def used_bytes(self) -> int:
        """The sum of the sizes of what is kept."""
        return self._bytes

    def get(self, tenant: TenantId | None, key: str) -> Any | None:
        """See `CachePort`."""
        shelf = self._shelves.get(_PLATFORM if tenant is None else tenant.int)
        entry = shelf.get(key) if shelf is not None else None
        if entry is None:
            self._observer.miss()
            return None
        if entry.expires <= self._clock.monotonic():
            self._remove(entry)
            self._observer.miss()
            return None
        self._order.move_to_end(entry)
        self._observer.hit()
        return entry.value

    def put(self, tenant: TenantId | None, key: str, value: Any, *, ttl_s: float, size: int = NOMINAL_BYTES) -> None:
        """See `CachePort`."""
        self.drop(tenant, key)
        if value is None or ttl_s <= 0 or size > self._max_bytes:
            return
        entry = _Entry(_number(tenant), key, value, self._clock.monotonic() + ttl_s, size)
        self._shelves.setdefault(entry.tenant, {})[key] = entry
        self._order[entry] = None
        self._bytes += size
        self._make_room()

    async def get_or_load(
        self,
        tenant: TenantId | None,
        key: str,
        load: Callable[[], Awaitable[V]],
        *,
        ttl_s: float,
        size: Callable[[V], int] | int = NOMINAL_BYTES,
    ) -> V:
        """See `CachePort`."""
        value = self.get(tenant, key)
        if value is not None:
            return value
        place = (_number(tenant), key)
        flight = self._loads.get(place)
        if flight is None:
            flight = self._loads[place] = _Flight()

            def keep(loaded: V) -> None:
                weight = size if isinstance(size, int) else size(loaded)
                self.put(tenant, key, loaded, ttl_s=ttl_s, size=weight)

            flight.task = asyncio.create_task(self._fly(place, flight, load, keep))
        assert flight.task is not None, "a flight is on the list only with its task"
        return await self._wait(place, flight, flight.task)

    async def _fly(
        self,
        place: tuple[int, str],
        flight: _Flight,
        load: Callable[[], Awaitable[V]],
        keep: Callable[[V], None],
    ) -> V:
        try:
            loaded = await load()
            # A flight that a drop took off the list brings an old value: whoever asks later must not get it.
            if self._loads.get(place) is flight:
                keep(loaded)
            return loaded
        finally:
            if self._loads.get(place) is flight:
                del self._loads[place]

    async def _wait(self, place: tuple[int, str], flight: _Flight, task: "asyncio.Task[V]") -> V:
        flight.waiting += 1
        try:
            return await asyncio.shield(task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not task.done():
                if self._loads.get(place) is flight:
                    del self._loads[place]
                task.cancel()

    def drop(self, tenant: TenantId | None, key: str) -> None:
        """See `CachePort`."""
        number = _number(tenant)
        self._loads.pop((number, key), None)
        shelf = self._shelves.get(number)
        if shelf is not None and (entry := shelf.get(key)) is not None:
            self._remove(entry)

    def drop_prefix(self, tenant: TenantId | None, prefix: str) -> None:
        """See `CachePort`. Costs a look at each of the tenant's keys."""
        number = _number(tenant)
        for place in [place for place in self._loads if place[0] == number and place[1].startswith(prefix)]:
            del self._loads[place]
        shelf = self._shelves.get(number, {})
        for entry in [entry for key, entry in shelf.items() if key.startswith(prefix)]:
            self._remove(entry)

    def drop_tenant(self, tenant: TenantId | None) -> None:
        """See `CachePort`."""
        self.drop_prefix(tenant, "")

    def _remove(self, entry: _Entry) -> None:
        del self._order[entry]
        self._bytes -= entry.size
        shelf = self._shelves[entry.tenant]
        del shelf[entry.key]
        if not shelf:
            del self._shelves[entry.tenant]

    def _make_room(self) -> None:
        now = self._clock.monotonic()
        while len(self._order) > self._max_entries or self._bytes > self._max_bytes:
            oldest = next(iter(self._order))
            self._remove(oldest)
            if oldest.expires > now:
                self._observer.evicted()


class View(Generic[V]):
    """One kind of value in a cache: its keys begin with the view's name, its values have one type and one life."""

    def __init__(
        self, cache: CachePort, name: str, *, ttl_s: float, size: Callable[[V], int] | int = NOMINAL_BYTES
    ) -> None:
        self._cache = cache
        self._prefix = name + ":"
        self._ttl_s = ttl_s
        self._size: Callable[[V], int] | int = size

    def get(self, tenant: TenantId | None, key: str) -> V | None:
        """The value under the key, or None."""
        return self._cache.get(tenant, self._prefix + key)

    def put(self, tenant: TenantId | None, key: str, value: V) -> None:
        """Keep a value for the view's time to live."""
        size = self._size if isinstance(self._size, int) else self._size(value)
        self._cache.put(tenant, self._prefix + key, value, ttl_s=self._ttl_s, size=size)

    async def get_or_load(self, tenant: TenantId | None, key: str, load: Callable[[], Awaitable[V]]) -> V:
        """The value under the key, loaded once for all who ask meanwhile; see `CachePort.get_or_load`."""
        return await self._cache.get_or_load(tenant, self._prefix + key, load, ttl_s=self._ttl_s, size=self._size)

    def drop(self, tenant: TenantId | None, key: str) -> None:
        """Forget one value."""
        self._cache.drop(tenant, self._prefix + key)

    def drop_all(self, tenant: TenantId | None) -> None:
        """Forget the tenant's values of this view."""
        self._cache.drop_prefix(tenant, self._prefix)
