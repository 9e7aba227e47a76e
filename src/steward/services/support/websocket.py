"""The messages of the WebSocket `/ws/v1/chat`: what a customer's page sends, and how it is answered."""

from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

from steward.kit.context import Ctx
from steward.kit.sockets import SocketMessage, SocketRoute
from steward.services.support.api import (
    ChatEvent,
    CustomerId,
    CustomerToken,
    EventId,
    MessageText,
    Metadata,
    SupportApi,
)


class Say(SocketMessage, frozen=True, kw_only=True, tag="message"):
    """A customer's message; its fields are those of the body of `POST /api/v1/chat`."""

    message: MessageText
    session_id: UUID | None = None
    user_id: CustomerId | None = None
    customer_token: CustomerToken | None = None
    metadata: Metadata | None = None


class Resume(SocketMessage, frozen=True, kw_only=True, tag="resume"):
    """Go on behind the last event of an answer that broke off."""

    after: EventId
    message: MessageText
    """The same as before."""
    session_id: UUID | None = None
    user_id: CustomerId | None = None
    customer_token: CustomerToken | None = None


def answer(
    ctx: Ctx, support: SupportApi, message: Say | Resume, customer_token: str | None
) -> AsyncIterator[ChatEvent]:
    """The steps of the answer to one message."""
    return support.chat_stream(
        ctx,
        message=message.message,
        session_id=message.session_id,
        user_id=message.user_id,
        customer_token=message.customer_token or customer_token,
        metadata=message.metadata if isinstance(message, Say) else None,
        after=message.after if isinstance(message, Resume) else None,
    )


SOCKETS: Final[Sequence[SocketRoute]] = (
    SocketRoute(path="/ws/v1/chat", service="support", messages=(Say, Resume), answer=answer),
)
