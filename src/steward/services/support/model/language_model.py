"""The model of a provider, and the one of an installation that has none."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Protocol

import msgspec
from yarl import URL

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import forbid_open_tx
from steward.kit.errors import AppError
from steward.kit.http import Breakers, HttpSettings, SafeClient, SystemResolver
from steward.kit.settings import load
from steward.services.support.api import Citation, ScoredIntent
from steward.services.support.model.checks import checked
from steward.services.support.model.codecs import AnthropicCodec, Codec, OpenAiCodec
from steward.services.support.model.prompts import NO_ANSWER, Prompt, phrase_prompt, route_prompt
from steward.services.support.model.settings import PREFIX, ModelSettings, Provider
from steward.services.support.ports import Language, Model, ModelFailed

_OK: Final = 200
_MAX_ANSWER_BYTES: Final = 256 * 1024
_CONNECT_SECONDS: Final = 3.0
_UNREADABLE: Final = ScoredIntent(type="faq", confidence=0.5)
_NO_MODEL: Final = "no model is set up: set ANTHROPIC_API_KEY or OPENAI_API_KEY"
_DEFAULT_NAMES: Final[Mapping[Provider, str]] = {
    Provider.ANTHROPIC: "claude-haiku-4-5",
    Provider.OPENAI: "gpt-4.1-mini",
}


class OpenModel(Model, Protocol):
    """A model with connections that are to be closed."""

    async def close(self) -> None:
        """Close the connections; a call afterwards opens them again."""
        ...


class NoModel:
    """The model of an installation without a key."""

    available = False

    async def phrase(self, *_: object, **__: object) -> str:
        raise ModelFailed(_NO_MODEL)

    async def route(self, *_: object, **__: object) -> ScoredIntent:
        raise ModelFailed(_NO_MODEL)

    async def close(self) -> None:
        return


class ProviderModel:
    """Asks a provider over HTTP, once and for a bounded time; a provider that fails is left alone for a while."""

    available = True

    def __init__(self, codec: Codec, clock: Clock, *, seconds: float = 8.0) -> None:
        self._codec = codec
        self._clock = clock
        # The operator chose this address; it may be inside the network.
        at = URL(codec.url)
        host = f"[{at.host}]" if ":" in (at.host or "") else at.host
        self._http = HttpSettings(
            allowed_hosts=frozenset({f"{host}:{at.port}"}),
            connect_seconds=min(_CONNECT_SECONDS, seconds),
            read_seconds=seconds,
            # A little less than all of it: a timeout by the caller's clock would not count against the provider.
            attempt_seconds=seconds * 0.98,
            total_seconds=seconds,
            attempts=1,
            max_response_bytes=_MAX_ANSWER_BYTES,
        )
        self._breakers = Breakers(clock)
        self._client: SafeClient | None = None
        self._stack = AsyncExitStack()

    async def phrase(self, ctx: Ctx, question: str, citations: Sequence[Citation], language: Language) -> str:
        """See `ports.Model`; what comes back has been checked against question and citations."""
        if not citations:
            raise ModelFailed("there is nothing to answer from")
        said = await self._ask(ctx, phrase_prompt(question, citations, language))
        if NO_ANSWER in said:
            raise ModelFailed("the model found no answer in the citations")
        return checked(said, question, citations, language)

    async def route(self, ctx: Ctx, text: str, intents: Sequence[str]) -> ScoredIntent:
        """See `ports.Model`."""
        said = await self._ask(ctx, route_prompt(text, intents))
        return _intent_of(said, intents)

    async def close(self) -> None:
        self._client = None
        await self._stack.aclose()

    async def _ask(self, ctx: Ctx, prompt: Prompt) -> str:
        # Without a tenant there is one breaker for all of them: the key and the provider are the installation's.
        caller = msgspec.structs.replace(ctx, tenant=None)
        body = self._codec.encode(prompt)
        try:
            client = self._client or await self._open()
            answer = await client.request(caller, "POST", self._codec.url, headers=self._codec.headers, body=body)
        except AppError as error:
            raise ModelFailed(f"the model did not answer: {error.code}") from error
        if answer.status != _OK:
            # The body stays unread: providers repeat parts of the key in it.
            raise ModelFailed(f"the model's provider answered with status {answer.status}")
        return self._codec.decode(answer.body)

    async def _open(self) -> SafeClient:
        resolver = SystemResolver(threads=2)
        self._stack.callback(resolver.close)
        # One attempt only, so there is no wait whose length should be left to chance.
        client = SafeClient(self._http, self._clock, self._breakers, resolver, random=lambda: 0.0, guard=forbid_open_tx)
        self._client = await self._stack.enter_async_context(client)
        return client


class _Routed(msgspec.Struct, frozen=True):
    intent: str
    confidence: float


def _intent_of(said: str, intents: Sequence[str]) -> ScoredIntent:
    """What a model's words say; models like to wrap their JSON into other things."""
    start, end = said.find("{"), said.rfind("}")
    try:
        routed = msgspec.json.decode(said[start : end + 1], type=_Routed)
    except (msgspec.MsgspecError, UnicodeError):
        return _UNREADABLE
    if routed.intent not in intents:
        return _UNREADABLE
    return ScoredIntent(type=routed.intent, confidence=min(1.0, max(0.0, routed.confidence)))


def make_model(environment: Mapping[str, str], clock: Clock) -> OpenModel:
    """The model that the environment names, or one that is never available. Raises `SettingsError`."""
    settings = load(ModelSettings, environment, PREFIX)
    provider = settings.chosen
    name = settings.name or (_DEFAULT_NAMES[provider] if provider else "")
    codec: Codec
    if provider is Provider.ANTHROPIC and settings.anthropic_api_key:
        codec = AnthropicCodec(settings.anthropic_base_url, settings.anthropic_api_key, name)
    elif provider is Provider.OPENAI and settings.openai_api_key:
        codec = OpenAiCodec(settings.openai_base_url, settings.openai_api_key, name)
    else:
        return NoModel()
    return ProviderModel(codec, clock, seconds=settings.seconds)
