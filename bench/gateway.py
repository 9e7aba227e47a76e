"""What a model gateway costs: Steward against LiteLLM's proxy, before the same fake provider. The last line is JSON."""

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
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.gateway_sides import ALIAS, MODEL, STREAMS, Direct, Peer, Provider, Steward, chat_request
from bench.http_load import Repeated, Round, alternate, cpu_ratios, drive, figures, percentile
from bench.servers import HOST, Postgres
from bench.stream_load import Streamed, listen

CLIENTS = (1, 32, 256)
ROUNDS = 3
SECONDS: Mapping[int, float] = {1: 3.0, 32: 4.0, 256: 5.0}
WARM_UP_SECONDS = 2.0
SETTLE_SECONDS = 0.6
"""After each round, inside its CPU figure: settlements and spend logs are written."""
STREAM_COUNT = 200
DELTAS = 64
BETWEEN_MS = 20.0
STALL_S = 0.1
"""A stream in which nothing comes for so long, five times the provider's pace, has stalled."""
STREAM_RAMP_S = 1.0

WORK = f"""\
Both sides, each call: HTTP/1.1 keep-alive from a client with an API key that is checked; a chat of 2 KB, validated; an
  alias resolved to one provider; a budget checked; at most 64 output tokens asked for; the answer's usage priced; a row
  a call in PostgreSQL. No two requests are equal, and all caches are off.
Steward, each call, besides: key found by hash with its scopes, rate limit of the key, the call's intent and the worst
  case of its cost committed (synchronous_commit on) before it is sent, in one statement for all calls of a moment; the
  exact cost settled after it, in the ledger, budgets and rollups by hour and day; access log line as JSON, traces,
  metrics per route and per model; retries, breaker and concurrency limit of the provider.
LiteLLM: its master key instead of keys in a database, its router with a provider budget in memory, which is added to
  after a call and so can be overspent, and a spend log written many rows at a time by asyncpg. Its own database layer
  (keys, teams, budgets and spend through Prisma) is not in use, for Prisma's engine is a download that no package
  registry has: this side does less than it would in production. No access log, no metrics.
Streams: {STREAM_COUNT} at once, {DELTAS} deltas at {BETWEEN_MS:g} ms, begun within {STREAM_RAMP_S:g} s; one has
  stalled when nothing came for {STALL_S * 1000:g} ms."""


class Measured(NamedTuple):
    """One side."""

    rounds: Mapping[int, Sequence[Round]]
    """By number of clients."""
    streams: Sequence[Streamed]
    stream_cpu_s: float
    rss_mib: float
    start_s: float


async def main() -> None:
    """Measure and print."""
    began = time.monotonic()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        os.chmod(made, 0o711)  # noqa: PTH101 before anything runs
        provider, paced = (
            Provider(directory, "provider"),
            Provider(directory, "paced", deltas=DELTAS, between_ms=BETWEEN_MS),
        )
        stack.callback(provider.close)
        stack.callback(paced.close)
        steward = Steward(directory, provider, paced)
        stack.callback(steward.close)
        postgres = await steward.start()
        peer = Peer(directory, postgres, provider, paced)
        stack.callback(peer.close)
        await peer.start()
        await _print_set_up(postgres)
        sides = [steward, peer]
        rounds = {side.name: {} for side in [*sides, Direct(provider)]}
        for clients in CLIENTS:
            for name, found in (await _measure(clients, [*sides, Direct(provider)], postgres)).items():
                rounds[name][clients] = found
        streamed = {side.name: await _stream(side) for side in sides}
        direct = await _stream(Direct(paced))
        results = {
            side.name: Measured(rounds[side.name], *streamed[side.name], side.usage.rss_mib(), side.start_s)
            for side in sides
        }
        await _check_counts(steward, peer, provider)
        overspend = await _overspend(steward, provider)
    _report(results, rounds["direct"], direct[0])
    print(f"whole run {time.monotonic() - began:.0f} s")
    print(json.dumps(_summary(results, rounds["direct"], overspend)))


