"""Two tenants that ask the same of the same alias: neither gets an answer, a row or a refusal that is the other's.

Each test shows first that within one tenant the thing is shared, so that nothing is apart only because it is off.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from steward.kit.context import Ctx
from steward.kit.testing.provider import FakeProvider, Reply
from steward.services.costs.api import (
    Actual,
    BudgetInput,
    CallId,
    CallInfo,
    CallUsage,
    CostsApi,
    LedgerEntry,
    Outcome,
    PriceInput,
    ReportQuery,
    Subject,
    SubjectKind,
    TokenPrices,
    Unit,
    WorstCase,
)
from steward.services.costs.errors import BudgetExhausted, CallNotFound
from steward.services.models.api import (
    AliasInput,
    Candidate,
    ConnectionInput,
    Message,
    ModelReply,
    ModelRequest,
    ModelsApi,
    Role,
    Speaks,
    Text,
)
from steward.services.models.errors import BatchNotFound, FileNotFound
from tests.authorization.walk import until
from tests.support.platform import Installation

CHAT = "/v1/chat/completions"
OF_ONE = Candidate(connection="isle", model="of-one")


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, aliases of the installation, and the owners of two tenants that are one and the same person."""

    platform: Installation
    provider: FakeProvider
    one: Ctx
    two: Ctx

    @property
    def models(self) -> ModelsApi:
        return self.platform.api(ModelsApi)

    @property
    def costs(self) -> CostsApi:
        return self.platform.api(CostsApi)

    async def ask(self, who: Ctx, alias: str, text: str = "What are your hours?") -> ModelReply:
        said = Message(role=Role.USER, parts=[Text(text=text)])
        return await self.models.complete(who, request=ModelRequest(model=alias, messages=[said]))

    def answers(self) -> int:
        """How often the provider was asked for an answer, and not for vectors."""
        return sum(asked.path.endswith("/chat/completions") for asked in self.provider.asked)

    async def entries(self, who: Ctx, least: int) -> list[LedgerEntry]:
        """The ledger, once it has so many calls: those that cost nothing are noted behind the answer."""

        async def are_there() -> bool:
            return len((await self.costs.list_calls(who)).items) >= least

        await until(are_there)
        return list((await self.costs.list_calls(who)).items)


@pytest_asyncio.fixture
async def ground(platform: Installation) -> AsyncGenerator[Ground]:
    async with FakeProvider() as provider:
        models, operator = platform.api(ModelsApi), platform.operator()
        connection = ConnectionInput(speaks=Speaks.OPENAI, base_url=f"{provider.url}/v1", key="sk-of-all")
        await models.put_connection(operator, name="isle", connection=connection, installation=True)
        free = PriceInput(prices=TokenPrices(input=0, output=0))
        await platform.api(CostsApi).put_price(operator, provider="isle", model="m", price=free)
        plain = AliasInput(candidates=[Candidate(connection="isle", model="m", max_output_tokens=50)])
        kept = {
            "plain": plain,
            "exact": msgspec.structs.replace(plain, exact_cache_seconds=600),
            "meaning": msgspec.structs.replace(plain, semantic_cache_seconds=600, embeddings="plain"),
        }
        for name, alias in kept.items():
            await models.put_alias(operator, name=name, alias=alias, installation=True)
        one = (await platform.tenant()).owner
        two = msgspec.structs.replace((await platform.tenant()).owner, actor=one.actor)
        yield Ground(platform=platform, provider=provider, one=one, two=two)
        # Other tests of this worker look at the installation with a master key of their own.
        for name in kept:
            await models.delete_alias(operator, name=name, installation=True)
        await models.delete_connection(operator, name="isle", installation=True)


async def test_answer_kept_for_an_equal_request_stays_with_its_tenant(ground: Ground) -> None:
    ground.provider.tell(Reply(text="Of one."), Reply(text="Of two."))
    first = await ground.ask(ground.one, "exact")
    again = await ground.ask(ground.one, "exact")
    other = await ground.ask(ground.two, "exact")
    assert (first.from_cache, again.from_cache, other.from_cache) == ("", "exact", "")
    assert [reply.choices[0].parts for reply in (again, other)] == [[Text(text="Of one.")], [Text(text="Of two.")]]
    assert ground.answers() == 2


async def test_answer_kept_for_a_request_of_equal_meaning_stays_with_its_tenant(ground: Ground) -> None:
    spaced = "What are your hours? "
    await ground.ask(ground.one, "meaning")
    again = await ground.ask(ground.one, "meaning", spaced)
    other = await ground.ask(ground.two, "meaning", spaced)
    assert (again.from_cache, other.from_cache) == ("semantic", "")
    assert ground.answers() == 2


async def test_equal_calls_in_flight_are_shared_within_a_tenant_only(ground: Ground) -> None:
    slow = Reply(text="At last.", before_head=0.05)
    ground.provider.tell(slow, slow)
    callers = (ground.one, ground.one, ground.two, ground.two)
    replies = await asyncio.gather(*(ground.ask(who, "plain") for who in callers))
    assert [reply.from_cache for reply in replies] == ["", "shared", "", "shared"]
    assert ground.answers() == 2


async def test_what_one_tenant_sets_up_under_a_common_name_is_not_used_for_the_other(ground: Ground) -> None:
    own = ConnectionInput(speaks=Speaks.OPENAI, base_url="https://of-one.example/v1", key="sk-of-one")
    await ground.models.put_alias(ground.one, name="plain", alias=AliasInput(candidates=[OF_ONE]))
    await ground.models.set_allowed(ground.one, models=["plain"])
    free = PriceInput(prices=TokenPrices(input=0, output=0))
    await ground.costs.put_price(ground.one, provider="isle", model="of-one", price=free)
    await ground.ask(ground.one, "plain")
    await ground.models.put_connection(ground.one, name="isle", connection=own)
    await ground.ask(ground.two, "plain")
    used = [(asked.headers["authorization"], asked.body["model"]) for asked in ground.provider.asked]
    assert used == [("Bearer sk-of-all", "of-one"), ("Bearer sk-of-all", "m")]
    assert await ground.models.get_allowed(ground.two) is None
    seen = await ground.models.list_connections(ground.two)
    assert [(one.own, one.base_url) for one in seen if one.name == "isle"] == [(False, "")]


