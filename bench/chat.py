"""What an answer of the desk costs: Steward against the same work in FastAPI, on the same PostgreSQL.

Messages through HTTP with authentication, rate limits, persistence and audit on; cached and not; 64 clients and one.
Besides: memory at rest and the time to start. The last line is JSON.
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
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.chat_questions import Wording, different, guises, questions, wordings
from bench.chat_sides import SESSION_MESSAGES, Customer, Heard, Kept, Peer, Side, Steward, chat
from bench.http_load import Round, alternate, cpu_ratios, drive, figures
from bench.servers import HOST, Postgres

ROUNDS = 4
ROUND_SECONDS = 3.0
CLIENTS = 64
SINGLE_ROUNDS = 2
SINGLE_SECONDS = 2.0
WARM_UP_SECONDS = 2.0
SETTLE_SECONDS = 0.8
"""After each round, inside its CPU figure: Steward's audit collector seals what was written."""
IDLE_SECONDS = 5.0
CACHED_QUESTIONS = 60
LOOKED_AT = 300
"""Wordings that are tried on both sides before."""
RECORDING_SECONDS = 1.0
"""Steward writes queries 50 ms after they were made."""

WORK = """\
Both sides, each message: HTTP/1.1 keep-alive; request id; limits on body and time; API key by hash with a 30 s memory,
  scopes checked; GCRA limits of the key and of the customer (the customer's usual 60 a minute is lifted by its setting
  for this run, the check is made); typed JSON in and out; session with its owner checked; language told; traditional
  and simplified Chinese folded; entities and mood by patterns; the session, the message, the answer, an audit entry and
  the query recorded in PostgreSQL, row-level security forced, synchronous_commit on, acknowledged after the commit; the
  same security headers, access log as JSON to a file, Prometheus figures.
Not cached, besides: Chinese segmented by jieba, English stemmed; intent by a calibrated linear classifier trained on
  the same 1,900 examples; the demo shop's FAQs searched and the best one cited.
Steward besides: playbooks, several intents and calibrated unsureness, hand-off rules, trace ids; the audit trail
  chained, signed and sealed within a second; all of that is in its CPU figure. It writes the messages of concurrent
  requests in one transaction, and queries 50 ms later.
FastAPI: the edge of peers/edge_fastapi; async SQLAlchemy ORM; scikit-learn's TF-IDF and LinearSVC in the process;
  PostgreSQL's full text search (GIN, ts_rank, segmented terms); answers kept in a dictionary; one transaction a
  message with everything in it."""


class Mode(NamedTuple):
    """A kind of load, and what was measured of it on each side."""

    name: str
    loaded: Mapping[str, Sequence[Round]]
    alone: Mapping[str, Sequence[Round]]


class Rest(NamedTuple):
    """A side at rest after its second start."""

    start_s: float
    rss_mib: float


class Run:
    """Everything that was sent, so that it can be looked for in the end."""

    def __init__(self, sides: Sequence[Side], postgres: Postgres) -> None:
        self._sides = sides
        self._postgres = postgres
        self._heard = {side.name: Heard() for side in sides}

    async def measure(self, name: str, texts: Mapping[str, Iterator[str]], *, cached: bool) -> Mode:
        """Alternating rounds with many clients, then with one."""

        async def one_round(side: Side, clients: int, seconds: float) -> Round:
            server, database = side.usage.cpu_s(), self._postgres.usage.cpu_s()
            customers = [
                Customer(side, texts[side.name], self._heard[side.name], cached=cached) for _ in range(clients)
            ]
            load = await drive(HOST, side.port, customers, seconds=seconds)
            await asyncio.sleep(SETTLE_SECONDS)
            return Round(load, side.usage.cpu_s() - server, self._postgres.usage.cpu_s() - database)

        for side in self._sides:
            await one_round(side, CLIENTS, WARM_UP_SECONDS)
        before = {side.name: (len(heard.acknowledged), heard.citing) for side, heard in self._each()}
        loaded = await alternate(self._sides, ROUNDS, lambda side: one_round(side, CLIENTS, ROUND_SECONDS))
        alone = await alternate(self._sides, SINGLE_ROUNDS, lambda side: one_round(side, 1, SINGLE_SECONDS))
        for side, heard in self._each():
            answers, citing = before[side.name]
            share = (heard.citing - citing) / (len(heard.acknowledged) - answers)
            print(f"{name}: {share:.0%} of {side.name}'s answers cite a FAQ", flush=True)
        return Mode(name, loaded, alone)

    def _each(self) -> Iterator[tuple[Side, Heard]]:
        return ((side, self._heard[side.name]) for side in self._sides)

    async def check(self, before: Mapping[str, Kept]) -> None:
        """Stop unless each acknowledged message is there once, with one answer and one audit entry."""
        for side in self._sides:
            acknowledged = self._heard[side.name].acknowledged
            sent = len(acknowledged)
            await asyncio.sleep(RECORDING_SECONDS)
            now, earlier = await side.kept(acknowledged), before[side.name]
            messages, audit = now.messages - earlier.messages, now.audit - earlier.audit
            found = (len(set(acknowledged)), now.acknowledged, now.answers, messages, audit)
            if found != (sent,) * len(found):
                raise RuntimeError(
                    f"{side.name}: {sent} acknowledged; distinct, kept, answered, messages, audit entries: {found}"
                )
            print(
                f"{side.name}: {sent} acknowledged messages, each kept once, with one answer and one audit entry;"
                f" {(now.queries - earlier.queries) / sent:.0%} asked the knowledge and were recorded"
            )

    def _each(self) -> Iterator[tuple[Side, Heard]]:
        return ((side, self._heard[side.name]) for side in self._sides)


