"""The exact cache: answers of equal requests, in this process's memory and, where there is Redis, shared by all."""

from typing import Final

import msgspec

from steward.kit.cache import Cache, CacheObserver
from steward.kit.cache_redis import SharedTier
from steward.kit.clock import Clock
from steward.kit.crypto import Envelope
from steward.kit.errors import AppError
from steward.kit.ids import TenantId
from steward.services.models.messages import ModelReply, StopReason

MAX_ENTRIES: Final = 50_000
MAX_BYTES: Final = 64 * 1024 * 1024
_PURPOSE: Final = "models.answer"
_KEPT: Final = frozenset((StopReason.END, StopReason.STOP_SEQUENCE, StopReason.TOOL_CALLS))
_OVERHEAD: Final = 1200
"""Bytes that an answer takes beyond its JSON, about."""
_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(ModelReply)


def may_be_kept(reply: ModelReply) -> bool:
    """Whether an answer is whole: one that was cut, filtered or refused is not given to anybody else."""
    return bool(reply.choices) and all(choice.stop in _KEPT for choice in reply.choices)


class ExactCache:
    """Answers by the digest of their requests."""

    def __init__(self, clock: Clock, envelope: Envelope, tier: SharedTier | None, observer: CacheObserver) -> None:
        self._memory = Cache(clock, max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES)
        self._envelope = envelope
        self._tier = tier
        self._observer = observer

    async def find(self, tenant: TenantId, key: str, *, ttl_s: float) -> ModelReply | None:
        """The answer under the key; `ttl_s` is how long one that another process made is kept here."""
        found: ModelReply | None = self._memory.get(tenant, key)
        if found is None:
            found = await self._shared(tenant, key)
            if found is not None:
                self._memory.put(tenant, key, found, ttl_s=min(ttl_s, 60.0))
        if found is None:
            self._observer.miss()
        else:
            self._observer.hit()
        return found

    async def keep(self, tenant: TenantId, key: str, reply: ModelReply, *, ttl_s: float) -> None:
        """Keep a whole answer, for all processes."""
        plain = _encode(reply)
        # Decoded anew: raw JSON in a fresh answer may hold on to the whole body that it came in.
        self._memory.put(tenant, key, _decoder.decode(plain), ttl_s=ttl_s, size=2 * len(plain) + _OVERHEAD)
        if self._tier is not None:
            sealed = await self._envelope.seal(tenant, plain, purpose=_PURPOSE)
            await self._tier.put(tenant, key, sealed, ttl_s=ttl_s)

    def drop_tenant(self, tenant: TenantId) -> None:
        """Forget a tenant's answers in this process."""
        self._memory.drop_tenant(tenant)

    async def _shared(self, tenant: TenantId, key: str) -> ModelReply | None:
        sealed = None if self._tier is None else await self._tier.get(tenant, key)
        if sealed is None:
            return None
        try:
            return _decoder.decode(await self._envelope.open(tenant, sealed, purpose=_PURPOSE))
        except (AppError, msgspec.MsgspecError):
            # Of another installation, another version, or a tenant whose keys are gone: as good as nothing.
            return None
