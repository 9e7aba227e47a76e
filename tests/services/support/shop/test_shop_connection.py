from datetime import UTC, datetime

import msgspec
import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.context import Actor, ActorType
from steward.kit.errors import InvalidInput
from steward.kit.http import AddressRefused
from steward.kit.outbox import StoredEvent
from steward.services.support.errors import ShopNotConnected
from tests.services.support.shop.conftest import CONFIGURE, OpenRoom, Room, Rows
from tests.services.support.shop.test_shop_tools import outcome
from tests.support.shop import SECRET, ShopProcess

ELSEWHERE = "https://shop.example"


async def test_shop_is_put_shown_and_forgotten(open_room: OpenRoom) -> None:
    room = await open_room()
    shops, ctx = room.room.use_case, room.ctx(CONFIGURE)
    with pytest.raises(ShopNotConnected):
        await shops.get_shop(ctx)
    put = await shops.put_shop(ctx, base_url=f"{ELSEWHERE}/", credential=SECRET)
    assert put.base_url == ELSEWHERE
    assert await shops.get_shop(ctx) == put
    with pytest.raises(ShopNotConnected):
        await shops.get_shop(room.platform.ctx((await open_room()).tenant, CONFIGURE))
    await shops.delete_shop(ctx)
    for gone in (shops.get_shop, shops.delete_shop):
        with pytest.raises(ShopNotConnected):
            await gone(ctx)


async def test_credential_is_sealed_and_told_to_nobody(open_room: OpenRoom, owner_rows: Rows) -> None:
    room = await open_room()
    await room.connect(ELSEWHERE)
    await room.room.use_case.delete_shop(room.ctx(CONFIGURE))
    await room.connect(ELSEWHERE)
    rows = [
        *await owner_rows("SELECT * FROM support.shop WHERE tenant_id = $1", room.tenant),
        *(audit := await owner_rows("SELECT * FROM support.audit_outbox WHERE tenant_id = $1", room.tenant)),
        *(events := await owner_rows("SELECT * FROM support.outbox WHERE tenant_id = $1", room.tenant)),
    ]
    assert SECRET not in str(rows)
    assert SECRET.encode() not in b"".join(row["credential"] for row in rows[:1])
    assert [msgspec.json.decode(row["body"])["action"] for row in audit] == [
        "shop.connected",
        "shop.disconnected",
        "shop.connected",
    ]
    assert {msgspec.json.decode(row["body"])["type"] for row in events} == {"support.ShopChanged"}
    assert SECRET not in room.platform.telemetry.text


async def test_only_who_may_configure(open_room: OpenRoom) -> None:
    room = await open_room()
    shops, ctx = room.room.use_case, room.ctx("conversation:write")
    for refused in (
        shops.put_shop(ctx, base_url=ELSEWHERE, credential=SECRET),
        shops.get_shop(ctx),
        shops.delete_shop(ctx),
    ):
        with pytest.raises(PermissionDenied):
            await refused


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://shop.example", AddressRefused),
        ("https://10.0.0.1", AddressRefused),
        ("http://127.0.0.1:1", AddressRefused),
        ("https://user:word@shop.example", AddressRefused),
        ("https://shop.example:8443", AddressRefused),
        ("ftp://shop.example", AddressRefused),
        ("https://[", InvalidInput),
        ("https://shop.example?x=1", InvalidInput),
        ("https://shop.example#x", InvalidInput),
    ],
)
async def test_addresses_that_no_shop_has(open_room: OpenRoom, url: str, error: type[Exception]) -> None:
    room = await open_room("http://127.0.0.1:2")
    with pytest.raises(error):
        await room.connect(url)


async def test_credential_that_no_header_carries(open_room: OpenRoom) -> None:
    for credential in ("two words", "line\nbreak", "秘密", ""):
        with pytest.raises(InvalidInput):
            await (await open_room()).connect(ELSEWHERE, credential)


async def test_wrong_credential_is_the_shops_trouble_until_it_is_right(desk: Room, shop: ShopProcess) -> None:
    customer, _ = shop.order("paid")
    await desk.connect(shop.url, "wrong")
    assert outcome(await desk.call("list_orders", customer)) == ("unavailable", "credential_refused")
    await desk.connect(shop.url)
    assert outcome(await desk.call("list_orders", customer)) == ("ok", "")


async def test_without_a_shop_tools_are_unavailable(open_room: OpenRoom, shop: ShopProcess) -> None:
    room = await open_room(shop.url)
    assert outcome(await room.call("find_product", None, query="lamp")) == ("unavailable", "not_connected")
    await room.connect(shop.url)
    assert outcome(await room.call("find_product", None, query="lamp")) == ("ok", "")
    await room.room.use_case.delete_shop(room.ctx(CONFIGURE))
    assert outcome(await room.call("find_product", None, query="lamp")) == ("unavailable", "not_connected")


async def test_other_processes_hear_of_a_change(open_room: OpenRoom, shop: ShopProcess) -> None:
    here = await open_room(shop.url)
    there = await open_room(shop.url, tenant=here.tenant)
    assert outcome(await there.call("find_product", None, query="lamp")) == ("unavailable", "not_connected")
    await here.connect(shop.url)
    assert outcome(await there.call("find_product", None, query="lamp")) == ("unavailable", "not_connected")
    changed = StoredEvent(
        id=here.platform.foundation.ids.new(),
        tenant=here.tenant,
        type="support.ShopChanged",
        at=datetime.now(UTC),
        request_id="",
        actor=Actor(ActorType.SERVICE, "test"),
        payload=msgspec.Raw(b"{}"),
    )
    await there.room.subscription.handler(changed)
    assert outcome(await there.call("find_product", None, query="lamp")) == ("ok", "")


async def test_connection_lost_to_another_process_is_read_again_after_a_refusal(
    open_room: OpenRoom, shop: ShopProcess
) -> None:
    here = await open_room(shop.url)
    there = await open_room(shop.url, tenant=here.tenant)
    await here.connect(shop.url, "old")
    assert (await there.call("find_product", None, query="lamp")).reason == "credential_refused"
    await here.connect(shop.url)
    assert outcome(await there.call("find_product", None, query="lamp")) == ("ok", "")
