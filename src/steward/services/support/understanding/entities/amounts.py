"""Amounts of money, with the ISO 4217 code of their currency."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from steward.services.support.api import EntityType
from steward.services.support.understanding.entities.spans import Span, Spans

_CODES: Final[Mapping[str, Sequence[str]]] = {
    "USD": ("us$", "usd", "美元", "美金", "dollar", "dollars", "bucks", "buck", "$"),
    "TWD": ("nt$", "ntd", "twd", "新台币", "新台幣", "新臺幣", "台币", "台幣", "臺幣"),
    "HKD": ("hk$", "hkd", "港币", "港幣", "港元"),
    "CNY": ("rmb", "cny", "人民币", "人民幣", "\u00a5"),
    "EUR": ("eur", "euro", "euros", "欧元", "歐元", "\u20ac"),
    "GBP": ("gbp", "pound", "pounds", "quid", "英镑", "英鎊", "\u00a3"),
    "JPY": ("jpy", "日元", "日圓", "日币", "日幣"),
}
_BY_WORD: Final[Mapping[str, str]] = {word: code for code, words in _CODES.items() for word in words}
_LOCAL: Final = ("元", "块", "塊", "圆", "圓", "块钱", "塊錢")
_NUMBER: Final = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(?:\.\d{1,2})?"
_WORDS: Final = "|".join(re.escape(word) for word in sorted(_BY_WORD, key=len, reverse=True))
_AFTER: Final = "|".join(sorted((*(re.escape(word) for word in _BY_WORD), *_LOCAL), key=len, reverse=True))
_BEFORE_IT: Final = re.compile(rf"(?<![A-Za-z])({_WORDS})\s?({_NUMBER})(?!\d|[.,]\d)", re.IGNORECASE)
_BEHIND_IT: Final = re.compile(rf"(?<![\d.,A-Za-z-])({_NUMBER})\s?({_AFTER})(?![A-Za-z])", re.IGNORECASE)
_NUMERALS: Final = "零\u3007一二两兩三四五六七八九十百千万萬"
_SPOKEN: Final = re.compile(rf"(?<![{_NUMERALS}])([{_NUMERALS}]{{1,12}})\s?({_AFTER})", re.IGNORECASE)
_DIGITS: Final[Mapping[str, int]] = {
    **{digit: value for value, digit in enumerate("零一二三四五六七八九")},
    "\u3007": 0,
    "两": 2,
    "兩": 2,
}
_UNITS: Final[Mapping[str, int]] = {"十": 10, "百": 100, "千": 1000}
_TEN_THOUSAND: Final = 10_000


def amounts(text: str, locale: str) -> Spans:
    """The amounts in a message; a bare 元 is of Taiwan in traditional Chinese and of China in simplified."""
    for match in _BEFORE_IT.finditer(text):
        yield _span(match, match.group(2), match.group(1), locale)
    for match in _BEHIND_IT.finditer(text):
        yield _span(match, match.group(1), match.group(2), locale)
    for match in _SPOKEN.finditer(text):
        spoken = numeral(match.group(1))
        if spoken > 1:  # 一块 says "together" more often than it names a price
            yield _span(match, str(spoken), match.group(2), locale)


def numeral(text: str) -> int:
    """What a Chinese number says: 三百五十 is 350, 两万三 is 23,000, 一二三 is 123."""
    total = section = digit = 0
    last_unit = 1
    plain = all(each in _DIGITS for each in text)
    if plain:
        return int("".join(str(_DIGITS[each]) for each in text))
    for each in text:
        if each in _DIGITS:
            digit = _DIGITS[each]
            last_unit = 1 if digit == 0 else last_unit
        elif each in _UNITS:
            last_unit = _UNITS[each]
            section += (digit or 1) * last_unit
            digit = 0
        else:
            total = (total + section + digit) * _TEN_THOUSAND
            section = digit = 0
            last_unit = _TEN_THOUSAND
    # A digit at the end counts in the unit below the last one: 三百五 is 350.
    return total + section + digit * max(last_unit // 10, 1)


def _span(match: re.Match[str], number: str, word: str, locale: str) -> Span:
    currency = _BY_WORD.get(word.lower()) or ("TWD" if locale == "zh-Hant" else "CNY")
    value = Decimal(number.replace(",", ""))
    written = f"{value:.0f}" if value == value.to_integral_value() else f"{value:.2f}"
    return Span(*match.span(), EntityType.AMOUNT, f"{written} {currency}")
