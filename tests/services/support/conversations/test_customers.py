"""Who the customer is: customer tokens good and bad, keys, and how often one may write."""

import base64
import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from steward.kit.errors import InvalidInput
from steward.services.support.api import CustomerKey
from steward.services.support.errors import (
    CustomerKeyInvalid,
    CustomerLimited,
    CustomerTokenInvalid,
    SessionNotFound,
)
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import WRITES, Desk

SETS_UP = "support:configure"
PAIRS: Mapping[str, Any] = {
    "EdDSA": OKPKey.generate_key("Ed25519"),
    "ES256": ECKey.generate_key("P-256"),
    "RS256": RSAKey.generate_key(2048),
}
OTHER = OKPKey.generate_key("Ed25519")


def public(key: Any, kid: str) -> CustomerKey:
    return CustomerKey(kid=kid, jwk=msgspec.json.encode(key.as_dict(private=False)).decode())


async def with_keys(desk: Desk) -> None:
    keys = [public(key, name) for name, key in PAIRS.items()]
    assert await desk.api.put_customer_keys(desk.ctx(SETS_UP), keys=keys) == keys


def claims(desk: Desk, **changes: Any) -> dict[str, Any]:
    now = desk.installation.foundation.clock.now()
    plain = {"sub": "ann", "aud": str(desk.tenant), "exp": int((now + timedelta(minutes=30)).timestamp())}
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


def signed(desk: Desk, name: str = "EdDSA", key: Any = None, kid: str | None = None, **changes: Any) -> str:
    header = {"alg": name, "kid": kid or name}
    if name == "EdDSA":
        # Signed by hand, for the library warns of the name that most others still use.
        text = f"{_encoded(header)}.{_encoded(claims(desk, **changes))}"
        return f"{text}.{_text((key or PAIRS[name]).private_key.sign(text.encode()))}"
    return jwt.encode(header, claims(desk, **changes), key or PAIRS[name], algorithms=[name])


async def test_token_names_the_customer_whatever_the_body_says(desk: Desk) -> None:
    await with_keys(desk)
    page = desk.ctx(WRITES)
    session = None
    for name in PAIRS:
        answer = await desk.say("call shop.list_orders", session, "bob", ctx=page, customer_token=signed(desk, name))
        assert "for ann" in answer.message
        session = answer.session_id
    assert session is not None
    with pytest.raises(SessionNotFound):
        await desk.say("hello", session, "ann", ctx=page)
    with pytest.raises(SessionNotFound):
        await desk.say("hello", session, None, ctx=page, customer_token=signed(desk, sub="bob"))
    both = ["aud", str(desk.tenant)]
    await desk.say("hello", session, None, ctx=page, customer_token=signed(desk, aud=both))


def forged(desk: Desk) -> Mapping[str, str]:
    now = desk.installation.foundation.clock.now()
    good = signed(desk)
    header, body, signature = good.split(".")
    unsigned = _encoded({"alg": "none", "kid": "EdDSA"})
    x = PAIRS["EdDSA"].as_dict(private=False)["x"]
    confused = f"{_encoded({'alg': 'HS256', 'kid': 'EdDSA'})}.{body}"
    mac = hmac.digest(base64.urlsafe_b64decode(x + "=="), confused.encode(), hashlib.sha256)
    return {
        "expired": signed(desk, exp=int((now - timedelta(seconds=1)).timestamp())),
        "too long": signed(desk, exp=int((now + timedelta(hours=2)).timestamp())),
        "without an end": signed(desk, exp=None),
        "for another tenant": signed(desk, aud=str(desk.installation.foundation.ids.new())),
        "for nobody": signed(desk, aud=None),
        "of nobody": signed(desk, sub=None),
        "of an empty name": signed(desk, sub=""),
        "not yet": signed(desk, nbf=int((now + timedelta(minutes=10)).timestamp())),
        "by another key": signed(desk, key=OTHER),
        "of an unknown key": signed(desk, kid="unknown"),
        "by a key of another kind": signed(desk, "ES256", kid="EdDSA"),
        "unsigned": f"{unsigned}.{body}.",
        "unsigned with a signature": f"{unsigned}.{body}.{signature}",
        "by the public key": f"{confused}.{_text(mac)}",
        "changed": f"{header}.{_encoded(claims(desk, sub='bob'))}.{signature}",
        "cut": good[:-4],
        "nothing": "",
        "dots": "..",
        "text": "no token \ud83d".encode(errors="replace").decode(),
    }


async def test_token_that_does_not_count_is_refused(desk: Desk) -> None:
    await with_keys(desk)
    answered: list[str] = []
    for name, token in forged(desk).items():
        with contextlib.suppress(CustomerTokenInvalid):
            await desk.say("hello", user=None, ctx=desk.ctx(WRITES), customer_token=token)
            answered.append(name)
    assert answered == []


async def test_token_counts_no_more_when_its_key_is_gone(desk: Desk) -> None:
    await with_keys(desk)
    token = signed(desk)
    await desk.say("hello", user=None, ctx=desk.ctx(WRITES), customer_token=token)
    await desk.api.put_customer_keys(desk.ctx(SETS_UP), keys=[])
    with pytest.raises(CustomerTokenInvalid):
        await desk.say("hello", user=None, ctx=desk.ctx(WRITES), customer_token=token)


async def test_keys_that_are_no_public_keys_are_refused(desk: Desk) -> None:
    private = CustomerKey(kid="k", jwk=msgspec.json.encode(OTHER.as_dict(private=True)).decode())
    short = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n.to_bytes(128, "big")
    weak = CustomerKey(kid="k", jwk=msgspec.json.encode({"kty": "RSA", "n": _text(short), "e": "AQAB"}).decode())
    for jwk in (
        private,
        weak,
        *(CustomerKey(kid="k", jwk=text) for text in ("", "[]", "{}", '{"kty":"oct","k":"AA"}')),
    ):
        with pytest.raises(CustomerKeyInvalid):
            await desk.api.put_customer_keys(desk.ctx(SETS_UP), keys=[jwk])
    good = public(OTHER, "k")
    with pytest.raises(InvalidInput):
        await desk.api.put_customer_keys(desk.ctx(SETS_UP), keys=[good, good])


async def test_customer_may_write_so_many_messages_a_minute(new_desk: NewDesk) -> None:
    desk = await new_desk(customer_per_minute="3")
    for _ in range(3):
        await desk.say("hello")
    with pytest.raises(CustomerLimited) as refused:
        await desk.say("hello")
    assert refused.value.data["limit"] == 3
    await desk.say("hello", user="bob")


def _encoded(value: Mapping[str, Any]) -> str:
    return _text(msgspec.json.encode(value))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
