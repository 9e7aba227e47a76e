"""What models cost a tenant: its own prices, the installation's, then the list; every process hears of changes."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from steward.kit.authz import Authz, PermissionDenied
from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.db import Database
from steward.kit.errors import InvalidInput
from steward.kit.ids import PLATFORM, TenantId
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from steward.services.costs.api import Price, PriceInput, PriceTier, TokenPrices
from steward.services.costs.errors import PriceNotFound, TooManyPrices
from steward.services.costs.prices import Prices, book, editing
from steward.services.costs.prices.loading import ListUnreadable, shipped
from tests.support.database import IDS, as_owner, database_at, database_of, new_tenant
from tests.support.postgres import PostgresForTests

CLOCK = SystemClock()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def priced(nanos: int, **more: Any) -> PriceInput:
    return PriceInput(prices=TokenPrices(input=nanos, output=2 * nanos), **more)


def ctx_of(tenant: TenantId, *scopes: str) -> Ctx:
    return Ctx(
        tenant=tenant,
        actor=Actor(ActorType.USER, "u"),
        scopes=frozenset(scopes or ("cost:read", "cost:configure")),
        request_id="r",
        deadline=CLOCK.now() + timedelta(seconds=30),
    )


OPERATOR = ctx_of(PLATFORM, "platform:tenants", "cost:read")


class House:
    """Two processes on one database."""

    def __init__(self, dsn: str, databases: tuple[Database, Database]) -> None:
        self.dsn = dsn
        self.telemetry: CapturingTelemetry = Telemetry.for_tests(CLOCK)
        self.one, self.other = (
            Prices(db.service("costs"), Authz(db.service("costs")), CLOCK, self.telemetry) for db in databases
        )

    async def rows(self, sql: str) -> list[Mapping[str, Any]]:
        return [dict(row) for row in await as_owner(self.dsn, sql)]


@pytest_asyncio.fixture
async def house(dsn: str, postgres: PostgresForTests) -> AsyncIterator[House]:
    owner = postgres.dsn(database_of(dsn))
    async with database_at(dsn, pool_size=2) as one, database_at(dsn, pool_size=2) as other:
        made = House(owner, (one, other))
        yield made
        made.telemetry.shutdown()
        await as_owner(owner, f"DELETE FROM costs.price_override WHERE tenant_id = '{PLATFORM}'")


def changed(tenant: TenantId) -> StoredEvent:
    return event_of(tenant, "costs.PriceChanged")


def event_of(tenant: TenantId, kind: str) -> StoredEvent:
    return StoredEvent(
        id=IDS.new(),
        tenant=tenant,
        type=kind,
        at=NOW,
        request_id="r",
        actor=OPERATOR.actor,
        payload=msgspec.Raw(b"{}"),
    )


def of(price: Price | None) -> tuple[int, str] | None:
    return price and (price.prices.input, price.source)


async def test_the_list_counts_until_somebody_sets_a_price(house: House) -> None:
    tenant = new_tenant()
    assert of(await house.one.price_of(tenant, "openai", "gpt-4o", NOW)) == (2_500_000_000, "list")
    assert await house.one.price_of(tenant, "openai", "nonesuch", NOW) is None


async def test_a_tenants_price_goes_before_the_installations_and_that_before_the_list(house: House) -> None:
    tenant, stranger = new_tenant(), new_tenant()
    await house.one.put_price(OPERATOR, provider="openai", model="gpt-4o", price=priced(7))
    await house.one.put_price(ctx_of(tenant), provider="OpenAI", model="GPT-4o", price=priced(9))
    assert of(await house.one.price_of(tenant, "openai", "gpt-4o", NOW)) == (9, "tenant")
    assert of(await house.one.price_of(stranger, "openai-eu", "GPT-4o", NOW)) == (7, "installation")
    await house.one.delete_price(ctx_of(tenant), provider="openai", model="gpt-4o")
    assert of(await house.one.price_of(tenant, "openai", "gpt-4o", NOW)) == (7, "installation")
    await house.one.delete_price(OPERATOR, provider="openai", model="gpt-4o")
    assert of(await house.one.price_of(tenant, "openai", "gpt-4o", NOW)) == (2_500_000_000, "list")


async def test_another_process_hears_of_a_change_by_event_and_a_new_one_reads_it_at_start(house: House) -> None:
    tenant = new_tenant()
    await house.other.load()
    await house.one.put_price(ctx_of(tenant), provider="own", model="org/m", price=priced(5))
    assert await house.other.price_of(tenant, "own", "org/m", NOW) is None
    await house.other.on_event(changed(tenant))
    assert of(await house.other.price_of(tenant, "own", "org/m", NOW)) == (5, "tenant")
    await house.one.delete_price(ctx_of(tenant), provider="own", model="org/m")
    await house.other.on_event(changed(tenant))
    assert await house.other.price_of(tenant, "own", "org/m", NOW) is None
    await house.one.put_price(ctx_of(tenant), provider="own", model="org/m", price=priced(6))
    await house.other.load()
    assert of(await house.other.price_of(tenant, "own", "org/m", NOW)) == (6, "tenant")
    assert house.other.subscription(["costs", "audit"]).broadcast
    assert house.other.subscription(["costs", "audit"]).sources == ("costs",)
    assert house.other.job().everywhere


async def test_dated_prices_hold_from_their_day_on_and_one_without_a_date_takes_the_place_of_all(house: House) -> None:
    tenant = new_tenant()
    day = date(2026, 12, 1)
    for nanos, since in ((1, None), (2, day), (3, day)):
        price = priced(nanos, effective_from=since, per_call=4, batch_percent=40)
        put = await house.one.put_price(ctx_of(tenant), provider="p", model="m", price=price)
        assert (put.effective_from, put.per_call, put.batch_percent) == (since, 4, 40)
    for at, nanos in ((datetime(2026, 11, 30, 23, 59, tzinfo=UTC), 1), (datetime(2026, 12, 1, tzinfo=UTC), 3)):
        assert of(await house.one.price_of(tenant, "p", "m", at)) == (nanos, "tenant")
    await house.one.put_price(ctx_of(tenant), provider="p", model="m", price=priced(8))
    assert of(await house.one.price_of(tenant, "p", "m", datetime(2027, 1, 1, tzinfo=UTC))) == (8, "tenant")


async def test_prices_of_batches_and_service_tiers_are_the_providers_own(house: House) -> None:
    tenant = new_tenant()
    usual = await house.one.price_of(tenant, "openai", "gpt-4o", NOW)
    batch = await house.one.price_of(tenant, "openai", "gpt-4o", NOW, batch=True)
    assert usual is not None
    assert batch is not None
    assert batch.prices.input * 2 == usual.prices.input
    # Cached tokens have no discount in batches there, and one percentage cannot say that.
    assert batch.prices.cache_read == usual.prices.cache_read
    assert (batch.batch_percent, usual.batch_percent) == (100, 100)
    fast = await house.one.price_of(tenant, "anthropic", "claude-opus-4-8", NOW, tier="fast")
    assert of(fast) == (10_000_000_000, "list")


async def test_prices_that_change_within_the_day_are_looked_up_anew(house: House) -> None:
    at = datetime(2026, 11, 21, 0, 59, tzinfo=UTC)
    inputs = [
        of(await house.one.price_of(new_tenant(), "deepseek", "deepseek-v4-flash", at + timedelta(minutes=minutes)))
        for minutes in (0, 1, 180, 181, 0)
    ]
    assert [one and one[0] // 10**6 for one in inputs] == [150, 300, 300, 150, 150]


async def test_changes_are_in_the_trail_and_are_told(house: House) -> None:
    tenant = new_tenant()
    await house.one.put_price(ctx_of(tenant), provider="p", model="m", price=priced(1))
    await house.one.delete_price(ctx_of(tenant), provider="p", model="m")
    told = await house.rows(f"SELECT body::jsonb->>'type' AS type FROM costs.outbox WHERE tenant_id = '{tenant}'")
    assert [one["type"] for one in told] == ["costs.PriceChanged"] * 2
    trail = await house.rows(
        "SELECT body::jsonb->>'action' AS action, body::jsonb->>'resource' AS resource FROM costs.audit_outbox"
        f" WHERE tenant_id = '{tenant}' ORDER BY id"
    )
    assert [tuple(one.values()) for one in trail] == [("price.set", "price/p/m"), ("price.deleted", "price/p/m")]


async def test_who_may_not_is_refused_and_the_installations_prices_are_the_operators(house: House) -> None:
    tenant = new_tenant()
    reader = ctx_of(tenant, "cost:read")
    with pytest.raises(PermissionDenied):
        await house.one.put_price(reader, provider="p", model="m", price=priced(1))
    with pytest.raises(PermissionDenied):
        await house.one.delete_price(reader, provider="p", model="m")
    with pytest.raises(PermissionDenied):
        await house.one.list_prices(ctx_of(tenant, "cost:configure"))
    with pytest.raises(PermissionDenied):
        await house.one.put_price(ctx_of(PLATFORM), provider="p", model="m", price=priced(1))
    with pytest.raises(PriceNotFound):
        await house.one.delete_price(ctx_of(tenant), provider="p", model="m")


async def test_what_cannot_be_a_price_is_refused_with_the_remedy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = ctx_of(new_tenant())
    tier = PriceTier(above_input_tokens=5, prices=TokenPrices(input=1, output=1))
    with pytest.raises(InvalidInput, match="each bound once"):
        await house.one.put_price(ctx, provider="p", model="m", price=priced(1, tiers=[tier, tier]))
    for provider, model in (("", "m"), ("p", "m\n"), ("p", "x" * 201), (" p", "m")):
        with pytest.raises(InvalidInput, match="is no name"):
            await house.one.put_price(ctx, provider=provider, model=model, price=priced(1))
    monkeypatch.setattr(editing, "MOST_OVERRIDES", 1)
    await house.one.put_price(ctx, provider="p", model="m", price=priced(1))
    await house.one.put_price(ctx, provider="p", model="m", price=priced(2))
    with pytest.raises(TooManyPrices):
        await house.one.put_price(ctx, provider="p", model="n", price=priced(1))


async def test_the_list_shows_your_own_prices_first_and_the_one_that_counts_for_a_name(house: House) -> None:
    tenant = new_tenant()
    await house.one.put_price(OPERATOR, provider="openai", model="gpt-4o-mini", price=priced(3))
    await house.one.put_price(ctx_of(tenant), provider="zz", model="gpt-4o", price=priced(1))
    shown = await house.one.list_prices(ctx_of(tenant), model="gpt-4o")
    assert [(one.provider, one.model, one.source) for one in shown[:2]] == [
        ("zz", "gpt-4o", "tenant"),
        ("openai", "gpt-4o-mini", "installation"),
    ]
    names = [(one.provider, one.model.lower()) for one in shown]
    assert len(names) == len(set(names)) > 5
    assert ("openai", "gpt-4o") in names
    meant = await house.one.list_prices(ctx_of(tenant), provider="openai", model="gpt-4o-2024-08-06")
    assert [(one.model, one.source) for one in meant] == [("gpt-4o", "list")]
    assert len(await house.one.list_prices(ctx_of(tenant))) == 1000
    assert await house.one.list_prices(ctx_of(tenant), provider="nobody") == []


async def test_a_deleted_tenants_prices_are_forgotten(house: House) -> None:
    tenant = new_tenant()
    await house.one.load()
    await house.one.put_price(ctx_of(tenant), provider="p", model="m", price=priced(1))
    await house.one.on_event(event_of(tenant, "tenants.TenantDeleted"))
    assert await house.one.price_of(tenant, "p", "m", NOW) is None


async def test_another_version_of_the_package_is_read_and_an_unreadable_one_leaves_the_shipped_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> object:
        raise ListUnreadable("genai-prices 9.9 cannot be read: no such thing")

    monkeypatch.setattr(book, "installed", lambda: "9.9")
    monkeypatch.setattr(book, "extracted", broken)
    await house.one.load()
    await house.one.load()
    assert of(await house.one.price_of(new_tenant(), "openai", "gpt-4o", NOW)) == (2_500_000_000, "list")

    async def newer() -> object:
        made = shipped()
        made.version = "9.10"
        return made

    monkeypatch.setattr(book, "installed", lambda: "9.10")
    monkeypatch.setattr(book, "extracted", newer)
    await house.one.load()
    assert house.one._list is not None
    assert house.one._list.version == "9.10"
