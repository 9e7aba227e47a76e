"""The keys that sign access tokens: kept sealed in the database, published before they sign, rotated with overlap."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.ids import Ids
from steward.services.identity import tokens
from steward.services.identity.api import JsonWebKeySet
from steward.services.identity.errors import InvalidCredential
from steward.services.identity.platform.repository import SigningKeySystemRepository
from steward.services.identity.records import SigningKeyRow
from steward.services.identity.settings import IdentitySettings

_PURPOSE = "identity.signing_key"
_RELOAD_S = 300.0
"""Keys in memory are read again after this; a new one is published for longer before it signs."""
_RELOAD_UNKNOWN_S = 5.0
"""How soon an unknown key id may cause another read, so that forged tokens cannot cause one each."""
_MARGIN = timedelta(minutes=10)
"""How long a key stays after the last token that it can have signed."""


class _Signer(msgspec.Struct, frozen=True):
    signs_from: datetime
    key: tokens.PrivateKey


class _Loaded(msgspec.Struct, frozen=True):
    """The keys as one read found them."""

    at: float
    signers: tuple[_Signer, ...]
    """Oldest first."""
    public: Mapping[str, tokens.PublicKey]


class SigningKeys:
    """Signs and verifies access tokens with keys that all processes share.

    The newest key whose time has come signs. A successor is made when the newest has signed for its term, and starts
    after a lead in which every process and every reader of the JWKS gets to know it.
    """

    def __init__(self, db: ServiceDb, envelope: Envelope, clock: Clock, ids: Ids, settings: IdentitySettings) -> None:
        self._db = db
        self._envelope = envelope
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._loaded: _Loaded | None = None
        self._loading = asyncio.Lock()

    async def sign(self, claims: tokens.AccessClaims) -> str:
        """An access token under the current key; the first key is made at need."""
        loaded = await self._current()
        now = self._clock.now()
        due = [signer for signer in loaded.signers if signer.signs_from <= now]
        if not due:
            await self.rotate()
            loaded = await self._load()
            due = [signer for signer in loaded.signers if signer.signs_from <= now]
        return tokens.sign(claims, due[-1].key)

    async def verify(self, token: str) -> tokens.AccessClaims:
        """The claims of a token that counts. Raises `InvalidCredential`."""
        loaded = await self._current()
        try:
            return self._claims(token, loaded)
        except tokens.UnknownKid as error:
            if self._clock.monotonic() - loaded.at < _RELOAD_UNKNOWN_S:
                raise InvalidCredential from error
        except tokens.TokenRejected as error:
            raise InvalidCredential from error
        try:
            return self._claims(token, await self._load())
        except tokens.TokenRejected as error:
            raise InvalidCredential from error

    async def jwks(self) -> JsonWebKeySet:
        """The public keys, those included that will sign later or have signed before."""
        loaded = await self._current()
        return JsonWebKeySet([tokens.json_web_key(key) for key in loaded.public.values()])

    async def rotate(self) -> None:
        """Make a key where there is none or the newest has signed for its term, and forget expired ones.

        Bears to run in several processes at once.
        """
        now = self._clock.now()
        fresh = await self._fresh(now)
        async with self._db.system_tx(SystemCtx(reason="rotation of signing keys", service="identity")) as tx:
            rows = SigningKeySystemRepository(tx)
            await rows.lock()
            await rows.delete_expired(now)
            known = await rows.list_all()
            newest = max((key.signs_from for key in known), default=None)
            if newest is None:
                await rows.insert(fresh)
            elif newest + timedelta(seconds=self._settings.signing_key_seconds) <= now:
                starts = now + timedelta(seconds=self._settings.signing_key_lead_seconds)
                await rows.insert(msgspec.structs.replace(fresh, signs_from=starts))
                last = starts + timedelta(seconds=self._settings.access_token_seconds)
                await rows.expire_older(fresh.kid, last + _MARGIN)
        self._loaded = None

    async def _fresh(self, now: datetime) -> SigningKeyRow:
        seed = self._ids.token(tokens.SEED_BYTES)
        key = tokens.private_key(seed)
        return SigningKeyRow(
            kid=key.kid,
            public_key=tokens.public_bytes(key),
            private_key=await self._envelope.seal(None, seed, purpose=_PURPOSE),
            created_at=now,
            signs_from=now,
            expires_at=None,
        )

    def _claims(self, token: str, loaded: _Loaded) -> tokens.AccessClaims:
        return tokens.verify(token, loaded.public, issuer=self._settings.issuer, now=self._clock.now())

    async def _current(self) -> _Loaded:
        loaded = self._loaded
        if loaded is not None and self._clock.monotonic() - loaded.at < _RELOAD_S:
            return loaded
        return await self._load()

    async def _load(self) -> _Loaded:
        asked = self._clock.monotonic()
        async with self._loading:
            # Whoever waited for the lock takes what the one before it has read meanwhile.
            if self._loaded is not None and self._loaded.at > asked:
                return self._loaded
            async with self._db.system_tx(SystemCtx(reason="read of signing keys", service="identity")) as tx:
                rows = await SigningKeySystemRepository(tx).list_all()
            seeds = [await self._envelope.open(None, row.private_key, purpose=_PURPOSE) for row in rows]
            self._loaded = _Loaded(
                self._clock.monotonic(),
                tuple(_Signer(row.signs_from, tokens.private_key(seed)) for row, seed in zip(rows, seeds, strict=True)),
                {row.kid: tokens.public_key(row.kid, row.public_key) for row in rows},
            )
            return self._loaded
