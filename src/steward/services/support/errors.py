"""What the support service refuses, and why."""

from uuid import UUID

from steward.kit.errors import AppError, Conflict, InvalidInput, Kind, NotFound, Unauthenticated, Unavailable


class SessionNotFound(NotFound):
    code = "chat_session_not_found"

    def __init__(self, session_id: UUID) -> None:
        super().__init__(
            f"there is no session {session_id} of yours: leave session_id out to begin a new one",
            session_id=str(session_id),
        )


class TicketNotFound(NotFound):
    code = "ticket_not_found"

    def __init__(self, ticket_id: UUID) -> None:
        super().__init__(f"there is no ticket {ticket_id}: check the id", ticket_id=str(ticket_id))


class CustomerTokenInvalid(Unauthenticated):
    """The token does not count; the message says why, and nothing of what it holds."""

    code = "customer_token_invalid"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the customer token does not count: {problem}; have the shop's back end sign a new one")


class CustomerLimited(AppError):
    """The customer wrote more messages in a minute than one may."""

    code = "customer_limited"
    kind = Kind.RATE_LIMITED

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(
            f"a customer may send {limit} messages a minute: try again in {retry_after} s",
            policy="customer",
            limit=limit,
            retry_after=retry_after,
        )


class SessionBusy(Unavailable):
    code = "session_busy"

    def __init__(self) -> None:
        super().__init__("other messages of this session are being answered: try again in 1 s", retry_after=1)


class MessageNotFound(NotFound):
    code = "message_not_found"

    def __init__(self, message_id: UUID) -> None:
        super().__init__(
            f"there is no message {message_id} of yours any more: send it anew", message_id=str(message_id)
        )


class MessageDiffers(Conflict):
    code = "message_differs"

    def __init__(self) -> None:
        super().__init__(
            "the stream that is to go on was of another message: send the message it began with, or none of "
            "`after` and Last-Event-ID"
        )


class CustomerKeyInvalid(InvalidInput):
    code = "customer_key_invalid"

    def __init__(self, kid: str, problem: str) -> None:
        super().__init__(f"the key {kid!r} cannot check customer tokens: {problem}", field="keys", kid=kid)


class PlaybookNotFound(NotFound):
    code = "playbook_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"the tenant has no playbook {name!r} of its own: list the playbooks", name=name)


class PlaybookInvalid(InvalidInput):
    """A playbook with problems; the message has each of them with its line."""

    code = "playbook_invalid"

    def __init__(self, problems: str) -> None:
        super().__init__(f"the playbook cannot be taken:\n{problems}", field="source")


class ShopNotConnected(NotFound):
    code = "shop_not_connected"

    def __init__(self) -> None:
        super().__init__("no shop is connected: an administrator names its address and credential first")
