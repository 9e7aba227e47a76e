"""The support service over gRPC: its description and its client."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
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
from steward_proto.v1 import support_pb2

SUPPORT = RpcService(
    "support",
    support_pb2.DESCRIPTOR.services_by_name["SupportService"],
    SupportApi,
    {
        "Chat": SupportApi.chat,
        "ChatStream": SupportApi.chat_stream,
        "GetHistory": SupportApi.get_history,
        "ClearSession": SupportApi.clear_session,
        "ListChatSessions": SupportApi.list_chat_sessions,
        "ListTickets": SupportApi.list_tickets,
        "GetTicket": SupportApi.get_ticket,
        "PutIntents": SupportApi.put_intents,
        "GetIntents": SupportApi.get_intents,
        "Classify": SupportApi.classify,
        "ListPlaybooks": SupportApi.list_playbooks,
        "PutPlaybook": SupportApi.put_playbook,
        "DeletePlaybook": SupportApi.delete_playbook,
        "PutShop": SupportApi.put_shop,
        "GetShop": SupportApi.get_shop,
        "DeleteShop": SupportApi.delete_shop,
        "PutCustomerKeys": SupportApi.put_customer_keys,
    },
)


class SupportClient(SupportApi):
    """The support service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

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
        return await self._rpc.call(
            ctx,
            "Chat",
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
        return self._rpc.stream(
            ctx,
            "ChatStream",
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
        return await self._rpc.call(
            ctx,
            "GetHistory",
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
        await self._rpc.call(ctx, "ClearSession", session_id=session_id, user_id=user_id, customer_token=customer_token)

    async def list_chat_sessions(
        self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[ChatSession]:
        return await self._rpc.call(ctx, "ListChatSessions", limit=limit, cursor=cursor)

    async def list_tickets(
        self, ctx: Ctx, *, state: TicketState | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Ticket]:
        return await self._rpc.call(ctx, "ListTickets", state=state, limit=limit, cursor=cursor)

    async def get_ticket(self, ctx: Ctx, *, ticket_id: UUID) -> Ticket:
        return await self._rpc.call(ctx, "GetTicket", ticket_id=ticket_id)

    async def put_intents(self, ctx: Ctx, *, intents: Sequence[IntentExamples]) -> IntentSet:
        return await self._rpc.call(ctx, "PutIntents", intents=intents)

    async def get_intents(self, ctx: Ctx) -> IntentSet:
        return await self._rpc.call(ctx, "GetIntents")

    async def classify(self, ctx: Ctx, *, texts: Sequence[Example]) -> Sequence[Classified]:
        return await self._rpc.call(ctx, "Classify", texts=texts)

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]:
        return await self._rpc.call(ctx, "ListPlaybooks")

    async def put_playbook(self, ctx: Ctx, *, name: PlaybookName, source: str) -> Playbook:
        return await self._rpc.call(ctx, "PutPlaybook", name=name, source=source)

    async def delete_playbook(self, ctx: Ctx, *, name: PlaybookName) -> None:
        await self._rpc.call(ctx, "DeletePlaybook", name=name)

    async def put_shop(self, ctx: Ctx, *, base_url: str, credential: Sealed) -> ShopConnection:
        return await self._rpc.call(ctx, "PutShop", base_url=base_url, credential=credential)

    async def get_shop(self, ctx: Ctx) -> ShopConnection:
        return await self._rpc.call(ctx, "GetShop")

    async def delete_shop(self, ctx: Ctx) -> None:
        await self._rpc.call(ctx, "DeleteShop")

    async def put_customer_keys(self, ctx: Ctx, *, keys: Sequence[CustomerKey]) -> Sequence[CustomerKey]:
        return await self._rpc.call(ctx, "PutCustomerKeys", keys=keys)
