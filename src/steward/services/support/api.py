"""The contract of the support service: the desk that customers talk to, and how a tenant sets it up.

Who the customer is: `user_id` counts for callers with the scope `support:act-as-customer` (a tenant's own back end);
elsewhere `customer_token`, signed by the tenant, counts, and without one the customer is anonymous: `user_id` then only
tells visitors apart, and no order is shown. A session that belongs to another tenant or customer is `SessionNotFound`.
Every method may raise `Forbidden` (the caller lacks the permission named).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.services.support.set_up import (  # noqa: F401 the rest of the contract
    Classified,
    CustomerKey,
    Example,
    IntentExamples,
    IntentSet,
    IntentSummary,  # pyright: ignore[reportUnusedImport] the rest of the contract
    Playbook,
    ShopConnection,
    TrainingState,  # pyright: ignore[reportUnusedImport] the rest of the contract
)

MessageText = Annotated[str, Meta(min_length=1, max_length=8000, pattern=r"^[^\x00]+$", description="What was said.")]
CustomerId = Annotated[
    str,
    Meta(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="The customer in the tenant's books."
    ),
]
CustomerToken = Annotated[
    str,
    Meta(max_length=4096, description="A JWT by which the tenant vouches for the customer.", extra={"sensitive": True}),
]
Metadata = Annotated[
    Mapping[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)
]
EventId = Annotated[
    str, Meta(max_length=80, pattern=r"^[0-9a-f-]{36}:[0-9]{1,9}$", description="Id of a stream's event.")
]
PlaybookName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Sealed = Annotated[str, Meta(min_length=1, max_length=2000, extra={"sensitive": True})]


class AgentType(StrEnum):
    """Who answers."""

    FAQ = "faq"
    ORDER = "order"
    REFUND = "refund"
    TECHNICAL = "technical"
    HUMAN = "human"


class Sender(StrEnum):
    USER = "user"
    AGENT = "agent"
    SYSTEM = "system"


class EntityType(StrEnum):
    ORDER_ID = "order_id"
    PRODUCT_NAME = "product_name"
    EMAIL = "email"
    AMOUNT = "amount"
    DATE = "date"


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Something named in a message."""

    type: EntityType
    value: str
    """Normalised: an order number as the shop writes it, a date as ISO 8601, an amount as `12.50 USD`."""
    text: str
    """As the customer wrote it."""


