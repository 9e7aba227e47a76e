"""A stream's bound holds for all of it, even if it says nothing."""

import pytest

from steward.kit.testing.provider import FakeProvider, Reply
from steward.services.models.api import Speaks
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Upstream
from tests.services.models.upstream.callers import asking, endpoint, streamed


async def test_a_stream_of_nothing_has_an_end(upstream: Upstream, provider: FakeProvider) -> None:
    ping = b":" + b" " * 1_048_576 + b"\n\n"
    provider.tell(Reply(body=ping * 17, content_type="text/event-stream"))
    with pytest.raises(ProviderFailure, match="16777216") as failed:
        await streamed(upstream, endpoint(provider, Speaks.OPENAI), asking())
    assert failed.value.kind is FailureKind.MALFORMED
