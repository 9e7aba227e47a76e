"""What the upstream does on the network: addresses, connections, bounds, secrets."""

import asyncio
import logging
from contextlib import aclosing
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from steward.kit.testing.provider import Ending, FakeProvider, Reply, Tokens
from steward.kit.testing.resolver import FakeResolver
from steward.services.models.api import Speaks
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Delta, Dialect, EmbeddingRequest, Message, ModelRequest, Opaque, Role
from steward.services.models.ports import Endpoint, Upstream
from steward.services.models.upstream.provider_upstream import ProviderUpstream
from steward.services.models.wire.openai.client import OpenAiClient
from tests.services.models.upstream.callers import KEY, MODEL, TENANT, asking, endpoint, streamed, text_of, whole
from tests.services.models.upstream.conformance import eventually, first_text, rest_of

BOTH = pytest.mark.parametrize("speaks", [Speaks.OPENAI, Speaks.ANTHROPIC])
ALL = pytest.mark.parametrize(("speaks", "library"), [("openai", ""), ("anthropic", ""), ("pydantic-ai", "openai")])


@pytest.fixture
def at(provider: FakeProvider) -> Endpoint:
    return endpoint(provider, Speaks.OPENAI)


async def failure_of(upstream: Upstream, at: Endpoint) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failed:
        await whole(upstream, at, asking())
    return failed.value


class TestAddresses:
    @ALL
    async def test_a_tenants_connection_does_not_lead_inside(
        self, upstream: Upstream, provider: FakeProvider, speaks: str, library: str
    ) -> None:
        failure = await failure_of(upstream, endpoint(provider, Speaks(speaks), library=library, owner=TENANT))
        assert failure.kind is FailureKind.UNREACHABLE
        assert failure.unbilled
        assert not provider.asked

    @ALL
    async def test_nor_does_a_name_that_resolves_to_an_inside_address(self, speaks: str, library: str) -> None:
        resolver = FakeResolver({"models.example": [["93.184.216.34", "10.0.0.7"]]})
        upstream = ProviderUpstream(resolver, allowed_hosts=(), guard=lambda: None)
        at = endpoint("https://models.example", Speaks(speaks), library=library, owner=TENANT)
        failure = await failure_of(upstream, at)
        await upstream.close()
        assert failure.kind is FailureKind.UNREACHABLE
        assert resolver.asked == ["models.example"]
        assert "10.0.0.7" not in f"{failure} {failure.__cause__}"

    @ALL
    async def test_a_host_that_the_installation_names_may_be_inside(
        self, provider: FakeProvider, speaks: str, library: str
    ) -> None:
        host = provider.url.removeprefix("http://")
        upstream = ProviderUpstream(FakeResolver({}), allowed_hosts=[host], guard=lambda: None)
        await whole(upstream, endpoint(provider, Speaks(speaks), library=library, owner=TENANT), asking())
        await upstream.close()

    @ALL
    async def test_redirects_are_refused(
        self, upstream: Upstream, provider: FakeProvider, speaks: str, library: str
    ) -> None:
        provider.tell(Reply(status=307, headers={"Location": "http://127.0.0.1:1/"}))
        failure = await failure_of(upstream, endpoint(provider, Speaks(speaks), library=library))
        assert failure.kind is FailureKind.NOT_FOUND
        assert "final address" in failure.message
        assert len(provider.asked) == 1

    async def test_a_base_url_that_is_none_is_told(self, upstream: Upstream, at: Endpoint) -> None:
        failure = await failure_of(upstream, msgspec.structs.replace(at, base_url="http://models.example:99999/v1"))
        assert failure.kind is FailureKind.UNREACHABLE
        assert "base URL" in failure.message


