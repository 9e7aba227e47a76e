"""Answers that a reservation cut short: continued under a new one, as if nothing had been.

The partial answer is sent back as the assistant's own last words, where the connection's models go on from there.
"""

import asyncio
from typing import Final

import msgspec

from steward.kit.errors import AppError
from steward.services.models.calls.attempts import Attempt, Attempts
from steward.services.models.calls.demands import Bound, ChatDemand
from steward.services.models.calls.limits import Busy
from steward.services.models.calls.settlement import NotReserved
from steward.services.models.calls.shots import Unsaid, Whole, WholeShot
from steward.services.models.calls.tally import added, is_counted
from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import (
    Choice,
    Message,
    ModelReply,
    ModelRequest,
    OutputKind,
    Part,
    Role,
    StopReason,
    Text,
    Usage,
)
from steward.services.models.ports import Upstream

MOST_PARTS: Final = 8
"""Of one answer."""
_LEAST_TOKENS: Final = 64
"""A continuation with fewer is not worth its input."""
_SETTLED_WITHIN_S: Final = 2.0

NOT_CONTINUED: Final = (ProviderFailure, Busy, Unsaid, NotReserved, AppError)
"""What a continuation may end with: the answer then ends where it was cut."""


def may_continue(attempt: Attempt, request: ModelRequest) -> bool:
    """Whether fewer tokens were granted than wanted, and an answer that stops for it can be gone on with."""
    return (
        attempt.granted < attempt.wanted
        and attempt.target.endpoint.can_continue
        and request.choices == 1
        and request.thinking is None
        and not request.logprobs
        and (request.output is None or request.output.kind is OutputKind.TEXT)
    )


def continued_request(request: ModelRequest, text: str, output_tokens: int) -> ModelRequest:
    """The request for the rest. Providers refuse an assistant's last words that end with white space."""
    words = Text(text=text.rstrip())
    messages = list(request.messages)
    if messages and messages[-1].role is Role.ASSISTANT:
        last = messages.pop()
        messages.append(msgspec.structs.replace(last, parts=[*last.parts, words], plain=False))
    else:
        messages.append(Message(role=Role.ASSISTANT, parts=[words]))
    return msgspec.structs.replace(request, messages=messages, max_output_tokens=output_tokens)


def without_overlap(tail: str, text: str) -> tuple[str, str]:
    """White space that was shown and that the model, which did not see it, writes again: what is left of both."""
    same = 0
    while same < min(len(tail), len(text)) and tail[same] == text[same]:
        same += 1
    return ("", text[same:]) if same < len(text) else (tail[same:], "")


async def settled(attempt: Attempt) -> None:
    """Wait a while for an attempt's settlement, so that what it did not use can be reserved again."""
    if attempt.settled is not None:
        seconds = min(_SETTLED_WITHIN_S, max(0.0, attempt.state.left()))
        await asyncio.wait((attempt.settled,), timeout=seconds)


def used(attempt: Attempt, usage: Usage | None) -> int:
    """Output tokens of an attempt whose answer was cut."""
    return usage.output_tokens if usage is not None and is_counted(usage) else attempt.granted


class Continuing:
    """Goes on with answers."""

    def __init__(self, attempts: Attempts, upstream: Upstream, bound: Bound) -> None:
        self._attempts = attempts
        self._upstream = upstream
        self._bound = bound

    def demand(self, request: ModelRequest, text: str, wanted: int) -> ChatDemand:
        """For so many more tokens."""
        return ChatDemand(continued_request(request, text, wanted), self._bound, least=_LEAST_TOKENS)

    async def rest_of(self, whole: Whole, request: ModelRequest) -> ModelReply:
        """The answer with all of its continuations; as it is where there can be none."""
        reply, attempt = whole
        for _ in range(MOST_PARTS - 1):
            text = _text_cut(reply)
            left = attempt.wanted - used(attempt, whole.reply.usage)
            if text is None or left <= 0 or not may_continue(attempt, request):
                break
            await settled(attempt)
            try:
                shot = WholeShot(self._attempts, self._upstream, self.demand(request, text, left))
                whole = await shot(attempt.state, attempt.target)
            except NOT_CONTINUED:
                break
            attempt = whole.attempt
            reply = _joined(reply, whole.reply, text)
        return reply


def _text_cut(reply: ModelReply) -> str | None:
    """The text of an answer that is nothing but text and was cut for its length."""
    if len(reply.choices) != 1 or reply.choices[0].stop is not StopReason.LENGTH:
        return None
    texts = [part.text for part in reply.choices[0].parts if type(part) is Text]
    if len(texts) != len(reply.choices[0].parts):
        return None
    return "".join(texts) if "".join(texts).strip() else None


def _joined(first: ModelReply, rest: ModelReply, text: str) -> ModelReply:
    """One answer of both; its stop is the rest's, all else the first one's."""
    if not rest.choices:
        return msgspec.structs.replace(first, usage=added(first.usage, rest.usage))
    before, after = first.choices[0], rest.choices[0]
    parts: list[Part] = list(before.parts)
    more: list[Part] = list(after.parts)
    if more and isinstance(more[0], Text) and isinstance(parts[-1], Text):
        _, new = without_overlap(text[len(text.rstrip()) :], more[0].text)
        parts[-1] = msgspec.structs.replace(parts[-1], text=parts[-1].text + new)
        del more[0]
    choice: Choice = msgspec.structs.replace(after, parts=[*parts, *more], index=before.index)
    return msgspec.structs.replace(first, choices=[choice], usage=added(first.usage, rest.usage))
