"""The observers fit their ports and tell logs, metrics and spans what the parts of the kit do."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from opentelemetry.trace import StatusCode

from steward.kit import bus, cache, db, intents
from steward.kit.context import Actor, ActorType
from steward.kit.errors import Conflict, Unavailable
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import (
    BusObserver,
    CacheObserver,
    CapturingTelemetry,
    DatabaseObserver,
    IntentObserver,
    Telemetry,
)
from steward.kit.testing.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def telemetry(clock: FakeClock) -> CapturingTelemetry:
    return Telemetry.for_tests(clock)


def make_event(clock: FakeClock, age_s: float = 0.0) -> StoredEvent:
    return StoredEvent(
        id=UUID(int=1),
        tenant=TenantId(UUID(int=7)),
        type="identity.UserInvited",
        at=clock.now() - timedelta(seconds=age_s),
        request_id="r-1",
        actor=Actor(ActorType.USER, "ada"),
        payload=msgspec.Raw(b"{}"),
    )


def line(telemetry: Telemetry, start: str) -> str:
    """The value on the line of the exposition that begins so."""
    (found,) = (row for row in telemetry.metrics.exposition().decode().splitlines() if row.startswith(start))
    return found.rsplit(" ", 1)[1]


def test_observers_fit_their_ports(telemetry: CapturingTelemetry, clock: FakeClock) -> None:
    database: db.Observer = DatabaseObserver(telemetry, clock)
    deliveries: bus.BusObserver = BusObserver(telemetry, clock)
    lookups: cache.CacheObserver = CacheObserver(telemetry, "principals")
    operations: intents.IntentObserver = IntentObserver(telemetry)
    assert None not in (database, deliveries, lookups, operations)


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (None, "committed", StatusCode.UNSET),
        (Conflict("changed"), "rolled_back", StatusCode.UNSET),
        (ValueError("bug"), "rolled_back", StatusCode.ERROR),
        (Unavailable("gone"), "unavailable", StatusCode.ERROR),
    ],
)
def test_transaction_is_a_span_a_count_and_a_time(
    telemetry: CapturingTelemetry, clock: FakeClock, error: Exception | None, outcome: str, status: StatusCode
) -> None:
    observer = DatabaseObserver(telemetry, clock)
    with suppress(Conflict, ValueError, Unavailable), observer.transaction("identity", str(UUID(int=7))):
        clock.advance(0.25)
        if error is not None:
            raise error
    (span,) = telemetry.spans
    assert span.status.status_code is status
    assert dict(span.attributes or {})["db.system.name"] == "postgresql"
    assert line(telemetry, f'steward_db_transactions_total{{outcome="{outcome}"') == "1.0"
    assert line(telemetry, "steward_db_transaction_duration_seconds_sum") == "0.25"


def test_slow_statement_is_logged_and_counted(telemetry: CapturingTelemetry, clock: FakeClock) -> None:
    DatabaseObserver(telemetry, clock).slow("identity", "SELECT pg_sleep($1)", 1.5)
    (log,) = telemetry.logs
    assert (log["event_type"], log["service"], log["duration_ms"]) == ("db.slow_statement", "identity", 1500.0)
    assert log["data"] == {"statement": "SELECT pg_sleep($1)"}
    assert line(telemetry, "steward_db_slow_statements_total{") == "1.0"


def test_lag_is_that_of_the_last_event_and_falls_when_nothing_waits(
    telemetry: CapturingTelemetry, clock: FakeClock
) -> None:
    observer = BusObserver(telemetry, clock)
    observer.handled("audit", make_event(clock), 3.0)
    assert line(telemetry, "steward_bus_lag_seconds{") == "3.0"
    clock.advance(16)
    assert line(telemetry, "steward_bus_lag_seconds{") == "0.0"


def test_lag_of_a_failing_consumer_grows_until_the_event_is_parked(
    telemetry: CapturingTelemetry, clock: FakeClock
) -> None:
    observer = BusObserver(telemetry, clock)
    event = make_event(clock, age_s=5)
    observer.failed("audit", event, 1, ValueError("token=abc"))
    clock.advance(60)
    assert line(telemetry, "steward_bus_lag_seconds{") == "65.0"
    observer.parked("audit", event, ValueError("still"))
    assert line(telemetry, "steward_bus_lag_seconds{") == "0.0"
    failed, parked = telemetry.logs
    assert (failed["event_type"], failed["tenant_id"]) == ("bus.delivery_failed", str(UUID(int=7)))
    assert failed["data"]["error"]["message"] == "token=***"
    assert parked["event_type"] == "bus.event_parked"


def test_broken_consumer_is_told(telemetry: CapturingTelemetry, clock: FakeClock) -> None:
    BusObserver(telemetry, clock).broke("audit", ConnectionError("gone"))
    assert telemetry.logs[0]["event_type"] == "bus.broke"
    assert line(telemetry, 'steward_bus_events_total{consumer="audit",outcome="broke"}') == "1.0"


def test_cache_look_ups_are_counted(telemetry: CapturingTelemetry) -> None:
    observer = CacheObserver(telemetry, "principals")
    observer.hit()
    observer.miss()
    observer.evicted()
    assert line(telemetry, 'steward_cache_hits_total{cache="principals",outcome="hit"}') == "1.0"
    assert line(telemetry, 'steward_cache_hits_total{cache="principals",outcome="miss"}') == "1.0"
    assert line(telemetry, 'steward_cache_evictions_total{cache="principals"}') == "1.0"


def test_operations_are_told(telemetry: CapturingTelemetry) -> None:
    observer = IntentObserver(telemetry)
    observer.resumed("create_tenant")
    observer.undone("create_tenant", "provision_owner", Conflict("taken"))
    observer.stuck("create_tenant", 5, ValueError("bug"))
    assert [log["event_type"] for log in telemetry.logs] == ["intent.resumed", "intent.undone", "intent.stuck"]
    assert line(telemetry, 'steward_intents_total{kind="create_tenant",outcome="stuck"}') == "1.0"
