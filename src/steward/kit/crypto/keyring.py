"""The data keys of each tenant: made at need, unwrapped for a while, rotated and destroyed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.crypto.errors import MasterKeyMismatch, SealBroken
from steward.kit.crypto.keys import DataKey, DataKeyStore, KeyUse
from steward.kit.crypto.master import KEY_BYTES, MasterKey
from steward.kit.ids import Ids, TenantId

UNWRAPPED_S = 300.0
"""How long an unwrapped key stays in the process."""


class SealKey(NamedTuple):
    """An unwrapped data key, ready for use."""

    id: bytes
    aead: AESGCM


def owner_bytes(tenant: TenantId | None) -> bytes:
    """Who owns a key or a value, in 17 bytes: no tenant's bytes can be taken for the platform's."""
    return b"\x00" * 17 if tenant is None else b"\x01" + tenant.bytes


class Keyring:
    """The data keys of every tenant; tenant None owns the platform's keys.

    Unwrapped keys stay in the process for at most five minutes and for at most `max_keys` keys. `rotate` and `shred`
    act here at once. Other processes go on sealing with a rotated key for up to five minutes, which is harmless, and
    could open a shredded tenant's values for as long: have them call `forget` when they hear that a tenant is gone.
    """

    def __init__(
        self, store: DataKeyStore, master: MasterKey, clock: Clock, ids: Ids, *, max_keys: int = 10_000
    ) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._ids = ids
        self._cache = Cache(clock, max_entries=max_keys, max_bytes=max_keys * KEY_BYTES)
        self._current: View[SealKey] = View(self._cache, "current", ttl_s=UNWRAPPED_S, size=KEY_BYTES)
        self._by_id: View[SealKey] = View(self._cache, "id", ttl_s=UNWRAPPED_S, size=KEY_BYTES)
        self._index: View[bytes] = View(self._cache, "index", ttl_s=UNWRAPPED_S, size=KEY_BYTES)

    async def sealing_key(self, tenant: TenantId | None) -> SealKey:
        """The key to seal with, made on first use. Raises `KeyDestroyed`."""
        if (key := self._current.get(tenant, "")) is not None:
            return key
        return await self._current.get_or_load(tenant, "", lambda: self._load_current(tenant))

    async def opening_key(self, tenant: TenantId | None, key_id: bytes) -> SealKey:
        """The key that a value names. Raises `KeyDestroyed`, or `SealBroken` for a key the tenant never had."""
        name = key_id.hex()
        if (key := self._by_id.get(tenant, name)) is not None:
            return key
        return await self._by_id.get_or_load(tenant, name, lambda: self._load(tenant, key_id))

    async def index_key(self, tenant: TenantId | None, purpose: str) -> bytes:
        """The key of 32 bytes for blind indexes of a purpose, by HKDF-SHA256 (RFC 5869). Raises `KeyDestroyed`."""

        async def derive() -> bytes:
            root = await self._unwrap(await self._current_or_new(tenant, KeyUse.INDEX))
            info = b"steward blind index\x00" + owner_bytes(tenant) + purpose.encode()
            return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)

        return await self._index.get_or_load(tenant, purpose, derive)

    async def rotate(self, tenant: TenantId | None) -> UUID:
        """Seal with a new key from now on and return its id; values under older keys still open.

        Safe to repeat, to run in several processes at once and to crash within: at worst the tenant is without a
        current key until the next value is sealed. Raises `KeyDestroyed`.
        """
        old = await self._store.current(tenant, KeyUse.SEAL)
        if old is not None:
            await self._store.retire(tenant, old.id, self._clock.now())
        new = await self._current_or_new(tenant, KeyUse.SEAL)
        self._current.drop_all(tenant)
        return new.id

    async def due_for_rotation(self, older_than: timedelta, *, limit: int = 100) -> Sequence[DataKey]:
        """Current sealing keys of every tenant above this age, oldest first, at most `limit`.

        Rotate at the latest after 2^32 values (NIST SP 800-38D section 8.3, random nonces): at 500 values a second
        of one tenant that is 99 days.
        """
        return await self._store.current_before(self._clock.now() - older_than, limit)

    async def shred(self, tenant: TenantId) -> None:
        """Destroy all of a tenant's keys for good; what they sealed cannot be opened by anyone again."""
        await self._store.delete_all(tenant)
        self.forget(tenant)

    def forget(self, tenant: TenantId | None) -> None:
        """Drop the tenant's unwrapped keys from this process."""
        self._cache.drop_tenant(tenant)

    async def _load_current(self, tenant: TenantId | None) -> SealKey:
        key = await self._current_or_new(tenant, KeyUse.SEAL)
        return SealKey(key.id.bytes, AESGCM(await self._unwrap(key)))

    async def _load(self, tenant: TenantId | None, key_id: bytes) -> SealKey:
        key = await self._store.get(tenant, UUID(bytes=key_id))
        if key is None or key.use is not KeyUse.SEAL:
            raise SealBroken("it names a key that its owner never had")
        return SealKey(key_id, AESGCM(await self._unwrap(key)))

    async def _current_or_new(self, tenant: TenantId | None, use: KeyUse) -> DataKey:
        if (key := await self._store.current(tenant, use)) is not None:
            return key
        key_id = self._ids.new()
        wrapped = await self._master.wrap(self._ids.token(KEY_BYTES), _wrap_aad(tenant, use, key_id))
        made = DataKey(
            id=key_id,
            tenant=tenant,
            use=use,
            wrapped=wrapped,
            master_key_id=self._master.key_id,
            created_at=self._clock.now(),
        )
        return await self._store.add(made)

    async def _unwrap(self, key: DataKey) -> bytes:
        if key.master_key_id != self._master.key_id:
            raise MasterKeyMismatch(key.id, key.master_key_id, self._master.key_id)
        return await self._master.unwrap(key.wrapped, _wrap_aad(key.tenant, key.use, key.id))


def _wrap_aad(tenant: TenantId | None, use: KeyUse, key_id: UUID) -> bytes:
    return b"steward data key\x00" + owner_bytes(tenant) + key_id.bytes + use.encode()
