"""Any interleaving of processes, deaths, cancels and changes of budgets: limits hold, and ledger and use agree."""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from steward.kit.db import Database
from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import (
    BudgetId,
    BudgetUpdate,
    CallId,
    CallUsage,
    Correction,
    Outcome,
    Period,
    Reservation,
    Subject,
    SubjectKind,
    Unit,
)
from steward.services.costs.engine.engine import OLD
from steward.services.costs.errors import BudgetExhausted, CallSettled
from tests.services.costs.house import Books, Process, budget
from tests.support.database import IDS, database_at, database_of
from tests.support.postgres import PostgresForTests

T = TypeVar("T")
Key = TypeVar("Key", bound=UUID)

COUNT = 3
PLACES = st.integers(0, COUNT - 1)
SUBJECTS = st.sampled_from(
    [
        Subject(SubjectKind.TENANT),
        Subject(SubjectKind.TEAM, "shop"),
        Subject(SubjectKind.TEAM, "shop/search"),
        Subject(SubjectKind.USER, "u1"),
    ]
)
TOKENS = st.tuples(st.integers(0, 300), st.integers(0, 2_000), st.integers(1, 100))
LIMITS = st.integers(0, 20_000)
PICKS = st.integers(0, 1_000)
"""Chosen without a look at what there is: who wins a race is not for hypothesis to know."""


class Flying(NamedTuple):
    granted: Reservation
    input_tokens: int
    place: int
    """Of the process that holds it; -1 where that is dead."""
    since: float


def picked(things: Iterable[Key], pick: int) -> Key | None:
    """One of them; None where there is none."""
    known = sorted(things)
    return known[pick % len(known)] if known else None


