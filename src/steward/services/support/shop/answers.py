"""How a shop's answer becomes an outcome: what it says is believed only if it is whole, known and this customer's."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from steward.kit.http import Response
from steward.services.support.ports import ToolOutcome, ToolResult
from steward.services.support.shop.catalog import Code, OrderId
from steward.services.support.shop.requests import Exchange

_OK = frozenset({200, 201})
_INVALID = frozenset({400, 413, 414, 422})
_CREDENTIAL = frozenset({401, 403})
_NOT_FOUND = 404
_REFUSED = 409
_KEY_REUSED = "idempotency_key_reused"


class Trouble(StrEnum):
    """`ToolResult.reason` of an UNAVAILABLE, besides the codes of `kit.http`."""

    NOT_CONNECTED = "not_connected"
    CREDENTIAL_REFUSED = "credential_refused"
    BAD_ANSWER = "bad_answer"
    SHOP_FAILED = "shop_failed"


class BadAnswer(Exception):
    """The answer cannot be used; the message says why and holds nothing of it."""


class _Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose answer it is."""

    customer_id: Annotated[str, Meta(max_length=200)]
    order_id: OrderId | None = None
    orders: tuple["_Owner", ...] = ()


class _Problem(msgspec.Struct, frozen=True):
    """Of a problem document (RFC 9457), what is read."""

    code: Code


def result(exchange: Exchange, response: Response, customer_id: str | None, order_id: str | None) -> ToolResult:
    """The outcome of an answer. Raises `BadAnswer`."""
    status = response.status
    if status in _OK:
        return ToolResult(outcome=ToolOutcome.OK, data=_data(exchange.answer, response.body, customer_id, order_id))
    if status in _CREDENTIAL:
        return ToolResult(outcome=ToolOutcome.UNAVAILABLE, reason=Trouble.CREDENTIAL_REFUSED)
    if status == _NOT_FOUND:
        return ToolResult(outcome=ToolOutcome.NOT_FOUND, reason=_code(response))
    if status == _REFUSED:
        code = _code(response)
        outcome = ToolOutcome.INVALID if code == _KEY_REUSED else ToolOutcome.REFUSED
        return ToolResult(outcome=outcome, reason=code)
    if status in _INVALID:
        return ToolResult(outcome=ToolOutcome.INVALID, reason=_code(response))
    return ToolResult(outcome=ToolOutcome.UNAVAILABLE, reason=Trouble.SHOP_FAILED)


def _code(response: Response) -> str:
    """The code of a problem; without one, an error may come from anything between here and the shop."""
    try:
        return msgspec.json.decode(response.body, type=_Problem).code
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"status {response.status} comes without a problem document: {error}") from error


def _data(
    answer: type[msgspec.Struct], body: bytes, customer_id: str | None, order_id: str | None
) -> Mapping[str, Any]:
    try:
        decoded = msgspec.json.decode(body, type=answer)
        if customer_id is not None:
            _check_owner(msgspec.json.decode(body, type=_Owner), customer_id, order_id)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"it is not as agreed: {error}") from error
    return msgspec.to_builtins(decoded)


def _check_owner(answer: _Owner, customer_id: str, order_id: str | None) -> None:
    if any(each.customer_id != customer_id for each in (answer, *answer.orders)):
        raise BadAnswer("it is about another customer")
    if order_id is not None and answer.order_id != order_id:
        raise BadAnswer("it is about another order")
