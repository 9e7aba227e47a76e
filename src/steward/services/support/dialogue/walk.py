"""Walks through a playbook's steps until one waits for the customer, or the playbook ends."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

from steward.services.support.api import HandOffReason
from steward.services.support.dialogue import knowledge
from steward.services.support.dialogue.checks import ELSE
from steward.services.support.dialogue.conditions import holds, is_there
from steward.services.support.dialogue.escalation import hand_off, missed, summarized
from steward.services.support.dialogue.format import (
    Ask,
    Call,
    Confirm,
    DataSlot,
    End,
    EntitySlot,
    Forget,
    Go,
    Guide,
    PassOn,
    Say,
    Search,
    Slot,
    Step,
    Text,
    When,
)
from steward.services.support.dialogue.library import Ready
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.slots import displayed, entries, labels
from steward.services.support.dialogue.templates import MissingValue, render
from steward.services.support.dialogue.turn import Turn
from steward.services.support.ports import Frame, ToolOutcome, ToolResult, ToolSpec

MAX_STEPS: Final = 60
"""Steps of a playbook in one turn."""

NEXT: Final = -1
END: Final = -2
WAIT: Final = -3

PARKED: Final = "_parked"
"""In a frame's slots: the shop did not answer, and a yes tries again."""

S = TypeVar("S", bound=Step)


class Walk:
    """A playbook being worked on."""

    def __init__(self, ready: Ready, slots: Mapping[str, Any], *, confirmed: str | None = None) -> None:
        self.ready = ready
        self.slots = dict(slots)
        self.confirmed = confirmed
        """The confirmation that this very message said yes to; a change needs one."""
        self.asks_again = False
        """The next question is put again and does not count."""
        self.at = 0
        self.wait_at: str | None = None
        """The step to wait at, where it is not the one that stopped."""

    def frame(self) -> Frame:
        step = self.wait_at or self.ready.ids[self.at]
        return Frame(playbook=self.ready.book.name, version=self.ready.version, step=step, slots=self.slots)