async def test_ledger_and_sums_hold_the_own_calls_only(ground: Ground) -> None:
    for who in (ground.one, ground.one, ground.two):
        await ground.ask(who, "exact")
    ones, twos = await ground.entries(ground.one, 2), await ground.entries(ground.two, 1)
    assert sorted(entry.cache for entry in ones) == ["", "exact"]
    assert [entry.cache for entry in twos] == [""]
    assert {entry.call_id for entry in ones}.isdisjoint(entry.call_id for entry in twos)
    assert [entry async for entry in ground.costs.export_calls(ground.two)] == twos
    now = ground.platform.foundation.clock.now()
    day = ReportQuery(since=now - timedelta(days=1), until=now + timedelta(days=1))
    sums = [(await ground.costs.report(who, query=day)).total.calls for who in (ground.one, ground.two)]
    assert sums == [2, 1]
    page = await ground.costs.list_calls(ground.one, limit=1)
    led = await ground.costs.list_calls(ground.two, limit=50, cursor=page.next_cursor)
    assert {entry.call_id for entry in led.items} <= {entry.call_id for entry in twos}


async def test_call_of_one_tenant_cannot_be_settled_by_the_other(ground: Ground) -> None:
    """Though a service that settles may do so for any tenant whose call it is."""
    installation, call_id = ground.platform, CallId(ground.platform.foundation.ids.new())
    one, two = (installation.ctx(who.tenant, "service:costs") for who in (ground.one, ground.two))
    worst = WorstCase(provider="isle", model="m", input_tokens=5, output_tokens=5)
    info = CallInfo(request_id="r", alias="plain", connection="isle")
    await ground.costs.reserve(one, call_id=call_id, subjects=[], worst_case=worst, info=info)
    ending = Actual(outcome=Outcome.SUCCEEDED, usage=CallUsage(input_tokens=3))
    with pytest.raises(CallNotFound):
        await ground.costs.settle(two, call_id=call_id, actual=ending)
    assert (await ground.costs.list_calls(ground.two)).items == []
    await ground.costs.settle(one, call_id=call_id, actual=ending)
    assert [entry.input_tokens for entry in await ground.entries(ground.one, 1)] == [3]


async def test_budget_of_one_tenant_does_not_hold_the_other(ground: Ground) -> None:
    """Though both are for the same user's id, and in both the same team has the same name."""
    person = Subject(SubjectKind.USER, ground.one.actor.id)
    budget = BudgetInput(name="nothing", subject=Subject(SubjectKind.TEAM, "all"), limit=0, unit=Unit.TOKENS)
    made = await ground.costs.create_budget(ground.one, budget=budget)
    for who in (ground.one, ground.two):
        await ground.costs.set_team(who, member=person, team="all")
    with pytest.raises(BudgetExhausted):
        await ground.ask(ground.one, "plain")
    assert (await ground.ask(ground.two, "plain")).choices
    assert (await ground.costs.list_budgets(ground.two)).items == []
    shown = await ground.costs.get_budget(ground.one, budget_id=made.id)
    assert (shown.spent, shown.reserved) == (0, 0)


async def test_price_of_one_tenant_is_not_the_others(ground: Ground) -> None:
    dear = PriceInput(prices=TokenPrices(input=10**12, output=10**12))
    await ground.costs.put_price(ground.one, provider="isle", model="m", price=dear)
    for who in (ground.one, ground.two):
        await ground.ask(who, "plain")
    costs = [(await ground.entries(who, 1))[0].cost for who in (ground.one, ground.two)]
    assert costs[0] > 0
    assert costs[1] == 0
    sources = [(await ground.costs.list_prices(who, provider="isle"))[0].source for who in (ground.one, ground.two)]
    assert sources == ["tenant", "installation"]


async def test_files_and_batches_of_one_tenant_are_not_there_for_the_other(ground: Ground) -> None:
    """Not even for the same person with the same name of a file."""
    line = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": "plain", "messages": []}}
    content = msgspec.json.encode(line)
    file = await ground.models.put_file(ground.one, name="f", purpose="batch", content=content)
    batch = await ground.models.create_batch(ground.one, endpoint=CHAT, input_file=file.id)
    own = await ground.models.put_file(ground.two, name="f", purpose="batch", content=content)
    with pytest.raises(FileNotFound):
        await ground.models.get_file(ground.two, file_id=file.id)
    with pytest.raises(FileNotFound):
        _ = [piece async for piece in ground.models.read_file(ground.two, file_id=file.id)]
    with pytest.raises(FileNotFound):
        await ground.models.create_batch(ground.two, endpoint=CHAT, input_file=file.id)
    with pytest.raises(FileNotFound):
        await ground.models.delete_file(ground.two, file_id=file.id)
    for method in (ground.models.get_batch, ground.models.cancel_batch):
        with pytest.raises(BatchNotFound):
            await method(ground.two, batch_id=batch.id)
    assert [each.id for each in (await ground.models.list_files(ground.two)).items] == [own.id]
    assert (await ground.models.list_batches(ground.two)).items == []
    kept = [piece async for piece in ground.models.read_file(ground.one, file_id=file.id)]
    assert b"".join(kept) == content
