"""A scripted provider, a costs service that records, and the calls between them."""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import Actual, CallInfo, Reservation, WorstCase
from steward.services.costs.errors import BudgetExhausted, CallNotFound
from steward.services.models.api import AliasInput, CallOptions, Candidate, Speaks, TimeOuts
from steward.services.models.calls import EmbeddingCall, ProviderCalls
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Choice,
    Delta,
    EmbeddingReply,
    EmbeddingRequest,
    Failed,
    Finished,
    Message,
    ModelReply,
    ModelRequest,
    PartFinished,
    PartStarted,
    Role,
    Started,
    StopReason,
    StreamEvent,
    Text,
    Usage,
    UsageReport,
)
from steward.services.models.ports import Call, Endpoint, Resolved, Target
from tests.services.models.calls.virtual_time import START, VirtualClock

TENANT = TenantId(UUID(int=7))
INPUT_BOUND = 40


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """One scripted answer, whole or streamed."""

    text: str = "hello"
    after: float = 0.0
    """Seconds until the first content."""
    stop: StopReason = StopReason.END
    usage: Usage | None = Usage(input_tokens=10, output_tokens=5)
    fail: ProviderFailure | None = None
    shown: int = 0
    """Of a stream that fails: so many pieces of the text come before."""
    pause: float = 0.0
    """Between pieces."""
    error: BaseException | None = None
    """In place of an answer: what is raised."""
    choices: int = 1


def fails(kind: FailureKind, *, after: float = 0.0, shown: int = 0, **more: Any) -> Say:
    return Say(fail=ProviderFailure(kind, f"it was {kind}", **more), after=after, shown=shown, text="abcdef")