async def main() -> None:
    """Measure and print."""
    began = time.monotonic()
    # A terminated benchmark stops what it started, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        steward = Steward(directory)
        stack.callback(steward.close)
        postgres, ours = await _second_start(steward)
        await _print_set_up(postgres)
        _print_rest(steward, ours)
        peer = Peer(directory, postgres, steward.tenant)
        stack.callback(peer.close)
        theirs = await _start_peer(peer)
        sides: list[Side] = [steward, peer]
        asked = _answered_from_faqs(sides)
        warmed = _warm(sides)
        before = {side.name: await side.kept([]) for side in sides}
        run = Run(sides, postgres)
        fresh = {side.name: different(asked) for side in sides}
        again = {side.name: cycle(warmed) for side in sides}
        modes = [
            await run.measure("uncached", fresh, cached=False),
            await run.measure("cached", again, cached=True),
        ]
        await run.check(before)
        after = steward.platform.rss_mib()
    _report(modes)
    print(f"Steward's memory after the load: {after:.0f} MiB; whole run {time.monotonic() - began:.0f} s")
    print(json.dumps(_summary(modes, ours, theirs, after)))


async def _second_start(steward: Steward) -> tuple[Postgres, Rest]:
    """Start, stop, and start again: the first start makes the home, later ones are what people wait for."""
    await steward.start()
    await asyncio.to_thread(steward.close)
    started = time.monotonic()
    postgres = await steward.start()
    start_s = time.monotonic() - started
    await asyncio.sleep(IDLE_SECONDS)
    return postgres, Rest(start_s, steward.platform.rss_mib())


async def _start_peer(peer: Peer) -> Rest:
    await peer.prepare()
    started = time.monotonic()
    await peer.start()
    return Rest(time.monotonic() - started, peer.usage.rss_mib())


def _answered_from_faqs(sides: Sequence[Side]) -> list[Wording]:
    """The wordings that both sides answer from a FAQ in every guise.

    For others Steward's desk asks back or has agents of its own, which is not the same work.
    """
    found = wordings()[:LOOKED_AT]
    for side in sides:
        kept: list[Wording] = []
        right = 0
        for wording in found:
            answers = [chat(side, text, f"look-{number}") for number, text in enumerate(guises(wording))]
            cited = [{_subject(one["document_id"]) for one in answer["citations"]} for answer in answers]
            if all(cited):
                kept.append(wording)
                right += all(_subject(wording.faq) in one for one in cited)
        print(
            f"{side.name}: of {len(found)} wordings {len(kept)} are answered from a FAQ in each of their guises,"
            f" {right} of these from the right one",
            flush=True,
        )
        found = kept
    return found


def _subject(faq: str) -> str:
    """What a FAQ is about, in whichever of the three scripts."""
    return faq.rpartition(".")[0]


