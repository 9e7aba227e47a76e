"""Claiming keys and giving stored answers again."""

import hashlib
import hmac
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from steward.kit.context import Ctx
from steward.kit.db import Tx
from steward.kit.idempotency import repository
from steward.kit.idempotency.errors import IdempotencyKeyReused, RequestInProgress
from steward.kit.ids import Ids

T = TypeVar("T")

_NONCE = 12


class Idempotency:
    """Idempotent creation for one service. `secret` is the same in every process and outlives them."""

    def __init__(self, secret: bytes, ids: Ids) -> None:
        self._secret = secret
        self._ids = ids

    async def replay(self, tx: Tx, ctx: Ctx, operation: str, request: object, answer: type[T]) -> T | None:
        """The first answer, if this request was made before under the same key; None lets the work begin.

        `request` is whatever msgspec can encode that tells one request from another. Raises `IdempotencyKeyReused`
        for another request and `RequestInProgress` while the first is under way.
        """
        if ctx.idempotency_key is None:
            return None
        name, seal = self._keys(ctx, operation)
        digest = hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest()
        if await repository.claim(tx, ctx, name, digest):
            return None
        stored = await repository.load(tx, ctx, name)
        if stored is None or (stored.sealed is None and stored.request_hash == digest):
            raise RequestInProgress
        if stored.request_hash != digest or stored.sealed is None:
            raise IdempotencyKeyReused
        nonce, sealed = stored.sealed[:_NONCE], stored.sealed[_NONCE:]
        return msgspec.json.decode(AESGCM(seal).decrypt(nonce, sealed, name), type=answer)

    async def remember(self, tx: Tx, ctx: Ctx, operation: str, answer: object) -> None:
        """Keep the answer for whoever sends the same key again."""
        if ctx.idempotency_key is None:
            return
        name, seal = self._keys(ctx, operation)
        nonce = self._ids.token(_NONCE)
        await repository.store(tx, ctx, name, nonce + AESGCM(seal).encrypt(nonce, msgspec.json.encode(answer), name))

    async def forget(self, tx: Tx, ctx: Ctx, operation: str) -> None:
        """Free the key of work that was undone, so that the caller may try again with it."""
        if ctx.idempotency_key is not None:
            await repository.drop(tx, ctx, self._keys(ctx, operation)[0])

    def _keys(self, ctx: Ctx, operation: str) -> tuple[bytes, bytes]:
        """The name of the row and the key it is sealed with, both for this caller and operation alone.

        The API key is part of who calls: an anonymous caller has no id of its own, and of a user's programs, each with
        a key, none gets what another one made. A customer's id is the actor's.
        """
        caller = (ctx.require_tenant().bytes, ctx.actor.type, ctx.actor.id, ctx.key_id)
        parts = (*caller, operation, ctx.idempotency_key)
        made = hmac.new(self._secret, msgspec.json.encode(parts), hashlib.sha512).digest()
        return made[:32], made[32:]
