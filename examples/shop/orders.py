"""Orders of one customer: looked up, cancelled, sent elsewhere. No method finds another customer's order."""

import sqlite3
from collections.abc import Sequence

from examples.shop.contract import CURRENCY, Item, Order, Orders, OrderSummary, Status, amount
from examples.shop.database import Database
from examples.shop.policy import Policy
from examples.shop.problems import not_found, refused

_COLUMNS = {"en": "name_en", "zh-Hant": "name_hant", "zh-Hans": "name_hans"}
_SENT = ("shipped", "delivered", "returned")


class OrderBook:
    def __init__(self, database: Database, policy: Policy) -> None:
        self._db = database.connection
        self._policy = policy

    def latest(self, customer_id: str, language: str, limit: int) -> Orders:
        rows = self._db.execute(
            "SELECT * FROM customer_order WHERE customer_id = ? ORDER BY placed_at DESC, id DESC LIMIT ?",
            (customer_id, limit),
        ).fetchall()
        if not rows:
            self._check_customer(customer_id)
        return Orders(customer_id=customer_id, orders=[self._summary(row, language) for row in rows])

    def find(self, customer_id: str, order_id: str) -> sqlite3.Row:
        """Raises 404 where there is none, or it is somebody else's."""
        row = self._db.execute(
            "SELECT * FROM customer_order WHERE customer_id = ? AND id = ?", (customer_id, order_id)
        ).fetchone()
        if row is None:
            raise not_found("order", order_id)
        return row

    def get(self, customer_id: str, order_id: str, language: str) -> Order:
        return self._order(self.find(customer_id, order_id), language)

    def cancel(self, customer_id: str, order_id: str, language: str) -> Order:
        status: Status = self.find(customer_id, order_id)["status"]
        if status not in self._policy.cancel_while:
            raise refused(_why_not(status), f"The order is {status}, so it cannot be cancelled any more.")
        self._db.execute("UPDATE customer_order SET status = 'cancelled', expected_on = NULL WHERE id = ?", (order_id,))
        return self.get(customer_id, order_id, language)

    def change_address(self, customer_id: str, order_id: str, address: str, language: str) -> Order:
        status: Status = self.find(customer_id, order_id)["status"]
        if status not in self._policy.change_address_while:
            raise refused(_why_not(status), f"The order is {status}, so its address cannot be changed any more.")
        self._db.execute("UPDATE customer_order SET address = ? WHERE id = ?", (address, order_id))
        return self.get(customer_id, order_id, language)

    def _check_customer(self, customer_id: str) -> None:
        if self._db.execute("SELECT 1 FROM customer WHERE id = ?", (customer_id,)).fetchone() is None:
            raise not_found("customer", customer_id)

    def _items(self, order_id: str, language: str) -> Sequence[Item]:
        name = _COLUMNS[language]
        rows = self._db.execute(
            f"SELECT p.id, p.{name} AS name, i.quantity FROM order_item i JOIN product p ON p.id = i.product_id"  # noqa: S608 - a column of three
            " WHERE i.order_id = ? ORDER BY i.position",
            (order_id,),
        )
        return [Item(product_id=row["id"], name=row["name"], quantity=row["quantity"]) for row in rows]

    def _summary(self, row: sqlite3.Row, language: str) -> OrderSummary:
        order = self._order(row, language)
        return OrderSummary(**{field: getattr(order, field) for field in OrderSummary.__struct_fields__})

    def _order(self, row: sqlite3.Row, language: str) -> Order:
        status: Status = row["status"]
        return Order(
            order_id=row["id"],
            customer_id=row["customer_id"],
            status=status,
            placed_at=row["placed_at"],
            total=amount(row["total"]),
            currency=CURRENCY,
            items=self._items(row["id"], language),
            address=row["address"],
            can_cancel=status in self._policy.cancel_while,
            can_change_address=status in self._policy.change_address_while,
            carrier=row["carrier"],
            tracking_number=row["tracking_number"],
            expected_at=row["expected_on"],
            delivered_at=row["delivered_at"],
        )


def _why_not(status: Status) -> str:
    return "already_shipped" if status in _SENT else f"already_{status}"
