"""What a customer notices of a crash: nothing but a moment's wait; and of a shop that is away: a clear word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import ROWS, Customer, Desk, Socket
from tests.e2e.running import until

NEW = "17 Elm Avenue, Springfield"


@pytest.fixture
def desk(prepared_home: Path) -> Iterator[Desk]:
    made = Desk(prepared_home, "crash")
    yield made
    made.stop()


def answers_of(customer: Customer) -> list[str]:
    return [one["text"] for one in customer.history() if one["sender"] == "agent"]


def test_message_that_a_crash_met_is_answered_once_and_changes_once(desk: Desk) -> None:
    """kill -9 when the shop has changed the order and nothing is written yet; the other places are tested inside."""
    desk.start()
    customer, order = desk.customer()
    customer.ask(f"please change the address of {order} to {NEW}")
    desk.steward.kill()
    desk.up(STEWARD_FAILPOINT="support:called")
    assert customer.send("yes").status == 0, "the place was not passed"
    desk.steward.wait_down()
    assert desk.address(order) == NEW
    desk.up()
    until(lambda: len(answers_of(customer)) == 2, 15)
    assert NEW in answers_of(customer)[-1]
    assert order in customer.say(f"where is {order}?")
    assert len(answers_of(customer)) == 3
    assert desk.shop.rows("SELECT count(*) FROM answer") == [(1,)], "the change was made with one key, and once"


def test_shop_that_is_away_loses_nothing(desk: Desk) -> None:
    desk.start()
    customer, order = desk.customer()
    customer.ask(f"please change the address of {order} to {NEW}")
    desk.shop.kill()
    answer = customer.ask("yes")
    assert answer["degraded"] is True
    assert "colleague" in answer["message"]
    assert customer.ask("How long does delivery take?")["citations"], "knowledge does not need the shop"
    desk.shop.start()
    until(lambda: NEW in customer.say("try again"), 30)
    customer.say("yes")
    assert desk.address(order) == NEW


@pytest.mark.parametrize("divided", [name for name in ROWS if name != "one"])
def test_divided_into_processes_the_desk_says_the_same(prepared_home: Path, divided: str) -> None:
    desk = Desk(prepared_home, divided, divided)
    try:
        desk.start()
        customer, order = desk.customer("zh-Hant")
        assert customer.ask("運費怎麼算，滿多少免運")["citations"]
        assert order in customer.say(f"請問我的訂單 {order} 到哪裡了？")
        customer.say(f"把 {order} 的地址改成台北市信義路五段7號")
        customer.say("對")
        assert desk.address(order) == "台北市信義路五段7號"
        events = customer.stream("幫我轉接真人客服，謝謝")
        assert events[-1]["answer"]["ticket_id"]
        assert customer.stream("幫我轉接真人客服，謝謝", after=events[0]["id"]) == events[1:]
        socket = Socket(desk.steward)
        heard = socket.ask(message="運費怎麼算，滿多少免運", user_id=str(customer.id), session_id=str(customer.session))
        socket.close()
        assert heard[-1]["answer"]["citations"]
    finally:
        desk.stop()
