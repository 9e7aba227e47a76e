"""Lines by way of providers' batch endpoints: through the room, on a real database, with the fake provider's."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from steward.kit.context import Ctx
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.provider import Reply
from steward.services.costs.api import CallUsage, Outcome
from steward.services.models.api import Batch, BatchState, Speaks
from steward.services.models.batches.shipping.anthropic import AnthropicBatches
from steward.services.models.batches.shipping.openai import OpenAiBatches
from steward.services.models.batches.shipping.ports import Shipment
from steward.services.models.batches.shipping.shipping import GIVEN_UP, SETTLED
from steward.services.models.batches.worker import LEASE, POLL
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from tests.services.models.batches.conftest import NewRoom
from tests.services.models.batches.shop import Room, caller
from tests.services.models.batches.yard import KEY, Alone, ProviderYard, ask, provider_yard
from tests.services.models.calls.world import exhausted
from tests.support.database import new_tenant

MODELS = ("gpt", "claude")
PATHS = {"gpt": "/v1/batches", "claude": "/v1/messages/batches"}


@pytest_asyncio.fixture
async def yard(clock: FakeClock) -> AsyncIterator[ProviderYard]:
    async with provider_yard(clock) as made:
        yield made


@pytest.fixture
def room(new_room: NewRoom, yard: ProviderYard) -> Room:
    return new_room(yard, Alone())


async def turns(room: Room, count: int = 1, *, after: timedelta = POLL) -> None:
    """So many times the work of a process, each when providers are to be asked again."""
    for _ in range(count):
        room.clock.advance(after.total_seconds())
        await room.work()


async def submitted(room: Room, *models: str, lines: int = 4) -> tuple[Batch, Ctx]:
    """A batch of lines that were submitted, and whose it is."""
    ctx = caller(new_tenant())
    made = await room.batch(ctx, [ask(f"{model}{number}", model) for model in models for number in range(lines)])
    await room.work()
    return made, ctx


@pytest.mark.parametrize("model", MODELS)
async def test_a_batch_goes_through_the_provider_and_each_line_is_settled_by_its_own_count(
    room: Room, yard: ProviderYard, model: str
) -> None:
    ctx = caller(new_tenant())
    yard.provider.say = lambda _, user: f"said {user}"
    created = await room.batch(ctx, [ask("a", model), ask("bb", model)])
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.total, found.succeeded) == (BatchState.IN_PROGRESS, 2, 0)
    assert {(worst.batch, info.operation) for worst, info, _, _ in yard.costs.reserved.values()} == {(True, "batch")}
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.COMPLETED, 2, 0)
    lines = await room.lines(ctx, found.output_file)
    told = {name: one["response"]["body"]["choices"][0]["message"]["content"] for name, one in lines.items()}
    assert told == {"id-a": "said a", "id-bb": "said bb"}
    yard.costs.check_settled_once()
    assert [(one.usage.input_tokens, one.usage.output_tokens) for one in yard.costs.actuals] == [
        (bill.input_tokens, bill.output_tokens) for bill in yard.provider.billed
    ]
    assert {one.exact for one in yard.costs.actuals} == {True}
    assert (yard.posted(PATHS[model]), yard.provider.batches.files, room.maker.asked) == (1, 0, [])
    assert all(KEY not in f"{one.path}{one.query}{one.raw!r}" for one in yard.provider.asked)


async def test_a_file_for_several_models_is_split_by_connection_and_the_rest_goes_line_by_line(
    room: Room, yard: ProviderYard
) -> None:
    ctx = caller(new_tenant())
    words = {"a": "gpt", "b": "claude", "c": "plain", "d": "gpt", "e": "nobody"}
    created = await room.batch(ctx, [ask(word, model) for word, model in words.items()])
    await room.work()
    partial = await room.batches.get(ctx, batch=created.id)
    assert (partial.state, partial.succeeded) == (BatchState.IN_PROGRESS, 2)
    assert sorted(await room.lines(ctx, partial.output_file)) == ["id-c", "id-e"]
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded) == (BatchState.COMPLETED, 5)
    assert [yard.posted(path) for path in PATHS.values()] == [1, 1]
    assert sorted(room.maker.words) == ["c", "e"]


@pytest.mark.parametrize("url", ["/v1/embeddings", "/v1/responses"])
async def test_the_other_endpoints_go_through_the_provider_too(room: Room, yard: ProviderYard, url: str) -> None:
    ctx = caller(new_tenant())
    file = await room.upload(ctx, [ask("a", "gpt", url=url)])
    created = await room.batches.create(ctx, endpoint=url, input_file=file, metadata=None)
    await room.work()
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, yard.provider.batches.made) == (BatchState.COMPLETED, 1, 1)
    [one] = (await room.lines(ctx, found.output_file)).values()
    assert one["response"]["body"]["object"] == ("list" if url == "/v1/embeddings" else "response")


@pytest.mark.parametrize("model", MODELS)
async def test_another_process_goes_on_polling_and_nothing_is_submitted_twice(
    new_room: NewRoom, yard: ProviderYard, model: str
) -> None:
    first, second = new_room(yard, Alone()), new_room(yard, Alone())
    created, ctx = await submitted(first, model)
    await first.worker.stop()
    await turns(second, 2)
    found = await second.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, yard.posted(PATHS[model])) == (BatchState.COMPLETED, 4, 1)
    yard.costs.check_settled_once()


class _Dies(OpenAiBatches):
    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:
        await super().submit(endpoint, shipment)
        raise RuntimeError("the process dies before it hears of it")


class _DiesToo(AnthropicBatches):
    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:
        await super().submit(endpoint, shipment)
        raise RuntimeError("the process dies before it hears of it")


@pytest.mark.parametrize("model", MODELS)
async def test_a_submission_that_arrived_unheard_is_found_and_not_made_again(
    new_room: NewRoom, yard: ProviderYard, model: str
) -> None:
    second = new_room(yard, Alone())
    usual = yard.providers
    yard.providers = {Speaks.OPENAI: _Dies(yard.http), Speaks.ANTHROPIC: _DiesToo(yard.http)}
    first = new_room(yard, Alone())
    yard.providers = usual
    created, ctx = await submitted(first, model)
    if model == "claude":
        # Its lines can be seen only when it has ended, which it does in its own time.
        await turns(second, after=SETTLED)
        assert yard.posted(PATHS[model]) == 1
        for _ in range(2):
            await yard.providers[Speaks.ANTHROPIC].poll(yard.targets["claude"][0].endpoint, "msgbatch_000001")
    await turns(second, 3, after=LEASE)
    found = await second.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, yard.posted(PATHS[model])) == (BatchState.COMPLETED, 4, 1)
    assert second.maker.asked == []
    yard.costs.check_settled_once()


@pytest.mark.parametrize("model", MODELS)
async def test_an_answer_that_was_lost_does_not_submit_twice(room: Room, yard: ProviderYard, model: str) -> None:
    yard.provider.batches.loses = True
    created, ctx = await submitted(room, model)
    yard.provider.batches.loses = False
    assert yard.provider.batches.made == 1
    if model == "claude":
        for _ in range(2):
            await yard.providers[Speaks.ANTHROPIC].poll(yard.targets["claude"][0].endpoint, "msgbatch_000001")
    await turns(room, 3)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, yard.posted(PATHS[model])) == (BatchState.COMPLETED, 4, 1)


class _NeverSends(OpenAiBatches):
    async def submit(self, endpoint: Endpoint, shipment: Shipment) -> str:  # noqa: ARG002 nothing is sent
        raise ProviderFailure(FailureKind.CUT, "it went into the void")


async def test_a_submission_that_never_arrived_is_made_again_when_that_is_sure(
    new_room: NewRoom, yard: ProviderYard
) -> None:
    room = new_room(yard, Alone())
    usual = yard.providers
    yard.providers = {Speaks.OPENAI: _NeverSends(yard.http)}
    first = new_room(yard, Alone())
    yard.providers = usual
    created, ctx = await submitted(first, "gpt")
    await turns(room)
    assert yard.provider.batches.made == 0
    await turns(room, after=SETTLED)
    assert yard.provider.batches.made == 1
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, room.maker.asked) == (BatchState.COMPLETED, 4, [])
    yard.costs.check_settled_once()
    assert len(yard.costs.reserved) == 8
    assert [one.usage for one in yard.costs.actuals[:4]] == [CallUsage()] * 4


@pytest.mark.parametrize("model", MODELS)
async def test_lines_that_the_provider_refuses_are_errors_and_cost_nothing(
    room: Room, yard: ProviderYard, model: str
) -> None:
    yard.provider.tell(Reply(text="fine"), Reply(status=400, error_type="invalid_request_error"))
    created, ctx = await submitted(room, model, lines=2)
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.COMPLETED, 1, 1)
    [failed] = (await room.lines(ctx, found.error_file)).values()
    assert failed["response"]["status_code"] == 400
    assert failed["response"]["body"]["error"]["type"] == "invalid_request_error"
    assert [(one.outcome, one.usage == CallUsage()) for one in yard.costs.actuals] == [
        (Outcome.SUCCEEDED, False),
        (Outcome.FAILED, True),
    ]


@pytest.mark.parametrize("model", MODELS)
async def test_what_expires_at_the_provider_is_unbilled_and_made_line_by_line(
    room: Room, yard: ProviderYard, model: str
) -> None:
    yard.provider.batches.expires = True
    created, ctx = await submitted(room, model)
    await turns(room, 2)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded) == (BatchState.COMPLETED, 4)
    assert sorted(room.maker.words) == [f"{model}2", f"{model}3"]
    assert [one.usage == CallUsage() for one in yard.costs.actuals] == [False, False, True, True]


@pytest.mark.parametrize("model", MODELS)
async def test_cancelling_cancels_at_the_provider_and_keeps_what_is_done(
    room: Room, yard: ProviderYard, model: str
) -> None:
    yard.provider.batches.polls = 9
    created, ctx = await submitted(room, model)
    await turns(room)
    await room.batches.cancel(ctx, batch=created.id)
    await turns(room)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.CANCELLED, 2, 2)
    assert sum(one.path.endswith("/cancel") for one in yard.provider.asked) == 1
    assert room.maker.asked == []
    yard.costs.check_settled_once()


@pytest.mark.parametrize("model", MODELS)
async def test_a_provider_that_refuses_the_submission_leaves_it_to_line_by_line(
    room: Room, yard: ProviderYard, model: str
) -> None:
    yard.provider.batches.refuses = True
    created, ctx = await submitted(room, model)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, len(room.maker.asked)) == (BatchState.COMPLETED, 4, 4)
    assert [one.usage for one in yard.costs.actuals] == [CallUsage()] * 4


async def test_lines_beyond_the_budget_wait_for_those_before_them(room: Room, yard: ProviderYard) -> None:
    """Reservations of a whole batch at once are not to break a budget that its lines one by one would not."""
    yard.costs.grants.extend([300, 300, exhausted(), exhausted()])
    created, ctx = await submitted(room, "gpt")
    assert room.maker.asked == []
    await turns(room, 4)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, yard.provider.batches.made) == (BatchState.COMPLETED, 4, 2)
    assert [bill.asked_max for bill in yard.provider.billed] == [300, 300, 1000, 1000]
    yard.costs.check_settled_once()


async def test_a_maker_who_lost_the_right_is_worked_for_no_more(room: Room, yard: ProviderYard) -> None:
    yard.provider.batches.polls = 9
    created, ctx = await submitted(room, "gpt")
    yard.lost_right = "the API key that made the batch is revoked"
    await turns(room)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.CANCELLED, 2, 2)
    assert found.errors == ["the API key that made the batch is revoked: its other requests are not made"]


async def test_a_provider_that_never_ends_is_given_up(room: Room, yard: ProviderYard) -> None:
    """Its calls are left to the ledger, which charges them as unknown."""
    yard.provider.batches.polls = 99
    created, ctx = await submitted(room, "gpt", lines=1)
    yard.targets["gpt"] = []
    await turns(room, after=timedelta(hours=24))
    assert (await room.batches.get(ctx, batch=created.id)).state is BatchState.IN_PROGRESS
    await turns(room, after=GIVEN_UP)
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.failed, yard.costs.actuals) == (BatchState.EXPIRED, 1, [])


async def test_files_and_batches_go_when_they_are_old(room: Room, clock: FakeClock) -> None:
    ctx = caller(new_tenant())

    async def left() -> tuple[list[str], list[str]]:
        await room.retiring.sweep()
        batches = await room.batches.list_all(ctx, limit=9, cursor=None)
        files = await room.files.list_all(ctx, limit=9, cursor=None)
        return [one.id for one in batches.items], [one.id for one in files.items]

    done = await room.batch(ctx, [ask("a", "plain")])
    await room.work()
    output = (await room.batches.get(ctx, batch=done.id)).output_file
    clock.advance(timedelta(days=29).total_seconds())
    young = await room.batch(ctx, [ask("b", "plain")])
    batches, files = await left()
    assert batches == [young.id, done.id]
    assert set(files) == {young.input_file, done.input_file, output}
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert await left() == ([young.id], [young.input_file])
    clock.advance(timedelta(days=30).total_seconds())
    assert await left() == ([young.id], [young.input_file]), "a batch that has not ended stays, and what it is to read"
