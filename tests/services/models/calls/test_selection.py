"""Which candidate is asked first: sizes by task, order, weights, and those that fail."""

import random
from collections import Counter

import pytest

from steward.services.models.api import CallOptions, Candidate, Complexity, Size, TaskType
from steward.services.models.calls.breakers import Health
from steward.services.models.calls.routing import nearest_size, routed_size, wanted_size
from steward.services.models.calls.selection import chosen, in_order
from steward.services.models.errors import ProvidersUnavailable
from steward.services.models.failures import FailureKind
from tests.services.models.calls.virtual_time import VirtualClock, run
from tests.services.models.calls.world import Say, World, fails, resolved, target

S, M, L = Size.SMALL, Size.MEDIUM, Size.LARGE


@pytest.mark.parametrize(
    ("task", "low", "normal", "high"),
    [
        (TaskType.FAQ, S, S, M),
        (TaskType.ORDER, S, S, M),
        (TaskType.REFUND, S, M, L),
        (TaskType.TECHNICAL, S, M, L),
        (TaskType.UNKNOWN, S, M, L),
        (None, S, M, L),
        (TaskType.HUMAN, M, L, L),
    ],
)
def test_size_follows_task_and_complexity(task: TaskType | None, low: Size, normal: Size, high: Size) -> None:
    assert [wanted_size(task, complexity) for complexity in Complexity] == [low, normal, high]
    assert wanted_size(task, None) is normal


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (M, [S, M, L], M),
        (M, [S, L], L),
        (M, [S], S),
        (S, [M, L], M),
        (S, [L], L),
        (L, [S, M], M),
        (L, [S], S),
        (M, [], None),
    ],
)
def test_missing_size_is_met_by_the_next_larger_else_smaller(
    wanted: Size, there: list[Size], found: Size | None
) -> None:
    assert nearest_size(wanted, there) is found


def test_routed_alias_asks_candidates_of_its_size_only() -> None:
    targets = [target("a", size=S), target("b", size=L), target("c", size=L), target("d", size=M, weight=0)]
    found = chosen(resolved(targets, routed=True), CallOptions(task=TaskType.REFUND))
    assert [one.endpoint.name for one in found] == ["b", "c"]
    found = chosen(resolved(found, routed=True), CallOptions(task=TaskType.REFUND))
    assert [one.endpoint.name for one in found] == ["b", "c"], "chosen again, it stays"


def test_size_without_candidates_is_none() -> None:
    assert routed_size([Candidate(connection="a", model="m")], CallOptions()) is None


def test_order_goes_before_chance() -> None:
    chance = random.Random(3).random
    targets = [target("late", order=2, weight=1000), target("mid", order=1), target("first", order=0)]
    for _ in range(20):
        assert [one.endpoint.name for one in in_order(targets, chance, lambda _: False)] == ["first", "mid", "late"]


def test_weights_are_shares_of_the_first_place() -> None:
    chance = random.Random(5).random
    targets = [target("a", weight=1), target("b", weight=3), target("c", weight=6)]
    first = Counter(in_order(targets, chance, lambda _: False)[0].endpoint.name for _ in range(4000))
    assert [round(first[name] / 4000, 1) for name in "abc"] == [0.1, 0.3, 0.6]


def test_full_ones_are_last_within_their_order() -> None:
    chance = random.Random(3).random
    targets = [target("full", weight=1000), target("free"), target("late", order=1)]
    found = in_order(targets, chance, lambda endpoint: endpoint.name == "full")
    assert [one.endpoint.name for one in found] == ["free", "full", "late"]


def open_breaker(health: Health, name: str) -> None:
    for _ in range(5):
        health.admit(target(name)).failed(FailureKind.BROKEN)


@pytest.mark.parametrize(
    ("there", "failing", "left"),
    [
        ("ab", "a", "b"),
        ("ab", "ab", "ab"),
        ("abc", "ab", "ca"),
        ("abcd", "ab", "cd"),
        ("abcd", "abc", "dabc"),
        ("abcde", "abc", "dea"),
        ("a", "a", "a"),
    ],
)
def test_failing_ones_are_left_out_up_to_half_and_none_when_most_fail(there: str, failing: str, left: str) -> None:
    health = Health(VirtualClock())
    for name in failing:
        open_breaker(health, name)
    found, probe = health.arrange([target(name) for name in there])
    assert "".join(one.endpoint.name for one in found) == left
    assert probe is None


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.CONTEXT, FailureKind.RATE_LIMITED])
def test_what_is_no_fault_of_the_endpoint_does_not_count(kind: FailureKind) -> None:
    health = Health(VirtualClock())
    for _ in range(10):
        health.admit(target("a")).failed(kind)
    assert len(health.arrange([target("a"), target("b")])[0]) == 2


def test_unknown_model_counts_against_itself_alone() -> None:
    health = Health(VirtualClock())
    for _ in range(5):
        health.admit(target("a", model="typo")).failed(FailureKind.NOT_FOUND)
    found, _ = health.arrange([target("a", model="typo"), target("a", model="m")])
    assert [one.candidate.model for one in found] == ["m"]


def test_failing_provider_is_left_alone_and_probed_after_30_s() -> None:
    world = World()
    world.upstream.script("a", *[fails(FailureKind.BROKEN, unbilled=True)] * 6, Say())
    two = (target("a"), target("b", order=1))

    async def work() -> None:
        for _ in range(8):
            await world.calls.complete(world.call(*two))
        assert world.asked.count("a") == 5
        await world.clock.sleep(31)
        await world.calls.complete(world.call(*two))
        await world.calls.complete(world.call(*two))
        assert world.asked.count("a") == 6, "one probe, which failed"
        await world.clock.sleep(31)
        answers = [await world.calls.complete(world.call(*two)) for _ in range(2)]
        assert [answer.provider for answer in answers] == ["a", "a"]
        await world.calls.drain()

    run(work())
    world.costs.check_settled_once()


def test_probe_that_does_not_get_in_is_given_back() -> None:
    world = World()
    world.upstream.script("a", *[fails(FailureKind.BROKEN, unbilled=True)] * 5, Say())

    async def work() -> None:
        for _ in range(5):
            with pytest.raises(ProvidersUnavailable):
                await world.calls.complete(world.call(target("a"), attempts=1))
        await world.clock.sleep(31)
        world.costs.grants.append(ValueError("costs are away"))
        with pytest.raises(ValueError, match="away"):
            await world.calls.complete(world.call(target("a")))
        answer = await world.calls.complete(world.call(target("a"), target("b", order=1)))
        assert answer.provider == "a"
        await world.calls.drain()

    run(work())
