"""Failures of budgets, prices and the ledger."""

from datetime import datetime
from uuid import UUID

from steward.kit.errors import AppError, Conflict, InvalidInput, Kind, NotFound, TooLarge


class BudgetExhausted(AppError):
    """A hard budget has no room for the call. New work is refused until it begins anew or its limit is raised."""

    code = "budget_exhausted"
    kind = Kind.QUOTA

    def __init__(
        self,
        budget_id: UUID,
        name: str,
        *,
        limit: int,
        used: int,
        unit: str,
        resets_at: datetime | None,
        needs: int | None = None,
    ) -> None:
        """`needs` is the least that the call has to hold."""
        until = f"until {resets_at.isoformat()}" if resets_at else "until its limit is raised"
        each = "nanos" if unit == "usd" else "tokens"
        may = "" if needs is None else f"it may take {needs} {each}, and "
        super().__init__(
            f"budget {name!r} has no room for this call {until}: {may}{used} of {limit} {each} are spent or held",
            budget_id=str(budget_id),
            budget=name,
            limit=limit,
            used=used,
            unit=unit,
            resets_at=resets_at.isoformat() if resets_at else None,
        )


class PriceUnknown(AppError):
    """Nobody knows what the model costs, and policy does not let such calls pass."""

    code = "price_unknown"
    kind = Kind.CONFLICT

    def __init__(self, provider: str, model: str) -> None:
        super().__init__(
            f"the price of {provider}/{model} is unknown: set one with PUT /api/v1/costs/prices/{provider}/{model},"
            " or STEWARD_COSTS_UNKNOWN_PRICE=meter to let such calls pass where no hard budget in USD holds",
            provider=provider,
            model=model,
        )


class BudgetNotFound(NotFound):
    code = "budget_not_found"

    def __init__(self, budget_id: UUID) -> None:
        super().__init__(f"there is no budget {budget_id}")


class BudgetNameTaken(Conflict):
    code = "budget_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a budget {name!r} already: choose another name", field="name")


class UnknownTimeZone(InvalidInput):
    code = "unknown_time_zone"

    def __init__(self, name: str) -> None:
        super().__init__(f"time_zone {name!r} is no IANA time zone: write one such as 'Asia/Taipei'", field="time_zone")


class CallNotFound(NotFound):
    code = "call_not_found"

    def __init__(self, call_id: UUID) -> None:
        super().__init__(f"there is no call {call_id}")


class CallSettled(Conflict):
    code = "call_settled"

    def __init__(self, call_id: UUID) -> None:
        super().__init__(f"call {call_id} has the provider's own figure already, so there is nothing to correct")


class PriceNotFound(NotFound):
    code = "price_not_found"

    def __init__(self, provider: str, model: str) -> None:
        super().__init__(f"there is no price of your own for {provider}/{model}")


class TooManyPrices(Conflict):
    code = "too_many_prices"

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are {limit} prices of your own: delete some that nobody uses", limit=limit)


class ReportTooLarge(TooLarge):
    code = "report_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the report has more than {limit} rows: group by less, or take a shorter time", limit=limit)
