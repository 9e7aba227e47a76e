import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from tests.examples.shop.conftest import Caller
from tests.support.shop import REPOSITORY, ShopProcess, SomeOrder

PAGE = {"Origin": "http://localhost:8080"}


def path(order: SomeOrder, rest: str = "") -> str:
    return f"/api/customers/{order.customer_id}/orders/{order.order_id}{rest}"


def test_data_have_every_state(shop: ShopProcess) -> None:
    assert shop.rows("SELECT count(*) FROM customer") == [(500,)]
    assert shop.rows("SELECT count(*) FROM product") == [(50,)]
    assert shop.rows("SELECT count(*), count(DISTINCT customer_id) FROM customer_order") == [(1000, 500)]
    states = {str(state): count for state, count in shop.rows("SELECT status, count(*) FROM customer_order GROUP BY 1")}
    assert states.keys() == {"pending", "paid", "packed", "shipped", "delivered", "cancelled", "returned"}
    assert min(map(int, map(str, states.values()))) >= 10
    assert {row[0] for row in shop.rows("SELECT DISTINCT status FROM refund")} == {
        *("requested", "approved", "refused", "paid")
    }
    days = shop.rows("SELECT max(julianday('now') - julianday(placed_at)) FROM customer_order")[0][0]
    assert 100 < float(str(days)) <= 121


async def test_nothing_without_the_credential(call: Caller) -> None:
    order = call.shop.order("paid")
    for given in ("", "Bearer", "Bearer wrong", "Basic x"):
        refused = await call.bare("GET", path(order), Authorization=given)
        assert (refused.status, refused.code) == (401, "unauthenticated")
        assert refused.headers["content-type"] == "application/problem+json"
    assert (await call("GET", path(order))).status == 200


async def test_order_of_another_customer_is_not_there(call: Caller) -> None:
    one, other = call.shop.order("paid"), call.shop.order("delivered")
    mixed = SomeOrder(one.customer_id, other.order_id)
    for method, rest, body in (
        ("GET", "", None),
        ("PUT", "/address", {"address": "1 Nowhere Road"}),
        ("POST", "/cancel", None),
        ("GET", "/refund-eligibility", None),
        ("POST", "/refund", {"kind": "refund", "reason": "damaged"}),
        ("GET", "/refund", None),
    ):
        answer = await call(method, path(mixed, rest), body)
        assert (answer.status, answer.code) == (404, "order_not_found"), rest
    assert (await call("GET", "/api/customers/C-9/orders")).code == "customer_not_found"


async def test_latest_orders_come_first_in_the_customers_language(call: Caller) -> None:
    owner = call.shop.rows("SELECT customer_id FROM customer_order GROUP BY 1 HAVING count(*) > 2")[0][0]
    english = (await call("GET", f"/api/customers/{owner}/orders?limit=2", Accept_Language="en")).body["orders"]
    chinese = (await call("GET", f"/api/customers/{owner}/orders?limit=2", Accept_Language="zh-Hant")).body["orders"]
    assert len(english) == 2
    assert english[0]["placed_at"] > english[1]["placed_at"]
    assert english[0]["items"][0]["name"].isascii()
    assert not chinese[0]["items"][0]["name"].isascii()


@pytest.mark.parametrize(
    ("status", "code"),
    [("packed", "already_packed"), ("delivered", "already_shipped"), ("cancelled", "already_cancelled")],
)
async def test_cancelling_is_refused_from_packing_on(call: Caller, status: str, code: str) -> None:
    refused = await call("POST", path(call.shop.order(status), "/cancel"))
    assert (refused.status, refused.code) == (409, code)


async def test_order_is_cancelled_once_and_then_no_more(call: Caller) -> None:
    order = call.shop.order("pending")
    assert (await call("POST", path(order, "/cancel"))).body["status"] == "cancelled"
    assert (await call("POST", path(order, "/cancel"))).code == "already_cancelled"


async def test_address_changes_until_shipping(call: Caller) -> None:
    body = {"address": "7 Station Road, York"}
    assert (await call("PUT", path(call.shop.order("packed", skip=1), "/address"), body)).body["address"] == body[
        "address"
    ]
    assert (await call("PUT", path(call.shop.order("shipped"), "/address"), body)).code == "already_shipped"
    assert (await call("PUT", path(call.shop.order("packed"), "/address"), {"address": "x"})).code == "invalid_input"