class ScriptedUpstream:
    """Plays for each connection what its script says, then its last line for ever."""

    def __init__(self, costs: "RecordingCosts") -> None:
        self.costs = costs
        self.scripts: dict[str, deque[Say]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.asked_at: list[float] = []
        self.cancelled: list[str] = []
        self.running = 0
        self.sources: list[Any] = []
        self.most_running = 0

    def script(self, connection: str, *lines: Say) -> None:
        self.scripts[connection] = deque(lines)

    def _line(self, endpoint: Endpoint, request: Any, model: str) -> Say:
        if isinstance(request, ModelRequest):
            self.costs.check_asked(endpoint.name, request)
        self.requests.append((endpoint.name, model, request))
        self.asked_at.append(asyncio.get_running_loop().time())
        script = self.scripts.get(endpoint.name)
        if not script:
            return Say()
        return script.popleft() if len(script) > 1 else script[0]

    async def _wait(self, name: str, seconds: float, left: float) -> None:
        try:
            await asyncio.sleep(min(seconds, left))
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        if seconds > left:
            raise ProviderFailure(FailureKind.TIMED_OUT, "too slow")

    async def complete(self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float) -> ModelReply:
        line = self._line(endpoint, request, model)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await self._wait(endpoint.name, line.after, seconds)
        finally:
            self.running -= 1
        for error in (line.fail, line.error):
            if error is not None:
                raise error
        return ModelReply(
            id="r1",
            model=model,
            choices=[Choice(parts=[Text(text=line.text)], stop=line.stop, index=n) for n in range(line.choices)],
            usage=line.usage or Usage(),
        )

    def stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        source = self._stream(endpoint, request, model=model, seconds=seconds)
        # Kept, so that only who closes it ends it, and not the garbage collector.
        self.sources.append(source)
        return source

    async def _stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        line = self._line(endpoint, request, model)
        until = asyncio.get_running_loop().time() + seconds
        pieces = list(line.text)
        ended = False
        try:
            yield Started(id="r1", model=model)
            await self._wait(endpoint.name, line.after, seconds)
            if line.error is not None:
                raise line.error
            if line.fail is not None and not line.shown:
                raise line.fail
            yield PartStarted(index=0, part=Text(text=""))
            for number, piece in enumerate(pieces):
                if line.fail is not None and number == line.shown:
                    raise line.fail
                yield Delta(index=0, text=piece)
                await self._wait(endpoint.name, line.pause, until - asyncio.get_running_loop().time())
            yield PartFinished(index=0, part=Text(text=line.text))
            yield Finished(stop=line.stop)
            if line.usage is not None:
                yield UsageReport(usage=line.usage)
            ended = True
        except ProviderFailure:
            ended = True
            raise
        finally:
            if not ended and endpoint.name not in self.cancelled[-1:]:
                self.cancelled.append(endpoint.name)

    @property
    def open(self) -> int:
        """Streams that nobody has ended."""
        return sum(source.ag_frame is not None for source in self.sources)

    async def embed(
        self, endpoint: Endpoint, request: EmbeddingRequest, *, model: str, seconds: float
    ) -> EmbeddingReply:
        line = self._line(endpoint, request, model)
        await self._wait(endpoint.name, line.after, seconds)
        if line.fail is not None:
            raise line.fail
        vectors = [msgspec.Raw(b"[0.5]") for _ in request.texts]
        return EmbeddingReply(model=model, vectors=vectors, usage=Usage(input_tokens=3))

    async def close(self) -> None:
        pass


class RecordingCosts:
    """Grants what is wanted, or what `grants` says next; remembers each reservation and settlement."""

    def __init__(self) -> None:
        self.grants: deque[int | Exception] = deque()
        self.reserved: dict[UUID, tuple[WorstCase, CallInfo, Reservation, Sequence[Any]]] = {}
        self.unasked: dict[str, deque[Reservation]] = defaultdict(deque)
        self.settled: dict[UUID, list[Actual]] = defaultdict(list)
        self.contexts: list[Ctx] = []
        self.settle_errors: deque[Exception] = deque()
        self.reserve_takes = 0.0
        self.asked_beyond: list[str] = []

    async def reserve(
        self, ctx: Ctx, *, call_id: UUID, subjects: Sequence[Any], worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        self.contexts.append(ctx)
        grant = self.grants.popleft() if self.grants else worst_case.output_tokens
        if isinstance(grant, Exception):
            raise grant
        if grant < worst_case.least_output_tokens:
            raise exhausted()
        reservation = Reservation(call_id=call_id, nanos=1, output_tokens=min(grant, worst_case.output_tokens))
        self.reserved[call_id] = (worst_case, info, reservation, subjects)
        if self.reserve_takes:
            await asyncio.sleep(self.reserve_takes)
        self.unasked[info.connection].append(reservation)
        return reservation

    async def settle(self, ctx: Ctx, *, call_id: UUID, actual: Actual) -> int:
        self.contexts.append(ctx)
        await asyncio.sleep(0)
        if self.settle_errors:
            raise self.settle_errors.popleft()
        if call_id not in self.reserved:
            raise CallNotFound(call_id)
        self.settled[call_id].append(actual)
        return 0

    def check_asked(self, connection: str, request: ModelRequest) -> None:
        """The newest reservation of the connection covers what the provider is asked for now."""
        reservation = self.unasked[connection].pop()
        if (request.max_output_tokens or 10**9) * request.choices > reservation.output_tokens:
            self.asked_beyond.append(f"{request.max_output_tokens} of {reservation.output_tokens}")

    @property
    def actuals(self) -> list[Actual]:
        """In the order of reservation."""
        return [actual for call_id in self.reserved for actual in self.settled[call_id]]

    def check_settled_once(self) -> None:
        assert {call_id: len(self.settled[call_id]) for call_id in self.reserved} == dict.fromkeys(self.reserved, 1)
        assert not self.asked_beyond


def exhausted() -> BudgetExhausted:
    return BudgetExhausted(UUID(int=1), "month", limit=10, used=10, unit="usd", resets_at=None)


def endpoint(name: str, number: int = 0, **more: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "name": name,
        "owner": None,
        "revision": UUID(int=number or sum(name.encode())),
        "speaks": Speaks.OPENAI,
        "base_url": "http://127.0.0.1",
        "key": None,
        "key_header": "",
        "headers": {},
        "query": {},
        "prices": name,
        "library": "",
        "max_concurrency": 100,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "queue_seconds": 5.0,
        "time_outs": TimeOuts(),
        "can_continue": False,
        "batches": False,
    }
    return Endpoint(**(fields | more))


def target(name: str, *, model: str = "m", of: Endpoint | None = None, **candidate: Any) -> Target:
    fields: dict[str, Any] = {"max_output_tokens": 1000} | candidate
    return Target(endpoint=of or endpoint(name), candidate=Candidate(connection=name, model=model, **fields))


class World:
    def __init__(self, *, seed: int = 1, bound: int = INPUT_BOUND, telemetry: Telemetry | None = None) -> None:
        self.clock = VirtualClock()
        self.costs = RecordingCosts()
        self.upstream = ScriptedUpstream(self.costs)
        self.telemetry = telemetry or Telemetry.for_tests(self.clock)
        self.ended_at = 0.0
        self.calls = ProviderCalls(
            upstream=self.upstream,
            costs=lambda: self.costs,
            bound=lambda _, **__: bound,
            clock=self.clock,
            ids=Ids(self.clock),
            random=random.Random(seed).random,
            telemetry=self.telemetry,
            least_tokens=1,
        )

    def ctx(self, seconds: float = 3600.0, **more: Any) -> Ctx:
        fields: dict[str, Any] = {
            "tenant": TENANT,
            "actor": Actor(ActorType.USER, "ann"),
            "scopes": frozenset({"model:call"}),
            "request_id": "req-1",
            "deadline": START + timedelta(seconds=asyncio.get_running_loop().time() + seconds),
            "key_id": UUID(int=9),
        }
        return Ctx(**(fields | more))

    def call(
        self, *targets: Target, options: CallOptions | None = None, ctx: Ctx | None = None, **settings: Any
    ) -> Call:
        request = settings.pop("request", None) or ask()
        return Call(
            ctx=ctx or self.ctx(),
            request=request,
            options=options or CallOptions(),
            resolved=resolved(targets, **settings),
        )

    def embedding(self, *targets: Target, texts: Sequence[str] = ("one", "two"), **settings: Any) -> EmbeddingCall:
        request = EmbeddingRequest(model="alias", texts=texts)
        return EmbeddingCall(
            ctx=self.ctx(), request=request, options=CallOptions(), resolved=resolved(targets, **settings)
        )

    async def read(self, call: Call) -> list[StreamEvent]:
        return [event async for event in self.calls.stream(call)]

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    @property
    def asked(self) -> list[str]:
        return [name for name, _, _ in self.upstream.requests]


def ask(text: str = "hi", **more: Any) -> ModelRequest:
    return ModelRequest(model="alias", messages=[Message(role=Role.USER, parts=[Text(text=text)])], **more)


def resolved(targets: Sequence[Target], **settings: Any) -> Resolved:
    alias = AliasInput(candidates=[one.candidate for one in targets], **settings)
    return Resolved(alias="alias", settings=alias, targets=targets, own=True, revision="1")


def text_of(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text or "" for event in events if isinstance(event, Delta))


def ends_once(events: Sequence[StreamEvent]) -> bool:
    """Whether the stream has one end: it failed, or each choice finished."""
    failed = sum(isinstance(event, Failed) for event in events)
    finished = sum(isinstance(event, Finished) for event in events)
    return failed + finished == 1 and (not failed or isinstance(events[-1], Failed))
