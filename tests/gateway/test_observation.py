"""What is left behind by a request: its id, a log line, metrics, a span, and nothing of the inside in its answer."""

import pytest

from tests.gateway.fakes import TENANT, TOKEN, USER
from tests.gateway.rig import BEARER, Rig, running

ME = "/api/v1/auth/me"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_request_leaves_one_line_that_names_who_and_what() -> None:
    async with running() as rig:
        headers = {**BEARER, "X-Request-Id": "order-7", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        answer = await rig.call("GET", ME, headers=headers)
        assert answer.headers["x-request-id"] == "order-7"
        (line,) = rig.captured.logs
        assert line["event_type"] == "http.request"
        assert (line["tenant_id"], line["user_id"], line["trace_id"]) == (str(TENANT), str(USER), TRACE)
        assert (line["data"]["status"], line["data"]["path"]) == (200, ME)
        assert line["duration_ms"] > 0
        (span,) = rig.captured.spans
        assert span.name == f"GET {ME}"
        assert TOKEN not in rig.captured.text
        ctx = rig.identity.seen[-1]
        assert (ctx.request_id, ctx.traceparent[3:35]) == ("order-7", TRACE)


@pytest.mark.parametrize("given", ["a b", "a" * 65, "ä", "a;drop", ""])
async def test_request_id_that_logs_cannot_bear_is_replaced(shared: Rig, given: str) -> None:
    answer = await shared.raw(f"GET /ready HTTP/1.1\r\nHost: a\r\nX-Request-Id: {given}\r\n\r\n".encode())
    assert answer.status == 200
    assert answer.headers["x-request-id"] not in {given, ""}


async def test_defect_is_logged_with_its_id_and_kept_inside() -> None:
    async with running() as rig:
        answer = await rig.call("GET", "/api/v1/roles", headers=BEARER)
        problem = answer.problem
        assert (answer.status, problem["code"]) == (500, "internal")
        assert b"secret detail" not in answer.body
        assert b"Traceback" not in answer.body
        (line,) = [line for line in rig.captured.logs if line["level"] == "error"]
        assert line["data"]["error_id"] == problem["error_id"]
        assert line["data"]["error"]["type"] == "ZeroDivisionError"


async def test_metrics_have_templates_and_no_paths() -> None:
    async with running() as rig:
        await rig.call("GET", f"/api/v1/users/{USER}", headers=BEARER)
        await rig.call("GET", "/wp-login.php")
        await rig.call("GET", ME, headers={"X-API-Key": "stw_sk_forged"})
        text = rig.telemetry.metrics.exposition().decode()
        assert 'route="/api/v1/users/{user_id:str}"' in text or 'route="/api/v1/users/{user_id}"' in text
        assert 'route="unmatched"' in text
        assert "wp-login" not in text
        assert str(USER) not in text
        assert 'steward_auth_failures_total{reason="invalid_credential"} 1.0' in text


@pytest.mark.parametrize(
    ("accept", "locale"),
    [("zh-TW,zh;q=0.9", "zh-Hant"), ("zh-CN", "zh-Hans"), ("de, en;q=0.5", "en"), ("fr", "zh-Hant")],
)
async def test_language_is_the_callers_or_else_the_tenants(shared: Rig, accept: str, locale: str) -> None:
    await shared.call("GET", ME, headers={**BEARER, "Accept-Language": accept})
    assert shared.identity.seen[-1].locale == locale
