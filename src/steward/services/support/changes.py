"""What the desk remembers follows what happens: at once in this process, by the bus in the others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from steward.kit.bus import Subscription
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.services.support.conversations.answers import AnswerCache
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.customers.keys import CustomerKeys
from steward.services.support.erasing import Erasing

KNOWLEDGE_CHANGED: Final = "knowledge.KnowledgeUpdated"
QUESTIONS_COUNTED: Final = "knowledge.PopularQuestionsCounted"
_ANSWERS: Final = frozenset(
    (KNOWLEDGE_CHANGED, "support.IntentsTrained", "support.IntentsReplaced", "support.PlaybookChanged")
)
_KEYS: Final = "support.CustomerKeysChanged"
_DELETED: Final = "tenants.TenantDeleted"


class Changes:
    """Forgets what events say is not so any more, warms answers, and erases what a deleted tenant leaves."""

    def __init__(
        self,
        answers: AnswerCache,
        sessions: Sessions,
        keys: CustomerKeys,
        erasing: Erasing,
        warm: Callable[[TenantId, StoredEvent], Awaitable[None]],
    ) -> None:
        self._answers = answers
        self._sessions = sessions
        self._keys = keys
        self._erasing = erasing
        self._warm = warm

    def heed(self, event: StoredEvent) -> None:
        """Forget what an event makes untrue."""
        if event.type in _ANSWERS:
            self._answers.forget(event.tenant)
        elif event.type == _KEYS:
            self._keys.forget(event.tenant)
        elif event.type == _DELETED:
            self._answers.forget(event.tenant)
            self._sessions.forget_tenant(event.tenant)
            self._keys.forget(event.tenant)

    def subscriptions(self, services: Sequence[str]) -> Sequence[Subscription]:
        """What to subscribe to; `services` are those of the platform."""
        return (
            Subscription(
                name="support-memory",
                sources=tuple(name for name in ("knowledge", "support", "tenants") if name in services),
                handler=self._remembered,
                broadcast=True,
            ),
            Subscription(name="support-erasing", sources=("tenants",), handler=self._erase),
        )

    async def _remembered(self, event: StoredEvent) -> None:
        self.heed(event)
        if event.type == QUESTIONS_COUNTED:
            await self._warm(event.tenant, event)

    async def _erase(self, event: StoredEvent) -> None:
        if event.type == _DELETED:
            await self._erasing.erase(event.tenant)
