"""Calls to share, and a double of the room behind that makes them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.ids import Ids, TenantId
from steward.kit.module import Apis
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys
from steward.services.costs.api import CacheHit, CostsApi
from steward.services.models.api import AliasInput, CallOptions, Candidate, Speaks, TimeOuts
from steward.services.models.folding import replay
from steward.services.models.messages import (
    Choice,
    Message,
    ModelReply,
    ModelRequest,
    Role,
    StopReason,
    StreamEvent,
    Text,
    Usage,
)
from steward.services.models.ports import Call, Endpoint, Resolved, Target
from steward.services.models.sharing.exact import ExactCache
from steward.services.models.sharing.semantic import SemanticCache
from steward.services.models.sharing.shared_calls import SharedCalls

ACME = TenantId(UUID(int=1))
BETA = TenantId(UUID(int=2))
IDS = Ids(SystemClock())
CANDIDATE = Candidate(connection="fake", model="small-1")
ENDPOINT = Endpoint(
    name="fake",
    owner=None,
    revision=UUID(int=9),
    speaks=Speaks.OPENAI,
    base_url="http://127.0.0.1:1/v1",
    key=None,
    key_header="",
    headers={},
    query={},
    prices="openai",
    library="",
    max_concurrency=8,
    requests_per_minute=None,
    tokens_per_minute=None,
    queue_seconds=1.0,
    time_outs=TimeOuts(),
    can_continue=False,
    batches=False,
)


def ask(text: str = "How do I get a refund?", system: str = "Be kind.") -> ModelRequest:
    return ModelRequest(
        model="support",
        messages=[
            Message(role=Role.SYSTEM, parts=[Text(text=system)]),
            Message(role=Role.USER, parts=[Text(text=text)]),
        ],
        max_output_tokens=100,
    )


def call(
    request: ModelRequest | None = None,
    *,
    tenant: TenantId = ACME,
    exact: int = 60,
    semantic: int = 0,
    revision: str = "1",
    **options: object,
) -> Call:
    settings = AliasInput(
        candidates=[CANDIDATE],
        exact_cache_seconds=exact,
        semantic_cache_seconds=semantic,
        embeddings="vectors" if semantic else None,
    )
    return Call(
        ctx=Ctx(
            tenant=tenant,
            actor=Actor(ActorType.USER, "u-1"),
            scopes=frozenset({"model:call"}),
            request_id="r-1",
            deadline=SystemClock().now() + timedelta(seconds=30),
        ),
        request=request or ask(),
        options=msgspec.convert(options, CallOptions),
        resolved=Resolved(
            alias="support",
            settings=settings,
            targets=[Target(endpoint=ENDPOINT, candidate=CANDIDATE)],
            own=False,
            revision=revision,
        ),
    )


def reply(text: str = "Ask us.", stop: StopReason = StopReason.END) -> ModelReply:
    return ModelReply(
        id="a-1",
        model="small-1",
        provider="fake",
        choices=[Choice(parts=[Text(text=text)], stop=stop)],
        usage=Usage(input_tokens=12, output_tokens=3),
    )


class ScriptedCalls:
    """Answers after `release`, counts what it was asked and what was cancelled."""

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.cancelled = 0
        self.answer: ModelReply | Exception = reply()
        self.gate = asyncio.Event()
        self.gate.set()

    async def complete(self, call: Call) -> ModelReply:
        self.made.append(call)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def stream(self, call: Call) -> AsyncGenerator[StreamEvent]:
        self.made.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        try:
            for number, event in enumerate(replay(self.answer)):
                if number == 2:
                    await self.gate.wait()
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


class Ledger:
    """Notes the hits; the rest of the contract is not asked for."""

    def __init__(self) -> None:
        self.hits: list[CacheHit] = []

    async def record_hit(self, ctx: Ctx, *, hit: CacheHit) -> None:
        assert ctx.scopes == {"service:costs"}
        self.hits.append(hit)


class Desk:
    """Shared calls with everything round them."""

    def __init__(self, home: Path, *, tier: object = None) -> None:
        self.clock = FakeClock()
        self.calls = ScriptedCalls()
        self.ledger = Ledger()
        self.vectors: dict[str, Sequence[float]] = {}
        self.embedded = 0
        apis = Apis()
        apis.put(CostsApi, self.ledger)
        keyring = Keyring(MemoryDataKeys(), LocalMasterKey(home / "master.key", IDS), self.clock, IDS)
        self.envelope = Envelope(keyring, IDS)
        self.exact = ExactCache(self.clock, self.envelope, tier, _Deaf())
        self.semantic = SemanticCache(self.clock, self._embed, similarity=0.9)
        self.shared = SharedCalls(self.calls, self.exact, self.semantic, apis, self.clock, IDS)

    async def _embed(self, _: Call, text: str) -> Sequence[float]:
        self.embedded += 1
        return self.vectors.get(text, (1.0, 0.0, 0.0))

    async def complete(self, one: Call) -> ModelReply:
        return await self.shared.complete(one)

    async def stream(self, one: Call) -> list[StreamEvent]:
        return [event async for event in self.shared.stream(one)]


class _Deaf:
    def hit(self) -> None: ...

    def miss(self) -> None: ...

    def evicted(self) -> None: ...
