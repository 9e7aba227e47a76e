"""What is known and said while the desk works on one message."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from steward.services.support.api import AgentType, Citation, EntityType, HandOffReason, ScoredIntent
from steward.services.support.dialogue.library import Library, Ready
from steward.services.support.dialogue.matching import plain
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.templates import render
from steward.services.support.ports import Actions, DialogueState, Frame, Language, Reply, TurnInput

MAX_FRAMES: Final = 4
"""Playbooks that a session keeps open; the oldest are dropped."""
MAX_SUMMARY: Final = 2000
HAND_OFF: Final = "hand_off"
"""In `DialogueState.offered`, with the reason behind a colon."""
REMEMBERED: Final = frozenset((EntityType.ORDER_ID, EntityType.PRODUCT_NAME))


class Turn:
    """Collects the reply and the next state; made for each message."""

    def __init__(self, library: Library, state: DialogueState, given: TurnInput, actions: Actions) -> None:
        self.library = library
        self.before = state
        self.given = given
        self.actions = actions
        self.language: Language = given.understanding.language
        self.message = plain(given.text)
        self.asked = given.understanding.core or given.text.strip()
        """What knowledge is asked."""
        self.entities = {entity.type for entity in given.understanding.entities}
        self.frames = list(state.frames)
        self.mentioned = dict(state.mentioned)
        self.said: list[str] = []
        self.question: str = ""
        """What the playbook that waits asks; it goes to the end of the reply."""
        self.waits = False
        """A playbook asked something in this turn."""
        self.offered = ""
        self.offered_summary = ""
        self._offer_text = ""
        self._queued = 0
        self.missed = False
        self.degraded = False
        self.escalated = state.escalated
        self.citations: list[Citation] = []
        self.answered_by: str | None = None
        self.from_knowledge = False
        self.ticket: UUID | None = None
        self._agent: AgentType | None = None
        self._intent: ScoredIntent | None = None
        self._reason = ""

    # What is said

    def say(self, text: str) -> None:
        """Add a piece to the reply; one that is in it already is not said twice."""
        if text not in self.said:
            self.said.append(text)

    def phrase(self, key: PhraseKey, **values: object) -> str:
        return render(self.library.phrase(key).of(self.language), values, self.language)

    def say_phrase(self, key: PhraseKey, **values: object) -> None:
        self.say(self.phrase(key, **values))

    def offer_person(self, reason: HandOffReason, text: str, summary: str = "") -> None:
        """Say what offers a person, and remember that a plain yes hands over.

        Not beside a playbook's question: a yes must answer one thing only.
        """
        if self.waits:
            return
        self.say(text)
        self._offer_text = text
        self.offered = f"{HAND_OFF}:{reason.value}"
        self.offered_summary = summary[:MAX_SUMMARY]

    @property
    def offers_person(self) -> bool:
        return self.offered.startswith(HAND_OFF)

    # What the message was taken for: the first who answers says so

    def taken_for(self, agent: AgentType, intent: ScoredIntent, reason: str) -> None:
        if self._agent is None:
            self._agent, self._intent, self._reason = agent, intent, reason

    def goes_on_with(self, ready: Ready) -> None:
        """The message answers a playbook's question."""
        self.taken_for(ready.book.agent, ScoredIntent(type=ready.intent, confidence=1.0), "playbook")

    # The stack

    def wait(self, frame: Frame, question: str) -> None:
        """Put a playbook that asked something on top."""
        self.frames.append(frame)
        self.question = question
        self.waits = True
        if self.offers_person and self._offer_text in self.said:
            self.said.remove(self._offer_text)
        self.offered = self.offered_summary = ""

    def queue(self, frame: Frame) -> None:
        """Put a playbook under the one that waits, to begin when that one ends."""
        self._queued += 1
        self.frames.insert(len(self.frames) - self._queued, frame)

    def title(self, frame: Frame) -> str:
        """What a frame is about: the playbook's title, with the order where there is one."""
        ready = self.library.get(frame.playbook)
        if ready is None:
            return frame.playbook
        title = ready.book.title.of(self.language)
        order = frame.slots.get(ready.order_slot) if ready.order_slot else None
        if not isinstance(order, str):
            return title
        return f"{title} ({order})" if self.language is Language.EN else f"{title}（{order}）"

    # The outcome

    def reply(self) -> Reply:
        understood = self.given.understanding
        pieces = [*self.said, *([self.question] if self.question else [])]
        alone = len(pieces) == 1 and not (self.frames or self.offered or self.degraded or self.escalated)
        return Reply(
            text="\n\n".join(pieces),
            agent_type=self._agent or AgentType.FAQ,
            intent=self._intent or understood.intents[0],
            intent_reason=self._reason or understood.reason,
            citations=self.citations,
            degraded=self.degraded,
            ticket_id=self.ticket,
            cacheable=self.from_knowledge and alone and not understood.unsure,
            answered_by=self.answered_by,
        )

    def state(self) -> DialogueState:
        return DialogueState(
            frames=self.frames[-MAX_FRAMES:],
            language=self.language,
            low_confidence=self.before.low_confidence + 1 if self.missed else 0,
            offered=self.offered,
            offered_summary=self.offered_summary,
            escalated=self.escalated,
            mentioned=self.mentioned,
        )

    # What was named

    def named(self, kind: EntityType) -> Sequence[str]:
        """The values of a kind in the message, each once, in its order."""
        found = (entity.value for entity in self.given.understanding.entities if entity.type is kind)
        return list(dict.fromkeys(found))

    def remember(self, kind: EntityType, value: str) -> None:
        if kind in REMEMBERED:
            self.mentioned[kind.value] = value

    def built_in(self, slots: Mapping[str, Any]) -> Mapping[str, Any]:
        """A playbook's values with those that every one has."""
        return {**slots, "message": self.given.text.strip(), "wish": slots.get("_wish") or self.given.text.strip()}


def replaced(frame: Frame, **changes: Any) -> Frame:
    return msgspec.structs.replace(frame, **changes)
