"""The surfaces as clients see them: a real edge, the real pipeline, and the fake provider behind it.

Only the registry (names that never change) and the costs service (which grants everything) are doubles.
"""

# ruff: noqa: ARG002 - the doubles have the parameters of the contracts that they stand for.

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import msgspec

from steward.gateway.app import EdgeParts, create_app
from steward.gateway.authn import Authenticator
from steward.gateway.observe import TelemetryObserver
from steward.gateway.server import EdgeServer
from steward.gateway.settings import GatewaySettings
from steward.kit.authz import Authz
from steward.kit.cache import Cache
from steward.kit.clock import SystemClock
from steward.kit.context import Ctx
from steward.kit.http import SystemResolver
from steward.kit.ids import Ids
from steward.kit.ratelimit import RateLimiter
from steward.kit.telemetry import Telemetry
from steward.kit.testing.provider import FakeProvider
from steward.services.costs.api import Actual, CallId, CallInfo, Reservation, WorstCase
from steward.services.identity.api import Principal
from steward.services.models.api import AliasInput, CallOptions, Candidate, ModelInfo, Speaks, TimeOuts
from steward.services.models.calls import ProviderCalls
from steward.services.models.counting.bounds import bound
from steward.services.models.http import ROUTES
from steward.services.models.ports import Endpoint, Key, Resolved
from steward.services.models.registry.names import Names, Registry
from steward.services.models.registry.records import AliasRow
from steward.services.models.service import ModelsService, Rooms
from steward.services.models.tokens import Tokens
from steward.services.models.upstream.provider_upstream import ProviderUpstream
from tests.gateway.fakes import API_KEY, FakeIdentity, FakeOps, FakeTenants
from tests.gateway.rig import GENEROUS, free_port

KEY = API_KEY
UPSTREAM_KEY = "sk-of-the-provider"
IDS = Ids(SystemClock())
_REVISION = UUID(int=1)


class Costs:
    """Grants everything and remembers it."""

    def __init__(self) -> None:
        self.refuse: Exception | None = None
        self.reserved: list[CallInfo] = []
        self.settled: list[Actual] = []

    async def reserve(
        self, ctx: Ctx, *, call_id: CallId, subjects: object, worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        if self.refuse is not None:
            raise self.refuse
        self.reserved.append(info)
        return Reservation(call_id=call_id, nanos=1, output_tokens=worst_case.output_tokens)

    async def settle(self, ctx: Ctx, *, call_id: CallId, actual: Actual) -> int:
        self.settled.append(actual)
        return 0


class FixedDirectory:
    """Names of one tenant."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.asked: list[CallOptions] = []

    async def resolve(self, ctx: Ctx, model: str, options: CallOptions) -> Resolved:
        self.asked.append(options)
        return self.names.resolve(model, options)

    async def listed(self, ctx: Ctx) -> Sequence[ModelInfo]:
        return self.names.listed()


class Identity(FakeIdentity):
    """As the edge's fake, with rights to call."""

    scopes = frozenset({"model:call"})

    async def authenticate(self, ctx: Ctx, *, credential: str) -> Principal:
        found = await super().authenticate(ctx, credential=credential)
        return msgspec.structs.replace(found, scopes=self.scopes)


class Served:
    """What a test looks at."""

    def __init__(self, provider: FakeProvider, telemetry: Telemetry, settings: GatewaySettings) -> None:
        clock = SystemClock()
        self.provider = provider
        self.costs = Costs()
        self.directory = FixedDirectory(_names(provider.url))
        self.upstream = ProviderUpstream(SystemResolver(), (), lambda: None)
        self.calls = ProviderCalls(
            upstream=self.upstream,
            costs=cast("Callable[[], Any]", lambda: self.costs),
            bound=bound,
            clock=clock,
            ids=IDS,
            random=lambda: 0.0,
            telemetry=telemetry,
        )
        anything: Any = None
        rooms = Rooms(
            directory=cast("Any", self.directory),
            calls=self.calls,
            embeddings=self.calls,
            tokens=Tokens(None),
            connections=anything,
            aliases=anything,
            files=anything,
            batches=anything,
        )
        self.identity = Identity(clock)
        self.service = ModelsService(Authz(anything), rooms)
        authenticator = Authenticator(
            identity=cast("Any", self.identity),
            tenants=cast("Any", FakeTenants()),
            cache=Cache(clock, max_entries=100, max_bytes=1 << 20),
            limiter=RateLimiter(clock),
            clock=clock,
            settings=settings,
        )
        self.edge = create_app(
            EdgeParts(
                routes=ROUTES,
                apis={"models": self.service},
                authenticator=authenticator,
                ops=cast("Any", FakeOps()),
                observer=TelemetryObserver(telemetry, clock),
                clock=clock,
                ids=IDS,
                settings=settings,
                version="0.0.0",
            )
        )
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = EdgeServer(self.edge, settings, clock, host="127.0.0.1", port=self.port)

    def reset(self) -> None:
        """As if nothing had been asked."""
        self.provider.asked.clear()
        self.provider.script.clear()
        self.provider.say = "All right."
        # New revisions: what the pipeline holds against the old connections does not count.
        self.directory.names = _names(self.provider.url)
        self.costs.refuse = None
        self.costs.reserved.clear()
        self.costs.settled.clear()
        self.directory.asked.clear()


@asynccontextmanager
async def running(settings: GatewaySettings = GENEROUS) -> AsyncIterator[Served]:
    telemetry = Telemetry.for_tests()
    async with FakeProvider() as provider:
        served = Served(provider, telemetry, settings)
        await served.server.start()
        try:
            yield served
        finally:
            await served.server.stop()
            await served.calls.drain()
            await served.upstream.close()
            telemetry.shutdown()


def _names(url: str) -> Names:
    endpoints = {
        "open": _endpoint("open", Speaks.OPENAI, f"{url}/v1"),
        "claude": _endpoint("claude", Speaks.ANTHROPIC, url),
    }
    once = {
        "chat": AliasInput(candidates=[Candidate(connection="open", model="fake-small", max_output_tokens=1000)]),
        "message": AliasInput(candidates=[Candidate(connection="claude", model="fake-large", max_output_tokens=1000)]),
    }
    aliases = {
        name: AliasRow(name=name, settings=alias, revision=_REVISION, updated_at=datetime(2026, 1, 1, tzinfo=UTC))
        for name, alias in {
            **{name: msgspec.structs.replace(alias, attempts=1) for name, alias in once.items()},
            "retried": msgspec.structs.replace(once["chat"], attempts=2),
        }.items()
    }
    return Names(
        Registry(endpoints=endpoints, aliases=aliases, allowed=["chat", "message", "retried", "open/fake*"]),
        Registry(),
        500,
    )


def _endpoint(name: str, speaks: Speaks, url: str) -> Endpoint:
    return Endpoint(
        name=name,
        owner=None,
        revision=IDS.new(),
        speaks=speaks,
        base_url=url,
        key=Key(UPSTREAM_KEY),
        key_header="",
        headers={},
        query={},
        prices=name,
        library="",
        max_concurrency=100,
        requests_per_minute=None,
        tokens_per_minute=None,
        queue_seconds=1.0,
        time_outs=TimeOuts(),
        can_continue=False,
        batches=False,
    )
