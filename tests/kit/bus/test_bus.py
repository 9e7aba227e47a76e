"""The bus: in order, at least once, to one process or to all, and nothing skipped."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from steward.kit.bus import Reader
from steward.kit.bus.bus import HELD_BACK_SECONDS
from steward.kit.bus.repository import EVENTS, Batch, Cursors
from tests.support.bus import PATIENCE, Counted, LateClock, Node, kill_side_connections, node
from tests.support.database import as_owner, ctx_of, database_of, new_tenant, values
from tests.support.postgres import PostgresForTests

NAMES = (f"consumer-{number}" for number in count())


@pytest_asyncio.fixture(scope="module")
async def shared(postgres: PostgresForTests) -> AsyncGenerator[str]:
    """A database for the tests of this module, which use consumers and tenants of their own."""
    name = await postgres.clone()
    yield postgres.dsn(name, "steward_app")
    await postgres.drop(name)


async def test_events_come_in_the_order_of_commits(shared: str) -> None:
    tenant = new_tenant()
    async with node(shared, batch=3) as one:
        inbox = one.consumer(next(NAMES))
        await one.emit(tenant, 1, 2)
        await one.emit(tenant, 3)
        await one.bus.start()
        for number in range(4, 30):
            await one.emit(tenant, number)
        await inbox.has(29)
        assert inbox.got == list(range(1, 30))


async def test_two_consumers_do_not_know_of_each_other(shared: str) -> None:
    tenant = new_tenant()
    async with node(shared) as one:
        first, second = one.consumer(next(NAMES)), one.consumer(next(NAMES))
        first.fail = lambda _: True
        await one.emit(tenant, 101)
        await one.bus.start()
        await second.has(101)


async def test_consumer_name_is_taken_once(shared: str) -> None:
    async with node(shared) as one:
        name = next(NAMES)
        one.consumer(name)
        with pytest.raises(ValueError, match=name):
            one.consumer(name)


async def test_event_handled_before_a_crash_and_not_noted_comes_again(
    shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash is between handling and the cursor: nothing of the process goes on from there."""
    tenant, name = new_tenant(), next(NAMES)
    reached = asyncio.Event()

    async def crash(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with node(shared) as one:
        inbox = one.consumer(name)
        await one.emit(tenant, 201)
        with monkeypatch.context() as patch:
            patch.setattr(Cursors, "save", crash)
            await one.bus.start()
            await asyncio.wait_for(reached.wait(), PATIENCE)
            await one.bus.stop()
        assert inbox.got.count(201) == 1
    async with node(shared) as after:
        again = after.consumer(name)
        await after.bus.start()
        await again.has(201)


async def test_cursor_goes_on_where_the_process_before_ended(shared: str) -> None:
    tenant, name = new_tenant(), next(NAMES)
    async with node(shared) as one:
        inbox = one.consumer(name)
        await one.bus.start()
        await one.emit(tenant, 301)
        await inbox.has(301)
        await until_saved(one, name)
    async with node(shared) as after:
        again = after.consumer(name)
        await after.bus.start()
        await after.emit(tenant, 302)
        await again.has(302)
        assert 301 not in again.got


async def until_saved(one: Node, name: str) -> None:
    """Wait until the cursor of a consumer has come to the end of the outbox."""

    async def behind() -> bool:
        position = await Cursors(one.database).load(name, "tenants")
        return bool((await Reader(one.database).read("tenants", EVENTS, position, 1)).rows)

    await until(behind)


async def until(goes_on: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again, for what no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while await goes_on():  # noqa: ASYNC110 it is the database that is looked at
            await asyncio.sleep(0.01)


async def test_stop_ends_a_reader_that_was_woken_in_the_same_moment(shared: str) -> None:
    async with node(shared) as one:
        inbox = one.consumer(next(NAMES), broadcast=True)
        await one.bus.start()
        await one.emit(new_tenant(), 351)
        await inbox.has(351)
        # Long enough for the reader to be waiting again.
        await asyncio.sleep(0.05)
        one.wake.wake_all()
        await asyncio.wait_for(one.bus.stop(), PATIENCE)


async def test_group_consumer_is_served_by_one_of_two_processes(shared: str) -> None:
    tenant, name = new_tenant(), next(NAMES)
    async with node(shared) as one, node(shared) as two:
        inboxes = [one.consumer(name), two.consumer(name)]
        all_of = [one.consumer(next(NAMES), broadcast=True), two.consumer(next(NAMES), broadcast=True)]
        await one.bus.start()
        await two.bus.start()
        for number in range(401, 421):
            await (one if number % 2 else two).emit(tenant, number)
        for inbox in all_of:
            await inbox.has(*range(401, 421))
            assert inbox.got == list(range(401, 421))

        async def unhandled() -> bool:
            return not any(420 in inbox.got for inbox in inboxes)

        await until(unhandled)
        mine = [[number for number in inbox.got if 400 < number < 421] for inbox in inboxes]
        assert sorted(mine) == [[], list(range(401, 421))]


async def test_another_process_takes_a_group_over(shared: str) -> None:
    tenant, name = new_tenant(), next(NAMES)
    async with node(shared, poll_seconds=0.02) as two:
        second = two.consumer(name)
        async with node(shared) as one:
            first = one.consumer(name)
            await one.bus.start()
            await one.emit(tenant, 501)
            await first.has(501)
            await until_saved(one, name)
            await two.bus.start()
        await two.emit(tenant, 502)
        await second.has(502)
        assert 501 not in second.got


async def test_broadcast_begins_with_the_start_of_the_process(shared: str) -> None:
    tenant = new_tenant()
    async with node(shared) as one:
        inbox = one.consumer(next(NAMES), broadcast=True)
        await one.emit(tenant, 601)
        await one.bus.start()
        await one.emit(tenant, 602)
        await inbox.has(602)
        assert inbox.got == [602]


class Noting(LateClock):
    """A clock that makes nobody wait and tells when somebody wanted to for so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(hasty=True)
        self.seconds = seconds
        self.wanted = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds == self.seconds:
            self.wanted.set()
        await super().sleep(seconds)


async def test_events_that_are_held_back_for_long_are_looked_for_less_and_less(shared: str) -> None:
    clock, go_on, inside = Noting(HELD_BACK_SECONDS * 2**7), asyncio.Event(), asyncio.Event()
    async with node(shared, clock=clock, poll_seconds=1.0) as one:
        inbox = one.consumer(next(NAMES), broadcast=True)

        async def late() -> None:
            async with one.database.service("tenants").tx(ctx_of(new_tenant())) as tx:
                await tx.execute("SELECT pg_current_xact_id()")
                inside.set()
                await go_on.wait()

        task = asyncio.create_task(late())
        await inside.wait()
        await one.bus.start()
        await one.emit(new_tenant(), 711)
        async with asyncio.timeout(PATIENCE):
            await clock.wanted.wait()
        assert inbox.got == []
        go_on.set()
        await task
        await inbox.has(711)


async def test_late_commit_is_not_skipped(shared: str) -> None:
    """A takes its transaction id first and commits last; a cursor over ids alone would go past it with B."""
    a, b = new_tenant(), new_tenant()
    async with node(shared) as one:
        inbox = one.consumer(next(NAMES), broadcast=True)
        await one.bus.start()
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def late() -> None:
            async with one.database.service("tenants").tx(ctx_of(a)) as tx:
                await tx.execute("SELECT pg_current_xact_id()")
                tx.emit(Counted(number=701))
                inside.set()
                await go_on.wait()

        task = asyncio.create_task(late())
        await inside.wait()
        await one.emit(b, 702)
        position = await one.bus._reader.tip("tenants")
        assert (await one.bus._reader.read("tenants", EVENTS, position, 10)).rows == []
        go_on.set()
        await task
        await inbox.has(701, 702)
        assert inbox.got == [701, 702]


async def test_notice_wakes_another_process_long_before_it_polls(shared: str) -> None:
    tenant = new_tenant()
    async with node(shared) as writing, node(shared) as reading:
        inbox = reading.consumer(next(NAMES), broadcast=True)
        await reading.bus.start()
        for number in range(801, 811):
            await writing.emit(tenant, number)
            await inbox.has(number)


def first_look(reading: Node) -> asyncio.Event:
    """Set once the bus has looked at its outbox; before, it would find what is emitted without being told."""
    read, looked = reading.bus._reader.read, asyncio.Event()

    async def watched(*args: Any) -> Batch:
        batch = await read(*args)
        looked.set()
        return batch

    reading.bus._reader.read = watched
    return looked


async def test_without_a_notice_nothing_comes_before_the_next_look(shared: str) -> None:
    """Shows that the test above tests the notice: without one the same reader waits."""
    tenant = new_tenant()
    async with node(shared, wakes=False) as writing, node(shared) as reading:
        inbox = reading.consumer(next(NAMES), broadcast=True)
        looked = first_look(reading)
        await reading.bus.start()
        await looked.wait()
        await writing.emit(tenant, 901)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(inbox.has(901), timeout=0.3)
        reading.wake.wake_all()
        await inbox.has(901)


async def test_lost_side_connection_comes_back_and_misses_nothing(shared: str, postgres: PostgresForTests) -> None:
    tenant, name = new_tenant(), next(NAMES)
    async with node(shared) as writing, node(shared) as reading:
        everyone = reading.consumer(next(NAMES), broadcast=True)
        group = reading.consumer(name)
        await reading.bus.start()
        await writing.emit(tenant, 1001)
        await everyone.has(1001)
        await group.has(1001)
        assert await kill_side_connections(postgres.dsn(database_of(shared))) == 2
        await writing.emit(tenant, 1002)
        await everyone.has(1002)

        async def disconnected() -> bool:
            return not (reading.wake.connected and writing.wake.connected)

        await until(disconnected)
        await writing.emit(tenant, 1003)
        await everyone.has(1003)
        assert everyone.got == [1001, 1002, 1003]
        assert await reading.wake.try_lock(f"bus:{name}:tenants")


async def test_reader_looks_when_its_side_connection_is_back(shared: str, postgres: PostgresForTests) -> None:
    """What was committed meanwhile sent its notice to nobody."""
    tenant = new_tenant()
    async with node(shared, wakes=False) as writing, node(shared) as reading:
        inbox = reading.consumer(next(NAMES), broadcast=True)
        await reading.bus.start()
        await writing.emit(tenant, 1051)
        await kill_side_connections(postgres.dsn(database_of(shared)))
        await inbox.has(1051)


async def test_lock_is_held_by_one_process_and_freed_with_it(shared: str) -> None:
    async with node(shared) as two:
        async with node(shared) as one:
            assert await one.wake.try_lock("job")
            assert await one.wake.try_lock("job")
            assert not await two.wake.try_lock("job")
            assert await two.wake.try_lock("other job")
        assert await two.wake.try_lock("job")


async def test_poison_event_is_set_aside_after_its_attempts_and_others_go_on(
    shared: str, postgres: PostgresForTests
) -> None:
    tenant, name = new_tenant(), next(NAMES)
    async with node(shared, clock=LateClock(hasty=True), attempts=3) as one:
        inbox = one.consumer(name)
        inbox.fail = lambda number: number == 1102
        await one.bus.start()
        await one.emit(tenant, 1101, 1102, 1103)
        await inbox.has(1101, 1103)
    assert inbox.failures == 3
    parked = await as_owner(
        postgres.dsn(database_of(shared)),
        "SELECT tenant_id, error, body::jsonb -> 'payload' ->> 'number' FROM kit.bus_parked WHERE consumer = $1",
        name,
    )
    assert values(parked) == [(tenant, "ValueError(1102)", "1102")]


async def test_passing_failure_is_tried_again_in_place(shared: str) -> None:
    tenant = new_tenant()
    async with node(shared, clock=LateClock(hasty=True), attempts=3) as one:
        inbox = one.consumer(next(NAMES), broadcast=True)
        inbox.fail = lambda number: number == 1202 and inbox.failures < 2
        await one.bus.start()
        await one.emit(tenant, 1201, 1202, 1203)
        await inbox.has(1203)
        assert inbox.got == [1201, 1202, 1203]


async def test_sweep_deletes_only_what_is_old_and_was_handled_by_all(postgres: PostgresForTests) -> None:
    tenant, clock = new_tenant(), LateClock()
    name = await postgres.clone()
    app, owner = postgres.dsn(name, "steward_app"), postgres.dsn(name)
    left = "SELECT (body::jsonb -> 'payload' ->> 'number')::int FROM tenants.outbox ORDER BY 1"
    async with node(app, clock=clock, retention_hours=1) as one:
        quick, stuck = one.consumer("quick"), one.consumer("stuck")
        stuck.fail = lambda number: number == 2
        await one.emit(tenant, 1)
        await one.emit(tenant, 2)
        await one.bus.start()
        await quick.has(1, 2)
        await stuck.until(lambda: stuck.failures > 0)
        await until_saved(one, "quick")
        assert await one.bus.sweep(["tenants", "identity"]) == 0
        clock.ahead = timedelta(hours=2)
        assert await one.bus.sweep(["tenants", "identity"]) == 0
        assert values(await as_owner(owner, left)) == [(1,), (2,)]
        stuck.fail = lambda _: False
        await stuck.has(2)
        await until_saved(one, "stuck")
        await one.emit(tenant, 3)
        await quick.has(3)
        assert await one.bus.sweep(["tenants", "identity"]) == 2
        assert values(await as_owner(owner, left)) == [(3,)]
    await postgres.drop(name)


async def test_any_process_sweeps_for_consumers_that_run_elsewhere(postgres: PostgresForTests) -> None:
    clock = LateClock()
    name = await postgres.clone()
    app = postgres.dsn(name, "steward_app")
    async with node(app, clock=clock, retention_hours=1) as elsewhere, node(app, clock=clock, retention_hours=1) as one:
        stuck = elsewhere.consumer("stuck")
        stuck.fail = lambda _: True
        await one.emit(new_tenant(), 1)
        await elsewhere.bus.start()
        await stuck.until(lambda: stuck.failures > 0)
        clock.ahead = timedelta(hours=2)
        assert await one.bus.sweep(["tenants"]) == 0
    await postgres.drop(name)