async def test_refund_goes_by_the_policy(call: Caller) -> None:
    young = call.shop.order("delivered", younger_than_days=12)
    middle = call.shop.order("delivered", older_than_days=24, younger_than_days=30)
    old = call.shop.order("delivered", older_than_days=45)
    kinds = {
        name: (await call("GET", path(order, "/refund-eligibility"))).body["kinds"]
        for name, order in (("young", young), ("middle", middle), ("old", old))
    }
    assert kinds == {"young": ["refund", "exchange"], "middle": ["refund"], "old": []}
    assert (await call("GET", path(old, "/refund-eligibility?reason=damaged"))).body["eligible"]
    assert (await call("POST", path(old, "/refund"), {"kind": "refund", "reason": "other"})).code == "window_over"
    late = await call("POST", path(middle, "/refund"), {"kind": "exchange", "reason": "other"})
    assert late.code == "window_over"
    asked = await call("POST", path(old, "/refund"), {"kind": "exchange", "reason": "damaged", "note": "no sound"})
    assert (asked.status, asked.body["status"]) == (201, "requested")
    assert (await call("GET", path(old, "/refund"))).body == asked.body
    again = await call("POST", path(old, "/refund"), {"kind": "refund", "reason": "damaged"})
    assert again.code == "already_requested"


async def test_key_does_it_once_and_survives_a_restart(call: Caller, own_directory: Path) -> None:
    shop = ShopProcess(own_directory).start()
    try:
        order = shop.order("delivered", younger_than_days=12)
        before = shop.rows("SELECT count(*) FROM refund")
        there = Caller(shop, call._session)
        body = {"kind": "refund", "reason": "wrong_item"}
        first = await there("POST", path(order, "/refund"), body, Idempotency_Key="k-1")
        shop.kill()
        shop.start()
        second = await there("POST", path(order, "/refund"), body, Idempotency_Key="k-1")
        assert (first.status, first.body) == (second.status, second.body)
        assert shop.rows("SELECT count(*) FROM refund") == [(int(str(before[0][0])) + 1,)]
        other = await there("POST", path(order, "/refund"), {**body, "note": "!"}, Idempotency_Key="k-1")
        assert (other.status, other.code) == (409, "idempotency_key_reused")
        shop.process.stdin.close()
        assert shop.process.wait(10) == 0
    finally:
        shop.end()


async def test_refusal_under_a_key_stays(call: Caller) -> None:
    order = call.shop.order("shipped", skip=1)
    for _ in range(2):
        assert (await call("POST", path(order, "/cancel"), Idempotency_Key="k-2")).code == "already_shipped"


async def test_products_are_found_in_every_language(call: Caller) -> None:
    for words in ("noise cancelling headphones", "降噪耳機", "降噪耳机"):
        found = (await call("GET", f"/api/products?query={words}")).body["products"]
        assert found[0]["product_id"] == "P-003", words
    assert (await call("GET", "/api/products?query=zeppelin")).body["products"] == []


async def test_customer_token_is_signed_for_the_tenant(call: Caller) -> None:
    key = OKPKey.import_key((await call.bare("GET", "/demo/customer-key")).body)
    samples = (await call.bare("GET", "/demo/customers", **PAGE)).body
    assert {sample["locale"] for sample in samples} == {"en", "zh-Hant", "zh-Hans"}
    answer = await call.bare("POST", "/demo/customer-token", {"customer_id": samples[0]["customer_id"]}, **PAGE)
    assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    token = jwt.decode(answer.body["token"], key, algorithms=["Ed25519"])
    assert not key.is_private
    assert token.header["kid"] == key.kid
    assert (token.claims["sub"], token.claims["aud"]) == (samples[0]["customer_id"], "the-tenant")
    assert token.claims["exp"] - token.claims["iat"] == 900


async def test_log_in_is_for_this_machine_only(call: Caller) -> None:
    for name, value in (("Origin", "https://evil.example"), ("Host", "evil.example"), ("Origin", "null")):
        refused = await call.bare("POST", "/demo/customer-token", {"customer_id": "C-1001"}, **{name: value})
        assert (refused.status, refused.code) == (403, "not_from_here"), value
        assert "access-control-allow-origin" not in refused.headers


async def test_strange_requests_are_problems(call: Caller) -> None:
    assert (await call("GET", "/nowhere")).code == "path_not_found"
    assert (await call("POST", path(call.shop.order("delivered"), "/refund"), {"kind": "gift"})).code == "invalid_input"
    assert (await call("PUT", path(call.shop.order("paid"), "/address"), {"address": "x" * 20_000})).status == 413


async def test_kept_description_is_that_of_the_program(call: Caller) -> None:
    kept = json.loads((REPOSITORY / "examples/shop/openapi.json").read_text())
    assert (await call.bare("GET", "/openapi.json")).body == kept, "python -m examples.shop --openapi writes it"
