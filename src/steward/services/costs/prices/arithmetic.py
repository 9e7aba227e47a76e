"""The sums of money: what tokens cost, and what they can cost at most. Integers only, rounded up to a nano once.

A price is nanos for a million tokens. Classes lie within `input_tokens` (read from a cache, written to one, sound) and
within `output_tokens` (reasoning, sound); a token counts in one class. Where classes overlap, as with sound that was
read from a cache, the dearer class counts. A tier holds for all tokens of a call that reads more than its bound.
"""

from collections.abc import Sequence
from typing import Final

from steward.services.costs.api import CallUsage, Price, TokenPrices

_MILLION: Final = 10**6
_WHOLE: Final = 100
"""Percent."""


def cost_of(price: Price, usage: CallUsage, *, batch: bool = False) -> int:
    """What a call costs, in nanos. The fee of a call itself has no discount in batches."""
    prices = _prices_at(price, usage.input_tokens)
    read, write, write_1h = _cache_prices(prices)
    taken = (
        (read, usage.cache_read_tokens),
        (write, usage.cache_write_tokens),
        (write_1h, usage.cache_write_1h_tokens),
        (_or(prices.audio_input, prices.input), usage.audio_input_tokens),
    )
    # Cached tokens are apart from each other, so there are at least as many of them as were read.
    cached = usage.cache_read_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens
    made = (
        (_or(prices.reasoning, prices.output), usage.reasoning_tokens),
        (_or(prices.audio_output, prices.output), usage.audio_output_tokens),
    )
    total = _sum(max(usage.input_tokens, cached), prices.input, taken)
    total += _sum(usage.output_tokens, prices.output, made)
    return price.per_call + _up(total * _percent(price, batch=batch), _WHOLE * _MILLION)


def worst_input(price: Price, input_tokens: int, *, batch: bool = False) -> int:
    """The most, in nanos, that so many input tokens or fewer, and the call itself, can cost."""
    dearest = 0
    for prices in _reachable(price, input_tokens):
        dearest = max(dearest, prices.input, prices.audio_input or 0, *_cache_prices(prices))
    return price.per_call + _up(dearest * input_tokens * _percent(price, batch=batch), _WHOLE * _MILLION)


def output_rate(price: Price, input_tokens: int, *, batch: bool = False) -> int:
    """The most, in nanos a million, that an output token can cost after so many input tokens or fewer.

    `worst_input` plus the output tokens at this rate, rounded up, is never below `cost_of`.
    """
    dearest = 0
    for prices in _reachable(price, input_tokens):
        dearest = max(dearest, prices.output, prices.reasoning or 0, prices.audio_output or 0)
    return _up(dearest * _percent(price, batch=batch), _WHOLE)


def _sum(total: int, usual: int, classes: Sequence[tuple[int, int]]) -> int:
    """Nanos times a million of `total` tokens, of which each class takes some; the rest costs `usual`."""
    rest, amount = total, 0
    for price, tokens in classes:
        rest -= tokens
        amount += price * tokens
    return amount + rest * usual if rest >= 0 else _overlapping(total, classes)


def _overlapping(total: int, classes: Sequence[tuple[int, int]]) -> int:
    rest, amount = max(total, *(tokens for _, tokens in classes)), 0
    for price, tokens in sorted(classes, reverse=True):
        counted = min(tokens, rest)
        rest -= counted
        amount += price * counted
    return amount


def _prices_at(price: Price, input_tokens: int) -> TokenPrices:
    found, above = price.prices, -1
    for tier in price.tiers:
        if above < tier.above_input_tokens < input_tokens:
            found, above = tier.prices, tier.above_input_tokens
    return found


def _reachable(price: Price, input_tokens: int) -> Sequence[TokenPrices]:
    if not price.tiers:
        return (price.prices,)
    return [price.prices, *(tier.prices for tier in price.tiers if tier.above_input_tokens < input_tokens)]


def _cache_prices(prices: TokenPrices) -> tuple[int, int, int]:
    """Of reading, of writing, and of writing for an hour, which costs at least what the shorter one does."""
    write = _or(prices.cache_write, prices.input)
    write_1h = prices.cache_write_1h
    return _or(prices.cache_read, prices.input), write, max(write, prices.input) if write_1h is None else write_1h


def _percent(price: Price, *, batch: bool) -> int:
    return price.batch_percent if batch else _WHOLE


def _or(price: int | None, usual: int) -> int:
    return usual if price is None else price


def _up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)
