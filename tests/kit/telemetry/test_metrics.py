"""Metrics: what is counted, that labels stay bounded, and what a scrape shows."""

from pathlib import Path
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from steward.kit.ids import TenantId
from steward.kit.telemetry.metrics import MAX_SERIES, Metrics
from steward.kit.telemetry.process import ProcessUsage
from steward.kit.testing.clock import FakeClock


def make_metrics(tenant_labels: int = 2) -> Metrics:
    return Metrics(FakeClock(), tenant_labels)


def read(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a name by their label values, in the order of the label names."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_request_is_counted_and_timed() -> None:
    metrics = make_metrics()
    metrics.request_done("identity", "GET", "/api/v1/users/{user_id}", 200, 0.004)
    metrics.request_done("identity", "GET", "/api/v1/users/{user_id}", 500, 2.0)
    labels = ("GET", "/api/v1/users/{user_id}", "identity")
    assert read(metrics, "steward_requests_total") == {(*labels, "200"): 1, (*labels, "500"): 1}
    assert read(metrics, "steward_request_duration_seconds_count") == {labels: 2}
    buckets = read(metrics, "steward_request_duration_seconds_bucket")
    assert buckets[("0.005", *labels)] == 1
    assert buckets[("1.0", *labels)] == 1
    assert buckets[("2.5", *labels)] == 2


def test_unknown_routes_and_methods_share_a_label() -> None:
    metrics = make_metrics()
    metrics.request_done("edge", "BREW", None, 404, 0.1)
    metrics.request_done("edge", "HACK", None, 404, 0.1)
    assert read(metrics, "steward_requests_total") == {("OTHER", "unmatched", "edge", "404"): 2}


def test_tenants_beyond_the_bound_share_other() -> None:
    metrics = make_metrics(tenant_labels=2)
    for number in (1, 2, 3, 4, 1):
        metrics.request_done("edge", "GET", "/x", 200, 0.1, tenant=TenantId(UUID(int=number)))
    assert read(metrics, "steward_tenant_requests_total") == {
        (str(UUID(int=1)),): 2,
        (str(UUID(int=2)),): 1,
        ("other",): 2,
    }


def test_no_tenant_labels_puts_all_under_other() -> None:
    metrics = make_metrics(tenant_labels=0)
    metrics.request_done("edge", "GET", "/x", 200, 0.1, tenant=TenantId(UUID(int=1)))
    assert read(metrics, "steward_tenant_requests_total") == {("other",): 1}


def test_a_family_cannot_grow_without_end() -> None:
    metrics = make_metrics()
    for number in range(MAX_SERIES + 100):
        metrics.auth_failed(f"reason-{number}")
    found = read(metrics, "steward_auth_failures_total")
    assert len(found) == MAX_SERIES + 1
    assert found[("other",)] == 100


def test_each_part_is_counted_under_its_name() -> None:
    metrics = make_metrics()
    metrics.rpc_done("identity", "Login", "server", "OK", 0.1)
    metrics.transaction_done("identity", "committed", 0.1)
    metrics.statement_was_slow("identity")
    metrics.pool_connections(idle=3, used=2)
    metrics.cache_used("principals", hit=True)
    metrics.cache_used("principals", hit=False)
    metrics.cache_evicted("principals")
    metrics.event_delivered("audit", "handled")
    metrics.bus_lag("audit", 0.25)
    metrics.intent_went("create_tenant", "resumed")
    metrics.tool_called("shop.get_order", "ok", 0.1)
    metrics.audit_sealed("identity", 4)
    metrics.rate_limited("address")
    metrics.auth_failed("invalid_credential")
    expected = {
        "steward_rpc_requests_total": {("OK", "Login", "identity", "server"): 1},
        "steward_rpc_duration_seconds_count": {("Login", "identity", "server"): 1},
        "steward_db_transactions_total": {("committed", "identity"): 1},
        "steward_db_transaction_duration_seconds_sum": {("identity",): 0.1},
        "steward_db_slow_statements_total": {("identity",): 1},
        "steward_db_pool_connections": {("idle",): 3, ("used",): 2},
        "steward_cache_hits_total": {("principals", "hit"): 1, ("principals", "miss"): 1},
        "steward_cache_evictions_total": {("principals",): 1},
        "steward_bus_events_total": {("audit", "handled"): 1},
        "steward_bus_lag_seconds": {("audit",): 0.25},
        "steward_intents_total": {("create_tenant", "resumed"): 1},
        "steward_tool_calls_total": {("ok", "shop.get_order"): 1},
        "steward_tool_call_duration_seconds_sum": {("shop.get_order",): 0.1},
        "steward_audit_entries_total": {("identity",): 4},
        "steward_rate_limited_total": {("address",): 1},
        "steward_auth_failures_total": {("invalid_credential",): 1},
    }
    assert {name: read(metrics, name) for name in expected} == expected


def test_gauges_without_a_source_are_not_shown() -> None:
    metrics = make_metrics()
    assert b"steward_active_sessions" not in metrics.exposition()
    metrics.active_sessions(3)
    metrics.active_sessions(4)
    metrics.audit_unsealed(0.5)
    assert read(metrics, "steward_active_sessions") == {(): 4}
    assert read(metrics, "steward_audit_unsealed_seconds") == {(): 0.5}


def test_gauges_are_refreshed_before_each_scrape() -> None:
    metrics = make_metrics()
    counts = iter((1, 2))
    metrics.before_scrape(lambda: metrics.active_sessions(next(counts)))
    assert [read(metrics, "steward_active_sessions")[()] for _ in range(2)] == [1, 2]


def test_no_creation_times_are_shown() -> None:
    metrics = make_metrics()
    metrics.transaction_done("identity", "committed", 0.1)
    assert b"_created" not in metrics.exposition()


def test_memory_and_cpu_are_read_at_the_scrape(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1048576\n")
    clock = FakeClock()
    usage = ProcessUsage(clock, limit)

    def samples() -> dict[tuple[str, str], float]:
        return {(s.name, s.labels["scope"]): s.value for family in usage.collect() for s in family.samples}

    found = samples()
    assert found["steward_memory_limit_bytes", "process"] == 1_048_576
    assert found["steward_memory_usage_bytes", "process"] > 1_000_000
    assert found["steward_cpu_usage_percent", "process"] == 0
    assert sum(range(3_000_000)) > 0
    clock.advance(1.0)
    busy = samples()["steward_cpu_usage_percent", "process"]
    assert 0 < busy < 1_000
    assert samples()["steward_cpu_usage_percent", "process"] == busy
    for text in ("max\n", None):
        limit.unlink() if text is None else limit.write_text(text)
        found = samples()
        assert found["steward_memory_limit_bytes", "process"] == found["steward_memory_limit_bytes", "host"]