async def _measure(
    clients: int, sides: Sequence[Steward | Peer | Direct], postgres: Postgres
) -> Mapping[str, Sequence[Round]]:
    async def one_round(side: Steward | Peer | Direct, seconds: float) -> Round:
        model = MODEL if isinstance(side, Direct) else ALIAS
        server, database = side.usage.cpu_s(), postgres.usage.cpu_s()
        load = await drive(
            HOST,
            side.port,
            [Repeated(chat_request(side.port, side.key, model)) for _ in range(clients)],
            seconds=seconds,
        )
        await asyncio.sleep(SETTLE_SECONDS)
        return Round(load, side.usage.cpu_s() - server, postgres.usage.cpu_s() - database)

    for side in sides:
        await one_round(side, WARM_UP_SECONDS)
    return await alternate(sides, ROUNDS, lambda side: one_round(side, SECONDS[clients]))


async def _stream(side: Steward | Peer | Direct) -> tuple[Sequence[Streamed], float]:
    model = MODEL if isinstance(side, Direct) else STREAMS
    make = chat_request(side.port, side.key, model, stream=True)
    before = side.usage.cpu_s()
    found = await listen(HOST, side.port, [make() for _ in range(STREAM_COUNT)], ramp_s=STREAM_RAMP_S)
    await asyncio.sleep(SETTLE_SECONDS)
    return found, side.usage.cpu_s() - before


async def _check_counts(steward: Steward, peer: Peer, provider: Provider) -> None:
    """Every call that the provider counted is in a ledger."""
    await asyncio.sleep(SETTLE_SECONDS)
    ours, theirs = steward.ledger_calls(), await peer.spends()
    budget = steward.budget("all")
    if budget["reserved"]:
        raise RuntimeError(f"{budget['reserved']} nanos are still held though nothing is in flight")
    print(f"ledger: {ours} calls of Steward, spend log: {theirs} of LiteLLM; the provider counted {provider.billed()}")


async def _overspend(steward: Steward, provider: Provider) -> int:
    """Nanos by which 256 clients at once got past a small budget, by the provider's own count."""
    before = provider.billed()
    spent = steward.budget("all")["spent"]
    limit = 20_000_000
    steward.make_budget("small", limit, {"kind": "tenant"})
    load = _TillRefused()
    make = chat_request(steward.port, steward.key, ALIAS)
    await load.run(steward.port, make, clients=256, seconds=4.0)
    await asyncio.sleep(SETTLE_SECONDS)
    after = provider.billed()
    budget = steward.budget("small")
    calls = after.calls - before.calls
    cost = steward.budget("all")["spent"] - spent
    print(
        f"small budget: {limit} nanos, {budget['spent']} spent, {budget['reserved']} held; {calls} calls made,"
        f" {load.refused} refused; the provider's tokens cost {cost}"
    )
    return max(0, budget["spent"] + budget["reserved"] - limit, cost - limit)


class _TillRefused:
    """Clients that go on whether they are answered or refused."""

    def __init__(self) -> None:
        self.answered = 0
        self.refused = 0

    async def run(self, port: int, make: object, *, clients: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._client(port, make, until) for _ in range(clients)))

    async def _client(self, port: int, make: object, until: float) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            while time.monotonic() < until:
                writer.write(make())
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                at = head.index(b"content-length:") + len(b"content-length:")
                await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
                if head.startswith(b"http/1.1 200"):
                    self.answered += 1
                elif head.startswith(b"http/1.1 429"):
                    self.refused += 1
                    await asyncio.sleep(0.05)
                else:
                    raise RuntimeError(head.decode())
        finally:
            writer.close()


async def _print_set_up(postgres: Postgres) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    ours = ("steward", "granian", "litestar", "msgspec", "asyncpg", "aiohttp", "uvloop")
    theirs = ("litellm", "fastapi", "uvicorn", "aiohttp", "pydantic", "uvloop", "httptools")
    print(f"machine: {os.cpu_count()} CPUs, load {load}; Python {platform.python_version()}, {platform.system()}")
    print(f"PostgreSQL: {await postgres.durability()}; over its Unix socket, a database for each side")
    print("steward: " + ", ".join(f"{name} {version(name)}" for name in ours) + "; one process, one event loop")
    print("litellm: " + ", ".join(f"{name} {Peer.program.version(name)}" for name in theirs) + "; one worker")
    print(
        f"load: {ROUNDS} alternating rounds at {', '.join(map(str, CLIENTS))} clients; CPU includes"
        f" {SETTLE_SECONDS:g} s after each round; provider and clients share the machine, and are the same for both"
    )
    print(WORK, flush=True)


