"""The stream of a message's events: a function of the durable message and answer alone, so that any process goes on.

Numbers: 0 the message is durable; from 1 the tools called, by their order; then from 1000 on the intent, the pieces of
the answer, and the end. A failure has the number of the event before it, so that a client goes on behind that one.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from steward.services.support.api import ChatEvent, ChatEventType
from steward.services.support.conversations.records import Answered

FIRST_OF_ANSWER: Final = 1000
"""More tools than this no playbook calls for one message."""

# A piece ends behind a mark of the end or a pause, with the white space that follows.
_PIECES: Final = re.compile(r"[^.!?。！？；;，,\n]*(?:[.!?。！？；;，,\n]+\s*|$)")
_SHORTEST: Final = 12


def accepted(session_id: UUID, message_id: UUID) -> ChatEvent:
    return ChatEvent(id=f"{message_id}:0", type=ChatEventType.ACCEPTED, session_id=session_id, message_id=message_id)


def called(session_id: UUID, message_id: UUID, tools: Sequence[str], after: int) -> Iterator[ChatEvent]:
    """The tools called so far, behind a number."""
    for number, tool in enumerate(tools, start=1):
        if after < number < FIRST_OF_ANSWER:
            yield ChatEvent(
                id=f"{message_id}:{number}",
                type=ChatEventType.STATUS,
                session_id=session_id,
                message_id=message_id,
                text=tool,
            )


def failed(session_id: UUID, message_id: UUID, text: str, after: int) -> ChatEvent:
    return ChatEvent(
        id=f"{message_id}:{after}",
        type=ChatEventType.FAILED,
        session_id=session_id,
        message_id=message_id,
        text=text,
    )


def told(answered: Answered, after: int) -> Iterator[ChatEvent]:
    """The events of an answered message behind a number; -1 for all of them."""
    session_id, message_id = answered.session_id, answered.message_id
    if after < 0:
        yield accepted(session_id, message_id)
    yield from called(session_id, message_id, answered.calls, after)
    number = FIRST_OF_ANSWER
    if after < number:
        yield ChatEvent(
            id=f"{message_id}:{number}",
            type=ChatEventType.INTENT,
            session_id=session_id,
            message_id=message_id,
            intent=answered.intent,
        )
    for piece in pieces(answered.answer):
        number += 1
        if after < number:
            yield ChatEvent(
                id=f"{message_id}:{number}",
                type=ChatEventType.DELTA,
                session_id=session_id,
                message_id=message_id,
                text=piece,
            )
    number += 1
    if after < number:
        yield ChatEvent(
            id=f"{message_id}:{number}",
            type=ChatEventType.COMPLETED,
            session_id=session_id,
            message_id=message_id,
            answer=answered.shown(),
        )


def pieces(text: str) -> Iterator[str]:
    """A text by sentences and phrases, none very short but the last; together they are the text."""
    gathered = ""
    for piece in _PIECES.findall(text):
        gathered += piece
        if len(gathered) >= _SHORTEST:
            yield gathered
            gathered = ""
    if gathered:
        yield gathered
