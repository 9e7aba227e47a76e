"""The shop's rules, which are data: `policy.json` says until when what may be done."""

import calendar
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec

from examples.shop.contract import Kind, Reason, Status


class Window(msgspec.Struct, frozen=True):
    """What may be asked for, and until when; without kinds, since when not."""

    kinds: Sequence[Kind]
    until: date


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cancel_while: Sequence[Status]
    change_address_while: Sequence[Status]
    refund_days: int
    """From delivery on."""
    exchange_days: int
    warranty_months: int
    """For what is damaged or broken."""

    @classmethod
    def load(cls) -> Self:
        return msgspec.json.decode((Path(__file__).parent / "policy.json").read_bytes(), type=cls)

    def window(self, delivered_at: datetime, reason: Reason | None, today: date) -> Window:
        """What may be asked for today of an order delivered then; under the warranty both kinds."""
        delivered = delivered_at.date()
        if reason == "damaged":
            until = _months_after(delivered, self.warranty_months)
            return Window(("refund", "exchange") if today <= until else (), until)
        refund, exchange = (delivered + timedelta(days=days) for days in (self.refund_days, self.exchange_days))
        kinds: list[Kind] = []
        if today <= refund:
            kinds.append("refund")
        if today <= exchange:
            kinds.append("exchange")
        return Window(kinds, max(refund, exchange))


def _months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
