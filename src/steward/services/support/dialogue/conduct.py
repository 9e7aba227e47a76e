"""Begins playbooks, puts them aside, and goes back to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from steward.services.support.api import AgentType, EntityType, HandOffReason, ScoredIntent
from steward.services.support.dialogue import knowledge
from steward.services.support.dialogue.answers import is_question
from steward.services.support.dialogue.escalation import missed
from steward.services.support.dialogue.format import EntitySlot, PassOn
from steward.services.support.dialogue.library import Ready
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.reading import Reading
from steward.services.support.dialogue.routing import Route
from steward.services.support.dialogue.slots import filled_at_once, kept, named_at_once
from steward.services.support.dialogue.turn import Turn, replaced
from steward.services.support.dialogue.walk import PARKED, Walk, Walker
from steward.services.support.ports import Frame, ToolSpec

BEGINNING: Final = ""
"""The step of a frame that waits for another one to end and has not begun."""
_WISH: Final = 500
_SURE: Final = 0.6
"""From this confidence on a wish is begun, though knowledge may speak of its matter."""
_ACTS: Final = frozenset({AgentType.ORDER, AgentType.REFUND, AgentType.TECHNICAL})


class Conductor:
    """Moves playbooks on and off the stack. Stateless."""

    def __init__(self, tools: Mapping[str, ToolSpec]) -> None:
        self._walker = Walker(tools)

    # Something new

    async def begin(self, turn: Turn, chosen: Sequence[Route]) -> None:
        """Begin a playbook for each wish, the first that asks something waits on top; no wish: look in knowledge."""
        if not chosen:
            await self._try_knowledge(turn)
        elif len(chosen) == 1 and await self._asks_in_general(turn, chosen[0]):
            return
        for route in chosen:
            turn.taken_for(route.ready.book.agent, route.intent, route.reason)
            slots = {**self._put_aside(turn, route), **_beginning(turn, route)}
            if turn.waits:
                await self._try_beside(turn, route.ready, slots)
            else:
                await self.run(turn, route.ready, slots)

    async def _asks_in_general(self, turn: Turn, route: Route) -> bool:
        """Whether a message asks about the rules and not for something to be done, and knowledge has just that.

        A question that is a FAQ's own is answered with it whatever it was taken for; one that merely fits a FAQ well
        only where the wish is not sure.
        """
        guessed = route.intent.confidence < _SURE
        if route.ready.book.agent not in _ACTS or turn.named(EntityType.ORDER_ID):
            return False
        if not (guessed or is_question(turn.message)):
            return False
        found = await knowledge.known(turn, turn.asked)
        if found is None or not (found.exact or guessed):
            return False
        turn.taken_for(AgentType.FAQ, ScoredIntent(type=AgentType.FAQ.value, confidence=1.0), "knowledge")
        knowledge.give(turn, found)
        return True

    def _put_aside(self, turn: Turn, route: Route) -> dict[str, Any]:
        """What the customer said to this playbook earlier, if it is open: it is gone on with, not doubled."""
        book = route.ready.book
        for at, frame in enumerate(turn.frames):
            asks = turn.waits and at == len(turn.frames) - 1
            if frame.playbook == book.name and not asks:
                del turn.frames[at]
                return {**kept(book, frame.slots), **named_at_once(turn, book)}
        return {}

    async def _try_knowledge(self, turn: Turn) -> None:
        """The desk cannot tell what is wanted; perhaps knowledge has it."""
        found = await knowledge.look_up(turn, turn.asked)
        turn.taken_for(AgentType.FAQ, turn.given.understanding.intents[0], turn.given.understanding.reason)
        if found is not None:
            knowledge.give(turn, found)
        else:
            await missed(turn, HandOffReason.LOW_CONFIDENCE, turn.phrase(PhraseKey.NOT_SURE))

    async def _try_beside(self, turn: Turn, ready: Ready, slots: Mapping[str, Any]) -> None:
        """Work on a further wish while another one waits for the customer; one that would ask too has to wait."""
        before = filled_at_once(turn, ready.book, slots)
        if self.needs_log_in(turn, ready):
            await self._ask_to_log_in(turn, ready)
        elif not await self.finishes(turn, ready, before):
            turn.queue(Frame(playbook=ready.book.name, version=ready.version, step=BEGINNING, slots=before))

    async def finishes(self, turn: Turn, ready: Ready, slots: Mapping[str, Any]) -> bool:
        """Whether a playbook comes to its end without asking; what it said stays only then."""
        said = len(turn.said)
        if await self._walker.walk(turn, Walk(ready, slots), 0) is None:
            return True
        del turn.said[said:]
        return False

    async def run(self, turn: Turn, ready: Ready, slots: Mapping[str, Any]) -> None:
        """Begin a playbook."""
        if self.needs_log_in(turn, ready):
            await self._ask_to_log_in(turn, ready)
            return
        filled = filled_at_once(turn, ready.book, slots)
        self._remember(turn, ready, filled)
        await self._walk(turn, Walk(ready, filled), 0)

    async def _walk(self, turn: Turn, walk: Walk, at: int, tries: int = 0) -> None:
        frame = await self._walker.walk(turn, walk, at)
        if frame is not None:
            turn.wait(replaced(frame, tries=tries), turn.said.pop())

    def _remember(self, turn: Turn, ready: Ready, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            slot = ready.book.slots.get(name)
            if isinstance(slot, EntitySlot) and isinstance(value, str):
                turn.remember(slot.entity, value)

    # What waits

    async def take(self, turn: Turn, ready: Ready, frame: Frame, reading: Reading) -> None:
        """Go on with an answer to the step that a frame waits at."""
        at = ready.index[frame.step]
        step = ready.steps[at]
        slots = {**frame.slots, **reading.fills}
        slots.pop(PARKED, None)
        self._remember(turn, ready, reading.fills)
        walk = Walk(ready, slots, confirmed=frame.step if reading.confirms else None)
        if reading.farewell is not None:
            turn.say_phrase(reading.farewell)
        elif reading.ends and isinstance(step, PassOn):
            walk.at = at
            await self._walker.pass_on(turn, walk, step)
        else:
            following = at if reading.repeats else at + 1
            await self._walk(turn, walk, ready.index[reading.go] if reading.go else following)

    async def ask_again(self, turn: Turn, ready: Ready, frame: Frame, *, in_vain: bool) -> None:
        """Perform the step that waited once more; `in_vain` where the answer did not fit.

        A frame of another version of its playbook begins anew with what the customer said.
        """
        if not is_current(frame, ready):
            await self.run(turn, ready, kept(ready.book, frame.slots))
            return
        slots = dict(frame.slots)
        slots.pop(PARKED, None)
        walk = Walk(ready, slots)
        walk.asks_again = not in_vain
        await self._walk(turn, walk, ready.index[frame.step], tries=frame.tries + in_vain)

    def give_up(self, turn: Turn, ready: Ready, frame: Frame) -> None:
        walk = Walk(ready, frame.slots)
        walk.at = ready.index[frame.step]
        self._walker.give_up(turn, walk)

    async def go_back(self, turn: Turn) -> None:
        """Begin what had to wait, or offer to go on with what was interrupted."""
        while not turn.waits and turn.ticket is None and not turn.offers_person:
            ready = top(turn)
            if ready is None:
                return
            frame = turn.frames[-1]
            if frame.step != BEGINNING:
                turn.say_phrase(PhraseKey.COME_BACK, title=turn.title(frame))
                turn.offered = frame.playbook
                return
            turn.frames.pop()
            turn.say_phrase(PhraseKey.NEXT, title=turn.title(frame))
            await self.run(turn, ready, frame.slots)

    # Customers who are not logged in

    def needs_log_in(self, turn: Turn, ready: Ready) -> bool:
        return ready.book.log_in is not None and turn.given.customer_id is None

    async def _ask_to_log_in(self, turn: Turn, ready: Ready) -> None:
        """Say that log-in is needed, and give what can be had without: knowledge, or a person."""
        if ready.book.log_in is not None:
            turn.say(ready.book.log_in.of(turn.language))
        found = await knowledge.look_up(turn, turn.asked)
        if found is not None:
            knowledge.give(turn, found)
        turn.offer_person(HandOffReason.REQUEST, turn.phrase(PhraseKey.OFFER_PERSON))


def top(turn: Turn) -> Ready | None:
    """The playbook on top; frames of playbooks that are no more are dropped."""
    while turn.frames:
        ready = turn.library.get(turn.frames[-1].playbook)
        if ready is not None:
            return ready
        turn.frames.pop()
    return None


def is_current(frame: Frame, ready: Ready) -> bool:
    """Whether a frame is of this version of its playbook, and has begun."""
    return frame.version == ready.version and frame.step in ready.index


def _beginning(turn: Turn, route: Route) -> dict[str, Any]:
    """What a route gives its playbook to begin with."""
    known = route.ready.order_slot and (route.order or route.asks_order)
    orders = {route.ready.order_slot: route.order} if route.ready.order_slot and known else {}
    return {"_wish": turn.given.text.strip()[:_WISH], **orders}
