"""Entities: found in three scripts, normalised, and in bounded time whatever is written."""

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.support.understanding.clauses import clauses
from steward.services.support.understanding.entities.amounts import numeral
from steward.services.support.understanding.entities.extracting import entities_in
from steward.services.support.understanding.entities.spans import narrowed
from steward.services.support.understanding.framing import core_of
from steward.services.support.understanding.persons import wish_in
from steward.services.support.understanding.sentiment import sentiment_of

SATURDAY = date(2026, 11, 21)
PIECES = (Path(__file__).parent / "pieces.txt").read_text("utf-8").replace("\n", "").split("|")
"""Beginnings, ends and middles of what is looked for, to be put together at random."""


def found(text: str, locale: str = "en") -> list[tuple[str, str, str]]:
    return [(each.type.value, each.value, each.text) for each in entities_in(text, locale, SATURDAY)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("where is ORD-2026-000123?", "ORD-2026-000123"),
        ("ord2026000123 please", "ORD-2026-000123"),
        ("order no. 2026-000123", "ORD-2026-000123"),
        ("Order number: ORD 2026 000123", "ORD-2026-000123"),
        (
            "訂單編號\uff1a\uff2f\uff32\uff24\uff0d\uff12\uff10\uff12\uff16\uff0d\uff10\uff10\uff10\uff11\uff12\uff13",
            "ORD-2026-000123",
        ),
        ("订单号2026000123到哪了", "ORD-2026-000123"),
        ("帮我查单号 887766", "887766"),
        ("my order #482913 is late", "482913"),
        ("purchase 00004587345", "00004587345"),
        ("8827364519", "8827364519"),
    ],
)
def test_order_numbers_are_written_as_the_shop_does(text: str, value: str) -> None:
    assert [each[1] for each in found(text) if each[0] == "order_id"] == [value]


@pytest.mark.parametrize(
    "text", ["call me on 0912345678 please", "I paid $123456", "it has 1234567 pixels", "2026-03-05"]
)
def test_other_numbers_are_no_orders(text: str) -> None:
    assert [each for each in found(text) if each[0] == "order_id"] == []


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("I paid $12.50", "en", "12.50 USD"),
        ("US$1,299.00 was taken", "en", "1299 USD"),
        ("35 euros", "en", "35 EUR"),
        ("€5 or so", "en", "5 EUR"),
        ("£7.99", "en", "7.99 GBP"),
        ("被扣了NT$1,290\uff0c請退", "zh-Hant", "1290 TWD"),
        ("多收我新台幣300", "zh-Hant", "300 TWD"),
        ("退我兩百元", "zh-Hant", "200 TWD"),
        ("三百五十元", "zh-Hans", "350 CNY"),
        ("一共99.9块", "zh-Hans", "99.90 CNY"),
        ("RMB 88", "zh-Hans", "88 CNY"),
        ("\uffe5\uff11\uff12\uff18", "zh-Hans", "128 CNY"),
        ("HK$88", "zh-Hant", "88 HKD"),
        ("两万三块钱", "zh-Hans", "23000 CNY"),
    ],
)
def test_amounts_have_a_value_and_a_currency(text: str, locale: str, value: str) -> None:
    assert [each[1] for each in found(text, locale) if each[0] == "amount"] == [value]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("三百五十", 350),
        ("三百五", 350),
        ("一千零五", 1005),
        ("十二", 12),
        ("两万三", 23000),
        ("一二三", 123),
        ("万", 0),
    ],
)
def test_chinese_numbers_are_read(text: str, number: int) -> None:
    assert numeral(text) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("bought it yesterday", "2026-11-20"),
        ("前天买的", "2026-11-19"),
        ("the day before yesterday", "2026-11-19"),
        ("上周五下的单", "2026-11-13"),
        ("上禮拜三買的", "2026-11-11"),
        ("周四到的", "2026-11-19"),
        ("last friday", "2026-11-20"),
        ("on Saturday", "2026-11-21"),
        ("3月5号", "2026-03-05"),
        ("12月24日", "2025-12-24"),
        ("March 5th", "2026-03-05"),
        ("5 March 2025", "2025-03-05"),
        ("5/3", "2026-05-03"),
        ("25/10/2026", "2026-10-25"),
        ("2026/3/5", "2026-03-05"),
        ("3 days ago", "2026-11-18"),
        ("兩週前", "2026-11-07"),
    ],
)
def test_dates_are_told_from_the_day_of_the_message(text: str, value: str) -> None:
    assert [each[1] for each in found(text) if each[0] == "date"] == [value]


@pytest.mark.parametrize("text", ["2026-13-45", "13月40号", "31/31", "0/0"])
def test_days_that_there_are_not_are_no_dates(text: str) -> None:
    assert [each for each in found(text) if each[0] == "date"] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my AirPods Pro 2 are silent", "AirPods Pro 2"),
        ("X200 吸尘器坏了", "X200 吸尘器"),
        ("the washing machine leaks", "washing machine"),
        ("電鍋不熱", "電鍋"),
        ("“Moon Lamp” is broken", "Moon Lamp"),
        ("我买的「小夜燈」不亮", "小夜燈"),
    ],
)
def test_products_are_named(text: str, value: str) -> None:
    assert value in [each[1] for each in found(text) if each[0] == "product_name"]


def test_text_is_of_one_entity_only() -> None:
    assert found("“X200 vacuum” for $99 on 2026-03-05, order 2026-000123") == [
        ("product_name", "X200 vacuum", "X200 vacuum"),
        ("amount", "99 USD", "$99"),
        ("date", "2026-03-05", "2026-03-05"),
        ("order_id", "ORD-2026-000123", "2026-000123"),
    ]


def test_a_mail_address_holds_no_product() -> None:
    assert [each[0] for each in found("x200@shop.example")] == ["email"]


def test_an_error_code_is_no_product() -> None:
    assert found("it shows E04") == []


def test_mail_addresses_are_lowered() -> None:
    assert found("write to Bob.X@Shop.Example.com.") == [("email", "bob.x@shop.example.com", "Bob.X@Shop.Example.com")]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_nothing_that_is_written_breaks_anything(text: str) -> None:
    for each in entities_in(text, "zh-Hant", SATURDAY):
        assert each.text in text
        assert each.text
        assert each.value
    assert len(narrowed(text)) == len(text)
    sentiment_of(text)
    wish_in(text)
    assert core_of(text).strip() or not text.strip()
    assert all(part and part in text for part in clauses(text))


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "a",
        "1",
        "一",
        "1/",
        "20-",
        "x1-",
        "a.a@",
        "请转",
        "want to ",
        "AAA ",
        "still? ",
        "客服你好",
        "thanks ",
        "- Ann ",
    ],
)
def test_8000_characters_take_bounded_time(piece: str) -> None:
    text = (piece * 8000)[:8000]
    started = time.process_time()
    entities_in(text, "zh-Hans", SATURDAY)
    sentiment_of(text)
    wish_in(text)
    core_of(text)
    clauses(text)
    assert time.process_time() - started < 0.3