def _warm(sides: Sequence[Side]) -> list[str]:
    """Questions that both sides have kept the answer of."""
    every = questions()
    texts = every[:: max(1, len(every) // CACHED_QUESTIONS)][:CACHED_QUESTIONS]
    for side in sides:
        for number in range(2):
            answers = [chat(side, text, f"warm-{number}-{place}") for place, text in enumerate(texts)]
        texts = [text for text, answer in zip(texts, answers, strict=True) if answer["from_cache"]]
    print(f"cached: {len(texts)} questions in three scripts, asked before", flush=True)
    return texts


async def _print_set_up(postgres: Postgres) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    ours = ("steward", "granian", "litestar", "msgspec", "asyncpg", "uvloop", "numpy", "jieba", "opencc")
    theirs = ("fastapi", "pydantic", "sqlalchemy", "asyncpg", "uvicorn", "scikit-learn", "numpy", "jieba", "opencc")
    print(f"machine: {os.cpu_count()} CPUs, load {load}; Python {platform.python_version()}, {platform.system()}")
    print(f"PostgreSQL: {await postgres.durability()}; over its Unix socket, a database for each side")
    print("steward: " + ", ".join(f"{name} {version(name)}" for name in ours) + "; one process, one event loop")
    print("fastapi: " + ", ".join(f"{name} {Peer.program.version(name)}" for name in theirs) + "; one worker")
    print(
        f"load: {ROUNDS} alternating rounds of {ROUND_SECONDS:g} s with {CLIENTS} clients, then {SINGLE_ROUNDS} of"
        f" {SINGLE_SECONDS:g} s with 1, each client one customer after another with a session of"
        f" {SESSION_MESSAGES} messages; CPU includes {SETTLE_SECONDS:g} s after"
        " each round"
    )
    print(WORK, flush=True)


def _print_rest(steward: Steward, rest: Rest) -> None:
    print(
        f"\nsteward up, second start: ready after {rest.start_s:.2f} s; {IDLE_SECONDS:g} s later resident:"
        f" platform {rest.rss_mib:.0f} MiB; besides the demo shop {steward.shop_mib():.0f} MiB, PostgreSQL"
        f" {steward.postgres.usage.rss_mib():.0f} MiB (shared pages counted in each of its processes)",
        flush=True,
    )


def _report(modes: Sequence[Mode]) -> None:
    print(
        f"\n{'':10}{'side':10}{'msg/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'PG CPU us':>11}"
        f"{'1: msg/s':>10}{'p50 ms':>9}{'p99 ms':>9}"
    )
    for mode in modes:
        for name in mode.loaded:
            many, single = figures(mode.loaded[name]), figures(mode.alone[name])
            print(
                f"{mode.name:10}{name:10}{many.rps:8.0f}{many.p50_ms:9.2f}{many.p99_ms:9.2f}{many.server_cpu_us:9.0f}"
                f"{many.postgres_cpu_us:11.0f}{single.rps:10.0f}{single.p50_ms:9.2f}{single.p99_ms:9.2f}"
            )
        for what, ratios in (("server", _server_ratios(mode)), ("server and PostgreSQL", _whole_ratios(mode))):
            print(
                f"{mode.name:10}CPU of {what}, fastapi over steward: median {statistics.median(ratios):.2f}"
                f" (rounds {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
            )


def _server_ratios(mode: Mode) -> Sequence[float]:
    return cpu_ratios(mode.loaded["fastapi"], mode.loaded["steward"])


def _whole_ratios(mode: Mode) -> Sequence[float]:
    """With the database: the peer searches in it, Steward in its process."""
    whole = {
        name: [one._replace(server_cpu_s=one.server_cpu_s + one.postgres_cpu_s) for one in rounds]
        for name, rounds in mode.loaded.items()
    }
    return cpu_ratios(whole["fastapi"], whole["steward"])


def _summary(modes: Sequence[Mode], ours: Rest, theirs: Rest, after_mib: float) -> dict[str, float]:
    """The figures for programs: ours without prefix, the peer's with `peer_`; ratios are peer over ours."""
    found: dict[str, float] = {}
    for mode in modes:
        for prefix, name in (("", "steward"), ("peer_", "fastapi")):
            found |= _named(f"{prefix}{mode.name}", mode, name)
        found[f"{mode.name}_cpu_ratio"] = round(statistics.median(_server_ratios(mode)), 2)
        found[f"{mode.name}_cpu_ratio_with_postgres"] = round(statistics.median(_whole_ratios(mode)), 2)
    head = {
        "uncached_rps": found["uncached_rps"],
        "cached_rps": found["cached_rps"],
        "p99_ms": max(found["uncached_p99_ms"], found["cached_p99_ms"]),
        "cpu_ratio": min(ratio for name, ratio in found.items() if "cpu_ratio" in name),
        "rss_mb": round(ours.rss_mib * 2**20 / 1e6),
        "start_s": round(ours.start_s, 2),
    }
    rest = {
        "rss_after_load_mb": round(after_mib * 2**20 / 1e6),
        "peer_rss_mb": round(theirs.rss_mib * 2**20 / 1e6),
        "peer_start_s": round(theirs.start_s, 2),
    }
    return head | found | rest


def _named(name: str, mode: Mode, side: str) -> dict[str, float]:
    many, single = figures(mode.loaded[side]), figures(mode.alone[side])
    return {
        f"{name}_rps": round(many.rps),
        f"{name}_p50_ms": round(many.p50_ms, 2),
        f"{name}_p99_ms": round(many.p99_ms, 2),
        f"{name}_cpu_us": round(many.server_cpu_us),
        f"{name}_postgres_cpu_us": round(many.postgres_cpu_us),
        f"{name}_1_client_rps": round(single.rps),
        f"{name}_1_client_p50_ms": round(single.p50_ms, 2),
        f"{name}_1_client_p99_ms": round(single.p99_ms, 2),
    }


if __name__ == "__main__":
    uvloop.run(main())
