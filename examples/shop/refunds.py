"""Refunds and exchanges: what an order can have by the policy, asking for it, how far it is."""

import sqlite3
from datetime import datetime

from examples.shop.contract import CURRENCY, Eligibility, Reason, Refund, RefundBody, amount
from examples.shop.database import Clock, Database
from examples.shop.orders import OrderBook
from examples.shop.policy import Policy, Window
from examples.shop.problems import not_found, refused


class RefundDesk:
    def __init__(self, database: Database, orders: OrderBook, policy: Policy, clock: Clock) -> None:
        self._db = database.connection
        self._orders = orders
        self._policy = policy
        self._clock = clock

    def eligibility(self, customer_id: str, order_id: str, reason: Reason | None) -> Eligibility:
        order = self._orders.find(customer_id, order_id)
        against = self._against(order)
        window = self._window(order, reason)
        if against is None and (window is None or not window.kinds):
            against = "window_over"
        return Eligibility(
            order_id=order_id,
            customer_id=customer_id,
            eligible=against is None,
            reason=against or "eligible",
            kinds=window.kinds if window is not None and against is None else (),
            until=window.until if window is not None else None,
            amount=amount(order["total"]),
            currency=CURRENCY,
        )

    def request(self, customer_id: str, order_id: str, body: RefundBody) -> Refund:
        allowed = self.eligibility(customer_id, order_id, body.reason)
        if not allowed.eligible:
            raise refused(allowed.reason, f"No {body.kind} is possible for {order_id}: {allowed.reason}.")
        if body.kind not in allowed.kinds:
            raise refused(
                "window_over", f"The time for an exchange is over; a refund is possible until {allowed.until}."
            )
        number = self._db.execute("SELECT count(*) FROM refund").fetchone()[0] + 1
        total = self._orders.find(customer_id, order_id)["total"]
        self._db.execute(
            "INSERT INTO refund VALUES (?, ?, ?, 'requested', ?, ?, ?, ?)",
            (f"REF-{number:06}", order_id, body.kind, body.reason, body.note, total, self._clock().isoformat()),
        )
        return self.of(customer_id, order_id)

    def of(self, customer_id: str, order_id: str) -> Refund:
        """The refund of an order."""
        self._orders.find(customer_id, order_id)
        row = self._row(order_id)
        if row is None:
            raise not_found("refund", f"of order {order_id}")
        return Refund(
            refund_id=row["id"],
            order_id=order_id,
            customer_id=customer_id,
            status=row["status"],
            kind=row["kind"],
            amount=amount(row["amount"]),
            currency=CURRENCY,
            updated_at=row["updated_at"],
        )

    def _row(self, order_id: str) -> sqlite3.Row | None:
        return self._db.execute("SELECT * FROM refund WHERE order_id = ?", (order_id,)).fetchone()

    def _against(self, order: sqlite3.Row) -> str | None:
        """What stands against any refund, whenever it is asked for."""
        refund = self._row(order["id"])
        if order["status"] in {"cancelled", "returned"}:
            return f"already_{order['status']}"
        if refund is not None:
            return "already_refused" if refund["status"] == "refused" else "already_requested"
        if order["status"] == "pending":
            return "not_paid"
        return None if order["status"] == "delivered" else "not_delivered"

    def _window(self, order: sqlite3.Row, reason: Reason | None) -> Window | None:
        if order["delivered_at"] is None:
            return None
        return self._policy.window(datetime.fromisoformat(order["delivered_at"]), reason, self._clock().date())