class TestRequest:
    async def test_header_and_query_of_the_connection(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        azure = msgspec.structs.replace(
            at, key_header="api-key", headers={"X-Team": "a"}, query={"api-version": "2024-10-21"}
        )
        await whole(upstream, azure, asking())
        asked = provider.asked[-1]
        assert asked.headers["api-key"] == KEY
        assert "authorization" not in asked.headers
        assert asked.headers["x-team"] == "a"
        assert asked.query == "api-version=2024-10-21"
        names = {"host", "user-agent", "content-type", "accept", "accept-encoding", "content-length"}
        assert asked.headers.keys() == {*names, "api-key", "x-team"}
        assert asked.headers["accept-encoding"] == "identity"

    async def test_without_a_key_none_is_sent(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        await whole(upstream, msgspec.structs.replace(at, key=None), asking())
        assert "authorization" not in provider.asked[-1].headers

    async def test_a_new_revision_has_its_new_key_at_once(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        await whole(upstream, at, asking())
        provider.keys = {"sk-new"}
        assert (await failure_of(upstream, at)).kind is FailureKind.UNAUTHORIZED
        await whole(upstream, msgspec.structs.replace(at, key=type(at.key)("sk-new"), revision=uuid4()), asking())

    async def test_what_the_dialect_cannot_say_is_told_and_not_sent(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        strange = Opaque(dialect=Dialect.ANTHROPIC, type="server_tool_use", raw=msgspec.Raw(b"{}"))
        with pytest.raises(ProviderFailure) as failed:
            await whole(upstream, at, asking(messages=[Message(role=Role.USER, parts=[strange])]))
        assert (failed.value.kind, failed.value.code) == (FailureKind.REFUSED, "cannot_express")
        assert isinstance(failed.value.__cause__, CannotExpress)
        assert failed.value.unbilled
        assert not provider.asked

    @ALL
    async def test_no_call_inside_a_transaction(self, provider: FakeProvider, speaks: str, library: str) -> None:
        def guard() -> None:
            raise RuntimeError("an outside call inside a transaction")

        upstream = ProviderUpstream(FakeResolver({}), allowed_hosts=(), guard=guard)
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await whole(upstream, endpoint(provider, Speaks(speaks), library=library), asking())
        await upstream.close()
        assert not provider.asked

    async def test_embeddings(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        request = EmbeddingRequest(model="alias", texts=["one", "two"])
        reply = await upstream.embed(at, request, model="embed-small", seconds=5)
        first, second = (msgspec.json.decode(vector, type=list[float]) for vector in reply.vectors)
        assert len(first) == len(second) == 8
        assert first != second
        assert reply.usage.input_tokens == provider.billed[-1].input_tokens
        assert reply.provider == "acme"

    async def test_embeddings_are_no_words_of_anthropic(self, upstream: Upstream, provider: FakeProvider) -> None:
        request = EmbeddingRequest(model="alias", texts=["one"])
        with pytest.raises(ProviderFailure) as failed:
            await upstream.embed(endpoint(provider, Speaks.ANTHROPIC), request, model="m", seconds=5)
        assert failed.value.code == "cannot_express"


class TestConnections:
    async def test_a_connection_is_used_again(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        for _ in range(3):
            await whole(upstream, at, asking())
            await streamed(upstream, at, asking())
        assert provider.connections == 1

    async def test_a_connection_that_the_provider_closed_meanwhile_is_not_noticed(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        await whole(upstream, at, asking())
        for _ in range(3):
            # The loop has no turn between the closing and the call: the client cannot have seen it.
            closing = asyncio.create_task(provider.drop_idle())
            await closing
            await whole(upstream, at, asking())
        assert len(provider.asked) == 4

    async def test_a_request_that_may_have_been_read_is_not_sent_again(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        await whole(upstream, at, asking())
        provider.tell(Reply(drop=True))
        failure = await failure_of(upstream, at)
        assert (failure.kind, failure.unbilled) == (FailureKind.CUT, False)
        assert len(provider.asked) == 2

    async def test_tenants_do_not_use_the_installations_sockets(self, provider: FakeProvider) -> None:
        host = provider.url.removeprefix("http://")
        upstream = ProviderUpstream(FakeResolver({}), allowed_hosts=[host], guard=lambda: None)
        for owner in (None, TENANT, None, TENANT):
            await whole(upstream, endpoint(provider, Speaks.OPENAI, owner=owner), asking())
        await upstream.close()
        assert provider.connections == 2


class TestBounds:
    @BOTH
    async def test_huge_answer(self, upstream: Upstream, provider: FakeProvider, speaks: Speaks) -> None:
        provider.tell(Reply(body=b" " * (17 * 1024 * 1024)))
        failure = await failure_of(upstream, endpoint(provider, speaks))
        assert failure.kind is FailureKind.MALFORMED
        assert "16777216" in failure.message

    @BOTH
    async def test_huge_event(self, upstream: Upstream, provider: FakeProvider, speaks: Speaks) -> None:
        provider.tell(Reply(body=b"data: " + b"x" * (9 * 1024 * 1024), content_type="text/event-stream"))
        with pytest.raises(ProviderFailure) as failed:
            await streamed(upstream, endpoint(provider, speaks), asking())
        assert failed.value.kind is FailureKind.MALFORMED

    async def test_endless_error(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        provider.tell(Reply(status=500, body=b"x" * 10_000_000))
        assert (await failure_of(upstream, at)).kind is FailureKind.BROKEN

    @pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=utf-8"])
    async def test_no_stream_where_one_was_asked_for(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider, content_type: str
    ) -> None:
        provider.tell(Reply(body=b"{}", content_type=content_type))
        with pytest.raises(ProviderFailure, match="in place of a stream") as failed:
            await streamed(upstream, at, asking())
        assert failed.value.kind is FailureKind.MALFORMED

    async def test_encoding_that_was_not_asked_for(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="x", headers={"Content-Encoding": "br"}))
        failure = await failure_of(upstream, at)
        assert failure.kind is FailureKind.MALFORMED
        assert "'br'" in failure.message

    async def test_head_that_is_not_http(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        provider.tell(Reply(text="x", head=b"HTTP/9 what\r\n\r\n"))
        assert (await failure_of(upstream, at)).kind in {FailureKind.MALFORMED, FailureKind.CUT}


class TestTimeAndUsage:
    async def test_who_takes_his_time_with_what_came_is_not_timed_out(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="one two", piece=2, between=0.01))
        times = msgspec.structs.replace(at.time_outs, between_tokens=0.3)
        said: list[str] = []
        async with aclosing(
            upstream.stream(msgspec.structs.replace(at, time_outs=times), asking(), model=MODEL, seconds=5)
        ) as events:
            said += [await first_text(events), await first_text(events)]
            waited = asyncio.Event()
            asyncio.get_running_loop().call_later(0.4, waited.set)
            await waited.wait()
            said += [event.text async for event in events if isinstance(event, Delta) and event.text]
        assert "".join(said) == "one two"

    async def test_the_whole_time_ends_a_stream_that_keeps_talking(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="on and on " * 100, piece=1, between=0.005))
        with pytest.raises(ProviderFailure, match="whole answer") as failed:
            await rest_of(upstream.stream(at, asking(), model=MODEL, seconds=0.08))
        assert failed.value.kind is FailureKind.TIMED_OUT
        await eventually(lambda: provider.disconnects == 1)

    async def test_a_body_that_does_not_end_after_the_answer_does_not_hold_it_up(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="All right."))
        size = len(await everything_sent(provider, asking()))
        provider.tell(Reply(text="All right.", cut_at=size, ending=Ending.HANG))
        async with asyncio.timeout(2):
            assert len(await streamed(upstream, at, asking())) > 3
        await eventually(lambda: provider.disconnects == 1)

    @BOTH
    async def test_pings_are_no_tokens(self, upstream: Upstream, provider: FakeProvider, speaks: Speaks) -> None:
        provider.tell(Reply(body=b": ping\n\n" * 3, content_type="text/event-stream", cut_at=20, ending=Ending.HANG))
        at = endpoint(provider, speaks)
        times = msgspec.structs.replace(at.time_outs, first_token=0.05)
        with pytest.raises(ProviderFailure, match="first token") as failed:
            await streamed(upstream, msgspec.structs.replace(at, time_outs=times), asking())
        assert failed.value.kind is FailureKind.TIMED_OUT

    @BOTH
    async def test_usage_that_is_wrong_is_told_as_it_came(
        self, upstream: Upstream, provider: FakeProvider, speaks: Speaks
    ) -> None:
        provider.tell(Reply(text="x", told=Tokens(input=5, output=10_000)))
        reply = await whole(upstream, endpoint(provider, speaks), asking())
        assert reply.usage.output_tokens == 10_000
        assert provider.billed[-1].output_tokens == 1

    @BOTH
    async def test_gateway_that_gave_up_may_have_cost_money(
        self, upstream: Upstream, provider: FakeProvider, speaks: Speaks
    ) -> None:
        provider.tell(Reply(status=504))
        failure = await failure_of(upstream, endpoint(provider, speaks))
        assert failure.kind in {FailureKind.BROKEN, FailureKind.TIMED_OUT}
        assert not failure.unbilled


class TestSecrets:
    @ALL
    async def test_key_and_words_are_in_no_log_and_no_error(
        self,
        upstream: Upstream,
        provider: FakeProvider,
        caplog: pytest.LogCaptureFixture,
        speaks: str,
        library: str,
    ) -> None:
        at = endpoint(provider, Speaks(speaks), library=library)
        told = ""
        with caplog.at_level(logging.DEBUG):
            for reply in (Reply(text="secret words"), Reply(status=401), Reply(drop=True), Reply(body=b"nonsense")):
                provider.tell(reply)
                try:
                    told += text_of((await whole(upstream, at, asking("my secret"))).choices[0].parts)
                except ProviderFailure as failure:
                    told += everything_told(failure)
        assert "secret words" in told
        assert KEY not in told + caplog.text + repr(at) + repr(upstream)
        assert "my secret" not in caplog.text


def everything_told(error: BaseException | None) -> str:
    told = ""
    while error is not None:
        told += f"{error!r} {error} {vars(error)}"
        error = error.__cause__
    return told


async def everything_sent(provider: FakeProvider, request: ModelRequest) -> bytes:
    """The body that a streamed answer to a request has."""
    async with aiohttp.ClientSession() as session:
        body = OpenAiClient(newer=False).encode(request, model=MODEL, stream=True)
        async with session.post(f"{provider.url}/v1/chat/completions", data=body) as answer:
            return await answer.read()
