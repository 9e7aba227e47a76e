"""Customer tokens: JSON Web Tokens (RFC 7519) that a tenant signs; the adapter of joserfc for them."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, GuestProtocol, Key, OKPKey, RSAKey
from joserfc.jws import JWSAlgModel, JWSRegistry  # pyright: ignore[reportPrivateImportUsage] it has no other place

from steward.services.support.api import CustomerId

LONGEST: Final = timedelta(hours=1)
"""How far ahead a token may end."""
SKEW: Final = timedelta(seconds=60)
"""How much the clocks of shop and desk may differ, where a token begins or ends too late."""
MIN_RSA_BITS: Final = 2048
ALGORITHMS: Final = ("EdDSA", "Ed25519", "ES256", "RS256")

_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class VerifyingKey(msgspec.Struct, frozen=True):
    """A tenant's public key, parsed, with the algorithms it may be used with (RFC 8725 section 3.1)."""

    key: Key
    algorithms: Sequence[str]


class _Registry(JWSRegistry):
    """The algorithms of customer tokens, without a warning at `EdDSA`: what RFC 9864 calls `Ed25519` by now."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


class KeyRejected(Exception):
    """No key to check customer tokens by; the message says why."""


class TokenRejected(Exception):
    """The token does not count; the message says why in words for the tenant's developers."""


class CustomerClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a token."""

    sub: CustomerId
    aud: str | Sequence[str]
    exp: float
    nbf: float | None = None


def verifying_key(jwk: str) -> VerifyingKey:
    """The key of a JWK (RFC 7517). Raises `KeyRejected`."""
    try:
        members = msgspec.json.decode(jwk, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise KeyRejected("it is not a JSON object") from error
    if _PRIVATE & members.keys():
        raise KeyRejected("it has private parts: give the public key only, and sign with a new pair")
    try:
        return _parsed(members)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyRejected("its members make no key") from error


def verified(token: str, keys: Mapping[str, VerifyingKey], *, tenant: UUID, now: datetime) -> CustomerClaims:
    """The claims of a token that counts. Raises `TokenRejected`."""

    def find(signature: GuestProtocol) -> Key:
        header = signature.headers()
        found = keys.get(str(header["kid"])) if "kid" in header else _only(keys)
        if found is None:
            raise TokenRejected("its `kid` names none of the tenant's customer keys")
        if header.get("alg") not in found.algorithms:
            raise TokenRejected(f"its key is for {found.algorithms[0]}")
        return found.key

    try:
        decoded = jwt.decode(token, find, registry=_Registry(algorithms=ALGORITHMS))
        claims = msgspec.convert(decoded.claims, CustomerClaims)
    except msgspec.ValidationError as error:
        raise TokenRejected("it needs `sub` (1 to 200 characters), `aud` and `exp`") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRejected("it cannot be read, or its signature is wrong") from error
    _check(claims, str(tenant), now)
    return claims


def _check(claims: CustomerClaims, tenant: str, now: datetime) -> None:
    at = now.timestamp()
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if tenant not in audience:
        raise TokenRejected("its `aud` is not the id of this tenant")
    if claims.exp <= at:
        raise TokenRejected("it has expired")
    if claims.exp > at + (LONGEST + SKEW).total_seconds():
        raise TokenRejected("its `exp` is more than an hour ahead")
    if claims.nbf is not None and claims.nbf > at + SKEW.total_seconds():
        raise TokenRejected("its `nbf` is still to come")


def _only(keys: Mapping[str, VerifyingKey]) -> VerifyingKey | None:
    return next(iter(keys.values())) if len(keys) == 1 else None


def _parsed(members: Mapping[str, object]) -> VerifyingKey:
    plain = cast("dict[str, str | list[str]]", {name: value for name, value in members.items() if name in _PUBLIC})
    match members.get("kty"), members.get("crv"):
        case "OKP", "Ed25519":
            return VerifyingKey(OKPKey.import_key(plain), ("EdDSA", "Ed25519"))
        case "EC", "P-256":
            return VerifyingKey(ECKey.import_key(plain), ("ES256",))
        case "RSA", _:
            if _bits(str(members["n"])) < MIN_RSA_BITS:
                raise KeyRejected(f"an RSA key needs at least {MIN_RSA_BITS} bits")
            return VerifyingKey(RSAKey.import_key(plain), ("RS256",))
        case _:
            raise KeyRejected("it is none of Ed25519 (OKP), P-256 (EC) and RSA")


def _bits(number: str) -> int:
    """The length of a number of RFC 7518 section 2, which is base64url without padding."""
    return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4)), "big").bit_length()


_PUBLIC: Final = frozenset(("kty", "crv", "x", "y", "n", "e"))
