"""The desk's language model: one of the platform's, by an alias, for a bounded time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from steward.kit.cache import Cache
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.module import Apis
from steward.services.models.api import (
    CallOptions,
    Message,
    ModelReply,
    ModelRequest,
    ModelsApi,
    Role,
    StopReason,
    TaskType,
    Text,
)
from steward.services.support.api import Citation, ScoredIntent
from steward.services.support.model.checks import checked
from steward.services.support.model.prompts import NO_ANSWER, Prompt, phrase_prompt, route_prompt
from steward.services.support.ports import Language, ModelFailed

AGENT: Final = "desk"
"""What the desk's calls count for, and a budget may hold."""
_SCOPE: Final = "model:call"
_UNREADABLE: Final = ScoredIntent(type="faq", confidence=0.5)
_KNOWN_SECONDS: Final = 10.0
_TENANTS: Final = 10_000
_PHRASING: Final = CallOptions(task=TaskType.FAQ, agent=AGENT)
_ROUTING: Final = CallOptions(task=TaskType.UNKNOWN, agent=AGENT)


class DeskModel:
    """Asks the models service; what fails there, or takes too long, the desk does without."""

    def __init__(self, apis: Apis, clock: Clock, *, alias: str, seconds: float) -> None:
        self._apis = apis
        self._clock = clock
        self._alias = alias
        self._seconds = seconds
        self._known = Cache(clock, max_entries=_TENANTS, max_bytes=_TENANTS * 1024)

    async def available(self, ctx: Ctx) -> bool:
        """See `ports.Model`; looked up every ten seconds at most."""

        async def look() -> str:
            try:
                models = await self._apis.get(ModelsApi).list_models(self._own(ctx))
            except AppError:
                return "no"
            return "yes" if any(model.name == self._alias for model in models) else "no"

        return await self._known.get_or_load(ctx.require_tenant(), self._alias, look, ttl_s=_KNOWN_SECONDS) == "yes"

    async def phrase(self, ctx: Ctx, question: str, citations: Sequence[Citation], language: Language) -> str:
        """See `ports.Model`; what comes back has been checked against question and citations."""
        if not citations:
            raise ModelFailed("there is nothing to answer from")
        said = await self._ask(ctx, phrase_prompt(question, citations, language), _PHRASING)
        if NO_ANSWER in said:
            raise ModelFailed("the model found no answer in the citations")
        return checked(said, question, citations, language)

    async def route(self, ctx: Ctx, text: str, intents: Sequence[str]) -> ScoredIntent:
        """See `ports.Model`."""
        return _intent_of(await self._ask(ctx, route_prompt(text, intents), _ROUTING), intents)

    async def _ask(self, ctx: Ctx, prompt: Prompt, options: CallOptions) -> str:
        request = ModelRequest(
            model=self._alias,
            messages=[
                Message(role=Role.SYSTEM, parts=[Text(text=prompt.system)]),
                Message(role=Role.USER, parts=[Text(text=prompt.user)]),
            ],
            max_output_tokens=prompt.max_tokens,
        )
        try:
            async with asyncio.timeout(self._seconds):
                reply = await self._apis.get(ModelsApi).complete(self._own(ctx), request=request, options=options)
        except AppError as error:
            raise ModelFailed(f"the model did not answer: {error.code}") from error
        except TimeoutError as error:
            raise ModelFailed(f"the model did not answer within {self._seconds:g} s") from error
        return _whole(reply)

    def _own(self, ctx: Ctx) -> Ctx:
        """The desk asks on its own account: a customer has no right to models, and is told nothing of them."""
        until = min(ctx.deadline, self._clock.now() + timedelta(seconds=self._seconds))
        return msgspec.structs.replace(ctx.as_service("support", _SCOPE), deadline=until)


def _whole(reply: ModelReply) -> str:
    """The text of an answer, if the model came to its end by itself."""
    choice = reply.choices[0] if reply.choices else None
    if choice is None or choice.stop is not StopReason.END:
        raise ModelFailed(
            f"the model's answer is not whole: it ended with {choice.stop.value if choice else 'nothing'}"
        )
    return "".join(part.text for part in choice.parts if isinstance(part, Text))


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
