"""The price list: which entry a model's name means, and what it costs at an instant.

Rules and dates mean what they mean to genai-prices (0.2.3, `types.py`): of a provider's models the first whose rule
holds, of an entry's dated prices the last that is active, of its variants the first for each kind of token. What it
counts and we cannot (seconds, characters, pages) makes a model's price unknown here, and so does an entry without
prices: nothing is free by accident. Kinds that a usage does not tell apart, such as text and pictures of an answer,
cost what the dearest of them does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from steward.services.costs.api import Price, PriceTier, TokenPrices

Rule = tuple[str, Any]
Cost = int | tuple[int | tuple[int, int], ...]
"""Nanos for a million tokens; or those, and pairs of a number of input tokens and the nanos above it."""


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Prices and when they hold."""

    costs: Mapping[str, Cost]
    since: date | None = None
    daily: tuple[time, time] | None = None
    """From and until, in UTC; over midnight where the second is the earlier one."""
    when: Mapping[str, str] = {}
    """Of a variant: what is said of the call."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the list."""

    id: str
    match: Rule
    prices: Sequence[Dated]
    variants: Sequence[Dated] = ()


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    match: Rule | None = None
    fallback: Sequence[str] = ()


class _Head(msgspec.Struct, frozen=True):
    version: str


class Provider:
    """A provider of the list; its models are read when they are first asked for."""

    def __init__(self, line: bytes) -> None:
        read = msgspec.json.decode(line, type=_Line)
        self.id = read.id
        self.match = read.match
        self.fallback = read.fallback
        self.lines: list[bytes] = []
        self._entries: Sequence[Entry] | None = None

    def entries(self, *, keep: bool = True) -> Sequence[Entry]:
        """Its models. Without `keep` they are forgotten again."""
        if self._entries is not None:
            return self._entries
        entries = [_ENTRY.decode(line) for line in self.lines]
        if keep:
            self._entries, self.lines = entries, []
        return entries


class Found(NamedTuple):
    """A price, and until when the list has no other for the model."""

    price: Price | None
    until: datetime


class PriceList:
    """The data of genai-prices, as `extracting` wrote it."""

    def __init__(self, data: bytes) -> None:
        self.version = ""
        self._providers: dict[str, Provider] = {}
        provider: Provider | None = None
        for line in data.splitlines():
            if line.startswith(b"="):
                provider = Provider(line[1:])
                self._providers[provider.id] = provider
            elif line.startswith(b"#"):
                self.version = msgspec.json.decode(line[1:], type=_Head).version
            elif provider is not None:
                provider.lines.append(line)

    def provider_of(self, name: str) -> str | None:
        """The list's own name of a provider; None for a stranger."""
        lower = name.lower().strip()
        if lower in self._providers:
            return lower
        ruled = ((one.id, one.match) for one in self._providers.values())
        return next((id_ for id_, rule in ruled if rule is not None and holds(rule, lower)), None)

    def entry_of(self, provider: str, model: str) -> Entry | None:
        """A model's entry at a provider, or at one of those whose models it offers; then without discounts and tiers,
        which are the other's own.
        """
        own = self._providers.get(self.provider_of(provider) or "")
        if own is None:
            return None
        lower = model.lower()
        for name in dict.fromkeys((lower, _dashed(lower))):
            for one in (own, *(self._providers[id_] for id_ in own.fallback)):
                found = next((entry for entry in one.entries() if holds(entry.match, name)), None)
                if found is not None:
                    return found if one is own else msgspec.structs.replace(found, variants=())
        return None

    def all(self) -> Iterator[tuple[str, Entry]]:
        """Every model with its provider, by provider."""
        for provider in self._providers.values():
            for entry in provider.entries(keep=False):
                yield provider.id, entry


def holds(rule: Rule, text: str) -> bool:
    """Whether a rule holds for a name in lower case."""
    operator, operand = rule
    if operator == "regex":
        return re.search(operand, text) is not None
    if operator in {"or", "and"}:
        return (any if operator == "or" else all)(holds(one, text) for one in operand)
    return _SIMPLE[operator](text, operand.lower())


def price_at(provider: str, entry: Entry, at: datetime, *, batch: bool = False, tier: str = "") -> Found:
    """What an entry costs at an instant. `tier` is the service tier or the speed that was asked for, if any.

    With `batch` these are the prices of the provider's batch endpoint, and nothing goes off them; without, the price
    says what a batch pays of it, which is the most for any class where the list has no even discount.
    """
    now = at.astimezone(UTC)
    active = [one for one in entry.prices if _active(one, now)]
    standard = (active[-1] if active else entry.prices[0]).costs
    batched = _compiled(_with_variants(standard, entry, now, "batch")) if entry.variants or batch else None
    sums = batched if batch else _compiled(_with_variants(standard, entry, now, tier))
    until = _next_change((*entry.prices, *entry.variants), now)
    if sums is None:
        return Found(None, until)
    (_, prices), *others = sums.steps
    price = Price(
        provider=provider,
        model=entry.id,
        prices=prices,
        tiers=[PriceTier(above_input_tokens=above, prices=dearer) for above, dearer in others],
        batch_percent=_WHOLE if batch or tier or batched is None else _percent(sums, batched),
        per_call=sums.per_call,
        effective_from=active[-1].since if active else None,
        source="list",
    )
    return Found(price, until)


def _active(one: Dated, now: datetime) -> bool:
    if one.since is not None:
        return now.date() >= one.since
    if one.daily is None:
        return True
    begin, end = one.daily
    moment = now.time()
    return begin <= moment < end if begin <= end else moment >= begin or moment < end