class Walker:
    """Performs steps. Stateless: what it works on is the turn and the walk."""

    def __init__(self, tools: Mapping[str, ToolSpec]) -> None:
        self._tools = tools
        self._perform: Mapping[type[Step], Callable[[Turn, Walk, Any], Awaitable[int]]] = {
            Say: self._say,
            Ask: self._ask,
            Confirm: self._confirm,
            Call: self._call,
            When: self._when,
            Go: self._go,
            PassOn: self._pass_on,
            Search: self._search,
            Guide: self._guide,
            Forget: self._forget,
            End: self._end,
        }

    async def walk(self, turn: Turn, walk: Walk, at: int) -> Frame | None:
        """Go on from a step; the frame that waits, or None where the playbook ended.

        What the waiting step asks is the last piece said. A value that a text needs and that there is not, or a
        playbook that comes to no end, makes the desk offer a person rather than guess.
        """
        walk.at = at
        try:
            for _ in range(MAX_STEPS):
                if walk.at >= len(walk.ready.steps):
                    return None
                step = walk.ready.steps[walk.at]
                move = await self._perform[type(step)](turn, walk, step)
                if move == WAIT:
                    return walk.frame()
                if move == END:
                    return None
                walk.at = walk.at + 1 if move == NEXT else move
        except MissingValue:
            pass
        self.give_up(turn, walk)
        return None

    def give_up(self, turn: Turn, walk: Walk) -> None:
        """End a playbook that cannot get on, with the offer of a person."""
        text = turn.phrase(PhraseKey.CANNOT_GET_ON)
        turn.offer_person(HandOffReason.PLAYBOOK, text, summarized(turn, walk.slots))

    def _text(self, turn: Turn, walk: Walk, text: Text) -> str:
        values = turn.built_in(displayed(walk.ready.book, walk.slots, turn.language))
        return render(text.of(turn.language), values, turn.language)

    async def _say(self, turn: Turn, walk: Walk, step: Say) -> int:
        turn.say(self._text(turn, walk, step.text))
        return NEXT

    async def _ask(self, turn: Turn, walk: Walk, step: Ask) -> int:
        slot = walk.ready.book.slots[step.slot]
        if isinstance(slot, DataSlot) or (is_there(walk.slots.get(step.slot)) and not step.again):
            return NEXT
        if step.choices is not None and self._only_choice(turn, walk, step, slot):
            return NEXT
        asked = dict(cast("Mapping[str, int]", walk.slots.get("_asked", {})))
        if not walk.asks_again:
            asked[step.slot] = asked.get(step.slot, 0) + 1
        if asked.get(step.slot, 0) > slot.max_tries:
            self.give_up(turn, walk)
            return END
        walk.slots["_asked"] = asked
        text = step.text or slot.question
        lines = [self._text(turn, walk, text)] if text else []
        if step.choices is not None:
            shown = labels(step.choices, walk.slots, turn.language)
            lines += [f"{number}. {label}" for number, label in enumerate(shown, 1)]
        turn.said.append("\n".join(lines))
        return WAIT

    def _only_choice(self, turn: Turn, walk: Walk, step: Ask, slot: Slot) -> bool:
        """Take the entry of a list of one, the first time; a list of none is a value that is missing."""
        if step.choices is None:
            return False
        found = entries(step.choices, walk.slots)
        if not found:
            raise MissingValue(step.choices.list)
        taken = cast("list[str]", walk.slots.get("_taken", []))
        if len(found) > 1 or step.slot in taken:
            return False
        walk.slots[step.slot] = value = found[0][step.choices.value]
        walk.slots["_taken"] = [*taken, step.slot]
        if isinstance(slot, EntitySlot):
            turn.remember(slot.entity, value)
        return True

    async def _confirm(self, turn: Turn, walk: Walk, step: Confirm) -> int:
        turn.said.append(self._text(turn, walk, step.text))
        return WAIT

    async def _guide(self, turn: Turn, walk: Walk, step: Guide) -> int:
        question = turn.phrase(PhraseKey.DID_THAT_HELP)
        if step.text is None:
            turn.said.append(question)
            return WAIT
        text = self._text(turn, walk, step.text)
        tried = cast("list[str]", walk.slots.get("_tried", []))
        if text not in tried:
            walk.slots["_tried"] = [*tried, text]
        turn.said.append(f"{text}\n\n{question}")
        return WAIT

    async def _when(self, turn: Turn, walk: Walk, step: When) -> int:
        if holds(step.if_, turn.built_in(walk.slots), turn.given.now):
            return walk.ready.index[step.go]
        return walk.ready.index[step.otherwise] if step.otherwise else NEXT

    async def _go(self, turn: Turn, walk: Walk, step: Go) -> int:  # noqa: ARG002 - every step is performed alike
        return walk.ready.index[step.to]

    async def _forget(self, turn: Turn, walk: Walk, step: Forget) -> int:  # noqa: ARG002 - every step is performed alike
        for name in step.slots:
            walk.slots.pop(name, None)
        return NEXT

    async def _end(self, turn: Turn, walk: Walk, step: End) -> int:
        if step.text is not None:
            turn.say(self._text(turn, walk, step.text))
        return END

    async def _search(self, turn: Turn, walk: Walk, step: Search) -> int:
        known = turn.built_in(displayed(walk.ready.book, walk.slots, turn.language))
        values = {**known, "message": turn.asked}
        found = await knowledge.look_up(turn, render(step.query, values, turn.language))
        if found is None:
            return walk.ready.index[step.nothing] if step.nothing else NEXT
        knowledge.give(turn, found)
        return walk.ready.index[step.found] if step.found else NEXT

    async def _pass_on(self, turn: Turn, walk: Walk, step: PassOn) -> int:
        if step.offer is None:
            await self.pass_on(turn, walk, step)
            return END
        text = self._text(turn, walk, step.offer)
        if step.reason is HandOffReason.NO_KNOWLEDGE:
            await missed(turn, step.reason, text)
            return END
        turn.said.append(text)
        return WAIT

    async def pass_on(self, turn: Turn, walk: Walk, step: PassOn) -> None:
        """Hand over, with the playbook's summary."""
        own = self._text(turn, walk, step.summary) if step.summary else ""
        title = turn.title(walk.frame())
        await hand_off(
            turn, step.reason, summary=summarized(turn, walk.slots, own), subject=_subject(turn, walk, title)
        )

    async def _call(self, turn: Turn, walk: Walk, step: Call) -> int:
        spec = self._tools[step.tool]
        if spec.changes and walk.confirmed is None:
            raise MissingValue("a yes to a confirmation")
        result = await turn.actions.call(step.tool, self._arguments(turn, walk, step, spec))
        if result.outcome is ToolOutcome.OK:
            if step.save:
                walk.slots[step.save] = result.data
            walk.confirmed = None if spec.changes else walk.confirmed
            return NEXT
        target = _branch(step, result)
        if target is not None:
            walk.confirmed = None if spec.changes else walk.confirmed
            return walk.ready.index[target]
        if result.outcome is ToolOutcome.UNAVAILABLE:
            return self._park(turn, walk, spec)
        self.give_up(turn, walk)
        return END

    def _arguments(self, turn: Turn, walk: Walk, step: Call, spec: ToolSpec) -> dict[str, str]:
        values = turn.built_in(walk.slots)
        found: dict[str, str] = {}
        for name, template in step.arguments.items():
            try:
                found[name] = render(template, values, turn.language)
            except MissingValue:
                if not spec.arguments[name].endswith("?"):
                    raise
        return found

    def _park(self, turn: Turn, walk: Walk, spec: ToolSpec) -> int:
        """Wait until the customer says to try again; a change waits at its confirmation, to which that is the yes."""
        walk.wait_at = walk.confirmed if spec.changes else None
        walk.slots[PARKED] = True
        turn.degraded = True
        turn.said.append(turn.phrase(PhraseKey.UNAVAILABLE, title=turn.title(walk.frame())))
        return WAIT


def _branch(step: Call, result: ToolResult) -> str | None:
    """The step that an outcome leads to, where the playbook has one."""
    refused = step.on.refused
    if result.outcome is ToolOutcome.REFUSED and isinstance(refused, Mapping):
        return refused.get(result.reason) or refused.get(ELSE)
    branches: Mapping[ToolOutcome, str | None] = {
        ToolOutcome.NOT_FOUND: step.on.not_found,
        ToolOutcome.REFUSED: refused if isinstance(refused, str) else None,
        ToolOutcome.INVALID: step.on.invalid,
        ToolOutcome.UNAVAILABLE: step.on.unavailable,
    }
    return branches.get(result.outcome)


def _subject(turn: Turn, walk: Walk, title: str) -> str:
    wish = str(walk.slots.get("_wish") or turn.given.text)
    return f"{title}: {' '.join(wish.split())}"
