"""The second tier of a cache, shared by all processes: Redis, where the installation has one."""

import asyncio
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta
from redis.asyncio import Redis
from redis.exceptions import RedisError

from steward.kit.clock import Clock
from steward.kit.ids import TenantId


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of Redis."""

    url: Annotated[
        str | None,
        Meta(
            description="Address of Redis for caches that all processes share; without one each process has its own.",
            examples=["redis://cache:6379/0"],
            extra={"sensitive": True},
        ),
    ] = None
    timeout_seconds: Annotated[float, Meta(gt=0, le=5, description="How long a look into Redis may take.")] = 0.1


class SharedTier(Protocol):
    """Bytes by tenant and key, seen by all processes, for as long as they live. It may forget at any time.

    It never raises: what cannot be reached has nothing and keeps nothing.
    """

    async def get(self, tenant: TenantId, key: str) -> bytes | None:
        """The value under the key, or None."""
        ...

    async def put(self, tenant: TenantId, key: str, value: bytes, *, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""
        ...

    async def close(self) -> None: ...


_PAUSE_SECONDS: Final = 5.0
"""After a failure Redis is left alone for so long, so that its absence costs no call its time."""


class RedisTier:
    """The shared tier in Redis."""

    def __init__(self, settings: RedisSettings, clock: Clock, *, prefix: str) -> None:
        """`prefix` keeps the keys of one cache from those of others."""
        seconds = settings.timeout_seconds
        self._redis: Redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] untyped in the library
            settings.url or "", socket_timeout=seconds, socket_connect_timeout=seconds
        )
        self._seconds = seconds
        self._clock = clock
        self._prefix = prefix
        self._resume_at = 0.0

    async def get(self, tenant: TenantId, key: str) -> bytes | None:
        """See `SharedTier`."""
        if self._clock.monotonic() < self._resume_at:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._redis.get(self._name(tenant, key))
        except (RedisError, OSError, TimeoutError):
            self._resume_at = self._clock.monotonic() + _PAUSE_SECONDS
            return None
        return found if isinstance(found, bytes) else None

    async def put(self, tenant: TenantId, key: str, value: bytes, *, ttl_s: float) -> None:
        """See `SharedTier`."""
        if self._clock.monotonic() < self._resume_at:
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._redis.set(self._name(tenant, key), value, px=max(1, int(ttl_s * 1000)))
        except (RedisError, OSError, TimeoutError):
            self._resume_at = self._clock.monotonic() + _PAUSE_SECONDS

    async def close(self) -> None:
        await self._redis.aclose()

    def _name(self, tenant: TenantId, key: str) -> str:
        return f"steward:{self._prefix}:{tenant}:{key}"


def shared_tier(settings: RedisSettings, clock: Clock, *, prefix: str) -> SharedTier | None:
    """The tier that the settings name; None where there is none."""
    return RedisTier(settings, clock, prefix=prefix) if settings.url else None