class ScoredIntent(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    confidence: float
    """0 to 1, calibrated."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants by a message."""

    type: str
    confidence: float
    """0 to 1, calibrated."""
    entities: Sequence[Entity] = ()
    unsure: bool = False
    """The classifier would not say; `type` is its best guess."""
    others: Sequence[ScoredIntent] = ()
    """Further intents of the same message, best first."""
    reason: str = ""
    """How it was found: `classifier`, `rule`, `model`, `playbook` (an answer to the desk's question)."""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer comes from."""

    document_id: str
    chunk_id: str
    title: str
    text: str
    score: float


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The desk's answer to one message."""

    session_id: UUID
    message_id: UUID
    """Of the customer's message."""
    message: str
    agent_type: AgentType
    intent: Intent
    citations: Sequence[Citation]
    timestamp: datetime
    response_time_ms: int
    from_cache: bool
    degraded: bool
    """Something that usually helps (model, shop) was not to be had."""
    sentiment: "Sentiment"
    ticket_id: UUID | None = None
    """The ticket that a hand-off made."""


class Sentiment(StrEnum):
    VERY_NEGATIVE = "very_negative"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    VERY_POSITIVE = "very_positive"


class ChatEventType(StrEnum):
    ACCEPTED = "message.accepted"
    """The message is durable; `session_id` and `message_id` are set."""
    INTENT = "intent"
    """`intent` is set."""
    STATUS = "status"
    """A tool is called; `text` names it."""
    DELTA = "message.delta"
    """`text` is the next piece of the answer."""
    COMPLETED = "message.completed"
    """`answer` is set; the stream ends."""
    FAILED = "error"
    """`text` says what happened in words for the customer; the message is kept, and its answer comes to the history."""


class ChatEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an answer; the pieces of `DELTA` together are the answer's `message`."""

    id: EventId
    """`<message id>:<number>`; give the last one seen to go on after it."""
    type: ChatEventType
    session_id: UUID
    message_id: UUID
    text: str = ""
    intent: Intent | None = None
    answer: ChatAnswer | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a session."""

    id: UUID
    sender: Sender
    text: str
    created_at: datetime
    agent_type: AgentType | None = None
    intent: Intent | None = None
    """Of a customer's message."""
    citations: Sequence[Citation] = ()
    reply_to: UUID | None = None
    """The customer's message that this answers."""
    from_cache: bool = False
    degraded: bool = False
    response_time_ms: int | None = None


class SessionState(StrEnum):
    ACTIVE = "active"
    ESCALATED = "escalated"
    """Handed over to a person."""
    CLOSED = "closed"


class ChatSession(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    customer_id: str
    """Empty for an anonymous customer."""
    state: SessionState
    locale: str
    messages: int
    created_at: datetime
    updated_at: datetime


class TicketState(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TicketPriority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class HandOffReason(StrEnum):
    REQUEST = "request"
    COMPLAINT = "complaint"
    ANGER = "anger"
    LOW_CONFIDENCE = "low_confidence"
    NO_KNOWLEDGE = "no_knowledge"
    PLAYBOOK = "playbook"
    """A playbook came to its end without an answer."""
    UNAVAILABLE = "unavailable"
    """The shop does not answer."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to look at."""

    id: UUID
    number: int
    """Short, counted per tenant; what a customer is told."""
    session_id: UUID
    customer_id: str
    state: TicketState
    priority: TicketPriority
    reason: HandOffReason
    subject: str
    summary: str
    """What the customer wants, what was tried, what the shop says; in the customer's language."""
    created_at: datetime
    updated_at: datetime


class SupportApi(Protocol):
    """Conversations, intents, playbooks, tickets and the connection to the shop."""

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
        """Answer a customer's message; needs `conversation:write`.

        Without a session a new one begins. The message is durable before anything is done with it. Raises
        `SessionNotFound`, `CustomerTokenInvalid`, `CustomerLimited` (60 messages a minute).
        """
        ...

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
        """As `chat`, step by step; needs `conversation:write`.

        With `after` no new message begins: the stream of that event's message goes on behind it, whatever became of
        the process that worked on it. `message` must be the same then, else `MessageDiffers`.
        """
        ...

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
        """A session's messages, oldest first. Any of the tenant's with `conversation:read`, else the customer's own."""
        ...

    async def clear_session(
        self,
        ctx: Ctx,
        *,
        session_id: UUID,
        user_id: CustomerId | None = None,
        customer_token: CustomerToken | None = None,
    ) -> None:
        """Delete a session's messages and what the desk remembers of it; the customer's own, or `conversation:read`.

        Needs `conversation:write`. The session itself stays and may go on.
        """
        ...

    async def list_chat_sessions(
        self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[ChatSession]:
        """The tenant's sessions, newest first; needs `conversation:read`."""
        ...

    async def list_tickets(
        self, ctx: Ctx, *, state: TicketState | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Ticket]:
        """Tickets, newest first; needs `ticket:read`."""
        ...

    async def get_ticket(self, ctx: Ctx, *, ticket_id: UUID) -> Ticket:
        """One ticket; needs `ticket:read`. Raises `TicketNotFound`."""
        ...

    async def put_intents(
        self, ctx: Ctx, *, intents: Annotated[Sequence[IntentExamples], Meta(min_length=1, max_length=200)]
    ) -> IntentSet:
        """Replace the tenant's intents (up to 200, up to 20,000 examples in all); needs `support:configure`.

        Up to 1,000 examples are trained when this returns; a larger set is trained afterwards and swapped in then.
        An intent twice is an `InvalidInput`, fewer than two intents too.
        """
        ...

    async def get_intents(self, ctx: Ctx) -> IntentSet:
        """The tenant's intents and the state of their training; needs `conversation:read`."""
        ...

    async def classify(
        self, ctx: Ctx, *, texts: Annotated[Sequence[Example], Meta(min_length=1, max_length=1000)]
    ) -> Sequence[Classified]:
        """The intent of each text; needs `conversation:read`."""
        ...

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]:
        """The playbooks in force, by name; needs `conversation:read`."""
        ...

    async def put_playbook(
        self, ctx: Ctx, *, name: PlaybookName, source: Annotated[str, Meta(max_length=200_000)]
    ) -> Playbook:
        """Put the tenant's own playbook in the place of the shipped one, or beside them; needs `support:configure`.

        Raises `PlaybookInvalid` with each problem and its line.
        """
        ...

    async def delete_playbook(self, ctx: Ctx, *, name: PlaybookName) -> None:
        """Go back to the shipped playbook; needs `support:configure`. Raises `PlaybookNotFound`."""
        ...

    async def put_shop(
        self,
        ctx: Ctx,
        *,
        base_url: Annotated[str, Meta(max_length=500, pattern=r"^https?://[^\s]+$")],
        credential: Sealed,
    ) -> ShopConnection:
        """Name the tenant's shop and the bearer credential for it; needs `support:configure`."""
        ...

    async def get_shop(self, ctx: Ctx) -> ShopConnection:
        """The tenant's shop; needs `support:configure`. Raises `ShopNotConnected`."""
        ...

    async def delete_shop(self, ctx: Ctx) -> None:
        """Forget the tenant's shop and its credential; needs `support:configure`. Raises `ShopNotConnected`."""
        ...

    async def put_customer_keys(
        self, ctx: Ctx, *, keys: Annotated[Sequence[CustomerKey], Meta(max_length=10)]
    ) -> Sequence[CustomerKey]:
        """Replace the public keys by which customer tokens are checked; needs `support:configure`."""
        ...
