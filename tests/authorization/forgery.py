"""Access tokens as attackers and mishaps make them: validly signed with wrong claims, or not validly signed at all."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from steward.kit.ids import TenantId
from steward.services.identity.platform.signing import SigningKeys
from steward.services.identity.settings import IdentitySettings
from steward.services.identity.tokens import AccessClaims
from tests.support.house import House, Member

LIFE = timedelta(minutes=15)


async def forged_tokens(house: House, member: Member, other: TenantId) -> Mapping[str, str]:
    """Tokens that must not count, by what is wrong with them; all are made from a member's live session."""
    good = member.tokens.access_token
    header, claims, signature = good.split(".")
    kid = decoded(header)["kid"]
    plain = decoded(claims)
    signed = {
        "expired": await _signed(house, member, minutes=-1),
        "of another issuer": await _signed(house, member, issuer="somebody else"),
        "for another tenant": await _signed(house, member, tenant=other),
        "for another user": await _signed(house, member, user=house.installation.foundation.ids.new()),
        "of another session": await _signed(house, member, session=house.installation.foundation.ids.new()),
    }
    return {
        **signed,
        "by another key": _ed25519({"alg": "Ed25519", "kid": kid}, plain),
        "by another key that it brings along": _with_own_key(plain),
        "of an unknown key": _ed25519({"alg": "Ed25519", "kid": "unknown"}, plain),
        "without a key": _ed25519({"alg": "Ed25519"}, plain),
        "with claims changed": f"{header}.{encoded({**plain, 'tenant': str(other)})}.{signature}",
        "with more roles": f"{header}.{encoded({**plain, 'roles': ['owner', 'platform-operator']})}.{signature}",
        "without a signature": f"{header}.{claims}.",
        "cut": good[:-4],
        "with more behind": f"{good}.{signature}",
        "unsigned": f"{encoded({'alg': 'none', 'kid': kid})}.{claims}.",
        "unsigned, signature kept": f"{encoded({'alg': 'none', 'kid': kid})}.{claims}.{signature}",
        "algorithm renamed": f"{encoded({'alg': 'EdDSA', 'kid': kid})}.{claims}.{signature}",
        "RS256": _rs256(kid, plain),
        **await _by_public_key(house, kid, plain),
    }


def decoded(part: str) -> dict[str, Any]:
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(value: Mapping[str, Any]) -> str:
    return _text(msgspec.json.encode(value))


async def sign_as_platform(house: House, claims: AccessClaims) -> str:
    """A token under the platform's own key, as no operation gives it out."""
    foundation = house.installation.foundation
    identity = foundation.database.service("identity")
    keys = SigningKeys(identity, foundation.envelope, foundation.clock, foundation.ids, IdentitySettings())
    return await keys.sign(claims)


def claims_of(token: str) -> AccessClaims:
    return msgspec.convert(decoded(token.split(".")[1]), AccessClaims)


async def _signed(house: House, member: Member, *, minutes: int = 15, **changes: Any) -> str:
    now = house.installation.foundation.clock.now()
    names = {"issuer": "iss", "user": "sub", "session": "sid", "tenant": "tenant"}
    claims = msgspec.structs.replace(
        claims_of(member.tokens.access_token),
        exp=int((now + timedelta(minutes=minutes)).timestamp()),
        **{names[name]: value for name, value in changes.items()},
    )
    return await sign_as_platform(house, claims)


def _ed25519(header: Mapping[str, Any], claims: Mapping[str, Any], key: Ed25519PrivateKey | None = None) -> str:
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{_text((key or Ed25519PrivateKey.generate()).sign(signed.encode()))}"


def _with_own_key(claims: Mapping[str, Any]) -> str:
    """RFC 7515 section 4.1.3 lets a header carry the key; whoever believes it can be told anything."""
    key = Ed25519PrivateKey.generate()
    x = _text(key.public_key().public_bytes_raw())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "mine", "alg": "Ed25519"}
    return _ed25519({"alg": "Ed25519", "kid": "mine", "jwk": jwk}, claims, key)


def _rs256(kid: str, claims: Mapping[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = f"{encoded({'alg': 'RS256', 'kid': kid})}.{encoded(claims)}"
    return f"{signed}.{_text(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


async def _by_public_key(house: House, kid: str, claims: Mapping[str, Any]) -> Mapping[str, str]:
    """HS256 with the public key as the secret, in each form that a library might take it for one."""
    found = (await house.http("GET", "/.well-known/jwks.json")).json["keys"]
    x: str = next(key["x"] for key in found if key["kid"] == kid)
    raw = base64.urlsafe_b64decode(x + "=")
    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': kid})}.{encoded(claims)}"
    return {
        f"HS256 by the public key as {form}": f"{signed}.{_text(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        for form, secret in (("bytes", raw), ("PEM", pem), ("text", x.encode()))
    }


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
