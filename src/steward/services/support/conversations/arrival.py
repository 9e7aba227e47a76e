"""A message arrives: who writes, in which session, in which language."""

from collections.abc import Mapping
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.ids import Ids
from steward.services.support import languages
from steward.services.support.api import SessionState
from steward.services.support.conversations.answers import AnswerCache
from steward.services.support.conversations.records import Conversation, PendingMessage
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.conversations.turn import Turn
from steward.services.support.customers.owner import Owner
from steward.services.support.ports import DialogueState, Language


class Arrivals:
    """Makes turns of messages."""

    def __init__(self, sessions: Sessions, answers: AnswerCache, clock: Clock, ids: Ids) -> None:
        self._sessions = sessions
        self._answers = answers
        self._clock = clock
        self._ids = ids

    async def begin(
        self, ctx: Ctx, owner: Owner, session_id: UUID | None, text: str, metadata: Mapping[str, str] | None
    ) -> Turn:
        """A new message, in a session of the owner's or a new one. Raises `SessionNotFound`."""
        started = self._clock.monotonic()
        if session_id is not None:
            conversation = await self._sessions.of_owner(ctx, session_id, owner)
        else:
            conversation = self._conversation(owner, metadata)
        language = language_of(text, conversation, ctx)
        return Turn(
            ctx,
            conversation,
            message_id=self._ids.new(),
            text=text,
            language=language,
            question=self._answers.key(text, language),
            sent_at=self._clock.now(),
            started=started,
        )

    async def again(self, ctx: Ctx, pending: PendingMessage) -> Turn:
        """A durable message that still waits for its answer. Raises `SessionNotFound`."""
        conversation = await self._sessions.get(ctx, pending.session_id, fresh=True)
        language = language_of(pending.text, conversation, ctx)
        waited = (self._clock.now() - pending.sent_at).total_seconds()
        return Turn(
            ctx,
            conversation,
            message_id=pending.message_id,
            text=pending.text,
            language=language,
            question=self._answers.key(pending.text, language),
            sent_at=pending.sent_at,
            started=self._clock.monotonic() - max(0.0, waited),
            accepted=True,
        )

    def _conversation(self, owner: Owner, metadata: Mapping[str, str] | None) -> Conversation:
        session_id = self._ids.new()
        now = self._clock.now()
        return Conversation(
            id=session_id,
            owner=owner,
            locale="",
            state=SessionState.ACTIVE,
            dialogue=DialogueState(),
            version=0,
            messages=0,
            metadata=metadata or {},
            created_at=now,
            updated_at=now,
        )


def language_of(text: str, conversation: Conversation, ctx: Ctx) -> Language:
    """What a message is written in; what tells none is taken for the session's, and at its beginning the caller's."""
    return languages.language_of(text, conversation.dialogue.language, ctx.locale)
