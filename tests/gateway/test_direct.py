"""The short way to a handler: taken where it can be, and an answer does not show which way it went."""

from collections.abc import Mapping

import pytest
from litestar import Litestar
from litestar.response.base import ASGIResponse

from steward.gateway.direct import Direct
from tests.gateway.fakes import TENANT, USER
from tests.gateway.rig import BEARER, Rig

ME = "/api/v1/auth/me"
TENANT_PATH = f"/api/v1/tenants/{TENANT}"


@pytest.fixture
def litestar_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that went through Litestar."""
    seen: list[str] = []
    whole_way = Litestar.__call__

    async def watched(self: Litestar, scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["path"])
        await whole_way(self, scope, receive, send)  # pyright: ignore[reportArgumentType] passed on as they came

    monkeypatch.setattr(Litestar, "__call__", watched)
    return seen


async def test_plain_requests_go_past_litestar_and_others_through_it(shared: Rig, litestar_calls: list[str]) -> None:
    assert (await shared.call("GET", ME, headers=BEARER)).status == 200
    assert (await shared.call("GET", TENANT_PATH, headers=BEARER)).status == 200
    assert (await shared.call("PATCH", TENANT_PATH, headers=BEARER, json={"name": "Anew"})).status == 200
    assert litestar_calls == []
    whole = ["/ready", "/api/v1/users?limit=1", "/api/v1/nothing", "/api/v1/tenants/no-id", f"{TENANT_PATH}/"]
    for path in whole:
        await shared.call("GET", path, headers=BEARER)
    assert len(litestar_calls) == len(whole)


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", ME, {}),
        ("GET", TENANT_PATH, {}),
        ("GET", "/api/v1/tenants/no-id", {}),
        ("GET", f"/api/v1/users/{USER}", {}),
        ("HEAD", ME, {}),
        ("DELETE", ME, {}),
        ("OPTIONS", ME, {}),
        ("PATCH", TENANT_PATH, {"json": {"name": "Anew"}}),
        ("PATCH", TENANT_PATH, {"json": {"name": ""}}),
        ("PATCH", TENANT_PATH, {"json": {"nothing": 1}}),
        ("PATCH", TENANT_PATH, {"data": b"", "headers": {"Content-Type": "application/json"}}),
        ("PATCH", TENANT_PATH, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
    ],
)
async def test_both_ways_answer_alike(
    shared: Rig, monkeypatch: pytest.MonkeyPatch, method: str, path: str, options: Mapping[str, Mapping[str, str]]
) -> None:
    async def asked() -> tuple[int, dict[str, str], bytes]:
        headers = {**BEARER, **options.get("headers", {}), "X-Request-Id": "same"}
        answer = await shared.call(method, path, **{**options, "headers": headers})
        kept = {name: value for name, value in answer.headers.items() if name not in {"date", "ratelimit"}}
        return answer.status, kept, answer.body

    short = await asked()
    monkeypatch.setattr(Direct, "_plan", lambda *_: None)
    assert await asked() == short


async def test_short_way_is_named_in_metrics_and_spans_like_the_other(shared: Rig) -> None:
    await shared.call("GET", TENANT_PATH, headers=BEARER)
    assert shared.captured.spans[-1].name.startswith("GET /api/v1/tenants/{tenant_id")
    assert TENANT_PATH not in shared.telemetry.metrics.exposition().decode()


async def test_route_that_needs_a_credential_is_not_reached_without_one(shared: Rig) -> None:
    assert (await shared.call("GET", TENANT_PATH)).status == 401


async def test_response_that_a_handler_made_itself_is_sent_as_it_is(
    shared: Rig, monkeypatch: pytest.MonkeyPatch, litestar_calls: list[str]
) -> None:
    async def ready(*_: object, **__: object) -> ASGIResponse:
        return ASGIResponse(body=b"ready", status_code=202, media_type="text/plain")

    monkeypatch.setattr(shared.identity, "whoami", ready)
    answer = await shared.call("GET", ME, headers=BEARER)
    assert (answer.status, answer.body, litestar_calls) == (202, b"ready", [])
