"""Whether a condition of a playbook holds; nothing in it is evaluated but these tests."""

from collections.abc import Callable, Mapping, Sized
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from steward.services.support.dialogue.format import Condition, Value
from steward.services.support.dialogue.templates import look_up

NOW = "now"


def holds(condition: Condition, values: Mapping[str, Any], now: datetime) -> bool:
    """Whether a condition holds; a test of a value that there is not does not."""
    if condition.all is not None:
        return all(holds(each, values, now) for each in condition.all)
    if condition.any is not None:
        return any(holds(each, values, now) for each in condition.any)
    if condition.not_ is not None:
        return not holds(condition.not_, values, now)
    return _tested(condition, look_up(condition.slot or "", values), now)


def _tested(condition: Condition, value: Any, now: datetime) -> bool:
    if condition.exists is not None:
        return is_there(value) == condition.exists
    if condition.equals is not None:
        return _same(value, condition.equals)
    if condition.in_ is not None:
        return any(_same(value, each) for each in condition.in_)
    if condition.less is not None:
        return _compared(value, condition.less, now, lambda order: order < 0)
    return condition.greater is not None and _compared(value, condition.greater, now, lambda order: order > 0)


def is_there(value: Any) -> bool:
    """Whether there is a value: neither None nor an empty text, list or map."""
    return value is not None and not (isinstance(value, Sized) and len(value) == 0)


def _same(value: Any, wanted: Value) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    return value == wanted


def _compared(value: Any, bound: float | str, now: datetime, fits: Callable[[float], bool]) -> bool:
    if isinstance(bound, str):
        day = _day(value)
        return day is not None and fits((day.date() - now.astimezone(UTC).date()).days)
    try:
        return fits(float(Decimal(str(value)) - Decimal(str(bound))))
    except InvalidOperation:
        return False


def _day(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
