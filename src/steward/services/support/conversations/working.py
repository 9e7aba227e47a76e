"""Working out the answer of a message: from what is kept, or by understanding it and asking the dialogue."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from steward.kit.clock import Clock
from steward.kit.failpoints import Failpoints
from steward.kit.module import Apis
from steward.services.support.api import AgentType, Intent
from steward.services.support.conversations.actions import Searching, TurnActions
from steward.services.support.conversations.answers import AnswerCache, KeptAnswer, is_neutral
from steward.services.support.conversations.turn import Turn
from steward.services.support.ports import (
    Dialogue,
    DialogueState,
    Model,
    ModelFailed,
    Reply,
    Tools,
    TurnInput,
    Understander,
    Understanding,
)
from steward.services.support.tickets.opening import TicketOpening

ROUTED_SURELY: Final = 0.6
"""From this confidence on a model's word on the intent counts as sure."""

Accept = Callable[[Turn], Awaitable[None]]


class Specialists(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what for a message."""

    understander: Understander
    dialogue: Dialogue
    tools: Tools
    model: Model
    tickets: TicketOpening


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What a message came to, before it is written."""

    answer: KeptAnswer
    state: DialogueState
    """The dialogue's state from here on."""
    from_cache: bool = False
    key: str | None = None
    """What the answer may be kept under, once it is written."""
    epoch: int = 0


class Working:
    """Finds answers; writes nothing but what a dialogue's actions write."""

    def __init__(
        self, specialists: Specialists, answers: AnswerCache, apis: Apis, clock: Clock, failpoints: Failpoints
    ) -> None:
        self._specialists = specialists
        self._answers = answers
        self._searching = Searching(apis)
        self._clock = clock
        self._failpoints = failpoints

    def kept(self, turn: Turn) -> Worked | None:
        """The answer that anybody would be given, if it is known already."""
        state = turn.conversation.dialogue
        if turn.question is None or not is_neutral(state):
            return None
        answer = self._answers.get(turn.ctx.require_tenant(), turn.question)
        if answer is None:
            return None
        if state.language is not turn.language:
            state = msgspec.structs.replace(state, language=turn.language)
        return Worked(answer=answer, state=state, from_cache=True)

    async def work_out(self, turn: Turn, accept: Accept) -> Worked:
        """Understand a message and answer it; `accept` makes it durable before anything outside is called."""
        epoch = self._answers.epoch(turn.ctx.require_tenant())
        state = turn.conversation.dialogue
        understanding, degraded = await self._understand(turn, accept)
        given = TurnInput(
            message_id=turn.message_id,
            text=turn.text,
            understanding=understanding,
            customer_id=turn.conversation.owner.customer_id,
            now=self._clock.now(),
            recent=turn.conversation.recent,
        )
        one = self._specialists
        actions = TurnActions(
            turn,
            accept=accept,
            searching=self._searching,
            tools=one.tools,
            tickets=one.tickets,
            model=one.model,
            failpoints=self._failpoints,
        )
        reply, after = await one.dialogue.respond(turn.ctx, state, given, actions)
        if degraded and not reply.degraded:
            reply = msgspec.structs.replace(reply, degraded=True)
        answer = KeptAnswer(reply=reply, intent=_intent(reply, understanding), sentiment=understanding.sentiment)
        may_keep = reply.cacheable and not reply.degraded and is_neutral(state) and is_neutral(after)
        return Worked(answer=answer, state=after, key=turn.question if may_keep else None, epoch=epoch)

    def keep(self, turn: Turn, worked: Worked) -> None:
        """Remember an answer that is written, where it is one for anybody."""
        if worked.key is not None:
            self._answers.put(turn.ctx.require_tenant(), worked.key, worked.answer, worked.epoch)

    async def _understand(self, turn: Turn, accept: Accept) -> tuple[Understanding, bool]:
        """What the message says, and whether a model should have said more."""
        found = await self._specialists.understander.understand(turn.ctx, turn.text, previous=turn.language)
        model = self._specialists.model
        # In the middle of a playbook its question decides what an answer means.
        if not found.unsure or turn.conversation.dialogue.frames or not await model.available(turn.ctx):
            return found, False
        await accept(turn)
        known = tuple(dict.fromkeys([*AgentType, *(one.type for one in found.intents)]))
        try:
            routed = await model.route(turn.ctx, turn.text, known)
        except ModelFailed:
            return found, True
        others = [one for one in found.intents if one.type != routed.type]
        sure = routed.confidence >= ROUTED_SURELY
        return (
            msgspec.structs.replace(found, intents=(routed, *others), unsure=not sure, reason="model"),
            False,
        )


def _intent(reply: Reply, understanding: Understanding) -> Intent:
    return Intent(
        type=reply.intent.type,
        confidence=reply.intent.confidence,
        entities=understanding.entities,
        unsure=understanding.unsure,
        others=[one for one in understanding.intents if one.type != reply.intent.type],
        reason=reply.intent_reason or understanding.reason,
    )
