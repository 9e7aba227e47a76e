"""Providers' batch endpoints for the room: the real clients before the fake provider, in both dialects."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from steward.kit.context import Ctx
from steward.kit.http import SystemResolver
from steward.kit.http.addresses import AddressPolicy
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.provider import FakeProvider
from steward.services.models.api import Speaks
from steward.services.models.batches.shipping.anthropic import AnthropicBatches
from steward.services.models.batches.shipping.http import HttpBatches
from steward.services.models.batches.shipping.openai import OpenAiBatches
from steward.services.models.ports import Key
from tests.services.models.batches.shop import CHAT, Maker, Yard
from tests.services.models.calls.world import RecordingCosts, endpoint, target

KEY = "sk-secret-of-the-provider"


class Alone(Maker):
    """Makes lines by themselves, and says that it did."""

    async def __call__(self, ctx: Ctx, endpoint: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append((ctx, endpoint, msgspec.json.decode(body)["messages"][0]["content"]))
        return 200, b'{"alone":true}'


class ProviderYard(Yard):
    """`gpt` and `claude` have batch endpoints, `plain` has none."""

    def __init__(self, provider: FakeProvider, http: HttpBatches, clock: FakeClock) -> None:
        super().__init__()
        self.provider = provider
        self.costs = RecordingCosts()
        self.clock = clock
        self.http = http
        self.providers = {Speaks.OPENAI: OpenAiBatches(http), Speaks.ANTHROPIC: AnthropicBatches(http)}
        gpt = {"speaks": Speaks.OPENAI, "base_url": f"{provider.url}/v1", "key": Key(KEY)}
        claude = {"speaks": Speaks.ANTHROPIC, "base_url": provider.url, "key": Key(KEY)}
        self.targets = {
            "gpt": [target("gpt", model="fake-small", of=endpoint("gpt", 1, batches=True, **gpt))],
            "claude": [target("claude", model="fake-large", of=endpoint("claude", 2, batches=True, **claude))],
            "plain": [target("plain", model="fake-small", of=endpoint("plain", 3, **gpt))],
        }
        self.at_provider_now()

    def at_provider_now(self) -> None:
        """The provider's clock goes with ours."""
        self.provider.batches.created = int(self.clock.now().timestamp())

    def posted(self, path: str) -> int:
        """How many batches the provider was asked for."""
        return sum(1 for one in self.provider.asked if one.method == "POST" and one.path == path)


@asynccontextmanager
async def provider_yard(clock: FakeClock) -> AsyncIterator[ProviderYard]:
    resolver = SystemResolver(threads=1)
    async with FakeProvider() as provider:
        http = HttpBatches(resolver, AddressPolicy(frozenset()))
        try:
            yield ProviderYard(provider, http, clock)
        finally:
            await http.close()
            resolver.close()


def ask(word: str, model: str, *, url: str = CHAT, **more: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = {"input": word} if url != CHAT else {"messages": [{"role": "user", "content": word}]}
    return {"custom_id": f"id-{word}", "method": "POST", "url": url, "body": {"model": model, **said, **more}}
