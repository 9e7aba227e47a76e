"""What tokens cost, from when on."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.services.costs.terms import Nanos, Tokens


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nanos for a million tokens of each class; an absent class costs what `input` or `output` costs.

    An absent `cache_write_1h` costs what is dearer of `cache_write` and `input`.

    The nanos of one token may be a fraction (37.5 for 0.0375 USD a million); those of a million never are.
    """

    input: Nanos
    output: Nanos
    cache_read: Nanos | None = None
    cache_write: Nanos | None = None
    cache_write_1h: Nanos | None = None
    reasoning: Nanos | None = None
    audio_input: Nanos | None = None
    audio_output: Nanos | None = None


class PriceTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of calls that read more than so many tokens, for all of their tokens."""

    above_input_tokens: Tokens
    prices: TokenPrices


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a model costs from a day on."""

    provider: str
    """As the price list names it: `openai`, `anthropic`, `deepseek` …"""
    model: str
    prices: TokenPrices
    tiers: Sequence[PriceTier] = ()
    batch_percent: Annotated[int, Meta(ge=0, le=100)] = 100
    """Of the price, for calls through the provider's batch endpoint."""
    per_call: Nanos = 0
    """For each call, beside its tokens."""
    effective_from: date | None = None
    """None: ever since."""
    source: str = ""
    """`list` (the data of genai-prices), `installation` or `tenant`."""


class PriceInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    prices: TokenPrices
    tiers: Annotated[Sequence[PriceTier], Meta(max_length=10)] = ()
    batch_percent: Annotated[int, Meta(ge=0, le=100)] = 50
    per_call: Nanos = 0
    effective_from: date | None = None
