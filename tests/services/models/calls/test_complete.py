"""Whole answers: attempts, fallback, errors, what is reserved and what is settled."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from steward.kit.context import Actor, ActorType
from steward.kit.errors import AppError
from steward.services.costs.api import CallUsage, Outcome, Subject, SubjectKind
from steward.services.costs.errors import BudgetExhausted, PriceUnknown
from steward.services.models.api import CallOptions, Candidate, Speaks
from steward.services.models.calls.demands import ChatDemand
from steward.services.models.errors import (
    CannotExpress,
    ContextTooLong,
    ProviderRefused,
    ProvidersBusy,
    ProvidersUnavailable,
    ProviderTimedOut,
    UnsupportedParameter,
)
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Message, ModelReply, ModelRequest, Role, Text, Thinking, Usage
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import INPUT_BOUND, Say, World, ask, endpoint, exhausted, fails, target

BOUND = CallUsage(input_tokens=INPUT_BOUND, output_tokens=1000)


def complete(world: World, *targets: Any, expect: type[AppError] | None = None, **more: Any) -> Any:
    """The answer, or the error; everything is settled then."""

    async def work() -> ModelReply | AppError:
        try:
            found = await world.calls.complete(world.call(*targets, **more))
        except AppError as error:
            found = error
        world.ended_at = world.now
        await world.calls.drain()
        return found

    found = run(work())
    assert type(found) is (expect or ModelReply)
    world.costs.check_settled_once()
    return found


def test_answer_is_reserved_sent_and_settled() -> None:
    world = World()
    reply = complete(world, target("a", price_as="priced"), request=ask(max_output_tokens=50))
    assert reply.choices[0].parts == [Text(text="hello")]
    assert reply.provider == "a"
    ((worst, info, _, subjects),) = world.costs.reserved.values()
    assert (worst.provider, worst.model, worst.input_tokens, worst.output_tokens) == ("a", "priced", INPUT_BOUND, 50)
    assert (info.request_id, info.alias, info.connection, info.operation) == ("req-1", "alias", "a", "chat")
    assert subjects == [
        Subject(SubjectKind.TENANT),
        Subject(SubjectKind.USER, "ann"),
        Subject(SubjectKind.KEY, str(UUID(int=9))),
    ]
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.exact, actual.provider_id) == (Outcome.SUCCEEDED, True, "r1")
    assert actual.usage == CallUsage(input_tokens=10, output_tokens=5)
    assert {(ctx.actor, ctx.scopes, ctx.key_id) for ctx in world.costs.contexts} == {
        (Actor(ActorType.SERVICE, "models"), frozenset({"service:costs"}), None)
    }


def test_agent_and_runs_count_too() -> None:
    world = World()
    complete(world, target("a"), options=CallOptions(agent="helper", runs=["r1", "r0"], tags={"team": "x"}))
    ((_, info, _, subjects),) = world.costs.reserved.values()
    assert [subject.id for subject in subjects] == ["", "ann", "helper", str(UUID(int=9)), "r1", "r0"]
    assert info.tags == {"team": "x"}


@pytest.mark.parametrize(
    ("limit", "choices", "granted", "asked"),
    [(None, 1, 1000, 1000), (50, 1, 50, 50), (5000, 1, 1000, 1000), (100, 3, 300, 100), (100, 3, 100, 33)],
)
def test_no_more_is_asked_for_than_is_reserved(limit: int | None, choices: int, granted: int, asked: int) -> None:
    world = World()
    world.costs.grants.append(granted)
    complete(world, target("a"), request=ask(max_output_tokens=limit, choices=choices))
    ((_, _, request),) = world.upstream.requests
    assert request.max_output_tokens == asked


def test_thinking_needs_more_than_its_budget() -> None:
    world = World()
    complete(world, target("a"), request=ask(thinking=Thinking(budget_tokens=200)))
    ((worst, _, _, _),) = world.costs.reserved.values()
    assert worst.least_output_tokens == 201


def test_transient_failure_is_tried_again_after_a_pause() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, status=500, unbilled=True), Say())
    assert complete(world, target("a")).provider == "a"
    assert 0 < world.upstream.asked_at[1] <= 0.5
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.FAILED, Outcome.SUCCEEDED]
    assert (world.costs.actuals[0].usage, world.costs.actuals[0].exact) == (CallUsage(), True)


def test_retry_after_is_honoured() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.RATE_LIMITED, status=429, retry_after=7.0, unbilled=True), Say())
    complete(world, target("a"))
    assert world.upstream.asked_at == [0.0, 7.0]


def test_other_candidate_is_asked_at_once() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.RATE_LIMITED, retry_after=7.0, unbilled=True))
    assert complete(world, target("a"), target("b", order=1)).provider == "b"
    assert world.upstream.asked_at == [0.0, 0.0]


@pytest.mark.parametrize("kind", [FailureKind.UNAUTHORIZED, FailureKind.NOT_FOUND, FailureKind.QUOTA])
def test_what_does_not_pass_is_not_tried_again(kind: FailureKind) -> None:
    world = World()
    world.upstream.script("a", fails(kind, status=401, unbilled=True))
    error = complete(world, target("a"), expect=ProvidersUnavailable)
    assert world.asked == ["a"]
    assert f"a: {kind} (401)" in error.message
    world = World()
    world.upstream.script("a", fails(kind, unbilled=True))
    assert complete(world, target("a"), target("b", order=1)).provider == "b"


def test_refused_request_ends_at_once_with_the_providers_words() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.REFUSED, param="temperature", code="bad", unbilled=True))
    error = complete(world, target("a"), target("b", order=1), expect=ProviderRefused)
    assert error.message == "it was refused"
    assert error.data == {"param": "temperature", "provider_code": "bad"}
    assert world.asked == ["a"]


def test_too_long_a_context_ends_at_once() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.CONTEXT, unbilled=True))
    complete(world, target("a"), target("b", order=1), expect=ContextTooLong)
    assert world.asked == ["a"]


def test_another_dialect_may_know_the_words() -> None:
    world = World()
    world.upstream.script("a", Say(error=CannotExpress("logit_bias", "anthropic")))
    same = target("b", of=endpoint("b", speaks=Speaks.ANTHROPIC), order=1)
    of_a = target("a", of=endpoint("a", speaks=Speaks.ANTHROPIC))
    assert complete(world, of_a, same, target("c", order=2), attempts=1).provider == "c"
    assert world.asked == ["a", "c"]
    assert world.costs.actuals[0].usage == CallUsage()
    world = World()
    world.upstream.script("a", Say(error=CannotExpress("logit_bias", "anthropic")))
    complete(world, of_a, same, expect=CannotExpress)
    assert world.asked == ["a"]


@pytest.mark.parametrize("stream", [False, True])
def test_words_that_the_upstream_does_not_find_come_as_the_cause_of_a_refusal(stream: bool) -> None:
    world = World()
    refusal = ProviderFailure(FailureKind.REFUSED, "no words", unbilled=True)
    refusal.__cause__ = UnsupportedParameter("audio", "leave it out")
    world.upstream.script("a", Say(fail=refusal))
    of_a = target("a", of=endpoint("a", speaks=Speaks.ANTHROPIC))

    async def work() -> None:
        for others in ([target("b", order=1)], []):
            call = world.call(of_a, *others)
            try:
                await (world.read(call) if stream else world.calls.complete(call))
            except UnsupportedParameter:
                assert not others
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    assert world.asked == ["a", "b", "a"]
    assert world.costs.actuals[0].usage == CallUsage()


def test_all_at_their_limits_names_the_shortest_wait() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.RATE_LIMITED, retry_after=700.0, unbilled=True))
    world.upstream.script("b", fails(FailureKind.RATE_LIMITED, retry_after=650.0, unbilled=True))
    error = complete(world, target("a"), target("b"), expect=ProvidersBusy)
    assert error.data["retry_after"] == 650.0


def test_all_failed_names_each_and_says_nothing_else() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.UNREACHABLE, unbilled=True))
    world.upstream.script("b", fails(FailureKind.UNAUTHORIZED, status=401, code="invalid_api_key", unbilled=True))
    error = complete(world, target("a"), target("b", order=1), expect=ProvidersUnavailable, attempts=2)
    assert "a: unreachable; b: unauthorized (401 invalid_api_key)" in error.message
    assert "it was" not in error.message


def test_attempts_are_counted_over_all_candidates() -> None:
    world = World()
    for name in "abc":
        world.upstream.script(name, fails(FailureKind.OVERLOADED, unbilled=True))
    complete(world, target("a"), target("b", order=1), target("c", order=2), expect=ProvidersUnavailable, attempts=5)
    assert len(world.asked) == 5
    assert world.asked[:3] == ["a", "b", "c"]


def test_deadline_of_the_alias_holds_over_all_attempts() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, after=2.0), Say(after=60.0))
    complete(world, target("a"), deadline=5.0, expect=ProvidersUnavailable)
    assert world.ended_at == 5.0
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.FAILED, Outcome.TIMED_OUT]


def test_deadline_of_the_caller_holds_too() -> None:
    world = World()
    world.upstream.script("a", Say(after=60.0))

    async def work() -> None:
        call = world.call(target("a"), ctx=world.ctx(3.0))
        with pytest.raises(ProviderTimedOut):
            await world.calls.complete(call)
        assert world.now == 3.0
        with pytest.raises(ProviderTimedOut):
            await world.calls.complete(call)
        await world.calls.drain()

    run(work())
    assert len(world.asked) == len(world.costs.reserved) == 1


def test_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.RATE_LIMITED, retry_after=30.0, unbilled=True))
    error = complete(world, target("a"), deadline=20.0, expect=ProvidersBusy)
    assert (world.ended_at, error.data["retry_after"]) == (0.0, 30.0)


def test_exhausted_budget_is_told_before_anything_is_sent() -> None:
    world = World()
    world.costs.grants.append(exhausted())
    complete(world, target("a"), target("b", order=1), expect=BudgetExhausted)
    assert world.asked == []


def test_budget_that_ends_in_between_tells_the_earlier_failure() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.OVERLOADED, unbilled=True))
    world.costs.grants.extend((1000, exhausted()))
    complete(world, target("a"), expect=ProvidersUnavailable)
    assert world.asked == ["a"]


def test_model_without_a_price_leaves_it_to_the_next() -> None:
    world = World()
    world.costs.grants.append(PriceUnknown("a", "m"))
    assert complete(world, target("a"), target("b", order=1)).provider == "b"
    world = World()
    world.costs.grants.append(PriceUnknown("a", "m"))
    complete(world, target("a"), expect=PriceUnknown)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FailureKind.CUT, ProvidersUnavailable),
        (FailureKind.MALFORMED, ProvidersUnavailable),
        (FailureKind.TIMED_OUT, ProviderTimedOut),
    ],
)
def test_answer_that_never_came_is_charged_in_full(kind: FailureKind, error: type[AppError]) -> None:
    world = World()
    world.upstream.script("a", fails(kind))
    complete(world, target("a"), attempts=1, expect=error)
    (actual,) = world.costs.actuals
    assert (actual.usage, actual.exact) == (BOUND, False)


def test_provider_that_counts_nothing_is_charged_by_the_bound() -> None:
    world = World()
    world.upstream.script("a", Say(usage=Usage()))
    complete(world, target("a"))
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.usage, actual.exact) == (Outcome.SUCCEEDED, BOUND, False)


def test_caller_who_leaves_cancels_and_settles() -> None:
    world = World()
    world.upstream.script("a", Say(after=60.0))

    async def work() -> None:
        task = asyncio.ensure_future(world.calls.complete(world.call(target("a"))))
        await world.clock.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    assert world.upstream.cancelled == ["a"]
    (actual,) = world.costs.actuals
    assert (actual.outcome, actual.usage, actual.exact) == (Outcome.CANCELLED, BOUND, False)


def test_defect_of_ours_is_settled_and_raised() -> None:
    world = World()
    world.upstream.script("a", Say(error=KeyError("defect")))

    async def work() -> None:
        with pytest.raises(KeyError):
            await world.calls.complete(world.call(target("a")))
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()


def test_alias_whose_candidates_weigh_nothing_is_unavailable() -> None:
    world = World()
    error = complete(world, target("a", weight=0), expect=ProvidersUnavailable)
    assert "weight" in error.message


def test_embeddings_go_the_same_way() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, unbilled=True))

    async def work() -> None:
        reply = await world.calls.embed(world.embedding(target("a"), target("b", order=1)))
        assert (reply.provider, len(reply.vectors)) == ("b", 2)
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()
    worst, info, _, _ = list(world.costs.reserved.values())[1]
    assert (worst.input_tokens, worst.output_tokens, worst.least_output_tokens) == (14, 0, 0)
    assert info.operation == "embeddings"
    assert world.costs.actuals[1].usage == CallUsage(input_tokens=3)


@pytest.mark.parametrize(("wanted", "least"), [(20, 20), (256, 256), (4000, 256)])
async def test_short_answer_is_given_whole_or_not_at_all(wanted: int, least: int) -> None:
    request = ModelRequest(model="m", messages=[Message(role=Role.USER, parts=[])], max_output_tokens=wanted)
    demand = ChatDemand(request, lambda _, **__: 10)
    assert demand.least_output_tokens(Candidate(connection="c", model="m", max_output_tokens=8000)) == least
