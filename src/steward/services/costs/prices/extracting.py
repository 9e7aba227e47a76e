"""Makes the price list of genai-prices into lines that `price_list` reads: a process of its own.

`python -m steward.services.costs.prices.extracting [FILE]` writes to FILE, or to standard output. Its first line, which
begins with `#`, names the version of the package; one that begins with `=` is a provider, and each line after it is one
of its models. Prices are nanos. The data is of Pydantic Services Inc. under the MIT licence.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from genai_prices import __version__
from genai_prices.data import providers
from genai_prices.types import (
    ClauseAnd,
    ClauseOr,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

_NANOS: Final = 10**9
_CALLS: Final = 1000
_FEES: Final = ("web_searches", "social_searches", "storage_searches", "code_executions")
"""Of tools at the provider, which no usage counts."""

Line = Mapping[str, Any]


def lines() -> Iterator[bytes]:
    """The list, a line each."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    yield b"# " + encode({"package": "genai-prices", "version": __version__})
    for provider in providers:
        yield b"= " + encode(_provider(provider))
        for model in provider.models:
            yield encode(_model(model))


def _provider(provider: Provider) -> Line:
    line: dict[str, Any] = {"id": provider.id}
    if provider.provider_match is not None:
        line["match"] = _rule(provider.provider_match)
    if provider.fallback_model_providers:
        line["fallback"] = provider.fallback_model_providers
    return line


def _model(model: ModelInfo) -> Line:
    dated = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    line: dict[str, Any] = {
        "id": model.id,
        "match": _rule(model.match),
        "prices": [_conditional(one.constraint, one.prices) for one in dated],
    }
    if model.price_variants:
        line["variants"] = [
            {"when": one.when, **_conditional(one.constraint, one.prices)} for one in model.price_variants
        ]
    return line


def _rule(rule: Any) -> Sequence[Any]:
    """`[operator, operand]`; the operands of `or` and `and` are rules."""
    if isinstance(rule, ClauseOr):
        return ["or", [_rule(one) for one in rule.or_]]
    if isinstance(rule, ClauseAnd):
        return ["and", [_rule(one) for one in rule.and_]]
    fields = cast("Mapping[str, str]", vars(rule))
    ((name, operand),) = fields.items()
    return [name, operand]


def _conditional(constraint: StartDateConstraint | TimeOfDateConstraint | None, prices: ModelPrice) -> Line:
    line: dict[str, Any] = {"costs": _costs(prices)}
    match constraint:
        case StartDateConstraint():
            line["since"] = constraint.start_date
        case TimeOfDateConstraint():
            line["daily"] = [_utc(constraint.start_time), _utc(constraint.end_time)]
        case None:
            pass
    return line


def _utc(moment: time) -> time:
    if moment.tzinfo is None:
        return moment
    return datetime.combine(date(2000, 1, 1), moment).astimezone(UTC).time()


def _costs(prices: ModelPrice) -> Mapping[str, Any]:
    """By the package's own name of what is counted: nanos, or nanos and what they are above a number of tokens."""
    return {
        name: _cost(name, price)
        for name, price in vars(prices).items()
        if price is not None and not name.startswith(_FEES)
    }


def _cost(name: str, price: Decimal | TieredPrices) -> Any:
    if isinstance(price, TieredPrices):
        return [_nanos(name, price.base), *([tier.start, _nanos(name, tier.price)] for tier in price.tiers)]
    return _nanos(name, price)


def _nanos(name: str, price: Decimal) -> int:
    """Exactly; a price finer than a nano is rounded up."""
    amount = price * _NANOS / (_CALLS if name == "requests_kcount" else 1)
    whole = int(amount)
    return whole if whole == amount else whole + 1


if __name__ == "__main__":
    written = b"\n".join(lines()) + b"\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(written)
    else:
        sys.stdout.buffer.write(written)
