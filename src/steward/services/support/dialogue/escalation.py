"""Handing over to a person: when, with which summary, and what the customer is told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from steward.services.support.api import AgentType, HandOffReason, ScoredIntent, Sentiment
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.turn import MAX_SUMMARY, Turn
from steward.services.support.ports import HandOff

HUMAN: Final = "human"
MISSES: Final = 2
"""So many answers in a row that did not help, and a person takes over."""
_SUBJECT: Final = 120
_RECENT: Final = 3
_MOST_SEEN: Final = 12


def by_rule(turn: Turn) -> HandOffReason | None:
    """The rule by which a message goes to a person, whatever it is about."""
    understood = turn.given.understanding
    if understood.wants_person:
        return HandOffReason.REQUEST
    if understood.complaint:
        return HandOffReason.COMPLAINT
    return HandOffReason.ANGER if understood.sentiment is Sentiment.VERY_NEGATIVE else None


async def hand_off(turn: Turn, reason: HandOffReason, *, summary: str = "", subject: str = "") -> None:
    """Make a ticket, tell its number, and end what was begun; once in a turn."""
    if turn.ticket is not None:
        return
    request = HandOff(
        reason=reason,
        subject=(subject or " ".join(turn.given.text.split()))[:_SUBJECT],
        summary=(summary or summarized(turn))[:MAX_SUMMARY],
        sentiment=turn.given.understanding.sentiment,
    )
    ticket = await turn.actions.hand_off(request)
    turn.say_phrase(_told(turn, reason), number=ticket.number)
    turn.ticket = ticket.id
    turn.escalated = True
    turn.frames.clear()
    turn.offered = turn.offered_summary = ""


def taken_for_person(turn: Turn) -> None:
    """The message is one for a person."""
    scored = next((each for each in turn.given.understanding.intents if each.type == HUMAN), None)
    turn.taken_for(AgentType.HUMAN, scored or ScoredIntent(type=HUMAN, confidence=1.0), "rule")


def _told(turn: Turn, reason: HandOffReason) -> PhraseKey:
    if turn.escalated:
        return PhraseKey.HANDED_OFF_ALREADY
    if reason in (HandOffReason.COMPLAINT, HandOffReason.ANGER):
        return PhraseKey.HANDED_OFF_SORRY
    if reason is HandOffReason.LOW_CONFIDENCE or (reason is HandOffReason.NO_KNOWLEDGE and turn.missed):
        return PhraseKey.HANDED_OFF_MISS
    return PhraseKey.HANDED_OFF


async def missed(turn: Turn, reason: HandOffReason, text: str) -> None:
    """The desk could not help: say so and offer a person; the second time in a row hand over."""
    turn.missed = True
    if turn.before.low_confidence + 1 >= MISSES:
        turn.frames.clear()
        await hand_off(turn, reason)
        turn.missed = False
        return
    turn.offer_person(reason, text, summarized(turn))


def summarized(turn: Turn, slots: Mapping[str, Any] | None = None, own: str = "") -> str:
    """What a person should know: the playbook's own words, what was wanted, tried and seen."""
    known = [*([slots] if slots is not None else []), *(frame.slots for frame in reversed(turn.frames))]
    lines = [own] if own else []
    lines.append(turn.phrase(PhraseKey.WANTED, text=" / ".join(_wanted(turn, known))))
    if tried := [str(each) for slots in known for each in slots.get("_tried", ())]:
        lines.append(turn.phrase(PhraseKey.TRIED, text=" / ".join(tried)))
    if seen := [each for slots in known for each in _seen(slots)][:_MOST_SEEN]:
        lines.append(turn.phrase(PhraseKey.SEEN, text="; ".join(dict.fromkeys(seen))))
    return "\n".join(lines)[:MAX_SUMMARY]


def _wanted(turn: Turn, known: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the customer wrote: the beginnings of what is open, the last messages, and this one."""
    wishes = [str(slots["_wish"]) for slots in known if slots.get("_wish")]
    recent = [each.removeprefix("user: ") for each in turn.given.recent if each.startswith("user: ")]
    return list(dict.fromkeys([*wishes, *recent[-_RECENT:], turn.given.text.strip()]))


def _seen(slots: Mapping[str, Any]) -> Iterator[str]:
    """The plain values of what tools answered and the customer gave, as `name: value`."""
    for name, value in slots.items():
        if name.startswith("_"):
            continue
        if isinstance(value, Mapping):
            for key, inner in cast("Mapping[str, Any]", value).items():
                if isinstance(inner, str | int | float):
                    yield f"{key}: {inner}"
        elif isinstance(value, str | int | float):
            yield f"{name}: {value}"
