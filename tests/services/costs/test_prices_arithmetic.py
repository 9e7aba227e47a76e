"""Sums of money against fractions: exact, rounded up once, and never above what was held back."""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from steward.services.costs.api import CallUsage, Price, PriceTier, TokenPrices
from steward.services.costs.prices.arithmetic import cost_of, output_rate, worst_input

nanos = st.integers(0, 200 * 10**9)
maybe = st.none() | nanos
token_prices = st.builds(
    TokenPrices,
    input=nanos,
    output=nanos,
    cache_read=maybe,
    cache_write=maybe,
    cache_write_1h=maybe,
    reasoning=maybe,
    audio_input=maybe,
    audio_output=maybe,
)
tiers = st.lists(
    st.builds(PriceTier, above_input_tokens=st.integers(1, 5000), prices=token_prices),
    max_size=3,
    unique_by=lambda tier: tier.above_input_tokens,
)
prices = st.builds(
    Price,
    provider=st.just("p"),
    model=st.just("m"),
    prices=token_prices,
    tiers=tiers,
    batch_percent=st.integers(0, 100),
    per_call=st.integers(0, 10**8),
)
counts = st.integers(0, 3000)


@st.composite
def usages(draw: st.DrawFn) -> CallUsage:
    """Tokens of classes that are apart."""
    plain, read, write, hour, audio = (draw(counts) for _ in range(5))
    written, reasoned, spoken = (draw(counts) for _ in range(3))
    return CallUsage(
        input_tokens=plain + read + write + hour + audio,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=hour,
        audio_input_tokens=audio,
        output_tokens=written + reasoned + spoken,
        reasoning_tokens=reasoned,
        audio_output_tokens=spoken,
    )


def by_hand(price: Price, usage: CallUsage, *, batch: bool) -> int:
    reached = [tier for tier in price.tiers if usage.input_tokens > tier.above_input_tokens]
    at = max(reached, key=lambda tier: tier.above_input_tokens).prices if reached else price.prices
    read = at.input if at.cache_read is None else at.cache_read
    write = at.input if at.cache_write is None else at.cache_write
    hour = max(write, at.input) if at.cache_write_1h is None else at.cache_write_1h
    cached = usage.cache_read_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens
    total = Fraction(at.input) * (usage.input_tokens - cached - usage.audio_input_tokens)
    total += read * usage.cache_read_tokens + write * usage.cache_write_tokens + hour * usage.cache_write_1h_tokens
    total += (at.input if at.audio_input is None else at.audio_input) * usage.audio_input_tokens
    total += at.output * (usage.output_tokens - usage.reasoning_tokens - usage.audio_output_tokens)
    total += (at.output if at.reasoning is None else at.reasoning) * usage.reasoning_tokens
    total += (at.output if at.audio_output is None else at.audio_output) * usage.audio_output_tokens
    return price.per_call + ceil(total / 10**6 * Fraction(price.batch_percent if batch else 100, 100))


@given(prices, usages(), st.booleans())
def test_a_cost_is_the_exact_sum_rounded_up_once(price: Price, usage: CallUsage, batch: bool) -> None:
    assert cost_of(price, usage, batch=batch) == by_hand(price, usage, batch=batch)


@given(prices, usages(), st.booleans(), st.integers(0, 3000), st.integers(0, 3000))
def test_no_cost_is_above_the_worst_case_of_its_bounds(
    price: Price, usage: CallUsage, batch: bool, more_in: int, more_out: int
) -> None:
    bound = usage.input_tokens + more_in
    rate = output_rate(price, bound, batch=batch)
    held = worst_input(price, bound, batch=batch) + -(-rate * (usage.output_tokens + more_out) // 10**6)
    assert cost_of(price, usage, batch=batch) <= held


@given(prices, counts, counts, counts, counts, counts)
def test_classes_that_overlap_count_each_token_once_in_the_dearer_class(
    price: Price, total: int, read: int, audio: int, output: int, reasoned: int
) -> None:
    usage = CallUsage(
        input_tokens=max(total, read),
        cache_read_tokens=read,
        audio_input_tokens=min(audio, total),
        output_tokens=output,
        reasoning_tokens=min(reasoned, output),
        audio_output_tokens=output - min(reasoned, output) // 2,
    )
    rate = output_rate(price, usage.input_tokens)
    assert cost_of(price, usage) <= worst_input(price, usage.input_tokens) + -(-rate * output // 10**6)
    apart = CallUsage(input_tokens=usage.input_tokens, cache_read_tokens=read)
    if (price.prices.audio_input or 0) >= max(price.prices.input, price.prices.cache_read or 0) and not price.tiers:
        # What is sound, cached or not, is never cheaper than without it.
        assert cost_of(price, usage) >= cost_of(price, apart)


def test_a_tier_holds_for_all_tokens_of_a_call_that_reads_more_than_its_bound() -> None:
    price = Price(
        provider="p",
        model="m",
        prices=TokenPrices(input=10**6, output=2 * 10**6),
        tiers=[PriceTier(above_input_tokens=200, prices=TokenPrices(input=3 * 10**6, output=5 * 10**6))],
    )
    assert cost_of(price, CallUsage(input_tokens=200, output_tokens=10)) == 200 + 20
    assert cost_of(price, CallUsage(input_tokens=201, output_tokens=10)) == 603 + 50
    assert (worst_input(price, 200), output_rate(price, 200)) == (200, 2 * 10**6)
    assert (worst_input(price, 201), output_rate(price, 201)) == (603, 5 * 10**6)


def test_tokens_beyond_a_nano_are_rounded_up_and_nothing_costs_nothing() -> None:
    price = Price(provider="p", model="m", prices=TokenPrices(input=37_500_000, output=1))
    assert cost_of(price, CallUsage(input_tokens=3)) == 113
    assert cost_of(price, CallUsage(input_tokens=1, output_tokens=1)) == 38
    assert cost_of(price, CallUsage()) == 0


def test_the_fee_of_a_call_is_in_cost_and_worst_case() -> None:
    price = Price(provider="p", model="m", prices=TokenPrices(input=0, output=0), per_call=12_000_000, batch_percent=50)
    assert cost_of(price, CallUsage(), batch=True) == worst_input(price, 0, batch=True) == 12_000_000


def test_more_cached_tokens_than_were_read_are_all_paid() -> None:
    """Some providers leave cached tokens out of their count of the input."""
    price = Price(provider="p", model="m", prices=TokenPrices(input=10**6, output=0, cache_read=10**5))
    assert cost_of(price, CallUsage(input_tokens=10, cache_read_tokens=1000)) == 100
