"""What a request costs at the edge: Steward against the same work in FastAPI, on the same PostgreSQL.

Two operations through HTTP: an authenticated, tenant-scoped read and an audited write. The last line is JSON.
"""

import asyncio
import contextlib
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.edge_sides import Peer, Side, Steward, fetch, read_request, write_request
from bench.http_load import Figures, Repeated, Round, alternate, cpu_ratios, drive, figures
from bench.servers import HOST, Postgres

ROUNDS = 5
ROUND_SECONDS = 3.0
CONNECTIONS = 16
SINGLE_ROUNDS = 2
SINGLE_SECONDS = 2.0
WARM_UP_SECONDS = 2.0
SETTLE_SECONDS = 0.8
"""After each round, inside its CPU figure: Steward's audit collector seals what was written."""

OPERATIONS: Mapping[str, Callable[[Side], Callable[[], bytes]]] = {"read": read_request, "write": write_request}

WORK = """\
Both sides, each request: HTTP/1.1 keep-alive; request id; limits on body and time; API key looked up by hash with a
  30 s memory, scopes checked; GCRA rate limit of the key with RateLimit fields; one transaction with role and tenant
  set in it, row-level security forced, at most 10 connections; typed JSON in and out, the same 10 fields; the same
  security headers; an access log line as JSON to a file; Prometheus counter and histogram (prometheus-client); problem
  details for errors.
Both sides, each write: the row locked and updated, an audit entry (before, after) and an event inserted into outboxes,
  all in one transaction, synchronous_commit on.
Steward besides: trace and span ids in each log line, CPU and histogram per transaction, rate policy and CORS list by
  tenant, watching for callers who leave, audit entries hash-chained, signed and sealed within a second by the same
  process, and events delivered to consumers; all of that is in its CPU figure.
FastAPI: one pure ASGI middleware, dependencies, async SQLAlchemy ORM, role and tenant in one statement, pydantic
  serialising in its compiled core, structlog with orjson; it chains nothing and delivers no events."""


class Result(NamedTuple):
    """What was measured of one operation and side."""

    loaded: Sequence[Round]
    alone: Sequence[Round]


async def main() -> None:
    """Measure and print."""
    began = time.monotonic()
    # A terminated benchmark stops what it started, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        steward = Steward(directory)
        stack.callback(steward.close)
        postgres = await steward.start()
        peer = Peer(directory, postgres, steward.tenant)
        stack.callback(peer.close)
        await peer.start()
        _check_same_answers(steward, peer)
        await _print_set_up(postgres)
        results = {name: await _measure(name, [steward, peer], postgres) for name in OPERATIONS}
        sealed = await steward.sealed()
        rss = {side.name: side.usage.rss_mib() for side in (steward, peer)}
    _report(results, rss)
    print(f"audit entries sealed by Steward meanwhile: {sealed}; whole run {time.monotonic() - began:.0f} s")
    print(json.dumps(_summary(results, rss)))


