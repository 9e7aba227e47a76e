"""Sealing of values for a tenant and a purpose, and indexes that find a sealed value without telling it."""

import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag

from steward.kit.crypto.errors import SealBroken
from steward.kit.crypto.keyring import Keyring, owner_bytes
from steward.kit.errors import TooLarge
from steward.kit.ids import Ids, TenantId

MAX_PLAIN_BYTES = 8 * 1024 * 1024
"""Longer values are refused: at this size sealing takes about a millisecond of the event loop."""

_HEADER = b"\x01\x01"
"""Version 1 of the format, algorithm 1: AES-256-GCM."""
_KEY_END = len(_HEADER) + 16
_NONCE_END = _KEY_END + 12
_TAG_BYTES = 16
OVERHEAD_BYTES = _NONCE_END + _TAG_BYTES
"""How much longer a sealed value is than the plain one."""


def _no_guard() -> None:
    pass


class Envelope:
    """Seals values with AES-256-GCM under the tenant's data key; tenant None is the platform itself.

    A sealed value is: version (1 byte), algorithm (1), key id (16), nonce (12), ciphertext, tag (16). Header, key id,
    tenant and purpose are authenticated, so a value opens only for the tenant and the purpose it was sealed for.

    A key that is not in the process's memory is fetched from the store and unwrapped by the master key, which may be
    a call over the network: call these methods while no transaction is open. `guard` is called first in each and
    raises otherwise, also when the key happens to be at hand.
    """

    def __init__(self, keyring: Keyring, ids: Ids, *, guard: Callable[[], None] = _no_guard) -> None:
        self._keyring = keyring
        self._ids = ids
        self._guard = guard

    async def seal(self, tenant: TenantId | None, plaintext: bytes, *, purpose: str) -> bytes:
        """Encrypt a value of up to 8 MiB. Raises `KeyDestroyed`, `TooLarge`."""
        self._guard()
        if len(plaintext) > MAX_PLAIN_BYTES:
            raise TooLarge(
                f"a value of {len(plaintext)} bytes is too long to seal, the limit is {MAX_PLAIN_BYTES}: split it",
                limit=MAX_PLAIN_BYTES,
            )
        key = await self._keyring.sealing_key(tenant)
        head = _HEADER + key.id
        nonce = self._ids.token(12)
        return head + nonce + key.aead.encrypt(nonce, plaintext, head + owner_bytes(tenant) + purpose.encode())

    async def open(self, tenant: TenantId | None, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt a value. Raises `SealBroken` if it is not exactly what was sealed, `KeyDestroyed` after `shred`."""
        self._guard()
        if len(sealed) < OVERHEAD_BYTES or sealed[:2] != _HEADER:
            raise SealBroken("it is too short or of an unknown format")
        head = sealed[:_KEY_END]
        key = await self._keyring.opening_key(tenant, sealed[2:_KEY_END])
        try:
            return key.aead.decrypt(
                sealed[_KEY_END:_NONCE_END], sealed[_NONCE_END:], head + owner_bytes(tenant) + purpose.encode()
            )
        except InvalidTag as error:
            raise SealBroken("it was altered, or sealed for another purpose") from error

    async def blind_index(self, tenant: TenantId | None, value: str, *, purpose: str) -> bytes:
        """HMAC-SHA256 of a value, 32 bytes: equal values have equal indexes, and an index does not give the value away.

        The key belongs to the tenant and the purpose; with None, values compare across tenants. Normalise the value
        (case, spaces) first. Raises `KeyDestroyed`.
        """
        self._guard()
        return hmac.digest(await self._keyring.index_key(tenant, purpose), value.encode(), "sha256")

    async def shred(self, tenant: TenantId) -> None:
        """Destroy the tenant's keys: nothing that was sealed for it can be opened again."""
        self._guard()
        await self._keyring.shred(tenant)
