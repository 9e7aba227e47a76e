"""The support service: the use cases of its rooms behind one contract."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.services.support.api import (
    ChatAnswer,
    ChatEvent,
    ChatSession,
    Classified,
    CustomerId,
    CustomerKey,
    CustomerToken,
    EventId,
    Example,
    IntentExamples,
    IntentSet,
    Message,
    MessageText,
    Metadata,
    Playbook,
    PlaybookName,
    Sealed,
    ShopConnection,
    SupportApi,
    Ticket,
    TicketState,
)
from steward.services.support.conversations.chat import Chat
from steward.services.support.conversations.history import History
from steward.services.support.customers.keys import CustomerKeys
from steward.services.support.tickets.reading import TicketsUseCase


class Intents(Protocol):
    """What the room `understanding` does for a tenant; see `SupportApi`."""

    async def put_intents(self, ctx: Ctx, *, intents: Sequence[IntentExamples]) -> IntentSet: ...

    async def get_intents(self, ctx: Ctx) -> IntentSet: ...

    async def classify(self, ctx: Ctx, *, texts: Sequence[str]) -> Sequence[Classified]: ...


class Playbooks(Protocol):
    """What the room `dialogue` does for a tenant; see `SupportApi`."""

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]: ...

    async def put_playbook(self, ctx: Ctx, *, name: str, source: str) -> Playbook: ...

    async def delete_playbook(self, ctx: Ctx, *, name: str) -> None: ...


class Shop(Protocol):
    """What the room `shop` does for a tenant; see `SupportApi`."""

    async def put_shop(self, ctx: Ctx, *, base_url: str, credential: str) -> ShopConnection: ...

    async def get_shop(self, ctx: Ctx) -> ShopConnection: ...

    async def delete_shop(self, ctx: Ctx) -> None: ...


class UseCases(msgspec.Struct, frozen=True, kw_only=True):
    """What the service is made of; each checks the caller's permissions itself."""

    chat: Chat
    history: History
    tickets: TicketsUseCase
    intents: Intents
    playbooks: Playbooks
    shop: Shop
    customer_keys: CustomerKeys


class SupportService(SupportApi):
    """Implements `SupportApi`."""

    def __init__(self, use_cases: UseCases) -> None:
        self._of = use_cases

    async def chat(
        self,
        ctx: Ctx,
        *,
        message: MessageText,
        session_id: UUID | None = None,
        user_id: CustomerId | None = None,
        customer_token: CustomerToken | None = None,
        metadata: Metadata | None = None,
    ) -> ChatAnswer:
        return await self._of.chat.chat(
            ctx,
            message=message,
            session_id=session_id,
            user_id=user_id,
            customer_token=customer_token,
            metadata=metadata,
        )

    def chat_stream(
        self,
        ctx: Ctx,
        *,
        message: MessageText,
        session_id: UUID | None = None,
        user_id: CustomerId | None = None,
        customer_token: CustomerToken | None = None,
        metadata: Metadata | None = None,
        after: EventId | None = None,
    ) -> AsyncIterator[ChatEvent]:
        return self._of.chat.chat_stream(
            ctx,
            message=message,
            session_id=session_id,
            user_id=user_id,
            customer_token=customer_token,
            metadata=metadata,
            after=after,
        )

    async def get_history(
        self,
        ctx: Ctx,
        *,
        session_id: UUID,
        user_id: CustomerId | None = None,
        customer_token: CustomerToken | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Message]:
        return await self._of.history.get_history(
            ctx,
            session_id=session_id,
            user_id=user_id,
            customer_token=customer_token,
            limit=limit,
            cursor=cursor,
        )

    async def clear_session(
        self,
        ctx: Ctx,
        *,
        session_id: UUID,
        user_id: CustomerId | None = None,
        customer_token: CustomerToken | None = None,
    ) -> None:
        await self._of.history.clear_session(ctx, session_id=session_id, user_id=user_id, customer_token=customer_token)

    async def list_chat_sessions(
        self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[ChatSession]:
        return await self._of.history.list_chat_sessions(ctx, limit=limit, cursor=cursor)

    async def list_tickets(
        self, ctx: Ctx, *, state: TicketState | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Ticket]:
        return await self._of.tickets.list_tickets(ctx, state=state, limit=limit, cursor=cursor)

    async def get_ticket(self, ctx: Ctx, *, ticket_id: UUID) -> Ticket:
        return await self._of.tickets.get_ticket(ctx, ticket_id=ticket_id)

    async def put_intents(self, ctx: Ctx, *, intents: Sequence[IntentExamples]) -> IntentSet:
        return await self._of.intents.put_intents(ctx, intents=intents)

    async def get_intents(self, ctx: Ctx) -> IntentSet:
        return await self._of.intents.get_intents(ctx)

    async def classify(self, ctx: Ctx, *, texts: Sequence[Example]) -> Sequence[Classified]:
        return await self._of.intents.classify(ctx, texts=texts)

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]:
        return await self._of.playbooks.list_playbooks(ctx)

    async def put_playbook(self, ctx: Ctx, *, name: PlaybookName, source: str) -> Playbook:
        return await self._of.playbooks.put_playbook(ctx, name=name, source=source)

    async def delete_playbook(self, ctx: Ctx, *, name: PlaybookName) -> None:
        await self._of.playbooks.delete_playbook(ctx, name=name)

    async def put_shop(self, ctx: Ctx, *, base_url: str, credential: Sealed) -> ShopConnection:
        return await self._of.shop.put_shop(ctx, base_url=base_url, credential=credential)

    async def get_shop(self, ctx: Ctx) -> ShopConnection:
        return await self._of.shop.get_shop(ctx)

    async def delete_shop(self, ctx: Ctx) -> None:
        await self._of.shop.delete_shop(ctx)

    async def put_customer_keys(self, ctx: Ctx, *, keys: Sequence[CustomerKey]) -> Sequence[CustomerKey]:
        return await self._of.customer_keys.put_customer_keys(ctx, keys=keys)
