"""What goes over the wire: the bodies that the shop takes and gives. Amounts are text with two decimals."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Status = Literal["pending", "paid", "packed", "shipped", "delivered", "cancelled", "returned"]
Kind = Literal["refund", "exchange"]
RefundStatus = Literal["requested", "approved", "refused", "paid"]
Reason = Literal["damaged", "wrong_item", "not_as_described", "changed_mind", "other"]
Amount = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{2}$", examples=["129.00"])]

CURRENCY = "USD"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    product_id: str
    name: str
    """In the language that the request accepts."""
    quantity: int


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    customer_id: str
    status: Status
    placed_at: datetime
    total: Amount
    currency: str
    items: Sequence[Item]


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    customer_id: str
    orders: Sequence[OrderSummary]
    """Newest first."""


class Order(OrderSummary, frozen=True, kw_only=True):
    address: str
    can_cancel: bool
    can_change_address: bool
    carrier: str | None = None
    tracking_number: str | None = None
    expected_at: date | None = None
    delivered_at: datetime | None = None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    customer_id: str
    eligible: bool
    reason: str
    """`eligible`, or the rule that stands against it."""
    kinds: Sequence[Kind]
    until: date | None
    """The last day, of one that has passed too."""
    amount: Amount
    currency: str


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: str
    order_id: str
    customer_id: str
    status: RefundStatus
    kind: Kind
    amount: Amount
    currency: str
    updated_at: datetime


class Product(msgspec.Struct, frozen=True, kw_only=True):
    product_id: str
    name: str
    price: Amount
    currency: str
    in_stock: bool
    warranty_months: int


class Products(msgspec.Struct, frozen=True, kw_only=True):
    products: Sequence[Product]
    """Best first."""


class AddressBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: Annotated[str, Meta(min_length=5, max_length=500)]


class RefundBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Kind
    reason: Reason
    note: Annotated[str, Meta(max_length=1000)] = ""
    """In the customer's words."""


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    customer_id: Annotated[str, Meta(min_length=1, max_length=100)]


class CustomerToken(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    expires_in: int
    """Seconds."""


class SampleCustomer(msgspec.Struct, frozen=True, kw_only=True):
    customer_id: str
    name: str
    locale: str
    order_id: str
    status: Status


def amount(cents: int) -> str:
    """Whole cents as they are sent."""
    return f"{cents // 100}.{cents % 100:02}"
