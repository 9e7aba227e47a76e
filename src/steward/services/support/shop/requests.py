"""What each tool sends to a shop and how its answer reads: the HTTP contract of docs/how-to/connect-your-shop.md."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta

from steward.services.support.shop.catalog import (
    MAX_ORDERS,
    Eligibility,
    Order,
    OrderId,
    Orders,
    Products,
    Refund,
    RefundKind,
    RefundReason,
)


class Outgoing(msgspec.Struct, frozen=True):
    """A request to a shop; the path is under its base URL."""

    method: str
    path: str
    body: msgspec.Struct | None = None


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class OrderArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    order_id: OrderId


class AddressArguments(OrderArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: Annotated[str, Meta(min_length=1, max_length=500)]


class EligibilityArguments(OrderArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: str = ""


class RefundArguments(OrderArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: RefundKind
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class QueryArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=500)]


class AddressBody(msgspec.Struct, frozen=True):
    address: str


class RefundBody(msgspec.Struct, frozen=True):
    kind: RefundKind
    reason: RefundReason
    note: str


class Exchange(NamedTuple):
    """One tool's side of the wire."""

    arguments: type[msgspec.Struct]
    request: Callable[[str, Any], Outgoing]
    """From the customer, quoted for a path, and the arguments."""
    answer: type[msgspec.Struct]


class ArgumentRefused(Exception):
    """An argument is missing, unknown, or not what the tool takes; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def outgoing(exchange: Exchange, customer_id: str | None, arguments: Mapping[str, str]) -> Outgoing:
    """The request of a call. Raises `ArgumentRefused`."""
    # A segment of dots is a step in a path and not a name (RFC 3986 section 5.2.4), quoted or not.
    if customer_id is not None and not customer_id.strip("."):
        raise ArgumentRefused("customer_id")
    try:
        checked = msgspec.convert(arguments, exchange.arguments)
    except msgspec.ValidationError as error:
        found = _NAMED.search(str(error))
        raise ArgumentRefused(found[1] if found else "arguments") from error
    return exchange.request(quote(customer_id or "", safe=""), checked)


_NAMED = re.compile(r"(?:\$\.|field `)(\w+)")


def reason_code(text: str) -> RefundReason:
    """The reason that the text names; anything else is the customer's own words for another one."""
    return RefundReason(text) if text in _REASONS else RefundReason.OTHER


_REASONS = frozenset(RefundReason)


def _orders(customer: str) -> str:
    return f"/api/customers/{customer}/orders"


def _order(customer: str, arguments: OrderArguments, rest: str = "") -> str:
    return f"{_orders(customer)}/{arguments.order_id}{rest}"


def _list_orders(customer: str, _: NoArguments) -> Outgoing:
    return Outgoing("GET", f"{_orders(customer)}?limit={MAX_ORDERS}")


def _get_order(customer: str, arguments: OrderArguments) -> Outgoing:
    return Outgoing("GET", _order(customer, arguments))


def _change_address(customer: str, arguments: AddressArguments) -> Outgoing:
    return Outgoing("PUT", _order(customer, arguments, "/address"), AddressBody(arguments.address))


def _cancel_order(customer: str, arguments: OrderArguments) -> Outgoing:
    return Outgoing("POST", _order(customer, arguments, "/cancel"))


def _refund_eligibility(customer: str, arguments: EligibilityArguments) -> Outgoing:
    query = f"?reason={reason_code(arguments.reason)}" if arguments.reason else ""
    return Outgoing("GET", _order(customer, arguments, f"/refund-eligibility{query}"))


def _request_refund(customer: str, arguments: RefundArguments) -> Outgoing:
    code = reason_code(arguments.reason)
    note = "" if code.value == arguments.reason else arguments.reason
    return Outgoing("POST", _order(customer, arguments, "/refund"), RefundBody(arguments.kind, code, note))


def _get_refund(customer: str, arguments: OrderArguments) -> Outgoing:
    return Outgoing("GET", _order(customer, arguments, "/refund"))


def _find_product(_: str, arguments: QueryArguments) -> Outgoing:
    return Outgoing("GET", f"/api/products?{urlencode({'query': arguments.query})}")


EXCHANGES: Mapping[str, Exchange] = {
    "shop.list_orders": Exchange(NoArguments, _list_orders, Orders),
    "shop.get_order": Exchange(OrderArguments, _get_order, Order),
    "shop.change_address": Exchange(AddressArguments, _change_address, Order),
    "shop.cancel_order": Exchange(OrderArguments, _cancel_order, Order),
    "shop.refund_eligibility": Exchange(EligibilityArguments, _refund_eligibility, Eligibility),
    "shop.request_refund": Exchange(RefundArguments, _request_refund, Refund),
    "shop.get_refund": Exchange(OrderArguments, _get_refund, Refund),
    "shop.find_product": Exchange(QueryArguments, _find_product, Products),
}