def _report(results: Mapping[str, Measured], direct: Mapping[int, Sequence[Round]], paced: Sequence[Streamed]) -> None:
    print(
        f"\n{'clients':>8}  {'side':10}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'added p50':>11}{'added p99':>11}"
        f"{'CPU us':>9}{'PG CPU us':>11}"
    )
    for clients in CLIENTS:
        bare = figures(direct[clients])
        print(f"{clients:8}  {'(direct)':10}{bare.rps:8.0f}{bare.p50_ms:9.2f}{bare.p99_ms:9.2f}")
        for name, measured in results.items():
            found = figures(measured.rounds[clients])
            print(
                f"{clients:8}  {name:10}{found.rps:8.0f}{found.p50_ms:9.2f}{found.p99_ms:9.2f}"
                f"{found.p50_ms - bare.p50_ms:11.2f}{found.p99_ms - bare.p99_ms:11.2f}{found.server_cpu_us:9.0f}"
                f"{found.postgres_cpu_us:11.0f}"
            )
    print(
        f"\n{'streams':8}  {'side':10}{'stall-free':>11}{'longest gap ms':>16}{'first p99 ms':>14}{'CPU ms each':>13}"
    )
    print(f"{STREAM_COUNT:8}  {'(direct)':10}{_stall_free(paced):11}{_gap_ms(paced):16.0f}{_first_ms(paced):14.1f}")
    for name, measured in results.items():
        streams = measured.streams
        print(
            f"{STREAM_COUNT:8}  {name:10}{_stall_free(streams):11}{_gap_ms(streams):16.0f}{_first_ms(streams):14.1f}"
            f"{measured.stream_cpu_s / STREAM_COUNT * 1e3:13.2f}"
        )
    for name, measured in results.items():
        print(f"{name}: {measured.rss_mib:.0f} MiB, ready after {measured.start_s:.1f} s")


def _stall_free(streams: Sequence[Streamed]) -> int:
    return sum(1 for one in streams if one.whole and one.longest_gap_s <= STALL_S)


def _gap_ms(streams: Sequence[Streamed]) -> float:
    return max(one.longest_gap_s for one in streams) * 1e3


def _first_ms(streams: Sequence[Streamed]) -> float:
    return percentile([one.first_s for one in streams], 0.99) * 1e3


def _summary(
    results: Mapping[str, Measured], direct: Mapping[int, Sequence[Round]], overspend: int
) -> dict[str, float]:
    """The figures for programs: ratios so that more is better, ours without prefix, the peer's with `peer_`."""
    ours, theirs = results["steward"], results["litellm"]
    busy = 32
    found: dict[str, float] = {
        "cpu_ratio": round(statistics.median(cpu_ratios(theirs.rounds[busy], ours.rounds[busy])), 2),
        "rps_ratio": round(figures(ours.rounds[busy]).rps / figures(theirs.rounds[busy]).rps, 2),
        "added_p99_ms_c1": round(_added(ours, direct, 1, "p99_ms"), 3),
        "added_p50_ms_c1": round(_added(ours, direct, 1, "p50_ms"), 3),
        "stall_free_streams": _stall_free(ours.streams),
        "rss_mb": round(ours.rss_mib * 1.048576, 1),
        "rss_ratio": round(theirs.rss_mib / ours.rss_mib, 2),
        "overspend": overspend,
        "start_s": round(ours.start_s, 2),
        "peer_added_p99_ms_c1": round(_added(theirs, direct, 1, "p99_ms"), 3),
        "peer_stall_free_streams": _stall_free(theirs.streams),
        "peer_rss_mb": round(theirs.rss_mib * 1.048576, 1),
        "peer_start_s": round(theirs.start_s, 2),
    }
    for prefix, side in (("", ours), ("peer_", theirs)):
        for clients in CLIENTS:
            one = figures(side.rounds[clients])
            found |= {
                f"{prefix}rps_c{clients}": round(one.rps),
                f"{prefix}p99_ms_c{clients}": round(one.p99_ms, 2),
                f"{prefix}cpu_us_c{clients}": round(one.server_cpu_us),
                f"{prefix}postgres_cpu_us_c{clients}": round(one.postgres_cpu_us),
            }
    return found


def _added(side: Measured, direct: Mapping[int, Sequence[Round]], clients: int, figure: str) -> float:
    return getattr(figures(side.rounds[clients]), figure) - getattr(figures(direct[clients]), figure)


if __name__ == "__main__":
    uvloop.run(main())
