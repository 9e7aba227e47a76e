"""Batches on a whole platform: prices and rights are the services' own, and large files pass gRPC."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from steward.kit.context import Ctx
from steward.kit.testing.provider import FakeProvider
from steward.services.costs.api import CostsApi, LedgerEntry, Outcome, PriceInput, TokenPrices
from steward.services.identity.api import IdentityApi, Role, UserId
from steward.services.models.api import Batch, BatchId, BatchState, ConnectionInput, ModelsApi, Speaks
from steward.services.models.batches.files import MOST_BYTES
from steward.services.models.errors import FileTooLarge
from tests.services.models.batches.yard import CHAT, ask
from tests.support.database import as_owner, database_of
from tests.support.platform import PLATFORM_SCOPE, Installation
from tests.support.postgres import PostgresForTests

_DUE = "UPDATE models.batch_work SET lease_until = now() - interval '1 second'"
PRICE = 1_000_000_000


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


class Shop:
    """A tenant's batches, worked off by the platform's own job."""

    def __init__(self, platform: Installation, owner_dsn: str, provider: FakeProvider) -> None:
        self.platform = platform
        self.provider = provider
        self.models = platform.api(ModelsApi)
        self._owner_dsn = owner_dsn
        self._connected: list[tuple[Ctx, str]] = []

    async def connect(self, owner: Ctx, name: str, speaks: Speaks, *, batches: bool = True) -> None:
        url = self.provider.url + ("" if speaks is Speaks.ANTHROPIC else "/v1")
        operator = self.platform.ctx(owner.tenant, PLATFORM_SCOPE, "model:read")
        given = ConnectionInput(speaks=speaks, base_url=url, key="sk-fake", batches=batches)
        await self.models.put_connection(operator, name=name, connection=given, installation=True)
        self._connected.append((operator, name))
        price = PriceInput(prices=TokenPrices(input=PRICE, output=PRICE), batch_percent=50)
        await self.platform.api(CostsApi).put_price(owner, provider=name, model="m", price=price)

    async def disconnect(self) -> None:
        """What is the installation's is seen by other tests on the same database."""
        for operator, name in self._connected:
            await self.models.delete_connection(operator, name=name, installation=True)

    async def batch(self, ctx: Ctx, *models: str) -> Batch:
        lines = [msgspec.json.encode(ask(f"w{number}", model)) for number, model in enumerate(models)]
        file = await self.models.put_file(ctx, name="in.jsonl", purpose="batch", content=b"\n".join(lines))
        return await self.models.create_batch(ctx, endpoint=CHAT, input_file=file.id)

    async def work(self, ctx: Ctx, batch: BatchId, *, until: BatchState) -> Batch:
        [job] = [one for one in self.platform.services.local["models"].jobs if one.everywhere]
        for _ in range(200):
            await as_owner(self._owner_dsn, _DUE)
            await job.run()
            await asyncio.sleep(0.02)
            found = await self.models.get_batch(ctx, batch_id=batch)
            if found.state is until:
                return found
        raise AssertionError(found)

    async def ledger(self, owner: Ctx, calls: int) -> list[LedgerEntry]:
        for _ in range(100):
            found = await self.platform.api(CostsApi).list_calls(owner)
            if len(found.items) >= calls:
                break
            await asyncio.sleep(0.02)
        return list(found.items)


@pytest.fixture
async def shop(
    platform: Installation, dsn: str, postgres: PostgresForTests, provider: FakeProvider
) -> AsyncIterator[Shop]:
    made = Shop(platform, postgres.dsn(database_of(dsn)), provider)
    yield made
    await made.disconnect()


async def test_the_ledger_has_half_the_price_for_lines_of_a_providers_batch(shop: Shop) -> None:
    owner = (await shop.platform.tenant()).owner
    await shop.connect(owner, "half-open", Speaks.OPENAI)
    await shop.connect(owner, "half-claude", Speaks.ANTHROPIC)
    await shop.connect(owner, "whole", Speaks.OPENAI, batches=False)
    created = await shop.batch(owner, "half-open/m", "half-claude/m", "whole/m")
    found = await shop.work(owner, created.id, until=BatchState.COMPLETED)
    assert (found.succeeded, found.failed) == (3, 0)
    entries = await shop.ledger(owner, 3)
    percent = {
        one.connection: one.cost * 100 // ((one.input_tokens + one.output_tokens) * PRICE // 10**6) for one in entries
    }
    assert percent == {"half-open": 50, "half-claude": 50, "whole": 100}
    assert {one.connection: one.operation for one in entries} == {
        "half-open": "batch",
        "half-claude": "batch",
        "whole": "chat",
    }
    assert {(one.outcome, one.exact) for one in entries} == {(Outcome.SUCCEEDED, True)}


async def test_a_batch_stops_with_its_makers_key_and_with_its_makers_role(shop: Shop) -> None:
    identity, tenant = shop.platform.api(IdentityApi), await shop.platform.tenant()
    await shop.connect(tenant.owner, "rights", Speaks.OPENAI)
    made = await identity.create_api_key(tenant.owner, name="k", scopes=["model:call"])
    by_key = msgspec.structs.replace(tenant.owner, key_id=made.api_key.id)
    member = await shop.platform.user(tenant, Role.ADMIN)
    batches = [(ctx, (await shop.batch(ctx, "rights/m")).id) for ctx in (by_key, member)]
    await identity.revoke_api_key(tenant.owner, key_id=made.api_key.id)
    await identity.delete_user(tenant.owner, user_id=UserId(UUID(member.actor.id)))
    told = [(await shop.work(ctx, batch, until=BatchState.CANCELLED)).errors[0] for ctx, batch in batches]
    assert told[0].startswith("the API key that made the batch is revoked")
    assert told[1].startswith("the user who made the batch")
    assert shop.provider.billed == []


@pytest.mark.parametrize("installation", ["grpc"], indirect=True)
async def test_a_file_of_the_largest_size_passes_grpc_and_a_larger_one_is_named(installation: Installation) -> None:
    models, owner = installation.api(ModelsApi), (await installation.tenant()).owner
    content = b"x" * MOST_BYTES
    stored = await models.put_file(owner, name="large.jsonl", purpose="batch", content=content)
    assert stored.bytes == MOST_BYTES
    with pytest.raises(FileTooLarge, match="more than 33554432 bytes"):
        await models.put_file(owner, name="larger.jsonl", purpose="batch", content=content + b"x")
    await models.delete_file(owner, file_id=stored.id)
