"""The upstream of our own codecs passes the conformance suite."""

import pytest

from steward.kit.testing.provider import FakeProvider
from steward.services.models.api import Speaks
from steward.services.models.ports import Endpoint
from tests.services.models.upstream.callers import endpoint
from tests.services.models.upstream.conformance import UpstreamConformance


class TestOpenAi(UpstreamConformance):
    @pytest.fixture
    def at(self, provider: FakeProvider) -> Endpoint:
        return endpoint(provider, Speaks.OPENAI)


class TestAnthropic(UpstreamConformance):
    reports_reasoning_tokens = False  # Anthropic does not tell them apart here.

    @pytest.fixture
    def at(self, provider: FakeProvider) -> Endpoint:
        return endpoint(provider, Speaks.ANTHROPIC)
