"""What a message says to the step that waits for it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from steward.services.support.dialogue import answers
from steward.services.support.dialogue.format import Ask, Confirm, Guide, PassOn, Step
from steward.services.support.dialogue.library import Ready
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.slots import Given, answered
from steward.services.support.dialogue.turn import Turn
from steward.services.support.dialogue.walk import PARKED
from steward.services.support.ports import Frame

_NEXT: Final = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How the playbook goes on."""

    given: Given
    go: str = _NEXT
    """The step to go to; empty for the one behind the step that waited."""
    ends: bool = False
    """The answer ends the playbook."""
    fills: Mapping[str, Any] = {}
    confirms: bool = False
    farewell: PhraseKey | None = None
    """What is said where the answer ends the playbook."""
    says_no: bool = False
    repeats: bool = False
    """The step that waited is to be performed again."""


NOTHING: Final = Reading(given=Given.NOT)


def read(turn: Turn, ready: Ready, frame: Frame) -> Reading:
    """Read a message as an answer to the step a frame waits at."""
    step = ready.steps[ready.index[frame.step]]
    if frame.slots.get(PARKED):
        return _parked(turn, step)
    return _answer(turn, ready, frame, step)


def _parked(turn: Turn, step: Step) -> Reading:
    """The shop did not answer: a yes tries again, and at a confirmation it is the yes."""
    verdict = answers.yes_or_no(turn.message)
    if verdict is False:
        return Reading(given=Given.SURE, ends=True, farewell=PhraseKey.LEFT, says_no=True)
    if not verdict and not answers.again(turn.message):
        return NOTHING
    if isinstance(step, Confirm):
        return Reading(given=Given.SURE, confirms=True)
    return Reading(given=Given.SURE, repeats=True)


def _answer(turn: Turn, ready: Ready, frame: Frame, step: Step) -> Reading:
    match step:
        case Ask():
            given, value = answered(turn, step, ready.book.slots[step.slot], frame.slots)
            return Reading(given=given, fills={step.slot: value}) if given is not Given.NOT else NOTHING
        case Confirm():
            return _confirmed(answers.yes_or_no(turn.message), step)
        case Guide():
            return _helped(turn, step)
        case PassOn():
            verdict = answers.yes_or_no(turn.message)
            if verdict is None:
                return NOTHING
            farewell = None if verdict else PhraseKey.ALL_RIGHT
            return Reading(given=Given.SURE, ends=True, farewell=farewell, says_no=not verdict)
        case _:
            return NOTHING


def _confirmed(verdict: bool | None, step: Confirm) -> Reading:  # noqa: FBT001 - what was said
    if verdict is None:
        return NOTHING
    if verdict:
        return Reading(given=Given.SURE, confirms=True)
    if step.no:
        return Reading(given=Given.SURE, go=step.no, says_no=True)
    return Reading(given=Given.SURE, ends=True, farewell=PhraseKey.NOTHING_CHANGED, says_no=True)


def _helped(turn: Turn, step: Guide) -> Reading:
    verdict = answers.helped(turn.message)
    if verdict is None:
        return NOTHING
    given = Given.LIKELY if answers.yes_or_no(turn.message) is None else Given.SURE
    if not verdict:
        return Reading(given=given, says_no=True)
    if step.helped:
        return Reading(given=given, go=step.helped)
    return Reading(given=given, ends=True, farewell=PhraseKey.GLAD)
