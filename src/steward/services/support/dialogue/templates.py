"""Texts with values in them: `{slot.field|filter:other.field}`. A value that is missing is never made up."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from steward.services.support.dialogue.wording import AND, CURRENCIES, NO_CENTS, ORDER_WORDS, REFUND_WORDS
from steward.services.support.ports import Language

_PIECES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([{}])")
_REFERENCE: Final = re.compile(
    r"(?P<path>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+){0,5})(?:\|(?P<filter>[a-z_]+)(?::(?P<other>[a-z][a-z0-9_.]*))?)?"
)
_MOST_ITEMS: Final = 5

FILTERS: Final = ("date", "money", "status", "refund_status", "items", "number")


class Reference(msgspec.Struct, frozen=True):
    """A value in a text."""

    path: str
    filter: str = ""
    other: str = ""
    """A second path that the filter needs: the currency of `money`."""


class NotATemplate(Exception):
    """A text whose braces are not understood; the message says which and what to do."""


class MissingValue(Exception):
    """A text needs a value that there is not."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@lru_cache(maxsize=8192)
def parts(template: str) -> tuple[str | Reference, ...]:
    """The pieces of a text; raises `NotATemplate`."""
    found: list[str | Reference] = []
    end = 0
    for match in _PIECES.finditer(template):
        found.append(template[end : match.start()])
        end = match.end()
        if match[0] in ("{{", "}}"):
            found.append(match[0][0])
        elif match[2]:
            raise NotATemplate(f"a lone {match[2]!r} at character {match.start() + 1}: write it twice for a brace")
        else:
            found.append(_reference(match[1]))
    found.append(template[end:])
    return tuple(piece for piece in found if piece)


def _reference(text: str) -> Reference:
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        raise NotATemplate(f"{{{text}}} is no value: write {{slot}}, {{slot.field}} or {{slot.field|filter}}")
    chosen = match["filter"] or ""
    if chosen and chosen not in FILTERS:
        raise NotATemplate(f"the filter {chosen!r} of {{{text}}} is not known: known are {', '.join(FILTERS)}")
    if (chosen == "money") != bool(match["other"]):
        raise NotATemplate(f"{{{text}}}: write {{amount|money:currency}}, with the path of the currency")
    return Reference(match["path"], chosen, match["other"] or "")


def render(template: str, values: Mapping[str, Any], language: Language) -> str:
    """The text with its values; raises `MissingValue`."""
    pieces = parts(template)
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    return "".join([piece if isinstance(piece, str) else _filled(piece, values, language) for piece in pieces])


def look_up(path: str, values: Mapping[str, Any]) -> Any:
    """The value at a path, or None."""
    value: Any = values
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(part)
    return value


def _filled(reference: Reference, values: Mapping[str, Any], language: Language) -> str:
    value = look_up(reference.path, values)
    if value is None or value == "":
        raise MissingValue(reference.path)
    try:
        shown = _filtered(reference, value, values, language)
    except (ValueError, InvalidOperation, TypeError) as error:
        raise MissingValue(reference.path) from error
    if not shown:
        raise MissingValue(reference.path)
    return shown


def _filtered(reference: Reference, value: Any, values: Mapping[str, Any], language: Language) -> str:
    match reference.filter:
        case "date":
            return date(str(value), language)
        case "money":
            currency = look_up(reference.other, values)
            if not isinstance(currency, str):
                raise MissingValue(reference.other)
            return money(value, currency, language)
        case "status":
            return ORDER_WORDS[language].get(str(value), "")
        case "refund_status":
            return REFUND_WORDS[language].get(str(value), "")
        case "items":
            return items(value, language)
        case "number":
            return f"{Decimal(str(value)):,f}"
        case _:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value)
            raise MissingValue(reference.path)


def date(text: str, language: Language) -> str:
    """A date of ISO 8601 as it is written in a language."""
    day = datetime.fromisoformat(text)
    if language is Language.EN:
        return f"{day.day} {day:%B} {day.year}"
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def money(amount: Any, currency: str, language: Language) -> str:
    """An amount with its currency's sign, or its code where it has none of its own."""
    value = Decimal(str(amount))
    digits = 0 if currency in NO_CENTS and value == value.to_integral() else 2
    sign = CURRENCIES.get(currency)
    if sign is None:
        return f"{value:,.{digits}f} {currency}"
    if currency == "CNY" and language is not Language.EN:
        return f"{value:,.{digits}f} 元"
    return f"{sign}{value:,.{digits}f}"


def items(value: Any, language: Language) -> str:
    """The things of an order: `Kettle` twice and `Cup` once."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ""
    names: list[str] = []
    for entry in cast("Sequence[Any]", value):
        name, quantity = look_up("name", entry), look_up("quantity", entry)
        if not isinstance(name, str):
            return ""
        names.append(f"{name} \u00d7 {quantity}" if isinstance(quantity, int) and quantity > 1 else name)
    more = len(names) - _MOST_ITEMS
    joint = ", " if language is Language.EN else "、"
    return joint.join(names[:_MOST_ITEMS]) + (AND[language].format(more) if more > 0 else "")
