"""Whatever providers, budgets and callers do: every call ends in time, is charged once, and shows nothing twice."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.kit.errors import AppError
from steward.kit.telemetry import Telemetry
from steward.kit.telemetry.settings import TelemetrySettings
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind
from steward.services.models.messages import Failed, ModelReply, Started, StopReason, StreamEvent, Text, Usage
from tests.services.models.calls.virtual_time import VirtualClock, run
from tests.services.models.calls.world import Say, World, endpoint, ends_once, exhausted, fails, target, text_of

TELEMETRY = Telemetry.for_tests(VirtualClock(), TelemetrySettings())
NAMES = ("a", "b", "c")
TEXTS = {"a": "abcdef", "b": "ghijkl", "c": "mnopqr"}
SHORT = Usage(output_tokens=9)
SECONDS = st.sampled_from([0.0, 0.1, 1.0, 3.0, 40.0])

LINES = st.one_of(
    st.builds(Say, after=SECONDS, pause=st.sampled_from([0.0, 0.5, 5.0])),
    st.builds(
        Say, after=SECONDS, stop=st.just(StopReason.LENGTH), usage=st.sampled_from([None, Usage(output_tokens=9)])
    ),
    st.builds(
        fails,
        st.sampled_from(FailureKind),
        after=SECONDS,
        shown=st.integers(0, 4),
        retry_after=st.sampled_from([None, 0.5, 5.0, 500.0]),
        unbilled=st.booleans(),
    ),
    st.just(Say(error=CannotExpress("seed", "openai"))),
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    scripts: Mapping[str, Sequence[Say]]
    orders: Sequence[int]
    stream: bool
    attempts: int
    deadline: float
    hedge_after: float | None
    leaves_after: float | None
    grants: Sequence[int]
    """0: the budget is exhausted."""
    settle_errors: int
    max_concurrency: int
    calls: int
    can_continue: bool


CASES = st.builds(
    Case,
    scripts=st.dictionaries(st.sampled_from(NAMES), st.lists(LINES, min_size=1, max_size=4), min_size=1),
    orders=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    stream=st.booleans(),
    attempts=st.integers(1, 5),
    deadline=st.sampled_from([0.5, 4.0, 30.0]),
    hedge_after=st.sampled_from([None, None, 0.5, 2.0]),
    leaves_after=st.sampled_from([None, None, 0.0, 0.05, 2.0]),
    grants=st.lists(st.sampled_from([1000, 1000, 70, 0]), max_size=5),
    settle_errors=st.integers(0, 3),
    max_concurrency=st.sampled_from([1, 10]),
    calls=st.integers(1, 3),
    can_continue=st.booleans(),
)


def check_shown(found: ModelReply | Sequence[StreamEvent], case: Case) -> None:
    """It is (the beginning of) the answer of the one provider that is named, once, or of its continuations."""
    if isinstance(found, ModelReply):
        name = found.provider
        shown = "".join(part.text for part in found.choices[0].parts if isinstance(part, Text))
        complete = True
    else:
        (name,) = [event.provider for event in found if isinstance(event, Started)]
        shown = text_of(found)
        assert ends_once(found)
        complete = not isinstance(found[-1], Failed)
    whole = TEXTS[name]
    if complete and not case.can_continue:
        assert shown == whole
    while case.can_continue and len(shown) > len(whole):
        assert shown.startswith(whole)
        shown = shown.removeprefix(whole)
    assert whole.startswith(shown)


async def play(world: World, case: Case) -> None:
    targets = [
        target(
            name, of=endpoint(name, max_concurrency=case.max_concurrency, can_continue=case.can_continue), order=order
        )
        for name, order in zip(NAMES, case.orders, strict=True)
        if name in case.scripts
    ]
    call = world.call(*targets, attempts=case.attempts, deadline=case.deadline, hedge_after=case.hedge_after)
    began = world.now
    task = asyncio.ensure_future(world.read(call) if case.stream else world.calls.complete(call))
    ended: list[float] = []
    task.add_done_callback(lambda _: ended.append(world.now - began))
    if case.leaves_after is not None:
        await world.clock.sleep(case.leaves_after)
        task.cancel()
    await asyncio.wait((task,))
    assert ended[0] <= case.deadline + 1e-6
    if task.cancelled():
        assert case.leaves_after is not None
    elif task.exception() is not None:
        assert isinstance(task.exception(), AppError)
    else:
        check_shown(task.result(), case)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_every_call_ends_in_time_charged_once_and_shows_nothing_twice(case: Case) -> None:
    world = World(telemetry=TELEMETRY)
    for name, script in case.scripts.items():
        world.upstream.script(name, *(msgspec.structs.replace(line, text=TEXTS[name]) for line in script))
    world.costs.grants.extend(grant or exhausted() for grant in case.grants)
    world.costs.settle_errors.extend(OSError("away") for _ in range(case.settle_errors))

    async def work() -> None:
        await asyncio.gather(*(play(world, case) for _ in range(case.calls)))
        await world.calls.drain(100.0)

    run(work())
    world.costs.check_settled_once()
    assert (world.upstream.running, world.upstream.open) == (0, 0)
    gates = list(world.calls._gates)
    assert all(gate.places.used == gate.places.waiting == 0 for gate in gates)
    not_sent = sum(line.error is not None for script in case.scripts.values() for line in script)
    if not case.can_continue and not not_sent:
        assert len(world.asked) <= case.attempts * case.calls
