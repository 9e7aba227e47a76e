"""The data of the first start: made from a fixed seed, with times relative to that start."""

import csv
import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

SEED = 20_26
CUSTOMERS = 500
ORDERS = 1_000
DAYS = 120

_FIRST_CUSTOMER = 1001
_CARRIERS = ("Meridian Post", "Swiftline", "Harbour Express")
_TRAVELS_DAYS = 5
_NAMES: Mapping[str, tuple[Sequence[str], Sequence[str], Sequence[str]]] = {
    "en": (
        ("Ada", "Ben", "Clara", "David", "Elena", "Frank", "Grace", "Henry", "Iris", "Jack", "Laura", "Marcus"),
        ("Adams", "Brooks", "Carter", "Dixon", "Ellis", "Foster", "Grant", "Hughes", "Ingram", "Jordan", "Keller"),
        ("{n} Oak Street, Springfield", "{n} Harbour Road, Portland", "{n} Mill Lane, Lexington"),
    ),
    "zh-Hant": (
        ("怡君", "志明", "淑芬", "俊傑", "雅婷", "家豪", "美玲", "冠宇", "佳穎", "建宏", "心怡", "宗翰"),
        ("陳", "林", "黃", "張", "李", "王", "吳", "劉", "蔡", "楊", "許"),
        ("臺北市大安區和平東路 {n} 號", "臺中市西區公益路 {n} 號", "高雄市前鎮區中華路 {n} 號"),
    ),
    "zh-Hans": (
        ("伟", "芳", "秀英", "敏", "静", "强", "磊", "洋", "艳", "勇", "杰", "娟"),
        ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐"),
        ("上海市徐汇区漕溪路 {n} 号", "杭州市西湖区文三路 {n} 号", "深圳市南山区科技路 {n} 号"),
    ),
}


class _Customer(NamedTuple):
    id: str
    name: str
    email: str
    locale: str
    address: str


class _Order(NamedTuple):
    id: str
    customer_id: str
    status: str
    placed_at: datetime
    total: int
    address: str
    carrier: str | None
    tracking_number: str | None
    expected_on: str | None
    delivered_at: datetime | None


def fill(connection: sqlite3.Connection, started: datetime) -> None:
    """Put customers, products, orders and refunds into an empty database."""
    chance = random.Random(SEED)  # noqa: S311 - made-up data, and the same each time
    prices = _put_products(connection)
    customers = list(_customers(chance))
    connection.executemany("INSERT INTO customer VALUES (?, ?, ?, ?, ?)", customers)
    orders: list[_Order] = []
    items: list[tuple[str, int, str, int]] = []
    for number, (owner, age) in enumerate(_who_and_when(chance, customers), 1):
        bought = chance.sample(sorted(prices), chance.choice((1, 1, 1, 2, 2, 3)))
        quantities = [chance.choice((1, 1, 1, 2)) for _ in bought]
        total = sum(prices[product] * quantity for product, quantity in zip(bought, quantities, strict=True))
        order = _order(chance, owner, number, started - age, started, total)
        orders.append(order)
        items.extend((order.id, at, *pair) for at, pair in enumerate(zip(bought, quantities, strict=True)))
    rows = [(*order[:3], _text(order.placed_at), *order[4:9], _text(order.delivered_at)) for order in orders]
    connection.executemany("INSERT INTO customer_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO order_item VALUES (?, ?, ?, ?)", items)
    connection.executemany("INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _refunds(chance, orders, started))


def _put_products(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The price of each product in cents."""
    with (Path(__file__).parent / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    products = [(key, kind, round(float(price) * 100), int(stock), *names) for key, kind, price, stock, *names in rows]
    connection.executemany("INSERT INTO product VALUES (?, ?, ?, ?, ?, ?, ?)", products)
    return {key: price for key, _, price, *_ in products}


def _customers(chance: random.Random) -> Iterator[_Customer]:
    for number in range(_FIRST_CUSTOMER, _FIRST_CUSTOMER + CUSTOMERS):
        locale = tuple(_NAMES)[number % len(_NAMES)]
        given, family, places = _NAMES[locale]
        first, last = chance.choice(given), chance.choice(family)
        name = f"{first} {last}" if locale == "en" else last + first
        address = chance.choice(places).format(n=chance.randint(1, 299))
        yield _Customer(f"C-{number}", name, f"customer{number}@shop.example", locale, address)


def _who_and_when(chance: random.Random, customers: Sequence[_Customer]) -> Sequence[tuple[_Customer, timedelta]]:
    """Whose order and how long ago, oldest first; everybody has at least one, and the last days have the most."""
    owners = [*customers, *(chance.choice(customers) for _ in range(ORDERS - len(customers)))]
    chance.shuffle(owners)
    ages = sorted((timedelta(days=DAYS * chance.random() ** 2) for _ in range(ORDERS)), reverse=True)
    return list(zip(owners, ages, strict=True))


def _order(chance: random.Random, owner: _Customer, number: int, placed: datetime, now: datetime, total: int) -> _Order:
    status = _status(chance, (now - placed) / timedelta(days=1))
    sent = status in {"shipped", "delivered", "returned"}
    delivered = placed + timedelta(days=chance.uniform(3, 7)) if status in {"delivered", "returned"} else None
    expected = (max(placed, now - timedelta(days=2)) if status == "shipped" else placed) + timedelta(days=_TRAVELS_DAYS)
    return _Order(
        id=f"ORD-{placed.year}-{number:06}",
        customer_id=owner.id,
        status=status,
        placed_at=placed,
        total=total,
        address=owner.address,
        carrier=chance.choice(_CARRIERS) if sent else None,
        tracking_number=f"TRK{chance.randint(10**9, 10**10 - 1)}" if sent else None,
        expected_on=None if status in {"pending", "cancelled"} else expected.date().isoformat(),
        delivered_at=delivered,
    )


def _status(chance: random.Random, age_days: float) -> str:
    luck = chance.random()
    if luck < 0.06:  # noqa: PLR2004 - six in a hundred
        return "cancelled"
    for younger_than, states in (
        (0.5, ("pending", "paid")),
        (2, ("paid", "packed")),
        (7, ("shipped",)),
        (14, ("shipped", *("delivered",) * 12)),
        (DAYS + 1, (*("delivered",) * 12, "returned")),
    ):
        if age_days < younger_than:
            return chance.choice(states)
    return "delivered"


def _refunds(chance: random.Random, orders: Sequence[_Order], now: datetime) -> Iterator[tuple[str | int, ...]]:
    number = 0
    for order in orders:
        returned = order.status == "returned"
        if order.delivered_at is None or not (returned or chance.random() < 0.15):  # noqa: PLR2004 - one in seven
            continue
        number += 1
        status = "paid" if returned else chance.choice(("requested", "approved", "refused", "paid"))
        at = min(order.delivered_at + timedelta(days=chance.uniform(0.5, 14)), now)
        kind = "refund" if returned else chance.choice(("refund", "refund", "exchange"))
        reason = chance.choice(("damaged", "wrong_item", "not_as_described", "changed_mind"))
        yield f"REF-{number:06}", order.id, kind, status, reason, "", order.total, at.isoformat()


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
