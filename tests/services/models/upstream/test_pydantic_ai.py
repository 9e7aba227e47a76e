"""The upstream through pydantic-ai's model classes passes the conformance suite, and says what it cannot do."""

import sys
from typing import Any

import msgspec
import pytest

from steward.kit.testing.provider import FakeProvider, Reply, Tokens
from steward.services.models.api import Speaks
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    EmbeddingRequest,
    Image,
    Message,
    OutputFormat,
    OutputKind,
    Reasoning,
    Refusal,
    Role,
    StopReason,
    Text,
    Thinking,
)
from steward.services.models.ports import Endpoint, Upstream
from tests.services.models.upstream.callers import asking, endpoint, text_of, whole
from tests.services.models.upstream.conformance import UpstreamConformance


class TestOpenAi(UpstreamConformance):
    @pytest.fixture
    def at(self, provider: FakeProvider) -> Endpoint:
        return endpoint(provider, Speaks.PYDANTIC_AI, library="openai")


class TestAnthropic(UpstreamConformance):
    reports_reasoning_tokens = False

    @pytest.fixture
    def at(self, provider: FakeProvider) -> Endpoint:
        return endpoint(provider, Speaks.PYDANTIC_AI, library="anthropic")


@pytest.fixture
def at(provider: FakeProvider) -> Endpoint:
    return endpoint(provider, Speaks.PYDANTIC_AI, library="openai")


PICTURE = Message(role=Role.USER, parts=[Image(url="https://images.example/a.png")])
UNSAID: dict[str, dict[str, Any]] = {
    "n": {"choices": 2},
    "logprobs": {"logprobs": True},
    "store": {"extra": {"store": msgspec.Raw(b"true")}},
    "thinking.budget_tokens": {"thinking": Thinking(budget_tokens=5)},
    "response_format of type json_object": {"output": OutputFormat(kind=OutputKind.JSON)},
    "messages[0].content of kind image": {"messages": [PICTURE]},
    "messages[0].name": {"messages": [Message(role=Role.USER, name="Ann", parts=[Text(text="hi")])]},
}


@pytest.mark.parametrize("param", UNSAID)
async def test_what_has_no_words_is_refused_by_name(
    upstream: Upstream, at: Endpoint, provider: FakeProvider, param: str
) -> None:
    with pytest.raises(ProviderFailure) as failed:
        await whole(upstream, at, asking(**UNSAID[param]))
    assert (failed.value.code, failed.value.param) == ("cannot_express", param)
    assert isinstance(failed.value.__cause__, CannotExpress)
    assert not provider.asked


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"key": None}, "needs a key"), ({"library": "no-such"}, "no-such"), ({"library": "bedrock"}, "pydantic-ai")],
)
async def test_connection_that_the_library_cannot_use(
    upstream: Upstream, at: Endpoint, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderFailure, match=said) as failed:
        await whole(upstream, msgspec.structs.replace(at, **changed), asking())
    assert failed.value.unbilled
    assert failed.value.code in {"connection_unusable", "extra_missing"}


async def test_without_the_extra_it_is_named(upstream: Upstream, at: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(ProviderFailure, match=r"steward\[providers\]") as failed:
        await whole(upstream, at, asking())
    assert failed.value.unbilled


async def test_the_environments_key_is_not_used(
    upstream: Upstream, at: Endpoint, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-installation")
    with pytest.raises(ProviderFailure):
        await whole(upstream, msgspec.structs.replace(at, key=None), asking())
    await whole(upstream, at, asking())
    assert "sk-of-the-installation" not in repr(provider.asked)


async def test_refusal_of_the_model(upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
    provider.tell(Reply(refusal="I will not."))
    said = (await whole(upstream, at, asking())).choices[0]
    assert said.stop is StopReason.REFUSED
    assert [part.text for part in said.parts if isinstance(part, Refusal)] == ["I will not."]


async def test_signed_thinking_goes_back(upstream: Upstream, provider: FakeProvider) -> None:
    at = endpoint(provider, Speaks.PYDANTIC_AI, library="anthropic")
    said = [Reasoning(text="Hm.", signature="c2ln"), Text(text="Well.")]
    messages = [*asking().messages, Message(role=Role.ASSISTANT, parts=said)]
    await whole(upstream, at, asking(messages=[*messages, Message(role=Role.USER, parts=[Text(text="And?")])]))
    sent = provider.asked[-1].body["messages"][1]["content"]
    assert sent[0] == {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}


async def test_newly_cached_tokens(upstream: Upstream, provider: FakeProvider) -> None:
    provider.tell(Reply(text="x", usage=Tokens(input=90, output=7, cached=40, cache_write=20)))
    at = endpoint(provider, Speaks.PYDANTIC_AI, library="anthropic")
    reply = await whole(upstream, at, asking())
    assert text_of(reply.choices[0].parts) == "x"
    assert (reply.usage.input_tokens, reply.usage.cache_read_tokens, reply.usage.cache_write_tokens) == (90, 40, 20)


async def test_no_embeddings(upstream: Upstream, at: Endpoint) -> None:
    with pytest.raises(ProviderFailure) as failed:
        await upstream.embed(at, EmbeddingRequest(model="alias", texts=["a"]), model="m", seconds=5)
    assert (failed.value.kind, failed.value.code) == (FailureKind.REFUSED, "cannot_express")
