"""One message while it is worked on in this process, and whom it tells."""

import asyncio
from datetime import datetime
from uuid import UUID

from steward.kit.context import Ctx
from steward.services.support.conversations.records import Conversation
from steward.services.support.ports import Language


class Turn:
    """A customer's message on its way to its answer."""

    __slots__ = (
        "accepted",
        "accepting",
        "calls",
        "changed",
        "conversation",
        "ctx",
        "escalated",
        "language",
        "message_id",
        "question",
        "rehearsal",
        "sent_at",
        "started",
        "text",
    )

    def __init__(
        self,
        ctx: Ctx,
        conversation: Conversation,
        *,
        message_id: UUID,
        text: str,
        language: Language,
        question: str | None,
        sent_at: datetime,
        started: float,
        accepted: bool = False,
    ) -> None:
        self.ctx = ctx
        self.conversation = conversation
        """As last read; its version is checked when the answer is written."""
        self.message_id = message_id
        self.text = text
        self.language = language
        self.question = question
        """What its answer may be kept under, if it is one for anybody."""
        self.sent_at = sent_at
        self.started = started
        """By the monotonic clock."""
        self.accepted = accepted
        """Whether the message is durable already."""
        self.rehearsal = False
        """Whether nobody asked it: it is worked out for those who may."""
        self.accepting: asyncio.Future[bool] | None = None
        self.calls: list[str] = []
        """The tools called so far, in order."""
        self.escalated = False
        """Whether a ticket was opened for it."""
        self.changed = asyncio.Event()
        """Set, and replaced by another, with each call."""

    def called(self, tool: str) -> None:
        self.calls.append(tool)
        told, self.changed = self.changed, asyncio.Event()
        told.set()

    def again(self, conversation: Conversation) -> None:
        """Begin anew from another state of the session; the same tools are called under the same keys."""
        self.conversation = conversation
        self.calls = []
