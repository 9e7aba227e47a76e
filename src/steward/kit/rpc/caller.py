"""The caller's context between processes: a token of 60 seconds, signed by the calling process.

A JSON Web Signature in compact form (RFC 7515) with the algorithm `Ed25519` (RFC 9864). It carries the whole `Ctx`,
so that the called process asks nobody, and names the one service that may accept it. Written out here instead of
through a library because it is made and read at each call: the algorithm, the type and the header's fields are fixed.
"""

import base64
import binascii
from datetime import timedelta
from typing import Annotated, Literal, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import TooLarge
from steward.kit.rpc.failures import InvalidCallerContext

CONTEXT_KEY = "x-steward-context"
"""Request metadata that holds the token."""
LIFETIME = timedelta(seconds=60)
MAX_TOKEN_BYTES = 12 * 1024
_SKEW = timedelta(seconds=5)
"""How far the clocks of two processes may lie apart."""
_TYPE = "steward-caller+jwt"


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alg: Literal["Ed25519"]
    typ: Literal["steward-caller+jwt"]
    kid: Annotated[str, Meta(min_length=1, max_length=200)]


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    aud: str
    exp: float
    ctx: Ctx


class CallerKeys(Protocol):
    """The public keys of the processes that may call this one."""

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """The key of the process with this id; None for one that is unknown or no longer trusted."""
        ...


class CallerSigner:
    """Signs contexts on behalf of this process, whose id is `kid`."""

    def __init__(self, clock: Clock, kid: str, private_key: Ed25519PrivateKey) -> None:
        self._clock = clock
        self._private_key = private_key
        self._header = _encoded(msgspec.json.encode(_Header(alg="Ed25519", typ=_TYPE, kid=kid)))

    def sign(self, ctx: Ctx, audience: str) -> str:
        """A token for one service, named in full; a context too large for metadata is a `TooLarge`."""
        expires = (self._clock.now() + LIFETIME).timestamp()
        claims = _encoded(msgspec.json.encode(_Claims(aud=audience, exp=expires, ctx=ctx)))
        signed = self._header + b"." + claims
        token = signed + b"." + _encoded(self._private_key.sign(signed))
        if len(token) > MAX_TOKEN_BYTES:
            raise TooLarge(
                f"the caller's context takes {len(token)} bytes, at most {MAX_TOKEN_BYTES} can be sent to {audience}",
                limit=MAX_TOKEN_BYTES,
            )
        return token.decode()


class CallerVerifier:
    """Checks the tokens that other processes present."""

    def __init__(self, clock: Clock, keys: CallerKeys) -> None:
        self._clock = clock
        self._keys = keys

    async def verify(self, token: str, audience: str) -> Ctx:
        """The context in the token; `InvalidCallerContext` says what is wrong with it."""
        signed, claims, kid, signature = _parts(token)
        key = await self._keys.key(kid)
        if key is None:
            raise InvalidCallerContext(f"the caller context is signed by {kid!r}, which is no known process", kid=kid)
        try:
            key.verify(signature, signed)
        except InvalidSignature as error:
            raise InvalidCallerContext("the signature of the caller context is wrong", kid=kid) from error
        return self._accepted(claims, audience)

    def _accepted(self, data: bytes, audience: str) -> Ctx:
        try:
            claims = msgspec.json.decode(data, type=_Claims)
        except msgspec.MsgspecError as error:
            raise InvalidCallerContext(f"the caller context cannot be read: {error}") from error
        if claims.aud != audience:
            raise InvalidCallerContext(f"the caller context is for {claims.aud!r}, not for {audience!r}")
        now = self._clock.now()
        if claims.exp <= now.timestamp():
            raise InvalidCallerContext("the caller context has expired: sign a new one for each call")
        if claims.exp > (now + LIFETIME + _SKEW).timestamp():
            raise InvalidCallerContext("the caller context is good for longer than 60 seconds: check both clocks")
        return claims.ctx


def _parts(token: str) -> tuple[bytes, bytes, str, bytes]:
    """What is signed, the claims, the signer's id and the signature; nothing of it is trusted yet."""
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidCallerContext(f"the caller context is longer than {MAX_TOKEN_BYTES} bytes")
    try:
        header, claims, signature = token.encode("ascii").split(b".")
        kid = msgspec.json.decode(_decoded(header), type=_Header).kid
        return header + b"." + claims, _decoded(claims), kid, _decoded(signature)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidCallerContext("the caller context is no token of Steward") from error


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64url: {error}") from error
