"""The signed caller context: what is refused, and that nothing else can stand in for it."""

import base64
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.kit.errors import TooLarge
from steward.kit.rpc.caller import MAX_TOKEN_BYTES, CallerSigner, CallerVerifier
from steward.kit.rpc.failures import InvalidCallerContext
from steward.kit.testing.clock import FakeClock
from tests.support.rpc import Keys, ctx

AUDIENCE = "steward.v1.TenantService"


class Ends:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.private = Ed25519PrivateKey.generate()
        self.keys = Keys()
        self.keys.known["p1"] = self.private.public_key()
        self.signer = CallerSigner(self.clock, "p1", self.private)
        self.verifier = CallerVerifier(self.clock, self.keys)

    def token(self, header: Any, claims: Any) -> str:
        """A token that is signed well, whatever it says."""
        signed = b".".join(_text(msgspec.json.encode(part)) for part in (header, claims))
        return (signed + b"." + _text(self.private.sign(signed))).decode()


def _text(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


HEADER = {"alg": "Ed25519", "typ": "steward-caller+jwt", "kid": "p1"}


@pytest.fixture
def ends() -> Ends:
    return Ends()


async def test_good_token_gives_the_context(ends: Ends) -> None:
    sent = ctx(session_id=ctx().tenant, taint=frozenset({"a"}))
    assert await ends.verifier.verify(ends.signer.sign(sent, AUDIENCE), AUDIENCE) == sent


async def test_token_is_good_for_60_seconds_and_no_longer(ends: Ends) -> None:
    token = ends.signer.sign(ctx(), AUDIENCE)
    ends.clock.advance(59.9)
    await ends.verifier.verify(token, AUDIENCE)
    ends.clock.advance(0.1)
    with pytest.raises(InvalidCallerContext, match="expired"):
        await ends.verifier.verify(token, AUDIENCE)


async def test_token_for_another_service_refused(ends: Ends) -> None:
    with pytest.raises(InvalidCallerContext, match=r"not for 'steward\.v1\.AuditService'"):
        await ends.verifier.verify(ends.signer.sign(ctx(), AUDIENCE), "steward.v1.AuditService")


async def test_unknown_and_withdrawn_keys_refused(ends: Ends) -> None:
    token = ends.signer.sign(ctx(), AUDIENCE)
    await ends.verifier.verify(token, AUDIENCE)
    ends.keys.known.clear()
    with pytest.raises(InvalidCallerContext, match="no known process"):
        await ends.verifier.verify(token, AUDIENCE)


async def test_token_by_another_key_refused(ends: Ends) -> None:
    forger = CallerSigner(ends.clock, "p1", Ed25519PrivateKey.generate())
    with pytest.raises(InvalidCallerContext, match="signature"):
        await ends.verifier.verify(forger.sign(ctx(), AUDIENCE), AUDIENCE)


async def test_changed_claims_refused(ends: Ends) -> None:
    header, claims, signature = ends.signer.sign(ctx(), AUDIENCE).split(".")
    data = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).replace(b"tenant:read", b"tenant:rule")
    with pytest.raises(InvalidCallerContext, match="signature"):
        await ends.verifier.verify(f"{header}.{_text(data).decode()}.{signature}", AUDIENCE)


@pytest.mark.parametrize(
    "header",
    [
        HEADER | {"alg": "none"},
        HEADER | {"alg": "HS256"},
        HEADER | {"alg": "EdDSA"},
        HEADER | {"typ": "JWT"},
        HEADER | {"jwk": {"kty": "OKP"}},
        {"alg": "Ed25519", "typ": "steward-caller+jwt"},
    ],
)
async def test_other_header_refused(ends: Ends, header: dict[str, Any]) -> None:
    claims = {"aud": AUDIENCE, "exp": ends.clock.now().timestamp() + 60, "ctx": ctx()}
    await ends.verifier.verify(ends.token(HEADER, claims), AUDIENCE)
    with pytest.raises(InvalidCallerContext, match="no token of Steward"):
        await ends.verifier.verify(ends.token(header, claims), AUDIENCE)


async def test_long_lived_token_refused(ends: Ends) -> None:
    claims = {"aud": AUDIENCE, "exp": (ends.clock.now() + timedelta(hours=1)).timestamp(), "ctx": ctx()}
    with pytest.raises(InvalidCallerContext, match="longer than 60 seconds"):
        await ends.verifier.verify(ends.token(HEADER, claims), AUDIENCE)


async def test_signed_claims_of_another_shape_refused(ends: Ends) -> None:
    with pytest.raises(InvalidCallerContext, match="cannot be read"):
        await ends.verifier.verify(ends.token(HEADER, {"aud": AUDIENCE}), AUDIENCE)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "....", "é.b.c", "x" * (MAX_TOKEN_BYTES + 1), "e30.e30.e30"])
async def test_garbage_refused(ends: Ends, token: str) -> None:
    with pytest.raises(InvalidCallerContext):
        await ends.verifier.verify(token, AUDIENCE)


def test_context_too_large_for_metadata_is_named(ends: Ends) -> None:
    with pytest.raises(TooLarge, match=str(MAX_TOKEN_BYTES)):
        ends.signer.sign(ctx(user_agent="x" * MAX_TOKEN_BYTES), AUDIENCE)
