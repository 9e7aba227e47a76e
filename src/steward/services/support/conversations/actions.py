"""What a dialogue can do while it works on one message."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec

from steward.kit.failpoints import Failpoints
from steward.kit.module import Apis
from steward.services.knowledge.api import Hit, KnowledgeApi
from steward.services.support.api import Citation
from steward.services.support.conversations.turn import Turn
from steward.services.support.ports import (
    HandOff,
    Language,
    Model,
    TicketRef,
    ToolResult,
    Tools,
)
from steward.services.support.tickets.opening import TicketOpening

MAX_QUERY: Final = 2000


class Searching:
    """Looks things up in the tenant's knowledge, as the desk itself."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    async def search(self, turn: Turn, query: str, k: int) -> Sequence[Hit]:
        asking = turn.ctx.as_service("support", "knowledge:read")
        knowledge = self._apis.get(KnowledgeApi)
        found = await knowledge.search(asking, query=query[:MAX_QUERY], k=k, recorded=not turn.rehearsal)
        return sorted(found.hits, key=lambda hit: (-hit.score, hit.locale != turn.language.value))


class TurnActions:
    """The `Actions` of a message: it is durable before anything outside is called for it."""

    def __init__(
        self,
        turn: Turn,
        *,
        accept: Callable[[Turn], Awaitable[None]],
        searching: Searching,
        tools: Tools,
        tickets: TicketOpening,
        model: Model,
        failpoints: Failpoints,
    ) -> None:
        self._turn = turn
        self._accept = accept
        self._searching = searching
        self._tools = tools
        self._tickets = tickets
        self._model = model
        self._failpoints = failpoints
        self._keys: Counter[str] = Counter()

    async def search(self, query: str, *, k: int = 5) -> Sequence[Hit]:
        """See `Actions`."""
        return await self._searching.search(self._turn, query, k)

    async def call(self, tool: str, arguments: Mapping[str, str]) -> ToolResult:
        """See `Actions`."""
        turn = self._turn
        await self._accept(turn)
        turn.called(tool)
        result = await self._tools.call(
            msgspec.structs.replace(turn.ctx, locale=turn.language.value),
            customer_id=turn.conversation.owner.customer_id,
            tool=tool,
            arguments=arguments,
            idempotency_key=self._key(tool, arguments),
        )
        self._failpoints.passing("support:called")
        return result

    async def hand_off(self, request: HandOff) -> TicketRef:
        """See `Actions`."""
        turn = self._turn
        await self._accept(turn)
        turn.escalated = True
        ticket = await self._tickets.open(turn.ctx, turn.conversation, turn.message_id, request)
        self._failpoints.passing("support:handed-off")
        return ticket

    async def phrase(self, question: str, citations: Sequence[Citation], language: Language) -> str | None:
        """See `Actions`."""
        if not await self._model.available(self._turn.ctx):
            return None
        await self._accept(self._turn)
        return await self._model.phrase(self._turn.ctx, question, citations, language)

    def _key(self, tool: str, arguments: Mapping[str, str]) -> str:
        """The same for the same call of the same message, however often it is worked on."""
        said = msgspec.json.encode((tool, arguments), order="deterministic")
        digest = hashlib.sha256(said).hexdigest()[:16]
        self._keys[digest] += 1
        return f"{self._turn.message_id}:{digest}:{self._keys[digest]}"
