"""Against a mock server of others (`@copilotkit/aimock`), which knows nothing of our codecs and our fake.

`npm ci` in `tests/foreign` installs it; without it these tests are skipped.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from steward.services.models.api import Speaks
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.folding import Assembly
from steward.services.models.messages import (
    EmbeddingRequest,
    Message,
    ModelReply,
    ModelRequest,
    Role,
    StopReason,
    Text,
    ToolCall,
    ToolResult,
)
from steward.services.models.ports import Endpoint, Upstream
from tests.services.models.upstream.callers import MODEL, asking, endpoint, streamed, text_of, tool, whole

FOLDER = Path(__file__).parents[3] / "foreign"
SERVER = FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not SERVER.exists(),
    reason="NO FOREIGN MOCK: run `npm ci` in tests/foreign (needs node 20); the upstream is not tried on it",
)

FAILURES = {
    "limit me": (429, FailureKind.RATE_LIMITED),
    "too busy": (529, FailureKind.OVERLOADED),
    "break down": (500, FailureKind.BROKEN),
}
Ask = Callable[[ModelRequest], Awaitable[ModelReply]]
SPOKEN = [("openai", ""), ("anthropic", ""), ("pydantic-ai", "openai-responses")]


@pytest_asyncio.fixture(scope="session")
async def mock() -> AsyncIterator[str]:
    """The mock's address."""
    arguments = ["-p", "0", "-f", str(FOLDER / "fixtures.json"), "--chunk-size", "5", "--log-level", "info"]
    process = await asyncio.create_subprocess_exec(
        str(NODE), str(SERVER), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield await asyncio.wait_for(address(process), 20)
    finally:
        process.terminate()
        await process.wait()


async def address(process: asyncio.subprocess.Process) -> str:
    said = ""
    while process.stdout is not None and (line := (await process.stdout.readline()).decode()):
        said += line
        if found := re.search(r"listening on (http://\S+)", line):
            return found[1]
    raise AssertionError(f"the mock did not start: {said}")


@pytest.fixture(params=SPOKEN, ids=lambda spoken: spoken[1] or spoken[0])
def at(request: pytest.FixtureRequest, mock: str) -> Endpoint:
    speaks, library = request.param
    return endpoint(mock, Speaks(speaks), library=library)


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest, upstream: Upstream, at: Endpoint) -> Ask:
    async def ask(asked: ModelRequest) -> ModelReply:
        if request.param == "whole":
            return await whole(upstream, at, asked)
        assembly = Assembly()
        for event in await streamed(upstream, at, asked):
            assembly.add(event)
        return assembly.reply()

    return ask


async def test_text(ask: Ask) -> None:
    reply = await ask(asking("please say hello"))
    assert text_of(reply.choices[0].parts) == "Hello there, traveller. 你好 🙂"
    assert reply.choices[0].stop is StopReason.END
    assert reply.model == MODEL
    assert reply.id


async def test_parallel_tools_and_their_results(ask: Ask) -> None:
    asked = asking("what is the weather?", tools=[tool("weather")])
    said = (await ask(asked)).choices[0]
    assert said.stop is StopReason.TOOL_CALLS
    calls = [part for part in said.parts if isinstance(part, ToolCall)]
    assert [msgspec.json.decode(call.arguments) for call in calls] == [{"city": "Rome"}, {"city": "Oslo"}]
    results = [
        Message(role=Role.TOOL, parts=[ToolResult(call_id=call.id, content=[Text(text="sunny")])]) for call in calls
    ]
    messages = [*asked.messages, Message(role=Role.ASSISTANT, parts=calls), *results]
    reply = await ask(msgspec.structs.replace(asked, messages=messages))
    assert text_of(reply.choices[0].parts) == "Sunny in both."


@pytest.mark.parametrize("words", FAILURES)
async def test_failures(ask: Ask, words: str) -> None:
    status, kind = FAILURES[words]
    with pytest.raises(ProviderFailure) as failed:
        await ask(asking(words))
    assert (failed.value.kind, failed.value.status, failed.value.unbilled) == (kind, status, True)


async def test_truncated_stream_is_a_failure(upstream: Upstream, at: Endpoint) -> None:
    with pytest.raises(ProviderFailure) as failed:
        await streamed(upstream, at, asking("stop half way"))
    assert failed.value.kind is FailureKind.CUT
    assert not failed.value.unbilled


async def test_embeddings(upstream: Upstream, mock: str) -> None:
    request = EmbeddingRequest(model="alias", texts=["one", "two"])
    reply = await upstream.embed(endpoint(mock, Speaks.OPENAI), request, model="text-embedding-3-small", seconds=5)
    vectors = [msgspec.json.decode(vector, type=list[float]) for vector in reply.vectors]
    assert len(vectors) == 2
    assert vectors[0] != vectors[1]
