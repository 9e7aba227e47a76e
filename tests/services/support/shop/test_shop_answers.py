import asyncio
from typing import Any

import pytest
from aiohttp import web

from steward.services.support.ports import ToolOutcome
from tests.services.support.shop.conftest import Misbehaving, OpenRoom, Room
from tests.services.support.shop.test_shop_tools import outcome

ORDER: dict[str, Any] = {
    "order_id": "ORD-1",
    "customer_id": "C-1",
    "status": "paid",
    "placed_at": "2026-11-20T08:00:00+00:00",
    "total": "12.00",
    "currency": "USD",
    "items": [{"name": "Lamp", "quantity": 1}],
    "address": "1 Some Street",
    "can_cancel": True,
    "can_change_address": True,
    "something_new": {"of": "a newer shop"},
}


@pytest.fixture
async def room(open_room: OpenRoom, misbehaving: Misbehaving) -> Room:
    room = await open_room(misbehaving.url, STEWARD_SHOP_BREAKER_FAILURES="1000")
    await room.connect(misbehaving.url)
    return room


async def get_order(room: Room) -> tuple[str, str]:
    return outcome(await room.call("get_order", "C-1", order_id="ORD-1"))


async def test_order_with_unknown_fields_is_read(room: Room, misbehaving: Misbehaving) -> None:
    misbehaving.answers = [web.json_response(ORDER)]
    found = await room.call("get_order", "C-1", order_id="ORD-1", locale="zh-Hans")
    assert found.outcome is ToolOutcome.OK
    assert "customer_id" not in found.data
    assert (found.data["tracking_number"], found.data["placed_at"]) == (None, "2026-11-20T08:00:00Z")
    sent = misbehaving.requests[0]
    assert sent.headers["Authorization"] == "Bearer a-secret-of-the-shop"
    assert sent.headers["Accept-Language"] == "zh-Hans"
    assert sent.headers["traceparent"].startswith("00-")
    assert "Idempotency-Key" not in sent.headers


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="{"),
        web.Response(text="[]"),
        web.Response(text="<html>", content_type="text/html"),
        web.json_response({**ORDER, "total": "a lot"}),
        web.json_response({**ORDER, "total": 12.0}),
        web.json_response({**ORDER, "items": [{"name": "x", "quantity": 1}] * 201}),
        web.json_response({**ORDER, "address": "x" * 1001}),
        web.json_response({key: value for key, value in ORDER.items() if key != "customer_id"}),
        web.json_response({**ORDER, "customer_id": "C-2"}),
        web.json_response({**ORDER, "order_id": "ORD-2"}),
        web.Response(status=404, text="<h1>Not found</h1>"),
        web.json_response({"detail": "no such path"}, status=404),
        web.json_response({"code": "<script>"}, status=409),
    ],
    ids=str,
)
async def test_answer_that_is_not_as_agreed(room: Room, misbehaving: Misbehaving, answer: web.Response) -> None:
    misbehaving.answers = [answer]
    assert await get_order(room) == ("unavailable", "bad_answer")
    assert len(misbehaving.requests) == 1
    said = room.platform.telemetry.logs[-1]
    assert (said["event_type"], said["data"]["reason"]) == ("shop.unavailable", "bad_answer")
    assert "1 Some Street" not in str(said)


async def test_list_with_one_order_of_somebody_else_is_thrown_away(room: Room, misbehaving: Misbehaving) -> None:
    orders = [ORDER, {**ORDER, "customer_id": "C-2", "order_id": "ORD-2"}]
    misbehaving.answers = [web.json_response({"customer_id": "C-1", "orders": orders})]
    found = await room.call("list_orders", "C-1")
    assert (outcome(found), found.data) == (("unavailable", "bad_answer"), {})


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, "shop_failed"), (501, "shop_failed"), (401, "credential_refused"), (304, "shop_failed")],
)
async def test_status_of_a_shop_in_trouble(room: Room, misbehaving: Misbehaving, status: int, reason: str) -> None:
    misbehaving.answers = [web.Response(status=status)]
    assert await get_order(room) == ("unavailable", reason)


async def test_endless_answer_is_cut(room: Room, misbehaving: Misbehaving) -> None:
    misbehaving.answers = [web.Response(text="x" * 300_000)]
    assert await get_order(room) == ("unavailable", "response_too_large")


async def test_change_is_sent_again_under_its_key(room: Room, misbehaving: Misbehaving) -> None:
    misbehaving.answers = [web.Response(status=503), web.json_response({**ORDER, "status": "cancelled"})]
    found = await room.call("cancel_order", "C-1", key="the-message", order_id="ORD-1")
    assert found.outcome is ToolOutcome.OK
    assert [request.headers["Idempotency-Key"] for request in misbehaving.requests] == ["the-message"] * 2


async def test_redirect_into_the_network_is_not_followed(room: Room, misbehaving: Misbehaving) -> None:
    for target in ("http://127.0.0.1:1/", "http://10.0.0.1/", "https://192.168.0.1/"):
        misbehaving.answers = [web.Response(status=302, headers={"Location": target})]
        assert await get_order(room) == ("unavailable", "address_refused")


async def test_anonymous_customer_is_refused_without_a_call(room: Room, misbehaving: Misbehaving) -> None:
    for tool, spec in room.room.tools.specs.items():
        if spec.needs_customer:
            refused = await room.call(tool.removeprefix("shop."), None)
            assert outcome(refused) == ("refused", "no_customer")
    assert misbehaving.requests == []


async def test_tenants_have_breakers_of_their_own(open_room: OpenRoom, misbehaving: Misbehaving) -> None:
    room = await open_room(misbehaving.url)
    await room.connect(misbehaving.url)
    for _ in range(4):
        await get_order(room)
    assert await get_order(room) == ("unavailable", "circuit_open")
    misbehaving.answers = [web.json_response(ORDER)]
    neighbour = Room(room.platform, room.room, (await open_room()).tenant)
    await neighbour.connect(misbehaving.url)
    assert await get_order(neighbour) == ("ok", "")


async def test_many_calls_at_once_read_the_connection_once(room: Room, misbehaving: Misbehaving) -> None:
    misbehaving.answers = [web.json_response(ORDER) for _ in range(20)]
    room.platform.telemetry.clear()
    found = await asyncio.gather(*(get_order(room) for _ in range(20)))
    assert set(found) == {("ok", "")}
    ours = {"db.namespace": "support", "steward.tenant.id": str(room.tenant)}
    spans = [dict(span.attributes or {}) for span in room.platform.telemetry.spans]
    assert len([span for span in spans if ours.items() <= span.items()]) == 1
