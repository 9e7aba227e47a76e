"""The keys that sign the heads of chains, made on first use and sealed in the database."""

import asyncio

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.ids import PLATFORM, Ids
from steward.services.audit.repository import AuditRepository, KeyRow

_PURPOSE = "audit signing key"
_CTX = SystemCtx(reason="audit signing keys", service="audit", tenant=PLATFORM)


class Signer:
    """Signs with this installation's newest key."""

    def __init__(self, db: ServiceDb, envelope: Envelope, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._envelope = envelope
        self._clock = clock
        self._ids = ids
        self._rows = AuditRepository()
        self._key: tuple[str, Ed25519PrivateKey] | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Have the key at hand, making it at the very first start; before `sign`, outside transactions."""
        async with self._loading:
            if self._key is None:
                self._key = await self._load_or_make()

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """The key's id and the signature, 64 bytes."""
        if self._key is None:
            message_for_developers = "the signing key is not loaded: call load() first"
            raise RuntimeError(message_for_developers)
        key_id, private = self._key
        return key_id, private.sign(message)

    async def public_keys(self) -> dict[str, bytes]:
        """Every key that ever signed, by id."""
        async with self._db.tx(_CTX) as tx:
            return {row.id: row.public_key for row in await self._rows.keys(tx)}

    async def _load_or_make(self) -> tuple[str, Ed25519PrivateKey]:
        async with self._db.tx(_CTX) as tx:
            rows = await self._rows.keys(tx)
        row = rows[-1] if rows else await self._make()
        raw = await self._envelope.open(None, row.sealed, purpose=_PURPOSE)
        return row.id, Ed25519PrivateKey.from_private_bytes(raw)

    async def _make(self) -> KeyRow:
        private = Ed25519PrivateKey.generate()
        row = KeyRow(
            id=self._ids.new().hex,
            public_key=private.public_key().public_bytes_raw(),
            sealed=await self._envelope.seal(None, private.private_bytes_raw(), purpose=_PURPOSE),
            created_at=self._clock.now(),
        )
        async with self._db.tx(_CTX) as tx:
            await self._rows.insert_key(tx, row)
        return row


def signature_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is of this message and key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
