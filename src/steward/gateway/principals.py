"""What the edge remembers of credentials, and how it forgets at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from steward.kit.cache import CachePort
from steward.kit.clock import Clock
from steward.kit.errors import Unavailable
from steward.services.identity.api import Principal

TTL_S: Final = 30.0
"""Longest a principal is kept; its own `expires_at` may be nearer."""
_HORIZON_S: Final = 2 * TTL_S
"""How long a tombstone stands: longer than any entry that is older than it can live or be on its way."""
_MAX_TOMBSTONES: Final = 100_000
_MAX_QUESTIONS: Final = 3
_ENTRY_BYTES: Final = 2048


class _Known(msgspec.Struct, frozen=True):
    principal: Principal
    asked: int
    """The number of the last revocation when it was asked for."""


class _Tombstone(msgspec.Struct, frozen=True):
    number: int
    at: float


class Principals:
    """Principals by the SHA-256 of their credential, kept for at most 30 seconds.

    Revocation leaves a tombstone with its number: whatever was asked for before it counts as unknown, also an answer
    that was on its way while the revocation came in. So nothing needs an index from sessions to credentials.
    """

    def __init__(self, cache: CachePort, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._tombstones: dict[UUID | str, _Tombstone] = {}
        self._revocations = 0
        self._all_forgotten = 0

    def get(self, digest: str, now: datetime) -> Principal | None:
        """The principal behind a credential, if it is known and still counts."""
        known: _Known | None = self._cache.get(None, _key(digest))
        if known is None or known.principal.expires_at <= now or self._is_dead(known):
            return None
        return known.principal

    async def load(self, digest: str, ask: Callable[[], Awaitable[Principal]]) -> Principal:
        """Ask for the principal, once for all who want it meanwhile; refusals are raised to them and not kept."""

        async def load() -> _Known:
            asked = self._revocations
            return _Known(await ask(), asked)

        for _ in range(_MAX_QUESTIONS):
            known = await self._cache.get_or_load(None, _key(digest), load, ttl_s=TTL_S, size=_ENTRY_BYTES)
            if known.principal.expires_at > self._clock.now() and not self._is_dead(known):
                return known.principal
            # Revoked or expired on its way here: what anybody kept of it goes, and the question is asked anew.
            self._cache.drop(None, _key(digest))
        raise Unavailable("the rights of this credential keep changing: try again in 1 s", retry_after=1)

    def forget(self, *subjects: UUID | str) -> None:
        """Forget all principals of these sessions, keys, tenants (by UUID) or users (by the actor's id)."""
        self._revocations += 1
        now = self._clock.monotonic()
        for subject in subjects:
            # Taken out first, so that the order of the tombstones is that of their times.
            self._tombstones.pop(subject, None)
            self._tombstones[subject] = _Tombstone(self._revocations, now)
        self._clear_up(now)

    def _is_dead(self, known: _Known) -> bool:
        if known.asked < self._all_forgotten:
            return True
        if not self._tombstones:
            return False
        principal = known.principal
        subjects = (principal.tenant, principal.actor.id, principal.session_id, principal.key_id)
        stones = (self._tombstones.get(subject) for subject in subjects if subject is not None)
        return any(stone is not None and known.asked < stone.number for stone in stones)

    def _clear_up(self, now: float) -> None:
        while self._tombstones:
            oldest = next(iter(self._tombstones))
            if self._tombstones[oldest].at > now - _HORIZON_S:
                break
            del self._tombstones[oldest]
        if len(self._tombstones) > _MAX_TOMBSTONES:
            # So many revocations at once are cheaper to honour by starting over.
            self._all_forgotten = self._revocations
            self._tombstones.clear()


def _key(digest: str) -> str:
    return "principal:" + digest
