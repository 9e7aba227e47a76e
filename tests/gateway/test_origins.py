"""Which web pages may call, and what every answer carries for browsers."""

import pytest

from steward.gateway.settings import GatewaySettings
from tests.gateway.rig import BEARER, Rig, running

ME = "/api/v1/auth/me"
SHOP = "https://shop.example"
EVIL = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


async def test_page_of_a_listed_origin_may_call_and_read(shared: Rig) -> None:
    answer = await shared.call("GET", ME, headers={**BEARER, "Origin": SHOP})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert "origin" in answer.headers["vary"].lower()
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [EVIL, "null", "https://shop.example.evil.example", "http://shop.example", "a\tb"])
async def test_page_of_another_origin_is_refused(shared: Rig, origin: str) -> None:
    answer = await shared.raw(
        f"GET {ME} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nAuthorization: {BEARER['Authorization']}\r\n\r\n".encode()
    )
    assert (answer.status, answer.problem["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


async def test_own_page_may_call(shared: Rig) -> None:
    for headers in ({"Origin": shared.url}, {"Origin": "https://behind.tls", "Sec-Fetch-Site": "same-origin"}):
        assert (await shared.call("GET", ME, headers={**BEARER, **headers})).status == 200


async def test_preflight_grants_nothing_but_the_question(shared: Rig) -> None:
    answer = await shared.call("OPTIONS", ME, headers={"Origin": EVIL, **PREFLIGHT})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == EVIL
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    odd = await shared.call("OPTIONS", ME, headers={"Origin": "javascript:alert(1)", **PREFLIGHT})
    assert odd.problem["code"] == "malformed_request"


async def test_page_can_read_that_its_token_has_run_out(shared: Rig) -> None:
    answer = await shared.call("GET", ME, headers={"Authorization": "Bearer old", "Origin": EVIL})
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == EVIL


async def test_log_in_from_another_origin_needs_the_installation_to_allow_it() -> None:
    body = {"email": "ada@example.com", "password": "open sesame"}
    async with running(GatewaySettings(allowed_origins=("https://console.example",))) as rig:
        refused = await rig.call("POST", "/api/v1/auth/login", json=body, headers={"Origin": SHOP})
        assert refused.problem["code"] == "origin_not_allowed"
        allowed = await rig.call("POST", "/api/v1/auth/login", json=body, headers={"Origin": "https://console.example"})
        assert allowed.status == 200


@pytest.mark.parametrize("path", [ME, "/", "/docs", "/nothing", "/health"])
async def test_every_answer_carries_the_security_headers(shared: Rig, path: str) -> None:
    headers = (await shared.call("GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["server"] == "steward"
    assert headers["x-request-id"]
