"""Rates, load, deadlines, draining, and what a caller who leaves sets free."""

import asyncio

import msgspec
import pytest

from steward.gateway.server import EdgeServer, PortInUse
from steward.gateway.settings import GatewaySettings
from steward.kit.clock import SystemClock
from tests.gateway.fakes import API_KEY, TENANT
from tests.gateway.rig import BEARER, GENEROUS, Rig, running

ME = "/api/v1/auth/me"
HANGS = "/api/v1/auth/sessions"
LOGIN = {"email": "ada@example.com", "password": "wrong"}


async def test_user_limit_is_told_and_held() -> None:
    async with running(GatewaySettings(user_per_minute=3)) as rig:
        answers = [await rig.call("GET", ME, headers=BEARER) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"user";q=3;w=60'
        assert answers[0].headers["ratelimit"].startswith('"user";r=2;t=')
        refused = answers[3]
        assert refused.problem["code"] == "rate_limited"
        assert refused.problem["retry_after"] == int(refused.headers["retry-after"]) > 0


async def test_key_has_the_limit_of_its_tenant() -> None:
    async with running() as rig:
        rig.tenants.policy = msgspec.structs.replace(rig.tenants.policy, requests_per_minute=2)
        statuses = [(await rig.call("GET", ME, headers={"X-API-Key": API_KEY})).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await rig.call("GET", ME, headers=BEARER)).status == 200


async def test_address_limit_counts_log_in_and_unknown_paths() -> None:
    async with running(GatewaySettings(address_per_minute=2)) as rig:
        assert (await rig.call("POST", "/api/v1/auth/login", json=LOGIN)).status == 401
        assert (await rig.call("GET", "/wp-admin")).status == 404
        refused = await rig.call("POST", "/api/v1/auth/login", json=LOGIN)
        assert refused.problem["policy"] == "address"
        assert (await rig.call("GET", ME, headers=BEARER)).status == 200
        assert (await rig.call("GET", "/")).status == 200
        assert (await rig.call("GET", "/health")).status == 200


async def test_request_over_its_time_is_answered_504() -> None:
    async with running(GatewaySettings(request_seconds=0.1)) as rig:
        answer = await rig.call("GET", HANGS, headers=BEARER)
        assert (answer.status, answer.problem["code"]) == (504, "request_timed_out")
        assert rig.identity.cancelled.is_set()


async def test_caller_who_leaves_ends_the_work() -> None:
    async with running() as rig:
        gone = asyncio.create_task(rig.call("GET", HANGS, headers=BEARER))
        await rig.identity.arrived.wait()
        gone.cancel()
        async with asyncio.timeout(5):
            await rig.identity.cancelled.wait()
            await rig.edge.idle()
        assert rig.captured.logs[-1]["data"]["status"] == 499


async def test_caller_who_leaves_ends_a_stream() -> None:
    async with running() as rig:
        rig.audit.endless = True
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        head = "\r\n".join(f"{name}: {value}" for name, value in {"Host": "a", **BEARER}.items())
        writer.write(f"GET /api/v1/audit/export HTTP/1.1\r\n{head}\r\n\r\n".encode())
        await reader.readexactly(200_000)
        writer.close()
        async with asyncio.timeout(5):
            await rig.audit.ended.wait()


async def test_stream_is_cut_off_at_its_time_and_does_not_look_whole() -> None:
    async with running(msgspec.structs.replace(GENEROUS, stream_seconds=0.1)) as rig:
        rig.audit.endless = True
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        head = "\r\n".join(f"{name}: {value}" for name, value in {"Host": "a", **BEARER}.items())
        writer.write(f"GET /api/v1/audit/export HTTP/1.1\r\n{head}\r\n\r\n".encode())
        async with asyncio.timeout(10):
            whole = await reader.read(-1)
        assert not whole.endswith(b"0\r\n\r\n")
        writer.close()


async def test_stream_is_whole_and_a_refusal_of_one_is_a_problem() -> None:
    async with running() as rig:
        rig.audit.entries = 1000
        answer = await rig.call("GET", "/api/v1/audit/export", headers=BEARER)
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert len(answer.body.splitlines()) == 1000
        rig.audit.entries = 0
        assert (await rig.call("GET", "/api/v1/audit/export", headers=BEARER)).body == b""
        rig.audit.denied = True
        assert (await rig.call("GET", "/api/v1/audit/export", headers=BEARER)).problem["code"] == "forbidden"


async def test_load_beyond_the_limit_is_shed_and_probes_still_answer() -> None:
    async with running(msgspec.structs.replace(GENEROUS, max_in_flight=1)) as rig:
        first = asyncio.create_task(rig.call("GET", HANGS, headers=BEARER))
        await rig.identity.arrived.wait()
        shed = await rig.call("GET", ME, headers=BEARER)
        assert (shed.status, shed.problem["code"]) == (503, "overloaded")
        assert shed.headers["retry-after"] == "1"
        assert (await rig.call("GET", "/health")).status == 200
        rig.identity.release.set()
        assert (await first).status == 200


async def test_draining_refuses_the_new_and_finishes_the_old() -> None:
    async with running() as rig:
        old = asyncio.create_task(rig.call("GET", HANGS, headers=BEARER))
        await rig.identity.arrived.wait()
        stopping = asyncio.create_task(rig.server.stop())
        await asyncio.sleep(0)
        refused = await rig.call("GET", ME, headers=BEARER)
        assert (refused.status, refused.problem["code"]) == (503, "draining")
        assert refused.headers["connection"] == "close"
        rig.identity.release.set()
        assert (await old).status == 200
        await stopping
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", rig.port)


async def test_what_does_not_end_in_time_is_ended_at_shutdown() -> None:
    async with running(msgspec.structs.replace(GENEROUS, drain_seconds=0.1)) as rig:
        stuck = asyncio.create_task(rig.call("GET", HANGS, headers=BEARER))
        await rig.identity.arrived.wait()
        await rig.server.stop()
        assert (await stuck).problem["code"] == "draining"
        assert rig.identity.cancelled.is_set()


async def test_second_server_on_the_port_is_refused(shared: Rig) -> None:
    second = EdgeServer(shared.edge, GENEROUS, SystemClock(), host="127.0.0.1", port=shared.port)
    with pytest.raises(PortInUse, match="STEWARD_PORT"):
        await second.start()


async def test_idempotency_key_reaches_the_service(shared: Rig) -> None:
    headers = {**BEARER, "Idempotency-Key": "order-1"}
    answer = await shared.call("POST", "/api/v1/api-keys", headers=headers, json={"name": "a"})
    assert answer.status == 201
    assert shared.identity.seen[-1].idempotency_key == "order-1"
    assert shared.identity.seen[-1].tenant == TENANT
