"""Playbooks ready for use: those that Steward ships with those of a tenant in their place, found by what is wanted."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from steward.services.support.api import EntityType
from steward.services.support.dialogue.format import ANY_INTENT, EntitySlot, Handle, Phrases, Playbook, Step, Text
from steward.services.support.dialogue.matching import longest, says_only
from steward.services.support.dialogue.phrases import PhraseKey

FALLBACK = "faq"
"""The playbook that answers what no other one handles."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook that was checked, and what is looked up in it."""

    book: Playbook
    version: int
    """Of its content, so that a frame notices any other."""
    ids: Sequence[str]
    """Of each step; those without a name of their own are called by their number."""
    index: Mapping[str, int]
    intent: str
    """What a message that goes on with it is said to have meant."""
    order_slot: str | None
    """The slot for an order number, where there is one."""

    @property
    def steps(self) -> Sequence[Step]:
        return self.book.steps


class Choice(msgspec.Struct, frozen=True):
    """A playbook chosen for a message."""

    ready: Ready
    worded: bool
    """Chosen by words or entities that occur in the message, not for its intent alone."""


def ready(book: Playbook, source: str) -> Ready:
    """Prepare a playbook that was checked."""
    ids = step_ids(book.steps)
    orders = (
        name for name, slot in book.slots.items() if isinstance(slot, EntitySlot) and slot.entity is EntityType.ORDER_ID
    )
    intents = [handle.intent for handle in book.handles if handle.intent != ANY_INTENT]
    return Ready(
        book=book,
        version=zlib.crc32(source.encode()) & 0x7FFFFFFF,
        ids=ids,
        index={name: at for at, name in enumerate(ids)},
        intent=intents[0] if intents else book.agent.value,
        order_slot=next(orders, None),
    )


def step_ids(steps: Sequence[Step]) -> tuple[str, ...]:
    return tuple(step.id or f"#{at}" for at, step in enumerate(steps))


class Library:
    """The playbooks and phrases in force for a tenant; never changed once made."""

    def __init__(self, playbooks: Iterable[Ready], phrases: Iterable[Phrases]) -> None:
        self._playbooks = {each.book.name: each for each in playbooks}
        self._phrases = {key: text for each in phrases for key, text in each.phrases.items()}  # later ones win
        self._handles: dict[str, list[tuple[Handle, Ready]]] = {}
        for each in sorted(self._playbooks.values(), key=lambda one: one.book.name):
            for handle in each.book.handles:
                self._handles.setdefault(handle.intent, []).append((handle, each))

    def get(self, name: str) -> Ready | None:
        return self._playbooks.get(name)

    def phrase(self, key: PhraseKey) -> Text:
        return self._phrases[key]

    def choose(self, intent: str, message: str, entities: Collection[EntityType]) -> Choice | None:
        """The playbook of an intent whose conditions a plain message fits best; None where the intent has none."""
        best: tuple[tuple[int, int, int], Ready] | None = None
        for handle, each in self._handles.get(intent, ()):
            fit = _fit(handle, message, entities)
            if fit is not None and (best is None or fit > best[0]):
                best = fit, each
        return Choice(best[1], best[0][1] > 0) if best else None


def _fit(handle: Handle, message: str, entities: Collection[EntityType]) -> tuple[int, int, int] | None:
    """How well a message fits a handle (priority, number of conditions, longest words), or None."""
    length = 0
    if handle.words:
        length = longest(handle.words, message)
        if length == 0 or (handle.only and not says_only(handle.words, message)):
            return None
    if any(entity not in entities for entity in handle.entities) or longest(handle.without, message):
        return None
    conditions = bool(handle.words) + handle.only + len(handle.entities) + bool(handle.without)
    return handle.priority, conditions, length
