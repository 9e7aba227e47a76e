import asyncio
import signal

import pytest

from steward.services.support.ports import ToolOutcome, ToolResult
from steward.services.support.shop.catalog import SPECS, Order, Orders, RefundKind
from tests.e2e.running import until
from tests.services.support.shop.conftest import OpenRoom, Room
from tests.support.shop import ShopProcess

ADDRESS = "7 Station Road, York"


def outcome(result: ToolResult) -> tuple[str, str]:
    return result.outcome.value, result.reason


async def test_orders_are_read(desk: Room, shop: ShopProcess) -> None:
    order = shop.order("shipped")
    listed = await desk.call("list_orders", order.customer_id)
    found = await desk.call("get_order", order.customer_id, order_id=order.order_id)
    assert {listed.outcome, found.outcome} == {ToolOutcome.OK}
    assert set(listed.data) == set(Orders.__struct_fields__)
    assert 1 <= len(listed.data["orders"]) <= 5
    assert set(found.data) == set(Order.__struct_fields__)
    assert (found.data["order_id"], found.data["status"]) == (order.order_id, "shipped")
    assert found.data["tracking_number"].startswith("TRK")
    assert not found.data["can_cancel"]


async def test_names_are_in_the_callers_language(desk: Room, shop: ShopProcess) -> None:
    order = shop.order("shipped")
    names = {
        locale: (await desk.call("get_order", order.customer_id, order_id=order.order_id, locale=locale)).data["items"]
        for locale in ("en", "zh-Hant", "zh-Hans")
    }
    assert names["en"][0]["name"].isascii()
    assert not names["zh-Hant"][0]["name"].isascii()
    assert not names["zh-Hans"][0]["name"].isascii()


