"""How slots are filled: from what a message says at once, and from an answer to the question for one."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast

from steward.services.support.api import EntityType
from steward.services.support.dialogue import answers
from steward.services.support.dialogue.format import (
    AddressSlot,
    Ask,
    Choices,
    ChoiceSlot,
    EntitySlot,
    NumberSlot,
    Playbook,
    Slot,
    TextSlot,
    YesNoSlot,
)
from steward.services.support.dialogue.matching import longest, plain
from steward.services.support.dialogue.templates import MissingValue, look_up, render
from steward.services.support.dialogue.turn import Turn
from steward.services.support.ports import Language

_MOST_SHOWN: Final = 10


class Given(Enum):
    """How sure it is that a message answers a question."""

    SURE = "sure"
    """It has what was asked for."""
    LIKELY = "likely"
    """It says so in words that may also belong to another matter."""
    PERHAPS = "perhaps"
    """Anything would do, and this may be about something else."""
    NOT = "not"


def named_at_once(turn: Turn, book: Playbook) -> dict[str, Any]:
    """The slots that a message itself fills."""
    found = {name: _from_wish(turn, slot) for name, slot in book.slots.items()}
    return {name: value for name, value in found.items() if value is not None}


def said_anew(turn: Turn, book: Playbook) -> dict[str, Any]:
    """The slots that a message fills which answers no question: as `named_at_once`, or just another address."""
    addresses = {
        name: answers.address(turn.given.text, slot.min_length, slot.max_length)
        for name, slot in book.slots.items()
        if isinstance(slot, AddressSlot)
    }
    return {**{name: value for name, value in addresses.items() if value is not None}, **named_at_once(turn, book)}


def chooses(turn: Turn, slot: Slot) -> bool:
    """Whether a message is one of a slot's options."""
    return isinstance(slot, ChoiceSlot) and _option(slot, turn.message, turn.language) is not None


def filled_at_once(turn: Turn, book: Playbook, slots: Mapping[str, Any]) -> dict[str, Any]:
    """The slots with what the message that begins a playbook says already, and with what was talked of before.

    A slot that is given as None is to be asked for.
    """
    found = {**named_at_once(turn, book), **slots}
    for name, slot in book.slots.items():
        if isinstance(slot, EntitySlot) and slot.remember and name not in found:
            last = turn.mentioned.get(slot.entity.value)
            if last is not None and not answers.means_another(turn.message):
                found[name] = last
    return found


def _from_wish(turn: Turn, slot: Slot) -> Any:
    match slot:
        case EntitySlot():
            return next(iter(turn.named(slot.entity)), None)
        case AddressSlot():
            return answers.address_within(turn.given.text, slot.min_length, slot.max_length)
        case ChoiceSlot():
            return _worded_option(slot, turn.message)
        case _:
            return None


def _worded_option(slot: ChoiceSlot, message: str) -> str | None:
    """The one option whose words occur; of several the one with the longest, if one has."""
    fits = [(longest(option.words, message), option.value) for option in slot.options]
    best = max(length for length, _ in fits)
    values = [value for length, value in fits if length == best]
    return values[0] if best > 0 and len(values) == 1 else None


def answered(turn: Turn, step: Ask, slot: Slot, slots: Mapping[str, Any]) -> tuple[Given, Any]:
    """What a message gives for the slot that was asked for."""
    if step.choices is not None:
        chosen = _chosen(turn, step.choices, slots)
        if chosen is not None:
            return Given.SURE, chosen
    match slot:
        case EntitySlot():
            named = turn.named(slot.entity)
            return (Given.SURE, named[0]) if named else (Given.NOT, None)
        case AddressSlot():
            return _free(answers.address(turn.given.text, slot.min_length, slot.max_length), sure=True)
        case TextSlot():
            text = turn.given.text.strip()
            fits = slot.min_length <= len(text) <= slot.max_length and not answers.does_not_know(turn.message)
            return _free(text if fits else None, sure=False)
        case NumberSlot():
            return _number(slot, turn.message)
        case YesNoSlot():
            said = answers.yes_or_no(turn.message)
            return (Given.NOT, None) if said is None else (Given.SURE, said)
        case ChoiceSlot():
            value = _option(slot, turn.message, turn.language)
            return (Given.NOT, None) if value is None else (Given.SURE, value)
        case _:
            return Given.NOT, None


