"""Answers that are the same for everybody, kept for an hour: from knowledge alone, at the beginning of a dialogue."""

from typing import Final

import msgspec

from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.ids import TenantId
from steward.kit.telemetry import CacheObserver, Telemetry
from steward.kit.text import fold
from steward.services.support.api import Intent, Sentiment
from steward.services.support.ports import DialogueState, Language, Reply

KEPT_SECONDS: Final = 3600.0
MAX_ENTRIES: Final = 20_000
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_QUESTION: Final = 500
"""Characters of a question; longer ones are not asked twice."""


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a question was answered with, and what it was taken for."""

    reply: Reply
    intent: Intent
    sentiment: Sentiment


class AnswerCache:
    """Answers by question, language and tenant. An answer made before a change of what it came from is not kept."""

    def __init__(self, clock: Clock, telemetry: Telemetry | None = None) -> None:
        observer = CacheObserver(telemetry, "answers") if telemetry is not None else None
        cache = Cache(clock, max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES, observer=observer)
        self._kept: View[KeptAnswer] = View(cache, "answer", ttl_s=KEPT_SECONDS, size=_size)
        self._epochs: dict[TenantId, int] = {}

    def key(self, text: str, language: Language) -> str | None:
        """What a question is kept under; None for one that is not."""
        return f"{language.value}:{fold(text)}" if len(text) <= MAX_QUESTION else None

    def get(self, tenant: TenantId, key: str) -> KeptAnswer | None:
        return self._kept.get(tenant, key)

    def epoch(self, tenant: TenantId) -> int:
        """Counts the changes; ask before an answer is worked out."""
        return self._epochs.get(tenant, 0)

    def put(self, tenant: TenantId, key: str, answer: KeptAnswer, epoch: int) -> None:
        """Keep an answer that was begun in this epoch."""
        if epoch == self.epoch(tenant):
            self._kept.put(tenant, key, answer)

    def forget(self, tenant: TenantId) -> None:
        """Something that answers come from has changed."""
        self._epochs[tenant] = self.epoch(tenant) + 1
        self._kept.drop_all(tenant)


def is_neutral(state: DialogueState) -> bool:
    """Whether a dialogue is where anybody's begins, so that anybody's answer fits."""
    return not (state.frames or state.offered or state.low_confidence or state.escalated)


def _size(answer: KeptAnswer) -> int:
    reply = answer.reply
    return 1000 + 4 * (len(reply.text) + sum(len(one.text) + len(one.title) for one in reply.citations))