async def test_order_is_changed(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("paid")
    moved = await desk.call("change_address", customer, order_id=order, address=ADDRESS)
    assert (moved.outcome, moved.data["address"]) == (ToolOutcome.OK, ADDRESS)
    cancelled = await desk.call("cancel_order", customer, order_id=order)
    assert (cancelled.outcome, cancelled.data["status"]) == (ToolOutcome.OK, "cancelled")
    assert shop.rows("SELECT status, address FROM customer_order WHERE id = ?", order) == [("cancelled", ADDRESS)]


async def test_refund_is_asked_for_and_followed(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("delivered", younger_than_days=12)
    can = await desk.call("refund_eligibility", customer, order_id=order)
    assert (can.data["eligible"], can.data["kinds"]) == (True, list(RefundKind))
    asked = await desk.call("request_refund", customer, order_id=order, kind="exchange", reason="it hums 嗡嗡")
    assert (asked.outcome, asked.data["status"], asked.data["kind"]) == (ToolOutcome.OK, "requested", "exchange")
    assert (await desk.call("get_refund", customer, order_id=order)).data == asked.data
    assert shop.rows("SELECT reason, note FROM refund WHERE order_id = ?", order) == [("other", "it hums 嗡嗡")]


async def test_damage_has_the_longer_time(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("delivered", older_than_days=60)
    can = await desk.call("refund_eligibility", customer, order_id=order)
    damaged = await desk.call("refund_eligibility", customer, order_id=order, reason="damaged")
    assert (can.data["eligible"], can.data["reason"]) == (False, "window_over")
    assert damaged.data["eligible"]
    refused = await desk.call("request_refund", customer, order_id=order, kind="refund", reason="changed_mind")
    assert outcome(refused) == ("refused", "window_over")


async def test_products_are_for_everybody(desk: Room) -> None:
    for customer in (None, "C-1001"):
        found = await desk.call("find_product", customer, query="空氣清淨機", locale="zh-Hant")
        assert found.data["products"][0]["name"] == "Breeze 空氣清淨機"
    assert (await desk.call("find_product", None, query="zeppelin")).data == {"products": []}


@pytest.mark.parametrize(
    ("tool", "status", "reason"),
    [
        ("cancel_order", "packed", "already_packed"),
        ("cancel_order", "shipped", "already_shipped"),
        ("cancel_order", "cancelled", "already_cancelled"),
        ("change_address", "delivered", "already_shipped"),
        ("change_address", "cancelled", "already_cancelled"),
        ("request_refund", "pending", "not_paid"),
        ("request_refund", "shipped", "not_delivered"),
        ("request_refund", "cancelled", "already_cancelled"),
    ],
)
async def test_rules_of_the_shop_refuse(desk: Room, shop: ShopProcess, tool: str, status: str, reason: str) -> None:
    customer, order = shop.order(status)
    more = {"change_address": {"address": ADDRESS}, "request_refund": {"kind": "refund", "reason": "damaged"}}
    assert outcome(await desk.call(tool, customer, order_id=order, **more.get(tool, {}))) == ("refused", reason)


async def test_refused_refund_is_not_asked_for_again(desk: Room, shop: ShopProcess) -> None:
    for status, reason in (("refused", "already_refused"), ("approved", "already_requested")):
        customer, order = shop.refunded(status)
        again = await desk.call("request_refund", customer, order_id=order, kind="refund", reason="damaged")
        assert outcome(again) == ("refused", reason)


async def test_what_is_not_this_customers_is_not_found(desk: Room, shop: ShopProcess) -> None:
    mine, other = shop.order("paid"), shop.order("delivered")
    before = shop.rows("SELECT * FROM customer_order WHERE id = ?", other.order_id)
    for tool, more in (
        ("get_order", {}),
        ("cancel_order", {}),
        ("change_address", {"address": ADDRESS}),
        ("refund_eligibility", {}),
        ("request_refund", {"kind": "refund", "reason": "damaged"}),
        ("get_refund", {}),
    ):
        found = await desk.call(tool, mine.customer_id, order_id=other.order_id, **more)
        assert (outcome(found), found.data) == (("not_found", "order_not_found"), {}), tool
    assert shop.rows("SELECT * FROM customer_order WHERE id = ?", other.order_id) == before
    assert outcome(await desk.call("get_refund", mine.customer_id, order_id=mine.order_id)) == (
        "not_found",
        "refund_not_found",
    )


@pytest.mark.parametrize("hidden", ["{}/orders?", "x/../{}", "x%2F..%2F{}", "../customers/{}", "{}#", "{}\\", "{};"])
async def test_customer_with_a_strange_id_is_nobody_else(desk: Room, shop: ShopProcess, hidden: str) -> None:
    customer, order = shop.order("paid")
    for tool, more in (("get_order", {"order_id": order}), ("list_orders", {})):
        assert (await desk.call(tool, hidden.format(customer), **more)).outcome is ToolOutcome.NOT_FOUND


@pytest.mark.parametrize(
    ("tool", "customer", "arguments", "reason"),
    [
        ("get_order", "C-1001", {}, "order_id"),
        ("get_order", "C-1001", {"order_id": "../C-1002"}, "order_id"),
        ("get_order", "C-1001", {"order_id": "ORD 1"}, "order_id"),
        ("get_order", "C-1001", {"order_id": "O", "more": "x"}, "more"),
        ("get_order", "..", {"order_id": "O"}, "customer_id"),
        ("list_orders", ".", {}, "customer_id"),
        ("change_address", "C-1001", {"order_id": "O", "address": ""}, "address"),
        ("request_refund", "C-1001", {"order_id": "O", "kind": "gift", "reason": "x"}, "kind"),
        ("find_product", None, {"query": "x" * 501}, "query"),
    ],
)
async def test_arguments_that_no_shop_takes(
    desk: Room, tool: str, customer: str | None, arguments: dict[str, str], reason: str
) -> None:
    assert outcome(await desk.call(tool, customer, **arguments)) == ("invalid", reason)


async def test_shop_itself_finds_the_address_too_short(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("paid")
    short = await desk.call("change_address", customer, order_id=order, address="x")
    assert outcome(short) == ("invalid", "invalid_input")


async def test_same_key_changes_once(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("delivered", younger_than_days=12)
    before = shop.rows("SELECT count(*) FROM refund")[0][0]
    asked = {"order_id": order, "kind": "refund", "reason": "wrong_item"}
    first, second = [await desk.call("request_refund", customer, key="a-message", **asked) for _ in range(2)]
    assert first == second
    assert shop.rows("SELECT count(*) FROM refund") == [(int(str(before)) + 1,)]
    other = await desk.call("request_refund", customer, key="a-message", **{**asked, "reason": "damaged"})
    assert outcome(other) == ("invalid", "idempotency_key_reused")


async def test_every_tool_is_counted(desk: Room, shop: ShopProcess) -> None:
    customer, order = shop.order("shipped")
    await desk.call("cancel_order", customer, order_id=order)
    text = desk.platform.telemetry.metrics.exposition().decode()
    assert 'steward_tool_calls_total{outcome="refused",tool="shop.cancel_order"}' in text
    span = next(span for span in reversed(desk.platform.telemetry.spans) if span.name == "call shop.cancel_order")
    assert span.attributes is not None
    assert (span.attributes["outcome"], span.attributes["reason"]) == ("refused", "already_shipped")
    assert set(desk.room.tools.specs) == set(SPECS)


async def test_shop_killed_in_the_middle_and_started_again(open_room: OpenRoom, own_shop: ShopProcess) -> None:
    room = await open_room(own_shop.url, STEWARD_SHOP_ATTEMPT_SECONDS="1")
    await room.connect(own_shop.url)
    customer, order = own_shop.order("paid")
    own_shop.process.send_signal(signal.SIGSTOP)
    calling = asyncio.create_task(room.call("cancel_order", customer, key="once", order_id=order))
    await asyncio.sleep(0.05)
    own_shop.kill()
    assert (await calling).outcome is ToolOutcome.UNAVAILABLE
    reasons = [(await room.call("list_orders", customer)).reason for _ in range(3)]
    assert reasons[0] == "upstream_unavailable"
    assert reasons[-1] == "circuit_open"
    clock = room.platform.foundation.clock
    began = clock.monotonic()
    assert outcome(await room.call("list_orders", customer)) == ("unavailable", "circuit_open")
    assert clock.monotonic() - began < 0.05
    own_shop.start()
    for _ in range(100):
        resumed = await room.call("cancel_order", customer, key="once", order_id=order)
        if resumed.outcome is not ToolOutcome.UNAVAILABLE:
            break
        await asyncio.sleep(0.05)
    assert (resumed.outcome, resumed.data["status"]) == (ToolOutcome.OK, "cancelled")


async def test_slow_shop_is_given_up(open_room: OpenRoom, own_shop: ShopProcess) -> None:
    room = await open_room(own_shop.url)
    await room.connect(own_shop.url)
    customer, _ = own_shop.order("paid")
    own_shop.process.send_signal(signal.SIGSTOP)
    began = room.platform.foundation.clock.monotonic()
    assert outcome(await room.call("list_orders", customer)) == ("unavailable", "upstream_timeout")
    assert 0.4 < room.platform.foundation.clock.monotonic() - began < 1.6
    own_shop.process.send_signal(signal.SIGCONT)
    until(own_shop.answers)
    assert (await room.call("list_orders", customer)).outcome is ToolOutcome.OK
