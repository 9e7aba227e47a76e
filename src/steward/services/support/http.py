"""The HTTP routes of the support service."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter, SkipValidation
from msgspec import Meta

from steward.kit.paging import Page
from steward.kit.web import (
    EVENT_STREAM,
    NAMES_ONE,
    TAKES_KEY,
    Caller,
    EventStream,
    Items,
    PageCursor,
    PageLimit,
    event_stream,
    takes_bytes,
)
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
    TrainingState,
)

SupportPort = NamedDependency[SkipValidation[SupportApi]]

TAGS: Final = ("Desk",)
SET_UP: Final = ("Desk: set-up",)
MAX_INTENTS_BYTES: Final = 12 * 1024 * 1024
"""Of a body of intents: 20,000 examples of usual lengths. With examples of 1,000 characters each it would be more."""

CustomerQuery = Annotated[
    str | None,
    QueryParameter(
        name="user_id",
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The customer; counts with `support:act-as-customer`.",
    ),
]
TokenHeader = Annotated[
    str | None,
    HeaderParameter(
        name="X-Customer-Token", max_length=4096, description="A JWT by which the tenant vouches for the customer."
    ),
]
# The name `state` is Litestar's own.
InState = Annotated[TicketState | None, QueryParameter(name="state", description="Only those in this state.")]
LastEvent = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        max_length=80,
        pattern=r"^[0-9a-f-]{36}:[0-9]{1,9}$",
        description="The last event of a stream that broke off: the stream goes on behind it.",
    ),
]


class ChatBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer's message."""

    message: MessageText
    session_id: UUID | None = None
    """A new session begins when absent."""
    user_id: CustomerId | None = None
    customer_token: CustomerToken | None = None
    """As the header X-Customer-Token, which goes before it."""
    metadata: Metadata | None = None
    """Kept with a session that begins."""
    after: EventId | None = None
    """As the header Last-Event-ID, which goes before it; streams only."""


class IntentsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    intents: Annotated[Sequence[IntentExamples], Meta(min_length=1, max_length=200)]


class ClassifyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    texts: Annotated[Sequence[Example], Meta(min_length=1, max_length=1000)]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One result for each text, in their order."""

    results: Sequence[Classified]


class PlaybookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: Annotated[str, Meta(max_length=200_000)]
    """YAML; its form is in docs/reference/playbooks.md."""


class ShopBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    base_url: Annotated[str, Meta(max_length=500, pattern=r"^https?://[^\s]+$", examples=["https://shop.example.com"])]
    credential: Sealed
    """Sent to the shop as a bearer token; never shown again."""


class CustomerKeysBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keys: Annotated[Sequence[CustomerKey], Meta(max_length=10)]
    """None ends all customer tokens."""


@post("/api/v1/chat", tags=TAGS, status_code=200, opt={**TAKES_KEY, **NAMES_ONE})
async def chat(
    ctx: Caller,
    support: SupportPort,
    request: Request[Any, Any, Any],
    data: JSONBody[ChatBody],
    token: TokenHeader = None,
    last_event: LastEvent = None,
) -> ChatAnswer | EventStream:
    """Send a customer's message to the desk

    The message is durable before anything is done with it. With `Accept: text/event-stream` the answer comes step by
    step, as `ChatEvent`s with ids, and goes on behind `Last-Event-ID`. Needs `conversation:write`; `user_id` counts
    with `support:act-as-customer`.
    """
    if EVENT_STREAM not in request.headers.get("accept", ""):
        return await support.chat(
            ctx,
            message=data.message,
            session_id=data.session_id,
            user_id=data.user_id,
            customer_token=token or data.customer_token,
            metadata=data.metadata,
        )
    events = support.chat_stream(
        ctx,
        message=data.message,
        session_id=data.session_id,
        user_id=data.user_id,
        customer_token=token or data.customer_token,
        metadata=data.metadata,
        after=last_event or data.after,
    )
    return await event_stream(events, _head)


def _head(event: ChatEvent) -> tuple[str, str]:
    return event.id, event.type.value


@get("/api/v1/sessions", tags=TAGS)
async def list_chat_sessions(
    ctx: Caller, support: SupportPort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[ChatSession]:
    """List the sessions of customers, newest first

    Needs `conversation:read`.
    """
    return await support.list_chat_sessions(ctx, limit=limit, cursor=cursor)


@get("/api/v1/sessions/{session_id:str}/history", tags=TAGS)
async def get_history(
    ctx: Caller,
    support: SupportPort,
    session_id: FromPath[UUID],
    user_id: CustomerQuery = None,
    token: TokenHeader = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[Message]:
    """Get the messages of a session, oldest first

    Any session's with `conversation:read`, the customer's own with `conversation:write`.
    """
    return await support.get_history(
        ctx, session_id=session_id, user_id=user_id, customer_token=token, limit=limit, cursor=cursor
    )


@delete("/api/v1/sessions/{session_id:str}", tags=TAGS)
async def clear_session(
    ctx: Caller,
    support: SupportPort,
    session_id: FromPath[UUID],
    user_id: CustomerQuery = None,
    token: TokenHeader = None,
) -> None:
    """Clear a session: delete its messages and what the desk remembers of it

    The session itself stays and may go on. Needs `conversation:write`, for another's session `conversation:read` too.
    """
    await support.clear_session(ctx, session_id=session_id, user_id=user_id, customer_token=token)


@get("/api/v1/tickets", tags=TAGS)
async def list_tickets(
    ctx: Caller,
    support: SupportPort,
    wanted: InState = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[Ticket]:
    """List tickets, newest first

    Needs `ticket:read`.
    """
    return await support.list_tickets(ctx, state=wanted, limit=limit, cursor=cursor)


@get("/api/v1/tickets/{ticket_id:str}", tags=TAGS)
async def get_ticket(ctx: Caller, support: SupportPort, ticket_id: FromPath[UUID]) -> Ticket:
    """Get a ticket

    Needs `ticket:read`.
    """
    return await support.get_ticket(ctx, ticket_id=ticket_id)


@put("/api/v1/support/intents", tags=SET_UP, opt={"also_answers": (202,), **takes_bytes(MAX_INTENTS_BYTES)})
async def put_intents(ctx: Caller, support: SupportPort, data: JSONBody[IntentsBody]) -> Response[IntentSet]:
    """Replace the tenant's intents

    Up to 200 intents with 20,000 examples. Answers 200 when they are trained, 202 while they still are: until then the
    set before classifies. Needs `support:configure`.
    """
    found = await support.put_intents(ctx, intents=data.intents)
    return Response(found, status_code=200 if found.state is TrainingState.READY else 202)


@get("/api/v1/support/intents", tags=SET_UP)
async def get_intents(ctx: Caller, support: SupportPort) -> IntentSet:
    """Get the tenant's intents and the state of their training

    Needs `conversation:read`.
    """
    return await support.get_intents(ctx)


@post("/api/v1/support/classify", tags=SET_UP, status_code=200)
async def classify(ctx: Caller, support: SupportPort, data: JSONBody[ClassifyBody]) -> Results:
    """Classify texts: the intent of each

    Needs `conversation:read`.
    """
    return Results(results=await support.classify(ctx, texts=data.texts))


@get("/api/v1/support/playbooks", tags=SET_UP)
async def list_playbooks(ctx: Caller, support: SupportPort) -> Items[Playbook]:
    """List the playbooks in force

    Needs `conversation:read`.
    """
    return Items(items=list(await support.list_playbooks(ctx)))


@put("/api/v1/support/playbooks/{name:str}", tags=SET_UP)
async def put_playbook(
    ctx: Caller, support: SupportPort, name: FromPath[PlaybookName], data: JSONBody[PlaybookBody]
) -> Playbook:
    """Put the tenant's own playbook in the place of the shipped one, or beside them

    Needs `support:configure`.
    """
    return await support.put_playbook(ctx, name=name, source=data.source)


@delete("/api/v1/support/playbooks/{name:str}", tags=SET_UP)
async def delete_playbook(ctx: Caller, support: SupportPort, name: FromPath[PlaybookName]) -> None:
    """Go back to the shipped playbook

    Needs `support:configure`.
    """
    await support.delete_playbook(ctx, name=name)


@put("/api/v1/support/shop", tags=SET_UP)
async def put_shop(ctx: Caller, support: SupportPort, data: JSONBody[ShopBody]) -> ShopConnection:
    """Connect the tenant's shop

    Needs `support:configure`.
    """
    return await support.put_shop(ctx, base_url=data.base_url, credential=data.credential)


@get("/api/v1/support/shop", tags=SET_UP, opt=NAMES_ONE)
async def get_shop(ctx: Caller, support: SupportPort) -> ShopConnection:
    """Get the tenant's shop

    Needs `support:configure`.
    """
    return await support.get_shop(ctx)


@delete("/api/v1/support/shop", tags=SET_UP, opt=NAMES_ONE)
async def delete_shop(ctx: Caller, support: SupportPort) -> None:
    """Forget the tenant's shop and its credential

    Needs `support:configure`.
    """
    await support.delete_shop(ctx)


@put("/api/v1/support/customer-keys", tags=SET_UP)
async def put_customer_keys(ctx: Caller, support: SupportPort, data: JSONBody[CustomerKeysBody]) -> Items[CustomerKey]:
    """Replace the public keys by which customer tokens are checked

    Needs `support:configure`.
    """
    return Items(items=list(await support.put_customer_keys(ctx, keys=data.keys)))


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    chat,
    list_chat_sessions,
    get_history,
    clear_session,
    list_tickets,
    get_ticket,
    put_intents,
    get_intents,
    classify,
    list_playbooks,
    put_playbook,
    delete_playbook,
    put_shop,
    get_shop,
    delete_shop,
    put_customer_keys,
)