def _free(value: str | None, *, sure: bool) -> tuple[Given, Any]:
    if value is None:
        return Given.NOT, None
    return (Given.SURE if sure else Given.PERHAPS), value


def _number(slot: NumberSlot, message: str) -> tuple[Given, Any]:
    value = answers.number(message)
    low = slot.minimum if slot.minimum is not None else float("-inf")
    high = slot.maximum if slot.maximum is not None else float("inf")
    if value is None or not low <= value <= high:
        return Given.NOT, None
    return Given.SURE, int(value) if value.is_integer() else value


def _option(slot: ChoiceSlot, message: str, language: Language) -> str | None:
    """The option that an answer names by its words, its place or its label."""
    worded = _worded_option(slot, message)
    if worded is not None:
        return worded
    place = answers.place_in_list(message, len(slot.options))
    if place is None:
        place = answers.chosen_label(message, [option.label.of(language) for option in slot.options])
    return slot.options[place].value if place is not None else None


def entries(choices: Choices, slots: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The list to choose from, as far as its entries have the value."""
    found: Any = look_up(choices.list, slots)
    if not isinstance(found, list | tuple):
        return []
    several = [cast("Mapping[str, Any]", each) for each in cast("Sequence[Any]", found) if isinstance(each, Mapping)]
    return [each for each in several if isinstance(each.get(choices.value), str)][:_MOST_SHOWN]


def labels(choices: Choices, slots: Mapping[str, Any], language: Language) -> list[str]:
    """How the entries of a list are shown; an entry that lacks something shows its value alone."""
    shown: list[str] = []
    for each in entries(choices, slots):
        try:
            shown.append(render(choices.label.of(language), {**slots, "item": each}, language))
        except MissingValue:
            shown.append(str(each[choices.value]))
    return shown


def _chosen(turn: Turn, choices: Choices, slots: Mapping[str, Any]) -> str | None:
    found = entries(choices, slots)
    named = set(turn.named(EntityType.ORDER_ID))
    place = next((at for at, each in enumerate(found) if each[choices.value] in named), None)
    if place is None and not named:
        place = answers.place_in_list(turn.message, len(found))
        if place is None:
            place = answers.chosen_label(turn.message, [plain(each) for each in labels(choices, slots, turn.language)])
    return found[place][choices.value] if place is not None else None


def displayed(book: Playbook, slots: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The values as texts show them: of an option its label."""
    shown = dict(slots)
    for name, slot in book.slots.items():
        if isinstance(slot, ChoiceSlot):
            label = next((option.label for option in slot.options if option.value == slots.get(name)), None)
            if label is not None:
                shown[name] = label.of(language)
    return shown


def kept(book: Playbook, slots: Mapping[str, Any]) -> dict[str, Any]:
    """What a playbook that begins anew keeps: what the customer said, not what a tool answered."""
    said = (EntitySlot, TextSlot, AddressSlot, NumberSlot, YesNoSlot, ChoiceSlot)
    return {
        name: value
        for name, value in slots.items()
        if name == "_wish" or (isinstance(book.slots.get(name), said) and _fits(book.slots[name], value))
    }


def _fits(slot: Slot, value: Any) -> bool:
    """Whether a value of another version's slot is one of this slot too."""
    match slot:
        case ChoiceSlot():
            return any(option.value == value for option in slot.options)
        case YesNoSlot():
            return isinstance(value, bool)
        case NumberSlot():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)
