"""What stands in the head of a request: the path below the base URL, betas, and nothing that breaks the message."""

from collections.abc import Mapping

import msgspec
import pytest

from steward.kit.testing.provider import FakeProvider
from steward.services.models.api import Speaks
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Dialect
from steward.services.models.ports import Key, Upstream
from steward.services.models.wire.anthropic import with_betas
from tests.services.models.upstream.callers import KEY, asking, endpoint, streamed, whole

BETAS = "context-1m-2025-08-07,files-api-2025-04-14"


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
async def test_anthropics_base_url_may_have_its_version(upstream: Upstream, provider: FakeProvider, end: str) -> None:
    await whole(upstream, endpoint(provider.url + end, Speaks.ANTHROPIC), asking())
    assert provider.asked[-1].path == "/v1/messages"


async def test_betas_of_the_caller_reach_anthropic(upstream: Upstream, provider: FakeProvider) -> None:
    asked = with_betas(asking(dialect=Dialect.ANTHROPIC), BETAS)
    at = endpoint(provider, Speaks.ANTHROPIC)
    await whole(upstream, at, asked)
    await streamed(upstream, at, asked)
    assert [one.headers["anthropic-beta"] for one in provider.asked] == [BETAS, BETAS]
    await whole(upstream, at, asking())
    assert "anthropic-beta" not in provider.asked[-1].headers


async def test_betas_of_connection_and_caller_add_up(upstream: Upstream, provider: FakeProvider) -> None:
    at = endpoint(provider, Speaks.ANTHROPIC, headers={"Anthropic-Beta": "own-2025-01-01"})
    await whole(upstream, at, with_betas(asking(dialect=Dialect.ANTHROPIC), BETAS))
    assert provider.asked[-1].headers["anthropic-beta"] == f"own-2025-01-01,{BETAS}"
    await whole(upstream, at, asking())
    assert provider.asked[-1].headers["anthropic-beta"] == "own-2025-01-01"


@pytest.mark.parametrize(("speaks", "library"), [("openai", ""), ("pydantic-ai", "openai")])
async def test_betas_do_not_keep_a_request_from_other_providers(
    upstream: Upstream, provider: FakeProvider, speaks: str, library: str
) -> None:
    asked = with_betas(asking(dialect=Dialect.ANTHROPIC), BETAS)
    await whole(upstream, endpoint(provider, Speaks(speaks), library=library), asked)
    assert "anthropic-beta" not in provider.asked[-1].headers
    assert BETAS not in repr(provider.asked[-1].body)


async def test_other_fields_of_anthropic_still_do(upstream: Upstream, provider: FakeProvider) -> None:
    asked = with_betas(asking(dialect=Dialect.ANTHROPIC, extra={"container": msgspec.Raw(b'"c"')}), BETAS)
    with pytest.raises(ProviderFailure, match="container") as failed:
        await whole(upstream, endpoint(provider, Speaks.OPENAI), asked)
    assert failed.value.code == "cannot_express"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\nb"},
        {"X-A\r\nX-B": "b"},
        {"X-A ": "b"},
        {"": "b"},
        {"X-A": "\x00"},
        {"Content-Length": "0"},
        {"transfer-encoding": "chunked"},
        {"Host": "other.example"},
    ],
)
async def test_fields_that_break_the_message_are_not_sent(
    upstream: Upstream, provider: FakeProvider, headers: Mapping[str, str]
) -> None:
    with pytest.raises(ProviderFailure, match="header fields") as failed:
        await whole(upstream, endpoint(provider, Speaks.OPENAI, headers=headers), asking())
    assert (failed.value.kind, failed.value.unbilled) == (FailureKind.UNREACHABLE, True)
    assert not provider.asked


async def test_a_key_that_breaks_the_message_is_neither_sent_nor_told(
    upstream: Upstream, provider: FakeProvider
) -> None:
    with pytest.raises(ProviderFailure) as failed:
        await whole(upstream, endpoint(provider, Speaks.OPENAI, key=Key(f"{KEY}\r\nX-B: b")), asking())
    assert KEY not in f"{failed.value!r} {failed.value.__cause__!r} {failed.value.__context__!r}"
    assert not provider.asked


@pytest.mark.parametrize("base", ["ftp://models.example", "models.example", "http://", "http://u:p@models.example"])
async def test_base_urls_that_are_none(upstream: Upstream, base: str) -> None:
    with pytest.raises(ProviderFailure, match="base URL") as failed:
        await whole(upstream, endpoint(base, Speaks.OPENAI), asking())
    assert failed.value.kind is FailureKind.UNREACHABLE


async def test_the_host_is_sent_as_the_base_url_names_it(upstream: Upstream, provider: FakeProvider) -> None:
    await whole(upstream, endpoint(provider, Speaks.OPENAI, headers={"User-Agent": "Ours"}), asking())
    asked = provider.asked[-1]
    assert asked.headers["host"] == provider.url.removeprefix("http://")
    assert asked.headers["user-agent"] == "Ours"
