"""Intents: whatever ends the process and wherever, the work is finished or undone, and each effect is there once."""

from collections.abc import AsyncGenerator, Sequence

import msgspec
import pytest
import pytest_asyncio

from steward.kit.clock import SystemClock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.db import Database, forbid_open_tx
from steward.kit.errors import AppError, Conflict, Forbidden, Unavailable
from steward.kit.ids import PLATFORM, Ids, TenantId
from steward.kit.intents import Flow, Intents, Step
from steward.kit.intents.intents import LEASE, LONGEST_PAUSE, NullIntentObserver
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys
from tests.support.database import as_owner, ctx_of, database_at, new_tenant, values
from tests.support.identity import Crashed, CrashPoint
from tests.support.postgres import PostgresForTests

STEPS = ("one", "two", "three")
LATER = LEASE.total_seconds() + 1


class State(msgspec.Struct, frozen=True, kw_only=True):
    tenant: TenantId
    secret: str = "hush-hush"
    seen: tuple[str, ...] = ()


class Watching(NullIntentObserver):
    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def resumed(self, kind: str) -> None:
        self.told.append(("resumed", kind))

    def undone(self, kind: str, step: str, error: AppError) -> None:
        self.told.append(("undone", kind, step, error.code))

    def stuck(self, kind: str, attempts: int, error: Exception) -> None:
        self.told.append(("stuck", kind, str(attempts), type(error).__name__))


class Process:
    """A process with a flow of three steps, each of which leaves a row: the effect, which must be there once."""

    def __init__(self, database: Database, envelope: Envelope, clock: FakeClock, kind: str) -> None:
        self.clock = clock
        self.crash = CrashPoint()
        self.observer = Watching()
        self.db = database.service("tenants")
        self.intents = Intents(self.db, envelope, clock, Ids(clock), self.crash, self.observer)
        self.fail: dict[str, BaseException] = {}
        self.undone: list[str] = []
        self.flow = Flow(kind=kind, state=State, steps=tuple(self._step(name) for name in STEPS))
        self.intents.register(self.flow)

    def _step(self, name: str) -> Step[State]:
        async def do(ctx: Ctx, state: State) -> State:
            if f"before {name}" in self.fail:
                raise self.fail[f"before {name}"]
            async with self.db.tx(ctx.for_tenant(state.tenant)) as tx:
                there = await tx.fetchval(
                    "SELECT count(*) FROM tenants.quota_hold WHERE tenant_id = $1 AND quota = $2", state.tenant, name
                )
                if not there:
                    await tx.execute(
                        "INSERT INTO tenants.quota_hold (tenant_id, quota, holder, amount, held_at)"
                        " VALUES ($1, $2, gen_random_uuid(), 1, now())",
                        state.tenant,
                        name,
                    )
            if f"after {name}" in self.fail:
                raise self.fail[f"after {name}"]
            return msgspec.structs.replace(state, seen=(*state.seen, name))

        async def undo(ctx: Ctx, state: State) -> None:
            if f"undo {name}" in self.fail:
                raise self.fail[f"undo {name}"]
            self.undone.append(name)
            async with self.db.tx(ctx.for_tenant(state.tenant)) as tx:
                await tx.execute(
                    "DELETE FROM tenants.quota_hold WHERE tenant_id = $1 AND quota = $2", state.tenant, name
                )

        return Step(name=name, do=do, undo=undo)

    async def begin(self, tenant: TenantId, owner: TenantId | None = None) -> State:
        ctx = ctx_of(owner or tenant)
        intent = await self.intents.prepare(ctx, self.flow, State(tenant=tenant))
        async with self.db.tx(ctx) as tx:
            await self.intents.commit(tx, intent)
        return await self.intents.carry_out(ctx, intent)

    async def effects(self, tenant: TenantId) -> Sequence[str]:
        async with self.db.tx(ctx_of(tenant)) as tx:
            rows = await tx.fetch("SELECT quota FROM tenants.quota_hold WHERE tenant_id = $1", tenant)
        return sorted(row["quota"] for row in rows)

    async def left(self, tenant: TenantId) -> list[tuple[int, bool, int]]:
        """The unfinished intents of a tenant: how far, whether undoing, attempts."""
        async with self.db.tx(ctx_of(tenant)) as tx:
            rows = await tx.fetch("SELECT step, undoing, attempts FROM tenants.intent WHERE tenant_id = $1", tenant)
        return [(row["step"], row["undoing"], row["attempts"]) for row in rows]


