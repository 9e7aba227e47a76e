from datetime import UTC, date, datetime, timedelta

import pytest

from examples.shop.policy import Policy

DELIVERED = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "kinds"),
    [(0, ("refund", "exchange")), (15, ("refund", "exchange")), (16, ("refund",)), (30, ("refund",)), (31, ())],
)
def test_kinds_by_days_after_delivery(days: int, kinds: tuple[str, ...]) -> None:
    window = Policy.load().window(DELIVERED, None, DELIVERED.date() + timedelta(days=days))
    assert (tuple(window.kinds), window.until) == (kinds, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("months", "delivered", "until"),
    [
        (12, datetime(2027, 12, 31, tzinfo=UTC), date(2028, 12, 31)),
        (12, datetime(2028, 2, 29, tzinfo=UTC), date(2029, 2, 28)),
        (1, DELIVERED, date(2026, 2, 28)),
    ],
)
def test_warranty_ends_on_the_same_day_of_the_month(months: int, delivered: datetime, until: date) -> None:
    policy = Policy(cancel_while=(), change_address_while=(), refund_days=30, exchange_days=15, warranty_months=months)
    assert policy.window(delivered, "damaged", until).kinds == ("refund", "exchange")
    assert policy.window(delivered, "damaged", until + timedelta(days=1)).kinds == ()
