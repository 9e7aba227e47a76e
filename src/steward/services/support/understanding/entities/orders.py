"""Order numbers, as the shop writes them where they are of its form."""

import re
from typing import Final

from steward.services.support.api import EntityType
from steward.services.support.understanding.entities.spans import Span, Spans

_OWN: Final = re.compile(r"(?<![A-Za-z0-9])ord[\s_#:.-]{0,3}(20\d\d)[\s_.-]{0,2}(\d{1,8})(?![\dA-Za-z])", re.IGNORECASE)
_BARE: Final = re.compile(r"(?<![\d-])(20\d\d)-(\d{6})(?![\d-])")
_CONTEXT: Final = re.compile(
    r"(?:\border\b|\border\s?(?:no|number|id|nr)\b|\bpurchase\b|订单|訂單|单号|單號|编号|編號|#)"
    r"[^\d\n$\u20ac\u00a3\u00a5]{0,16}?(?<![\dA-Za-z.,])(\d{6,20})(?![\dA-Za-z])",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(r"\W{0,5}(\d{6,20})\W{0,5}")
_SHOPS: Final = re.compile(r"(20\d\d)(\d{6})")


def orders(text: str) -> Spans:
    """The order numbers in a message; a number of 6 to 20 digits counts where orders are spoken of, or nothing else."""
    for form in (_OWN, _BARE):
        for match in form.finditer(text):
            yield Span(*match.span(), EntityType.ORDER_ID, _written(*match.groups()))
    for match in _CONTEXT.finditer(text):
        yield Span(*match.span(1), EntityType.ORDER_ID, _normal(match.group(1)))
    alone = _ALONE.fullmatch(text)
    if alone:
        yield Span(*alone.span(1), EntityType.ORDER_ID, _normal(alone.group(1)))


def _normal(digits: str) -> str:
    own = _SHOPS.fullmatch(digits)
    return _written(*own.groups()) if own else digits


def _written(year: str, number: str) -> str:
    return f"ORD-{year}-{number:0>6}"