class Fleet:
    """Processes on one database, with a clock and keys in common."""

    def __init__(self, database: Database, master: LocalMasterKey, owner_dsn: str) -> None:
        self.database = database
        self.owner_dsn = owner_dsn
        self.clock = FakeClock()
        ids = Ids(self.clock)
        self.envelope = Envelope(Keyring(MemoryDataKeys(), master, self.clock, ids), ids, guard=forbid_open_tx)

    def process(self) -> Process:
        return Process(self.database, self.envelope, self.clock, "test_flow")


@pytest_asyncio.fixture(scope="module")
async def shared(postgres: PostgresForTests) -> AsyncGenerator[tuple[Database, str]]:
    name = await postgres.clone()
    async with database_at(postgres.dsn(name, "steward_app")) as database:
        yield database, postgres.dsn(name)
    await postgres.drop(name)


@pytest_asyncio.fixture
async def fleet(shared: tuple[Database, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Fleet]:
    database, owner_dsn = shared
    master = LocalMasterKey(tmp_path_factory.mktemp("keys") / "master.key", Ids(SystemClock()))
    yield Fleet(database, master, owner_dsn)
    await as_owner(owner_dsn, "TRUNCATE tenants.intent")


async def test_all_steps_are_done_in_order_and_the_intent_is_gone(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    state = await one.begin(tenant)
    assert state.seen == STEPS
    assert await one.effects(tenant) == sorted(STEPS)
    assert await one.left(tenant) == []


@pytest.mark.parametrize("refused", ["before two", "after two", "after three"])
async def test_refusal_undoes_in_reverse_what_may_have_happened(fleet: Fleet, refused: str) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail[refused] = Conflict("no")
    with pytest.raises(Conflict, match="no"):
        await one.begin(tenant)
    step = refused.split()[1]
    assert one.undone == list(reversed(STEPS[: STEPS.index(step) + 1]))
    assert await one.effects(tenant) == []
    assert await one.left(tenant) == []
    assert one.observer.told == [("undone", "test_flow", step, "conflict")]


async def test_passing_failure_leaves_the_intent_and_the_sweeper_finishes_it(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["before two"] = Unavailable("later")
    with pytest.raises(Unavailable):
        await one.begin(tenant)
    assert await one.left(tenant) == [(1, False, 0)]
    assert await one.intents.resume() == 0, "the lease still runs"
    fleet.clock.advance(LATER)
    one.fail.clear()
    assert await one.intents.resume() == 1
    assert await one.effects(tenant) == sorted(STEPS)
    assert await one.left(tenant) == []
    assert one.observer.told == [("resumed", "test_flow")]


PLACES = ["test_flow:committed", *(f"test_flow:{step}" for step in STEPS)]


@pytest.mark.parametrize("place", PLACES)
async def test_crash_anywhere_is_resumed_with_each_effect_once(fleet: Fleet, place: str) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.crash.at = place
    with pytest.raises(Crashed):
        await one.begin(tenant)
    after = fleet.process()
    assert await after.intents.resume(everything=True) == 1
    assert await after.effects(tenant) == sorted(STEPS)
    assert await after.left(tenant) == []


@pytest.mark.parametrize("step", STEPS)
async def test_crash_within_a_step_is_resumed_with_each_effect_once(fleet: Fleet, step: str) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail[f"after {step}"] = Crashed(step)
    with pytest.raises(Crashed):
        await one.begin(tenant)
    after = fleet.process()
    assert await after.intents.resume(everything=True) == 1
    assert await after.effects(tenant) == sorted(STEPS)


@pytest.mark.parametrize("place", [f"test_flow:undo {step}" for step in STEPS])
async def test_crash_while_undoing_is_undone_to_the_end_and_not_done_again(fleet: Fleet, place: str) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["after three"] = Conflict("no")
    one.crash.at = place
    with pytest.raises(Crashed):
        await one.begin(tenant)
    after = fleet.process()
    assert await after.intents.resume(everything=True) == 1
    assert await after.effects(tenant) == []
    assert await after.left(tenant) == []


async def test_state_of_the_last_step_done_is_what_the_resumed_one_gets(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["before three"] = Crashed()
    with pytest.raises(Crashed):
        await one.begin(tenant)
    after = fleet.process()
    seen: list[tuple[str, ...]] = []

    async def last(_: Ctx, state: State) -> State:
        seen.append(state.seen)
        return state

    steps = (*after.flow.steps[:2], Step(name="three", do=last))
    after.intents.register(msgspec.structs.replace(after.flow, steps=steps))
    await after.intents.resume(everything=True)
    assert seen == [("one", "two")]


async def test_failure_that_stays_is_postponed_longer_each_time(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["before two"] = Unavailable("later")
    with pytest.raises(Unavailable):
        await one.begin(tenant)
    fleet.clock.advance(LATER)
    for attempt in range(1, 4):
        assert await one.intents.resume() == 1
        assert await one.left(tenant) == [(1, False, attempt)]
        fleet.clock.advance(2**attempt - 0.5)
        assert await one.intents.resume() == 0, f"too early after attempt {attempt}"
        fleet.clock.advance(0.6)
    assert one.observer.told == [("stuck", "test_flow", str(n), "Unavailable") for n in (1, 2, 3)]
    fleet.clock.advance(LONGEST_PAUSE.total_seconds())
    one.fail.clear()
    assert await one.intents.resume() == 1
    assert await one.left(tenant) == []


async def test_defect_in_a_step_stops_neither_the_sweeper_nor_other_intents(fleet: Fleet) -> None:
    one, bad, good = fleet.process(), new_tenant(), new_tenant()
    for tenant in (bad, good):
        one.fail = {"before one": Unavailable("later")}
        with pytest.raises(Unavailable):
            await one.begin(tenant)
    fleet.clock.advance(LATER)
    one.fail.clear()
    other = Process(fleet.database, fleet.envelope, fleet.clock, "unknown_flow")
    assert await other.intents.resume() == 2
    assert [told[0] for told in other.observer.told] == ["stuck", "stuck"]
    fleet.clock.advance(LATER)
    assert await one.intents.resume() == 2
    assert await one.left(bad) == await one.left(good) == []


async def test_undo_that_is_refused_is_stuck_and_reported_not_forgotten(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail = {"after two": Conflict("no"), "undo one": Forbidden("not even that")}
    with pytest.raises(Forbidden):
        await one.begin(tenant)
    fleet.clock.advance(LATER)
    assert await one.intents.resume() == 1
    assert await one.left(tenant) == [(1, True, 1)]
    assert one.observer.told[-1] == ("stuck", "test_flow", "1", "Forbidden")
    one.fail.clear()
    fleet.clock.advance(LATER)
    await one.intents.resume()
    assert await one.left(tenant) == []
    assert await one.effects(tenant) == []


async def test_refusal_at_resumption_undoes_and_is_not_stuck(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["before two"] = Unavailable("later")
    with pytest.raises(Unavailable):
        await one.begin(tenant)
    one.fail["before two"] = Conflict("no")
    fleet.clock.advance(LATER)
    assert await one.intents.resume() == 1
    assert await one.left(tenant) == []
    assert await one.effects(tenant) == []
    assert [told[0] for told in one.observer.told] == ["undone"]


async def test_intents_whose_lease_would_end_meanwhile_are_left_to_others(fleet: Fleet) -> None:
    one, tenants = fleet.process(), [new_tenant() for _ in range(3)]
    for tenant in tenants:
        one.fail = {"before one": Unavailable("later")}
        with pytest.raises(Unavailable):
            await one.begin(tenant)
    fleet.clock.advance(LATER)
    slow = fleet.process()

    async def takes_long(_: Ctx, state: State) -> State:
        fleet.clock.advance(20)
        return state

    slow.intents.register(msgspec.structs.replace(slow.flow, steps=(Step(name="one", do=takes_long),)))
    assert await slow.intents.resume() == 1
    fleet.clock.advance(LATER)
    one.fail.clear()
    assert await one.intents.resume() == 2


async def test_two_sweepers_do_not_take_the_same_intent(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.fail["before one"] = Unavailable("later")
    with pytest.raises(Unavailable):
        await one.begin(tenant)
    fleet.clock.advance(LATER)
    assert await one.intents.resume() + await fleet.process().intents.resume() == 1


async def test_start_up_takes_all_at_once_the_sweeper_only_those_due(fleet: Fleet) -> None:
    one, tenants = fleet.process(), [new_tenant() for _ in range(3)]
    for tenant in tenants:
        one.crash.at = "test_flow:one"
        with pytest.raises(Crashed):
            await one.begin(tenant)
    after = fleet.process()
    assert await after.intents.resume() == 0
    assert await after.intents.resume(everything=True) == 3
    for tenant in tenants:
        assert await after.effects(tenant) == sorted(STEPS)


@pytest.mark.parametrize("owner", [None, PLATFORM])
async def test_what_an_intent_holds_is_sealed(fleet: Fleet, owner: TenantId | None) -> None:
    one, tenant = fleet.process(), new_tenant()
    one.crash.at = "test_flow:two"
    with pytest.raises(Crashed):
        await one.begin(tenant, owner)
    ((sealed, kept_by),) = values(await as_owner(fleet.owner_dsn, "SELECT sealed, tenant_id FROM tenants.intent"))
    assert b"hush-hush" not in sealed
    assert kept_by == (owner or tenant)
    plain = await fleet.envelope.open(None if owner else tenant, sealed, purpose="intent")
    assert b"hush-hush" in plain
    after = fleet.process()
    assert await after.intents.resume(everything=True) == 1
    assert await after.effects(tenant) == sorted(STEPS)


async def test_transaction_that_rolls_back_leaves_no_intent(fleet: Fleet) -> None:
    one, tenant = fleet.process(), new_tenant()
    ctx = ctx_of(tenant)
    intent = await one.intents.prepare(ctx, one.flow, State(tenant=tenant))
    with pytest.raises(KeyError):  # noqa: PT012 it is the block that raises
        async with one.db.tx(ctx) as tx:
            await one.intents.commit(tx, intent)
            raise KeyError
    assert await one.intents.resume(everything=True) == 0


async def test_intent_of_a_tenant_whose_keys_are_destroyed_is_dropped(fleet: Fleet) -> None:
    one, gone, tenant = fleet.process(), new_tenant(), new_tenant()
    one.fail["before two"] = Unavailable("later")
    for owner in (gone, tenant):
        with pytest.raises(Unavailable):
            await one.begin(owner)
    one.fail.clear()
    await fleet.envelope.shred(gone)
    fleet.clock.advance(LATER)
    assert await one.intents.resume() == 2
    assert await one.left(gone) == []
    assert await one.effects(tenant) == sorted(STEPS)
    assert [told[0] for told in one.observer.told] == ["resumed"]


async def test_refusal_after_another_process_finished_the_work_undoes_nothing(fleet: Fleet) -> None:
    slow, quick, tenant = fleet.process(), fleet.process(), new_tenant()
    step = slow.flow.steps[1]

    async def overtaken(ctx: Ctx, state: State) -> State:
        await step.do(ctx, state)
        fleet.clock.advance(LATER)
        assert await quick.intents.resume() == 1
        raise Conflict("what this step wanted is there already")

    slow.flow = Flow(
        kind=slow.flow.kind,
        state=State,
        steps=(slow.flow.steps[0], msgspec.structs.replace(step, do=overtaken), slow.flow.steps[2]),
    )
    with pytest.raises(Conflict):
        await slow.begin(tenant)
    assert await slow.left(tenant) == []
    assert await slow.effects(tenant) == sorted(STEPS)
    assert slow.undone == []
