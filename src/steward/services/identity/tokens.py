"""Access tokens: JSON Web Tokens (RFC 7519) signed with `Ed25519` (RFC 9864) under keys as in RFC 8037."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key, OKPKey

from steward.services.identity.api import JsonWebKey

ALGORITHM = "Ed25519"
_ALGORITHMS = (ALGORITHM,)
SEED_BYTES = 32
"""A private key of Ed25519 (RFC 8032 section 5.1.5)."""


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token says. Roles are told for others' use; here they are read from the database."""

    iss: str
    sub: UUID
    tenant: UUID
    sid: UUID
    roles: Sequence[str]
    iat: int
    exp: int
    """Seconds since 1970 from which on the token does not count."""
    jti: UUID


class PublicKey(msgspec.Struct, frozen=True):
    """A key that verifies access tokens, parsed and ready."""

    kid: str
    key: OKPKey


class PrivateKey(msgspec.Struct, frozen=True):
    """A key that signs access tokens."""

    kid: str
    key: OKPKey


class TokenRejected(Exception):
    """The token does not count: malformed, another algorithm, a wrong signature, another issuer or expired."""


class UnknownKid(TokenRejected):
    """The token names a key that is not among those given; it may be newer than they are."""


def private_key(seed: bytes) -> PrivateKey:
    """The signing key with this seed; its `kid` is its thumbprint (RFC 7638)."""
    raw = Ed25519PrivateKey.from_private_bytes(seed)
    key = OKPKey.import_key(raw)
    return PrivateKey(key.thumbprint(), key)


def public_bytes(key: PrivateKey) -> bytes:
    """The public half, 32 bytes."""
    public = key.key.public_key
    return public.public_bytes_raw()


def public_key(kid: str, data: bytes) -> PublicKey:
    """The verifying key of 32 bytes."""
    return PublicKey(kid, OKPKey.import_key(Ed25519PublicKey.from_public_bytes(data)))


def json_web_key(key: PublicKey) -> JsonWebKey:
    """The key as JWKS shows it, without any private part."""
    x = key.key.as_dict(private=False)["x"]
    return JsonWebKey(kty="OKP", crv=ALGORITHM, x=str(x), kid=key.kid, alg=ALGORITHM, use="sig")


def sign(claims: AccessClaims, key: PrivateKey) -> str:
    """The token in compact form."""
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, msgspec.to_builtins(claims), key.key, algorithms=_ALGORITHMS)


def verify(token: str, keys: Mapping[str, PublicKey], *, issuer: str, now: datetime) -> AccessClaims:
    """The claims of a token that counts.

    The algorithm is fixed, whatever the header says (RFC 8725 section 3.1). Raises `TokenRejected`, and `UnknownKid`
    where the key is not among `keys`.
    """

    def find(signature: GuestProtocol) -> Key:
        found = keys.get(str(signature.headers().get("kid")))
        if found is None:
            raise UnknownKid
        return found.key

    try:
        decoded = jwt.decode(token, find, algorithms=_ALGORITHMS)
        claims = msgspec.convert(decoded.claims, AccessClaims)
    except (JoseError, msgspec.MsgspecError, ValueError, TypeError) as error:
        raise TokenRejected from error
    if claims.iss != issuer or claims.exp <= now.timestamp():
        raise TokenRejected
    return claims