async def _measure(operation: str, sides: Sequence[Side], postgres: Postgres) -> Mapping[str, Result]:
    requests = {side.name: OPERATIONS[operation](side) for side in sides}
    before = {side.name: await side.counts() for side in sides}
    sent = {side.name: 0 for side in sides}

    async def one_round(side: Side, connections: int, seconds: float) -> Round:
        server, database = side.usage.cpu_s(), postgres.usage.cpu_s()
        load = await drive(HOST, side.port, [Repeated(requests[side.name])] * connections, seconds=seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        sent[side.name] += load.requests
        return Round(load, side.usage.cpu_s() - server, postgres.usage.cpu_s() - database)

    for side in sides:
        await one_round(side, CONNECTIONS, WARM_UP_SECONDS)
    loaded = await alternate(sides, ROUNDS, lambda side: one_round(side, CONNECTIONS, ROUND_SECONDS))
    alone = await alternate(sides, SINGLE_ROUNDS, lambda side: one_round(side, 1, SINGLE_SECONDS))
    for side in sides:
        await _check_counts(operation, side, before[side.name], sent[side.name])
    return {side.name: Result(loaded[side.name], alone[side.name]) for side in sides}


def _check_same_answers(steward: Side, peer: Side) -> None:
    """Stop unless both sides give the same fields and say the same of the same change."""
    for method, body in (("GET", None), ("PATCH", b'{"name":"Bench"}')):
        (ours, our_headers), (theirs, their_headers) = fetch(steward, method, body), fetch(peer, method, body)
        changing = {"updated_at"} if method == "PATCH" else set[str]()
        if {key: ours[key] for key in ours if key not in changing} != {
            key: theirs[key] for key in theirs if key not in changing
        }:
            raise RuntimeError(f"the sides answer {method} differently:\n{ours}\n{theirs}")
    only = sorted(set(our_headers) ^ set(their_headers))
    print(f"same answers checked: {', '.join(ours)}; header fields that only one side sends: {', '.join(only) or '-'}")


async def _check_counts(operation: str, side: Side, before: Sequence[int], sent: int) -> None:
    """Every write that was acknowledged has left one audit entry and one event, and no read has."""
    expected = sent if operation == "write" else 0
    gained = [after - earlier for after, earlier in zip(await side.counts(), before, strict=True)]
    if gained != [expected, expected]:
        raise RuntimeError(f"{side.name}: {sent} of {operation} left {gained} audit entries and events")


async def _print_set_up(postgres: Postgres) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    ours = ("steward", "granian", "litestar", "msgspec", "asyncpg", "uvloop")
    theirs = ("fastapi", "starlette", "pydantic", "sqlalchemy", "asyncpg", "uvicorn", "uvloop", "httptools")
    print(f"machine: {os.cpu_count()} CPUs, load {load}; Python {platform.python_version()}, {platform.system()}")
    print(f"PostgreSQL: {await postgres.durability()}; over its Unix socket, a database for each side")
    print("steward: " + ", ".join(f"{name} {version(name)}" for name in ours) + "; one process, one event loop")
    print("fastapi: " + ", ".join(f"{name} {Peer.program.version(name)}" for name in theirs) + "; one worker")
    print(
        f"load: {ROUNDS} alternating rounds of {ROUND_SECONDS:g} s at {CONNECTIONS} connections, then {SINGLE_ROUNDS}"
        f" of {SINGLE_SECONDS:g} s at 1 connection; CPU includes {SETTLE_SECONDS:g} s after each round"
    )
    print(WORK, flush=True)


def _report(results: Mapping[str, Mapping[str, Result]], rss: Mapping[str, float]) -> None:
    print(
        f"\n{'operation':10}{'side':10}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'PG CPU us':>11}"
        f"{'1 conn p50':>12}{'p99 ms':>9}{'RSS MiB':>9}"
    )
    for operation, sides in results.items():
        for name, result in sides.items():
            many, single = figures(result.loaded), figures(result.alone)
            print(
                f"{operation:10}{name:10}{many.rps:8.0f}{many.p50_ms:9.2f}{many.p99_ms:9.2f}{many.server_cpu_us:9.0f}"
                f"{many.postgres_cpu_us:11.0f}{single.p50_ms:12.2f}{single.p99_ms:9.2f}{rss[name]:9.0f}"
            )
        ratios = cpu_ratios(sides["fastapi"].loaded, sides["steward"].loaded)
        print(
            f"{operation:10}server CPU, fastapi over steward: median {statistics.median(ratios):.2f}"
            f" (rounds {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
        )


def _summary(results: Mapping[str, Mapping[str, Result]], rss: Mapping[str, float]) -> dict[str, float]:
    """The figures for programs: ours without prefix, the peer's with `peer_`; ratios are peer over ours."""
    found: dict[str, float] = {}
    for operation, sides in results.items():
        ratios = cpu_ratios(sides["fastapi"].loaded, sides["steward"].loaded)
        found[f"{operation}_cpu_ratio"] = round(statistics.median(ratios), 2)
        for prefix, name in (("", "steward"), ("peer_", "fastapi")):
            found |= _named(f"{prefix}{operation}", figures(sides[name].loaded), figures(sides[name].alone))
    return found | {"rss_mib": round(rss["steward"]), "peer_rss_mib": round(rss["fastapi"])}


def _named(name: str, many: Figures, single: Figures) -> dict[str, float]:
    return {
        f"{name}_rps": round(many.rps),
        f"{name}_p50_ms": round(many.p50_ms, 2),
        f"{name}_p99_ms": round(many.p99_ms, 2),
        f"{name}_cpu_us": round(many.server_cpu_us),
        f"{name}_postgres_cpu_us": round(many.postgres_cpu_us),
        f"{name}_1_connection_p50_ms": round(single.p50_ms, 2),
        f"{name}_1_connection_p99_ms": round(single.p99_ms, 2),
    }


if __name__ == "__main__":
    uvloop.run(main())
