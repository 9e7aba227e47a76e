"""The dialogue: what a message means to a session's playbooks, from message to message."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from steward.kit.context import Ctx
from steward.services.support.api import AgentType, HandOffReason, ScoredIntent
from steward.services.support.dialogue import answers
from steward.services.support.dialogue.conduct import Conductor, is_current, top
from steward.services.support.dialogue.escalation import HUMAN, by_rule, hand_off, summarized, taken_for_person
from steward.services.support.dialogue.format import Ask, Guide
from steward.services.support.dialogue.library import Library, Ready
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.reading import Reading, read
from steward.services.support.dialogue.routing import Route, routes
from steward.services.support.dialogue.slots import Given, chooses, kept, named_at_once, said_anew
from steward.services.support.dialogue.turn import HAND_OFF, Turn
from steward.services.support.dialogue.walk import PARKED
from steward.services.support.ports import Actions, DialogueState, Frame, Reply, ToolSpec, TurnInput

MAX_TRIES: Final = 2
"""So often a question is put again to an answer that does not fit, before a person is offered."""


class PlaybookDialogue:
    """Implements `Dialogue`. Stateless: what it knows of a session is in its `DialogueState`."""

    def __init__(self, libraries: Callable[[Ctx], Awaitable[Library]], tools: Mapping[str, ToolSpec]) -> None:
        self._libraries = libraries
        self._conductor = Conductor(tools)

    async def respond(
        self, ctx: Ctx, state: DialogueState, turn: TurnInput, actions: Actions
    ) -> tuple[Reply, DialogueState]:
        """See `Dialogue.respond`."""
        work = Turn(await self._libraries(ctx), state, turn, actions)
        await self._answer(work)
        await self._conductor.go_back(work)
        if not (work.said or work.question):
            work.offer_person(HandOffReason.PLAYBOOK, work.phrase(PhraseKey.CANNOT_GET_ON), summarized(work))
        return work.reply(), work.state()

    async def _answer(self, turn: Turn) -> None:
        reason = by_rule(turn)
        if reason is not None and not (
            turn.escalated and reason is not HandOffReason.REQUEST and _wishes(routes(turn))
        ):
            await self._pass_on(turn, reason)
        elif not (await self._take_up_offer(turn) or await self._go_on(turn)):
            await self._conductor.begin(turn, routes(turn))

    # A person

    async def _pass_on(self, turn: Turn, reason: HandOffReason) -> None:
        """Hand over; what else a request for a person asks is answered first, where that needs no question."""
        if reason is not HandOffReason.REQUEST:
            taken_for_person(turn)
            await hand_off(turn, reason)
            return
        several = len(turn.given.understanding.intents) > 1
        for route in routes(turn) if several else ():
            asks_log_in = self._conductor.needs_log_in(turn, route.ready)
            if route.ready.book.agent is not AgentType.HUMAN and not asks_log_in:
                await self._conductor.finishes(turn, route.ready, named_at_once(turn, route.ready.book))
        taken_for_person(turn)
        chosen = turn.library.choose(HUMAN, turn.message, turn.entities)
        if chosen is not None:
            await self._conductor.run(turn, chosen.ready, {})
        else:
            await hand_off(turn, reason)

    # What the last answer offered

    async def _take_up_offer(self, turn: Turn) -> bool:
        """Whether the message says yes or no to what the last answer offered, and nothing else."""
        offered = turn.before.offered
        if not offered:
            return False
        verdict = False if answers.never_mind(turn.message) else answers.yes_or_no(turn.message)
        if offered.startswith(HAND_OFF):
            return await self._person_offered(turn, verdict)
        if verdict is None and answers.again(turn.message):
            verdict = True
        return await self._return_offered(turn, verdict)

    async def _person_offered(self, turn: Turn, verdict: bool | None) -> bool:  # noqa: FBT001 - what was said
        if verdict is None or (verdict is False and _wishes(routes(turn))):
            return False
        if verdict:
            taken_for_person(turn)
            reason = HandOffReason(turn.before.offered.partition(":")[2])
            await hand_off(turn, reason, summary=turn.before.offered_summary)
        else:
            turn.taken_for(AgentType.FAQ, ScoredIntent(type=AgentType.FAQ.value, confidence=1.0), "playbook")
            turn.say_phrase(PhraseKey.ALL_RIGHT)
        return True

    async def _return_offered(self, turn: Turn, verdict: bool | None) -> bool:  # noqa: FBT001 - what was said
        ready = top(turn)
        if ready is None or verdict is None or turn.frames[-1].playbook != turn.before.offered:
            return False
        frame = turn.frames.pop()
        if verdict is False and _wishes(routes(turn)):
            return False
        turn.goes_on_with(ready)
        if verdict:
            await self._conductor.ask_again(turn, ready, frame, in_vain=False)
        else:
            turn.say_phrase(PhraseKey.ALL_RIGHT)
        return True

    # The playbook that waits

    async def _go_on(self, turn: Turn) -> bool:
        """Whether the message was an answer to the playbook on top, or was dealt with as one."""
        ready = top(turn)
        if ready is None:
            return False
        frame = turn.frames[-1]
        if not is_current(frame, ready):
            turn.frames.pop()
            turn.goes_on_with(ready)
            await self._conductor.ask_again(turn, ready, frame, in_vain=False)
            return True
        if answers.never_mind(turn.message) and not (_calls_for(turn, ready) or _chooses(turn, ready, frame)):
            turn.frames.pop()
            turn.goes_on_with(ready)
            turn.say_phrase(PhraseKey.LEFT)
            return True
        return await self._read(turn, ready, frame)

    async def _read(self, turn: Turn, ready: Ready, frame: Frame) -> bool:
        reading = read(turn, ready, frame)
        others = _others(turn, ready)
        if _is_answer(turn, ready, reading, others):
            turn.frames.pop()
            turn.goes_on_with(ready)
            await self._conductor.take(turn, ready, frame, reading)
            if further := _further(turn, ready, frame, reading, others):
                await self._conductor.begin(turn, further)
            return True
        if others and (_wishes(others) or answers.is_question(turn.message) or turn.before.offered):
            if answers.begins_never_mind(turn.message):
                turn.frames.pop()
            return False
        turn.frames.pop()
        turn.goes_on_with(ready)
        await self._unread(turn, ready, frame)
        return True

    async def _unread(self, turn: Turn, ready: Ready, frame: Frame) -> None:
        """A message that is neither an answer nor for another playbook: new figures begin anew, else ask again."""
        named = said_anew(turn, ready.book)
        if frame.slots.get(PARKED):
            await self._conductor.ask_again(turn, ready, frame, in_vain=False)
        elif any(frame.slots.get(name) != value for name, value in named.items()):
            await self._conductor.run(turn, ready, {**kept(ready.book, frame.slots), **named})
        elif frame.tries >= MAX_TRIES:
            self._conductor.give_up(turn, ready, frame)
        else:
            turn.say(_unclear(turn, ready, frame))
            await self._conductor.ask_again(turn, ready, frame, in_vain=True)


def _others(turn: Turn, ready: Ready) -> list[Route]:
    """What else a message may be for than the playbook that waits; a bare yes or no is no small talk then."""
    bare = answers.yes_or_no(turn.message) is not None
    return [
        each
        for each in routes(turn)
        if each.ready.book.name != ready.book.name and not (bare and each.reason == "playbook")
    ]


def _wishes(chosen: Sequence[Route]) -> list[Route]:
    """The routes that surely are wishes of their own: by words, or for an agent who does something."""
    return [each for each in chosen if each.worded or each.ready.book.agent is not AgentType.FAQ]


def _calls_for(turn: Turn, ready: Ready) -> bool:
    """Whether the words of a “never mind” are those that call for this very playbook, as `cancel` may be."""
    chosen = turn.library.choose(ready.intent, turn.message, turn.entities)
    return chosen is not None and chosen.worded and chosen.ready is ready


def _chooses(turn: Turn, ready: Ready, frame: Frame) -> bool:
    """Whether the words of a “never mind” are an option of the question that waits, as `changed my mind` may be."""
    step = ready.steps[ready.index[frame.step]]
    return isinstance(step, Ask) and chooses(turn, ready.book.slots[step.slot])


def _is_answer(turn: Turn, ready: Ready, reading: Reading, others: Sequence[Route]) -> bool:
    """Whether a message answers the question, rather than being about something else."""
    strangers = [each for each in others if each.reason != "playbook"]
    match reading.given:
        case Given.SURE:
            worded = any(each.worded for each in strangers)
            return reading.confirms or reading.says_no or not (worded and answers.is_question(turn.message))
        case Given.LIKELY:
            return not any(each.worded and each.ready.book.agent is not ready.book.agent for each in strangers)
        case Given.PERHAPS:
            return not (others and (turn.before.offered or answers.is_question(turn.message)))
        case Given.NOT:
            return False


def _further(turn: Turn, ready: Ready, frame: Frame, reading: Reading, others: Sequence[Route]) -> list[Route]:
    """What a yes or no says beside: `no, I want to cancel it`, `yes, and where is my parcel?`"""
    if turn.ticket is not None or not (reading.says_no or (reading.confirms and answers.is_question(turn.message))):
        return []
    guides = isinstance(ready.steps[ready.index[frame.step]], Guide)
    return [
        each
        for each in others
        if each.worded and each.reason != "playbook" and not (guides and each.ready.book.agent is ready.book.agent)
    ]


def _unclear(turn: Turn, ready: Ready, frame: Frame) -> str:
    """What is said before a question that is put again."""
    slot = ready.book.slots.get(getattr(ready.steps[ready.index[frame.step]], "slot", ""))
    invalid = getattr(slot, "invalid", None)
    return invalid.of(turn.language) if invalid is not None else turn.phrase(PhraseKey.UNCLEAR)
