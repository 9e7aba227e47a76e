"""The price list says what genai-prices says: which model is meant, and what it costs, to the nano."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.costs.api import CallUsage, Price
from steward.services.costs.prices.arithmetic import cost_of
from steward.services.costs.prices.extracting import lines
from steward.services.costs.prices.loading import FILE, extracted, installed, shipped
from steward.services.costs.prices.price_list import PriceList, price_at

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WELL_KNOWN = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5.4-2026-03-05"),
    ("openai", "o3-mini"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-opus-4-8"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("deepseek", "deepseek-chat"),
    ("groq", "llama-3.3-70b-versatile"),
    ("mistral", "mistral-large-latest"),
    ("x-ai", "grok-4"),
    ("azure", "gpt-4o-mini"),
    ("openrouter", "anthropic/claude-sonnet-4.5"),
    ("perplexity", "sonar-pro"),
    ("openai", "text-embedding-3-small"),
)
LIST = shipped()


def price_of(provider: str, model: str, at: datetime = NOW, **more: Any) -> Price | None:
    entry = LIST.entry_of(provider, model)
    return entry and price_at(LIST.provider_of(provider) or "", entry, at, **more).price


def theirs(provider: str, model: str, usage: CallUsage, at: datetime, context: Mapping[str, str] | None) -> int:
    """What the package reckons, in nanos."""
    told = Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )
    sums = calc_price(told, model, provider_id=provider, genai_request_timestamp=at, price_context=context)
    return ceil(Fraction(sums.total_price) * 10**9)


@st.composite
def usages(draw: st.DrawFn) -> CallUsage:
    plain = draw(st.sampled_from([0, 7, 1_000, 100_001, 199_999, 300_000]))
    read, write, hour = (draw(st.integers(0, 5_000)) for _ in range(3))
    reasoned = draw(st.integers(0, 500))
    return CallUsage(
        input_tokens=plain + read + write + hour,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=hour,
        output_tokens=reasoned + draw(st.integers(0, 5_000)),
        reasoning_tokens=reasoned,
    )


@settings(max_examples=120)
@given(
    st.sampled_from(WELL_KNOWN),
    usages(),
    st.integers(-900 * 24 * 60, 300 * 24 * 60),
    st.booleans(),
)
def test_well_known_models_cost_what_the_package_reckons_to_the_nano(
    name: tuple[str, str], usage: CallUsage, minutes: int, batch: bool
) -> None:
    at = NOW + timedelta(minutes=minutes)
    price = price_of(*name, at, batch=batch)
    assert price is not None
    assert cost_of(price, usage, batch=batch) == theirs(*name, usage, at, {"processing": "batch"} if batch else None)


def test_no_model_of_the_list_costs_less_than_the_package_reckons_and_those_without_pictures_cost_the_same() -> None:
    usage = CallUsage(input_tokens=300_000, cache_read_tokens=2_000, output_tokens=1_000)
    pictures = ("_image_", "_video_")
    compared = 0
    for provider in providers:
        for model in provider.models:
            entry = LIST.entry_of(provider.id, model.id)
            price = entry and price_at(provider.id, entry, NOW).price
            if price is None or entry is None or model.match.is_match(model.id.lower()) is False:
                continue
            ours, reckoned = cost_of(price, usage), theirs(provider.id, model.id, usage, NOW, None)
            kinds = {kind for dated in entry.prices for kind in dated.costs}
            # A price finer than a nano for a million tokens is rounded up.
            assert reckoned <= ours
            if not any(picture in kind for kind in kinds for picture in pictures):
                assert ours <= reckoned + 1
            compared += 1
    assert compared > 1_900


def test_the_file_is_what_the_installed_package_says() -> None:
    assert LIST.version == installed()
    assert FILE.read_bytes() == b"\n".join(lines()) + b"\n", (
        "python -m steward.services.costs.prices.extracting src/steward/services/costs/prices/list.txt"
    )


async def test_a_process_of_its_own_makes_the_same_list() -> None:
    made = await extracted()
    assert [(one, entry.id) for one, entry in made.all()] == [(one, entry.id) for one, entry in LIST.all()]


def test_reading_prices_brings_neither_the_package_nor_pydantic_nor_an_http_client_into_a_process() -> None:
    program = (
        "import sys; from steward.services.costs.prices.loading import shipped;"
        "assert shipped().entry_of('openai', 'gpt-4o');"
        "sys.exit(','.join({'genai_prices', 'pydantic', 'httpx', 'httpx2'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_prices_are_those_of_their_day_and_of_their_hour() -> None:
    """DeepSeek V4 Flash: dearer from 2026-08-17 on, cheaper from 2026-09-10 on, twice as dear at rush hours."""
    name = ("deepseek", "deepseek-v4-flash")
    assert price_of(*name, datetime(2026, 8, 16, 23, 59, tzinfo=UTC)) != price_of(
        *name, datetime(2026, 8, 17, 0, 0, tzinfo=UTC)
    )
    calm, rush = (price_of(*name, datetime.combine(NOW.date(), time(hour), UTC)) for hour in (0, 2))
    assert calm is not None
    assert rush is not None
    assert rush.prices.input == 2 * calm.prices.input == 300_000_000


def test_an_answer_says_until_when_it_holds() -> None:
    entry = LIST.entry_of("deepseek", "deepseek-v4-flash")
    assert entry is not None
    for at in (NOW, datetime(2026, 8, 16, 23, tzinfo=UTC), datetime(2026, 11, 21, 3, 59, tzinfo=UTC)):
        found = price_at("deepseek", entry, at)
        assert found.until > at
        just_before = found.until - timedelta(microseconds=1)
        assert price_at("deepseek", entry, just_before).price == found.price


def test_service_tiers_have_their_own_prices() -> None:
    usual, fast = (price_of("anthropic", "claude-opus-4-8", tier=tier) for tier in ("", "fast"))
    assert usual is not None
    assert fast is not None
    assert fast.prices.input == 10 * 10**9 > usual.prices.input


def test_models_that_are_not_counted_in_tokens_or_have_no_price_are_unknown() -> None:
    assert LIST.entry_of("openai", "whisper-1") is not None
    assert price_of("openai", "whisper-1") is None
    assert price_of("github-copilot", "gpt-4o") is None
    assert price_of("openai", "nonesuch") is None
    assert price_of("nobody", "gpt-4o") is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [("OpenAI", "openai"), ("openai-eu", "openai"), ("bedrock", "aws"), ("my-anthropic", "anthropic"), ("zzz", None)],
)
def test_a_providers_name_is_matched_as_the_package_does(given: str, meant: str | None) -> None:
    assert LIST.provider_of(given) == meant


def test_names_are_matched_in_any_case_with_dates_and_at_providers_that_offer_others_models() -> None:
    assert LIST.entry_of("openai", "GPT-4o") == LIST.entry_of("openai", "gpt-4o")
    assert LIST.entry_of("openai", "gpt-5.4-20260305") == LIST.entry_of("openai", "gpt-5.4-2026-03-05")
    assert LIST.entry_of("azure", "claude-sonnet-4-5") is not None


def test_lines_before_the_first_provider_are_no_models() -> None:
    assert list(PriceList(b'{"id":"m"}\n# {"version":"1"}\n').all()) == []