class World:
    """What examples share: databases, one clock that only runs on, and a look from outside."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, databases: list[Database], clock: FakeClock, owner: str
    ) -> None:
        self.loop = loop
        self.databases = databases
        self.clock = clock
        self.books = Books(owner)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)


class Machine(RuleBasedStateMachine):
    """Honest providers: no call uses more than it was granted."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.tenant = IDS.new()
        self.processes = [Process(database, world.clock) for database in world.databases]
        self.flying: dict[UUID, Flying] = {}
        self.swept: dict[UUID, Flying] = {}
        self.settled: list[UUID] = []
        self.budgets: dict[BudgetId, int] = {}
        self.lowered = False
        self.world.do(self.beat())

    async def beat(self) -> None:
        for process in self.processes:
            await process.engine.beat()

    @initialize(limit=LIMITS)
    def first_budget(self, limit: int) -> None:
        self.add_budget(limit, Subject(SubjectKind.TENANT), Unit.USD, Period.TOTAL, soft=False)

    @rule(
        limit=LIMITS,
        subject=SUBJECTS,
        unit=st.sampled_from(Unit),
        period=st.sampled_from([Period.DAY, Period.TOTAL]),
        soft=st.booleans(),
    )
    def add_budget(self, limit: int, subject: Subject, unit: Unit, period: Period, *, soft: bool) -> None:
        if len(self.budgets) > 4:
            return
        process = self.processes[0]
        terms = budget(limit, subject, name=str(IDS.new()), unit=unit, period=period, soft=soft, zone="Asia/Kolkata")
        made = self.world.do(process.budgets.create_budget(process.ctx(self.tenant), budget=terms))
        self.budgets[made.id] = limit

    @rule(pick=PICKS, limit=LIMITS, lower=st.booleans())
    def change_limit(self, pick: int, limit: int, *, lower: bool) -> None:
        chosen = picked(self.budgets, pick)
        if chosen is None:
            return
        limit = limit if lower else max(limit, self.budgets[chosen])
        self.lowered |= limit < self.budgets[chosen]
        self.budgets[chosen] = limit
        process = self.processes[1]
        change = BudgetUpdate(limit=limit)
        self.world.do(process.budgets.update_budget(process.ctx(self.tenant), budget_id=chosen, change=change))

    @rule(pick=PICKS)
    def delete_budget(self, pick: int) -> None:
        chosen = picked(self.budgets, pick)
        if chosen is None or len(self.budgets) < 3:
            return
        del self.budgets[chosen]
        process = self.processes[2]
        self.world.do(process.budgets.delete_budget(process.ctx(self.tenant), budget_id=chosen))

    @rule(calls=st.lists(st.tuples(PLACES, SUBJECTS, TOKENS), min_size=1, max_size=8))
    def reserve(self, calls: list[tuple[int, Subject, tuple[int, int, int]]]) -> None:
        """Several at once, of several processes."""

        async def race() -> list[Reservation | BaseException]:
            asked = [
                self.processes[place].reserve(self.tenant, tokens[:2], subject, least=tokens[2])
                for place, subject, tokens in calls
            ]
            return await asyncio.gather(*asked, return_exceptions=True)

        for (place, _, (read, wanted, least)), granted in zip(calls, self.world.do(race()), strict=True):
            if isinstance(granted, Reservation):
                assert min(least, wanted) <= granted.output_tokens <= wanted
                self.flying[granted.call_id] = Flying(granted, read, place, self.world.clock.monotonic())
            else:
                assert isinstance(granted, BudgetExhausted), granted

    @rule(place=PLACES, turns=st.integers(0, 30), tokens=TOKENS)
    def cancel(self, place: int, turns: int, tokens: tuple[int, int, int]) -> None:
        """A caller that leaves while its call is being reserved."""

        async def leave() -> None:
            task = asyncio.create_task(self.processes[place].reserve(self.tenant, tokens[:2]))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            [granted] = await asyncio.gather(task, return_exceptions=True)
            if isinstance(granted, Reservation):
                await self.processes[place].settle(self.tenant, granted.call_id, (0, 0))

        self.world.do(leave())

    @rule(pick=PICKS, place=PLACES, exact=st.booleans(), part=st.integers(0, 100))
    def settle(self, pick: int, place: int, *, exact: bool, part: int) -> None:
        """By whichever process; when it is not exact it can be settled again."""
        call_id = picked(self.flying, pick)
        if call_id is None:
            return
        flying = self.flying.pop(call_id)
        self.pay(place, call_id, flying, part, exact=exact)
        if exact:
            self.settled.append(call_id)
        else:
            # What is not exact is a bound from above.
            used = msgspec.structs.replace(flying.granted, output_tokens=flying.granted.output_tokens * part // 100)
            self.swept[call_id] = flying._replace(granted=used, input_tokens=flying.input_tokens * part // 100)

    @rule(pick=PICKS, place=PLACES, part=st.integers(0, 100))
    def settle_late(self, pick: int, place: int, part: int) -> None:
        call_id = picked(self.swept, pick)
        if call_id is None:
            return
        self.pay(place, call_id, self.swept.pop(call_id), part, exact=True)
        self.settled.append(call_id)

    @rule(pick=PICKS, place=PLACES, part=st.integers(0, 100))
    def correct(self, pick: int, place: int, part: int) -> None:
        """A person gives the true usage; where it is known already that is refused."""
        call_id = picked({*self.settled, *self.swept}, pick)
        if call_id is None:
            return
        flying = self.swept.pop(call_id, None)
        process = self.processes[place]
        used = flying.granted.output_tokens * part // 100 if flying else 0
        correction = Correction(usage=CallUsage(output_tokens=used), reason="bill")
        work = process.corrections.correct(process.ctx(self.tenant), call_id=CallId(call_id), correction=correction)
        if flying is None:
            with pytest.raises(CallSettled):
                self.world.do(work)
        else:
            self.world.do(work)
            self.settled.append(call_id)

    @rule(place=PLACES)
    def die(self, place: int) -> None:
        """Nothing of the process is left but what the database has; another one takes its place."""
        self.processes[place] = Process(self.world.databases[place], self.world.clock)
        self.world.do(self.processes[place].engine.beat())
        self.flying = {key: one._replace(place=-1) if one.place == place else one for key, one in self.flying.items()}

    @rule(place=PLACES)
    def sweep(self, place: int) -> None:
        self.world.clock.advance(20)
        self.world.do(self.beat())
        self.world.do(self.processes[place].engine.sweep())
        forgotten = self.world.clock.monotonic() - OLD.total_seconds()
        for call_id in [key for key, one in self.flying.items() if one.place < 0 or one.since < forgotten]:
            self.swept[call_id] = self.flying.pop(call_id)

    @rule()
    def period_begins_anew(self) -> None:
        self.world.clock.advance(13 * 3600)
        self.world.do(self.beat())

    @invariant()
    def limits_hold_and_sums_agree(self) -> None:
        self.world.do(self.check())

    def teardown(self) -> None:
        for call_id, flying in {**self.flying, **self.swept}.items():
            self.pay(0, call_id, flying, 50, exact=True)
        self.flying.clear()
        self.world.do(self.check())
        rows = self.world.do(
            self.world.books.rows(
                "SELECT 1 FROM costs.budget_use WHERE tenant_id = $1 AND (reserved, open_calls) <> (0, 0)", self.tenant
            )
        )
        assert rows == [], "nothing is held back at rest"

    def pay(self, place: int, call_id: UUID, flying: Flying, part: int, *, exact: bool) -> None:
        used = (flying.input_tokens * part // 100, flying.granted.output_tokens * part // 100)
        outcome = Outcome.SUCCEEDED if exact else Outcome.CANCELLED
        work = self.processes[place].settle(self.tenant, call_id, used, exact=exact, outcome=outcome)
        assert self.world.do(work) == used[0] + 3 * used[1] <= flying.granted.nanos

    async def check(self) -> None:
        for process in self.processes:
            await process.engine.settled()
        assert await self.world.books.faults(self.tenant) == []
        over = await self.world.books.rows(
            "SELECT b.ceiling, u.spent, u.reserved FROM costs.budget_use u JOIN costs.budget b USING (tenant_id,"
            " budget_id) WHERE tenant_id = $1 AND b.hard AND u.spent + u.reserved > b.ceiling",
            self.tenant,
        )
        assert self.lowered or over == []
        calls = await self.world.books.rows("SELECT call_id FROM costs.open_call WHERE tenant_id = $1", self.tenant)
        assert {row[0] for row in calls} == set(self.flying), (self.world.clock.monotonic(), self.flying)


def run(owner: str, dsn: str, examples: int, steps: int) -> None:
    async def opened() -> list[Database]:
        return [await stack_of[place].__aenter__() for place in range(COUNT)]

    clock = FakeClock(datetime.now(UTC))
    stack_of = [database_at(dsn, clock=clock, pool_size=2) for _ in range(COUNT)]
    with asyncio.Runner() as runner:
        world = World(runner.get_loop(), runner.run(opened()), clock, owner)
        # The clock of many examples runs on for years.
        world.do(world.books.rows("SELECT costs.make_months(60)"))
        try:
            run_state_machine_as_test(
                lambda: Machine(world),
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    phases=[Phase.explicit, Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            for one in stack_of:
                world.do(one.__aexit__(None, None, None))
            world.do(world.books.close())


def test_any_interleaving(postgres: PostgresForTests, dsn: str) -> None:
    run(postgres.dsn(database_of(dsn)), dsn, 12, 20)


@pytest.mark.proof
def test_any_interleaving_of_many(postgres: PostgresForTests, dsn: str) -> None:
    run(postgres.dsn(database_of(dsn)), dsn, 300, 50)
