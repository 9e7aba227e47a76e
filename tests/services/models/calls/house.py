"""The pipeline on a real upstream, before a provider on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.http.addresses import SystemResolver
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.kit.testing.provider import FakeProvider
from steward.services.models.api import CallOptions, Speaks
from steward.services.models.calls import ProviderCalls
from steward.services.models.counting.bounds import bound
from steward.services.models.messages import StreamEvent
from steward.services.models.ports import Call, Target
from steward.services.models.upstream.provider_upstream import ProviderUpstream
from tests.services.models.calls.world import TENANT, RecordingCosts, ask, endpoint, resolved, target


class House:
    def __init__(self, provider: FakeProvider, resolver: SystemResolver, costs: Any = None) -> None:
        self.provider = provider
        self.costs = costs or RecordingCosts()
        self.upstream = ProviderUpstream(resolver, allowed_hosts=(), guard=lambda: None)
        self.clock = SystemClock()
        self.calls = ProviderCalls(
            upstream=self.upstream,
            costs=lambda: self.costs,
            bound=bound,
            clock=self.clock,
            ids=Ids(self.clock),
            random=lambda: 0.0,
            telemetry=Telemetry.for_tests(self.clock),
            least_tokens=1,
        )

    def target(self, speaks: Speaks, name: str = "a", *, order: int = 0, **more: Any) -> Target:
        url = self.provider.url + ("" if speaks is Speaks.ANTHROPIC else "/v1")
        of = endpoint(name, revision=uuid4(), speaks=speaks, base_url=url, **more)
        return target(name, of=of, model="fake-small", order=order)

    def call(self, *targets: Target, tenant: TenantId = TENANT, **settings: Any) -> Call:
        ctx = Ctx(
            tenant=tenant,
            actor=Actor(ActorType.USER, "ann"),
            scopes=frozenset({"model:call"}),
            request_id="req-1",
            deadline=self.clock.now() + timedelta(seconds=20),
        )
        request = settings.pop("request", None) or ask("How are you?")
        return Call(ctx=ctx, request=request, options=CallOptions(), resolved=resolved(targets, **settings))

    async def read(self, call: Call) -> list[StreamEvent]:
        return [event async for event in self.calls.stream(call)]


@asynccontextmanager
async def house_on(costs: Any = None) -> AsyncIterator[House]:
    resolver = SystemResolver(threads=1)
    async with FakeProvider() as provider:
        made = House(provider, resolver, costs)
        yield made
        await made.upstream.close()
    resolver.close()
