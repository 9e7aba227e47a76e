"""Health: each dependency by name, time-outs, one check a second, and the states of a process."""

import asyncio

import msgspec
import pytest

from steward.kit.errors import Unavailable
from steward.kit.health import Health, State, Status
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from steward.kit.testing.clock import FakeClock


class Dependency:
    """Something a process needs, which a test can take away."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        self.error: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.detail


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def telemetry(clock: FakeClock) -> CapturingTelemetry:
    return Telemetry.for_tests(clock)


@pytest.fixture
def health(clock: FakeClock, telemetry: CapturingTelemetry) -> Health:
    return Health("1.2.3", clock, telemetry.log)


async def test_report_names_each_dependency(health: Health) -> None:
    health.add("database", Dependency("PostgreSQL 18.4"))
    health.add("bus", Dependency())
    assert msgspec.to_builtins(await health.report()) == {
        "status": "ok",
        "version": "1.2.3",
        "dependencies": {
            "database": {"status": "ok", "detail": "PostgreSQL 18.4", "checked_at": "2026-01-01T00:00:00Z"},
            "bus": {"status": "ok", "checked_at": "2026-01-01T00:00:00Z"},
        },
    }


async def test_one_dependency_down_takes_the_whole_down_and_shows_no_internals(
    health: Health, telemetry: CapturingTelemetry
) -> None:
    known, unknown = Dependency(), Dependency()
    known.error = Unavailable("the database does not answer")
    unknown.error = ConnectionRefusedError("postgresql://10.0.0.7:5432")
    health.add("database", known)
    health.add("bus", unknown)
    health.add("cache", Dependency())
    report = await health.report()
    assert report.status is Status.DOWN
    assert report.dependencies["database"].detail == "the database does not answer"
    assert report.dependencies["bus"].detail == "ConnectionRefusedError"
    assert report.dependencies["cache"].status is Status.OK
    assert "10.0.0.7" in telemetry.text


async def test_check_that_hangs_is_down_after_its_time_and_delays_no_other(health: Health) -> None:
    hanging = Dependency()
    hanging.hangs = True
    health.add("slow", hanging, timeout_s=0.01)
    health.add("also slow", hanging, timeout_s=0.01)
    health.add("quick", Dependency())
    report = await health.report()
    assert report.dependencies["slow"].detail == "no answer within 0.01 s"
    assert report.dependencies["quick"].status is Status.OK


async def test_time_out_inside_a_check_is_not_taken_for_ours(health: Health) -> None:
    dependency = Dependency()
    dependency.error = TimeoutError("own")
    health.add("database", dependency)
    assert (await health.report()).dependencies["database"].detail == "TimeoutError"


async def test_result_is_kept_a_second_and_shared_by_callers(health: Health, clock: FakeClock) -> None:
    dependency = Dependency()
    health.add("database", dependency)
    await asyncio.gather(*(health.report() for _ in range(20)))
    assert dependency.asked == 1
    clock.advance(0.9)
    await health.report()
    assert dependency.asked == 1
    clock.advance(0.1)
    await health.report()
    assert dependency.asked == 2


async def test_caller_who_leaves_does_not_spoil_the_check(health: Health) -> None:
    dependency = Dependency()
    dependency.hangs = True
    health.add("database", dependency)
    leaving = asyncio.create_task(health.report())
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    dependency.hangs = False
    assert (await health.report()).status is Status.OK


async def test_changes_are_logged_once(health: Health, clock: FakeClock, telemetry: CapturingTelemetry) -> None:
    dependency = Dependency()
    health.add("database", dependency)
    for error in (None, OSError("gone"), OSError("gone"), None, None):
        dependency.error = error
        clock.advance(2)
        await health.report()
    assert [line["event_type"] for line in telemetry.logs] == ["health.down", "health.up"]


async def test_ready_needs_start_up_and_every_dependency(health: Health, clock: FakeClock) -> None:
    dependency = Dependency()
    dependency.error = OSError("gone")
    health.add("database", dependency)
    assert not (await health.readiness()).ready
    health.started()
    waiting = await health.readiness()
    assert (waiting.ready, waiting.state, waiting.waiting_for) == (False, State.READY, ["database"])
    dependency.error = None
    clock.advance(2)
    assert (await health.readiness()).ready


async def test_draining_is_not_ready_and_final(health: Health) -> None:
    health.started()
    health.drain()
    assert not (await health.readiness()).ready
    with pytest.raises(RuntimeError, match="draining"):
        health.started()


async def test_a_name_is_taken_once(health: Health) -> None:
    health.add("database", Dependency())
    with pytest.raises(ValueError, match="database"):
        health.add("database", Dependency())
