"""A provider on loopback, and the upstream that asks it."""

from collections.abc import AsyncIterator

import pytest

from steward.kit.http.addresses import SystemResolver
from steward.kit.testing.provider import FakeProvider
from steward.services.models.ports import Upstream
from steward.services.models.upstream.provider_upstream import ProviderUpstream


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    resolver = SystemResolver(threads=1)
    made = ProviderUpstream(resolver, allowed_hosts=(), guard=lambda: None)
    yield made
    await made.close()
    resolver.close()
