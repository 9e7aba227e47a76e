"""What search costs and how well it ranks: 100,000 chunks over HTTP, 120 FAQs in memory, public sets beside BM25.

The corpus is made up (see `knowledge_corpus.py`). Public sets are read from `../shared/data/retrieval` (or the folder
in STEWARD_RETRIEVAL_DATA); those that are missing are said to be. The last line is JSON.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.http_load import percentile
from bench.knowledge_corpus import Texts
from bench.knowledge_relevance import DATA, ask, index_of, quality
from bench.servers import HOST, PER_MINUTE, Steward
from steward.kit.text import load
from steward.services.knowledge.api import FaqInput
from steward.services.knowledge.indexing import faq_source

CHUNKS: Final = 100_000
TIMED: Final = 10_000
"""Documents whose ingest is timed, into an empty corpus."""
BATCH: Final = 1_000
QUERIES: Final = 1_000
WARM_UP: Final = 50
FAQS: Final = 120
FAQ_SEARCHES: Final = 2_000
SETS: Final = (("stackfaq", "stackfaq"), ("cmrc", "cmrc2018-dev"))
PING_SECONDS: Final = 0.005


class Ingest(NamedTuple):
    seconds: float
    server_cpu_s: float
    pings_ms: Sequence[float]
    """How long a request for `/live` took meanwhile."""


class Client:
    """Calls the server under load as its first tenant's owner."""

    def __init__(self, steward: Steward, session: aiohttp.ClientSession) -> None:
        self._steward = steward
        self._session = session
        self._url = f"http://{HOST}:{steward.port}"

    async def post(self, path: str, body: object) -> Any:
        headers = {"X-API-Key": self._steward.key}
        async with self._session.post(f"{self._url}/api/v1/knowledge/{path}", json=body, headers=headers) as answer:
            if answer.status >= 300:
                raise RuntimeError(f"{path} answered {answer.status}: {(await answer.text())[:500]}")
            return await answer.json()

    async def ping(self) -> float:
        began = time.perf_counter()
        async with self._session.get(f"{self._url}/live") as answer:
            await answer.read()
        return (time.perf_counter() - began) * 1e3


async def ingest(client: Client, steward: Steward, documents: Sequence[Mapping[str, str]]) -> Ingest:
    """Put documents in batches, one after the other, with a request beside them all the time."""
    pings: list[float] = []

    async def ping() -> None:
        while True:
            pings.append(await client.ping())
            await asyncio.sleep(PING_SECONDS)

    cpu, began = steward.usage.cpu_s(), time.perf_counter()
    pinging = asyncio.create_task(ping())
    for batch in _batched(documents):
        await client.post("documents", {"documents": batch})
    seconds = time.perf_counter() - began
    pinging.cancel()
    await asyncio.gather(pinging, return_exceptions=True)
    return Ingest(seconds, steward.usage.cpu_s() - cpu, pings)


async def search(client: Client, queries: Sequence[str]) -> Sequence[float]:
    """Milliseconds of each search, one after the other; each query is new, so nothing is answered from memory."""
    took: list[float] = []
    for query in queries:
        began = time.perf_counter()
        await client.post("search", {"query": query, "k": 10})
        took.append((time.perf_counter() - began) * 1e3)
    return took


def faq_search_us(texts: Texts) -> float:
    """CPU of one search in 120 FAQs: analysed, compared with each, ranked; without HTTP."""
    documents = list(texts.documents(FAQS))
    sources = [faq_source(each["id"], FaqInput(question=each["title"], answer=each["text"])) for each in documents]
    index, queries = index_of(sources), texts.queries(FAQ_SEARCHES)
    for query in queries[:WARM_UP]:
        ask(index, query)
    began = time.process_time()
    for query in queries:
        ask(index, query)
    return (time.process_time() - began) / len(queries) * 1e6


def ranked() -> Mapping[str, float]:
    """nDCG@10 of the public sets that are there."""
    found: dict[str, float] = {}
    for name, folder in SETS:
        if not (DATA / folder).is_dir():
            print(f"{folder}: ABSENT in {DATA}, not measured")
            continue
        of_set = quality(folder)
        print(f"{folder}: {of_set.queries} queries, nDCG@10 {of_set.ours:.3f}, plain BM25 {of_set.bm25:.3f}")
        found |= {f"ndcg_{name}": round(of_set.ours, 4), f"ndcg_{name}_bm25": round(of_set.bm25, 4)}
    return found


async def served(texts: Texts, chunks: int) -> Mapping[str, float]:
    """All that is measured through HTTP."""
    with tempfile.TemporaryDirectory(prefix="steward-bench-") as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        # Where root runs this, PostgreSQL runs as somebody else, who must get through.
        await asyncio.to_thread(directory.chmod, 0o711)
        steward = Steward(directory, {"STEWARD_GATEWAY_USER_PER_MINUTE": str(PER_MINUTE)})
        stack.callback(steward.close)
        postgres = await steward.start()
        print(f"PostgreSQL: {await postgres.durability()}")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(300)) as session:
            client = Client(steward, session)
            first = await ingest(client, steward, list(texts.documents(min(TIMED, chunks))))
            rest = await ingest(client, steward, list(texts.documents(max(chunks - TIMED, 0), TIMED)))
            queries = texts.queries(WARM_UP + QUERIES)
            await search(client, queries[:WARM_UP])
            cpu = steward.usage.cpu_s()
            took = await search(client, queries[WARM_UP:])
            search_cpu_us = (steward.usage.cpu_s() - cpu) / len(took) * 1e6
    pings = first.pings_ms
    print(f"first {min(TIMED, chunks)} documents: {first.seconds:.1f} s, {first.server_cpu_s:.1f} s CPU of the server")
    if chunks > TIMED:
        print(f"the other {chunks - TIMED}: {rest.seconds:.1f} s, {rest.server_cpu_s:.1f} s CPU of the server")
    print(
        f"/live meanwhile: p50 {percentile(pings, 0.5):.1f} ms, p99 {percentile(pings, 0.99):.1f}, max {max(pings):.1f}"
    )
    print(f"search in {chunks} chunks: {search_cpu_us:.0f} us CPU of the server beside PostgreSQL's")
    for share in (0.5, 0.9, 0.95, 0.99, 1.0):
        print(f"  p{share * 100:.0f} {percentile(took, share):.1f} ms")
    return {
        "chunks": chunks,
        "p50_ms": round(percentile(took, 0.5), 2),
        "p95_ms": round(percentile(took, 0.95), 2),
        "ingest_10000_s": round(first.seconds, 1),
        "live_p99_ms": round(percentile(pings, 0.99), 1),
        "search_cpu_us": round(search_cpu_us),
    }


def _batched(documents: Sequence[Mapping[str, str]]) -> Sequence[Sequence[Mapping[str, str]]]:
    return [documents[start : start + BATCH] for start in range(0, len(documents), BATCH)]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=CHUNKS)
    chunks = parser.parse_args().chunks
    # A terminated benchmark stops what it started, too.
    current = asyncio.current_task()
    assert current is not None, "a coroutine runs in a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel)
    await asyncio.to_thread(load)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    texts = Texts()
    of_faqs = faq_search_us(texts)
    print(f"search in {FAQS} FAQs: {of_faqs:.0f} us CPU in process, without HTTP")
    figures = {**await served(texts, chunks), "faq_search_cpu_us": round(of_faqs), **ranked()}
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main())
