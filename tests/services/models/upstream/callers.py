"""Endpoints and requests to try an upstream with, and what it answers in one piece."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from steward.kit.ids import TenantId
from steward.kit.testing.provider import FakeProvider
from steward.services.models.api import Speaks, TimeOuts
from steward.services.models.messages import (
    Finished,
    Message,
    ModelReply,
    ModelRequest,
    Part,
    Role,
    Started,
    StreamEvent,
    Text,
    Tool,
    UsageReport,
)
from steward.services.models.ports import Endpoint, Key, Upstream

KEY = "sk-very-secret-key-of-a-tenant"
MODEL = "claude-haiku-4-5"
TENANT = TenantId(UUID(int=7))


def endpoint(provider: FakeProvider | str, speaks: Speaks, *, library: str = "", **changed: Any) -> Endpoint:
    url = provider if isinstance(provider, str) else provider.url
    is_anthropic = speaks is Speaks.ANTHROPIC or library == "anthropic"
    given = Endpoint(
        name="acme",
        owner=None,
        revision=uuid4(),
        speaks=speaks,
        base_url=url if is_anthropic else url + "/v1",
        key=Key(KEY),
        key_header="",
        headers={},
        query={},
        prices="acme",
        library=library,
        max_concurrency=10,
        requests_per_minute=None,
        tokens_per_minute=None,
        queue_seconds=1.0,
        time_outs=TimeOuts(first_token=5.0, between_tokens=5.0, total=10.0),
        can_continue=False,
        batches=False,
    )
    return msgspec.structs.replace(given, **changed)


def asking(text: str = "How are you?", **more: Any) -> ModelRequest:
    """A request with a system's text, as the pipeline gives it: with a limit of output tokens."""
    messages = [
        Message(role=Role.SYSTEM, parts=[Text(text="Be brief.")]),
        Message(role=Role.USER, parts=[Text(text=text)]),
    ]
    return msgspec.structs.replace(ModelRequest(model="alias", messages=messages, max_output_tokens=100), **more)


def tool(name: str) -> Tool:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return Tool(name=name, description=f"Tells the {name}.", parameters=msgspec.Raw(msgspec.json.encode(schema)))


async def whole(upstream: Upstream, at: Endpoint, request: ModelRequest) -> ModelReply:
    return await upstream.complete(at, request, model=MODEL, seconds=10)


async def streamed(upstream: Upstream, at: Endpoint, request: ModelRequest) -> Sequence[StreamEvent]:
    """All events of an answer that ends well, with what must hold for each stream."""
    events = [event async for event in upstream.stream(at, request, model=MODEL, seconds=10)]
    assert isinstance(events[0], Started)
    assert sum(isinstance(event, Started) for event in events) == 1
    assert sum(isinstance(event, Finished) for event in events) == 1
    assert any(isinstance(event, UsageReport) for event in events)
    return events


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))
