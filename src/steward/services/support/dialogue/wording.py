"""Words for the codes that a shop answers with, in each language."""

from collections.abc import Mapping
from typing import Final

from steward.services.support.ports import Language

ORDER_WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.EN: {
        "pending": "waiting for payment",
        "paid": "paid",
        "packed": "packed",
        "shipped": "shipped",
        "delivered": "delivered",
        "cancelled": "cancelled",
        "returned": "returned",
    },
    Language.HANT: {
        "pending": "待付款",
        "paid": "已付款",
        "packed": "已包裝",
        "shipped": "已出貨",
        "delivered": "已送達",
        "cancelled": "已取消",
        "returned": "已退貨",
    },
    Language.HANS: {
        "pending": "待付款",
        "paid": "已付款",
        "packed": "已打包",
        "shipped": "已发货",
        "delivered": "已送达",
        "cancelled": "已取消",
        "returned": "已退货",
    },
}
REFUND_WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.EN: {
        "requested": "requested and being looked at",
        "approved": "approved",
        "refused": "declined",
        "paid": "paid out",
    },
    Language.HANT: {"requested": "已申請，審核中", "approved": "已核准", "refused": "未核准", "paid": "已退款"},
    Language.HANS: {"requested": "已申请，审核中", "approved": "已通过", "refused": "未通过", "paid": "已退款"},
}
CURRENCIES: Mapping[str, str] = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "TWD": "NT$",
    "HKD": "HK$",
    "CNY": "CN¥",
    "JPY": "¥",
}
NO_CENTS: Final = frozenset(("TWD", "JPY", "KRW"))
AND: Mapping[Language, str] = {
    Language.EN: " and {} more",
    Language.HANT: "，以及另外 {} 項",
    Language.HANS: "，以及另外 {} 项",
}
