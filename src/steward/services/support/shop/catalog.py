"""The tools of a shop: their specifications, and the data that each answers with.

`ToolResult.data` is one of the structs below as plain JSON-like data: dates and times as ISO 8601 text, amounts as text
with two decimals, absent values as None. Names of products are in the language of `Ctx.locale`, where the shop has one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.services.support.ports import ToolSpec

OrderId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Line = Annotated[str, Meta(min_length=1, max_length=300)]
Text = Annotated[str, Meta(max_length=1000)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Money = Annotated[str, Meta(pattern=r"^[0-9]{1,12}\.[0-9]{2}$", examples=["129.00"])]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Quantity = Annotated[int, Meta(ge=1, le=100_000)]

MAX_ORDERS = 5
MAX_PRODUCTS = 5
MAX_ITEMS = 200


class OrderStatus(StrEnum):
    PENDING = "pending"
    """Not paid yet."""
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class RefundKind(StrEnum):
    REFUND = "refund"
    EXCHANGE = "exchange"


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    PAID = "paid"
    """The money is back, or the exchange is on its way."""


class RefundReason(StrEnum):
    """Why a customer sends something back; what is none of these is `other`, with the customer's words beside it."""

    DAMAGED = "damaged"
    """Broken, faulty or damaged on the way: the warranty holds, which is longer than the time to change one's mind."""
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    CHANGED_MIND = "changed_mind"
    OTHER = "other"


class Refusal(StrEnum):
    """The rules that shops refuse by: `ToolResult.reason` of a REFUSED, and `Eligibility.reason`.

    A shop may have others; a dialogue needs a reply for those too.
    """

    NO_CUSTOMER = "no_customer"
    """The customer is anonymous; the shop was not asked."""
    ALREADY_PACKED = "already_packed"
    ALREADY_SHIPPED = "already_shipped"
    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_RETURNED = "already_returned"
    NOT_PAID = "not_paid"
    NOT_DELIVERED = "not_delivered"
    WINDOW_OVER = "window_over"
    """The time for this kind is over; `until` was its end."""
    ALREADY_REQUESTED = "already_requested"
    """There is a refund or exchange for this order already."""
    ALREADY_REFUSED = "already_refused"
    """A request for this order was refused by the shop's people."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    name: Line
    quantity: Quantity


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    order_id: OrderId
    status: OrderStatus
    placed_at: datetime
    total: Money
    currency: Currency
    items: Annotated[Sequence[Item], Meta(max_length=MAX_ITEMS)]


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """`shop.list_orders`: newest first."""

    orders: Annotated[Sequence[OrderSummary], Meta(max_length=MAX_ORDERS)]


class Order(OrderSummary, frozen=True, kw_only=True):
    """`shop.get_order`, `shop.change_address`, `shop.cancel_order`."""

    address: Text
    can_cancel: bool
    can_change_address: bool
    tracking_number: Line | None = None
    carrier: Line | None = None
    expected_at: date | None = None
    delivered_at: datetime | None = None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """`shop.refund_eligibility`: what may be asked for now."""

    order_id: OrderId
    eligible: bool
    """Whether `kinds` has any."""
    reason: Code
    """Why not, one of `Refusal` or the shop's own; `eligible` where it is."""
    kinds: Annotated[Sequence[RefundKind], Meta(max_length=2)]
    amount: Money
    currency: Currency
    until: date | None = None
    """The last day; of one that has passed, too."""


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """`shop.request_refund`, `shop.get_refund`."""

    refund_id: OrderId
    order_id: OrderId
    status: RefundStatus
    kind: RefundKind
    amount: Money
    currency: Currency
    updated_at: datetime


class Product(msgspec.Struct, frozen=True, kw_only=True):
    product_id: OrderId
    name: Line
    price: Money
    currency: Currency
    in_stock: bool
    warranty_months: Annotated[int, Meta(ge=0, le=1200)]


class Products(msgspec.Struct, frozen=True, kw_only=True):
    """`shop.find_product`: best first."""

    products: Annotated[Sequence[Product], Meta(max_length=MAX_PRODUCTS)]


_ORDER: Mapping[str, str] = {"order_id": "string"}

SPECS: Mapping[str, ToolSpec] = {
    spec.name: spec
    for spec in (
        ToolSpec(
            name="shop.list_orders",
            summary=f"The customer's {MAX_ORDERS} latest orders, newest first.",
            arguments={},
            changes=False,
        ),
        ToolSpec(
            name="shop.get_order",
            summary="One order of the customer: state, contents, address and delivery, and what can still be changed.",
            arguments=_ORDER,
            changes=False,
        ),
        ToolSpec(
            name="shop.change_address",
            summary="Have an order sent to another address; REFUSED already_shipped, already_cancelled.",
            arguments={**_ORDER, "address": "string"},
            changes=True,
        ),
        ToolSpec(
            name="shop.cancel_order",
            summary="Cancel an order; REFUSED already_packed, already_shipped, already_cancelled.",
            arguments=_ORDER,
            changes=True,
        ),
        ToolSpec(
            name="shop.refund_eligibility",
            summary="What of refund and exchange an order can have now; `reason` is one of RefundReason.",
            arguments={**_ORDER, "reason": "string?"},
            changes=False,
        ),
        ToolSpec(
            name="shop.request_refund",
            summary="Ask for a refund or exchange; `reason` is one of RefundReason or the customer's own words; "
            "REFUSED as in Refusal.",
            arguments={**_ORDER, "kind": "string", "reason": "string"},
            changes=True,
        ),
        ToolSpec(
            name="shop.get_refund",
            summary="How far the latest refund or exchange of an order is.",
            arguments=_ORDER,
            changes=False,
        ),
        ToolSpec(
            name="shop.find_product",
            summary=f"Up to {MAX_PRODUCTS} products that fit a few words.",
            arguments={"query": "string"},
            changes=False,
            needs_customer=False,
        ),
    )
}
"""Every tool by its name."""