def _with_variants(costs: Mapping[str, Cost], entry: Entry, now: datetime, word: str) -> Mapping[str, Cost]:
    """The costs of a call that says `word` of itself."""
    if not word or not entry.variants:
        return costs
    found: dict[str, Cost] = {}
    for variant in entry.variants:
        ((key, value),) = variant.when.items() if len(variant.when) == 1 else (("", ""),)
        if key in _TOLD and value == word and _active(variant, now):
            found = {**variant.costs, **found}
    return {**costs, **found}


def _next_change(dated: Sequence[Dated], now: datetime) -> datetime:
    """The next instant at which another price may hold."""
    changes = [datetime.combine(one.since, time.min, UTC) for one in dated if one.since is not None]
    for one in dated:
        for moment in one.daily or ():
            today = datetime.combine(now.date(), moment.replace(tzinfo=None), UTC)
            changes += (today, today + timedelta(days=1))
    return min((change for change in changes if change > now), default=datetime.max.replace(tzinfo=UTC))


class _Sums(NamedTuple):
    steps: Sequence[tuple[int, TokenPrices]]
    """Above how many input tokens; the first is above none."""
    per_call: int


def _compiled(costs: Mapping[str, Cost]) -> _Sums | None:
    """The list's kinds as our classes; None where they say nothing, or what no usage counts."""
    if "input_mtok" not in costs or not _COUNTED.issuperset(costs):
        return None
    starts = sorted({step[0] for cost in costs.values() if isinstance(cost, tuple) for step in _steps(cost)})
    steps = [(0, _classes(costs, 0)), *((start, _classes(costs, start + 1)) for start in starts)]
    return _Sums(steps, _at(costs.get("requests_kcount"), 0) or 0)


def _classes(costs: Mapping[str, Cost], tokens: int) -> TokenPrices:
    def dearest(names: Sequence[str]) -> int | None:
        return max((price for name in names if (price := _at(costs.get(name), tokens)) is not None), default=None)

    # A model without output embeds: its pictures are no part of what we send.
    reads = (*_INPUT, *_PICTURES) if "output_mtok" in costs else _INPUT
    write = dearest(_WRITE)
    write_1h = dearest(_WRITE_1H)
    return TokenPrices(
        input=dearest(reads) or 0,
        output=dearest(_OUTPUT) or 0,
        cache_read=dearest(_READ),
        cache_write=write,
        cache_write_1h=write if write_1h is None else write_1h,
        reasoning=dearest(("output_reasoning_mtok",)),
        audio_input=dearest(("input_audio_mtok",)),
        audio_output=dearest(("output_audio_mtok",)),
    )


def _at(cost: Cost | None, tokens: int) -> int | None:
    if cost is None or isinstance(cost, int):
        return cost
    price = cost[0]
    for start, above in _steps(cost):
        price = above if tokens > start else price
    return price if isinstance(price, int) else None


def _steps(cost: Sequence[int | tuple[int, int]]) -> Sequence[tuple[int, int]]:
    return [step for step in cost if isinstance(step, tuple)]


def _percent(sums: _Sums, batch: _Sums) -> int:
    """What a batch pays, in percent of the price; where classes differ, of the one with the least discount."""
    most = 0
    starts = sorted({start for start, _ in (*sums.steps, *batch.steps)})
    for start in starts:
        usual, cheap = (msgspec.structs.asdict(_reached(one.steps, start)) for one in (sums, batch))
        for name, price in usual.items():
            if price:
                most = max(most, -(-_WHOLE * (price if cheap[name] is None else cheap[name]) // price))
    return min(_WHOLE, most)


def _reached(steps: Sequence[tuple[int, TokenPrices]], start: int) -> TokenPrices:
    return next(prices for above, prices in reversed(steps) if above <= start)


def _dashed(name: str) -> str:
    """`gpt-5-20251211` as `gpt-5-2025-12-11`: routers write dates without dashes."""
    return _COMPACT_DATE.sub(r"-\1-\2-\3", name)


_WHOLE: Final = 100
"""Percent."""
_ENTRY: Final[msgspec.json.Decoder[Entry]] = msgspec.json.Decoder(Entry)
_COMPACT_DATE: Final = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_SIMPLE: Final[Mapping[str, Any]] = {
    "equals": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}
_TOLD: Final = frozenset(("processing", "service_tier", "speed"))
"""What a variant may ask of a call that we can tell."""
_INPUT: Final = ("input_mtok", "input_text_mtok")
_PICTURES: Final = ("input_image_mtok", "input_video_mtok")
_OUTPUT: Final = ("output_mtok", "output_text_mtok", "output_image_mtok", "output_video_mtok", "output_citation_mtok")
_READ: Final = ("cache_read_mtok", "cache_text_read_mtok", "cache_image_read_mtok", "cache_video_read_mtok")
_WRITE: Final = ("cache_write_mtok", "cache_write_5m_mtok", "cache_text_write_mtok")
_WRITE_1H: Final = ("cache_write_1h_mtok", "cache_text_write_1h_mtok")
_COUNTED: Final = frozenset(
    (
        *(*_INPUT, *_PICTURES, *_OUTPUT, *_READ, *_WRITE, *_WRITE_1H),
        *("output_reasoning_mtok", "input_audio_mtok", "output_audio_mtok", "cache_audio_read_mtok"),
        "requests_kcount",
    )
)
"""Sound that was read from a cache costs as sound where the classes overlap (see `arithmetic`)."""
