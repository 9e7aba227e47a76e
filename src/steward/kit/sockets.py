"""What services and the gateway share of WebSockets: how a service says which messages it answers, and by what.

The gateway has the connection: handshake, credential, limits, closing. A service has the messages: a struct for each
type, and a generator of the events that answer one.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx

ClientId = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SocketMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """A message that a client sends; each subclass has a `tag`, which the field `type` names."""

    id: ClientId | None = None
    """The client's name for the message; whatever answers it carries the same as `in_reply_to`."""


class SocketRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A path at which WebSockets are answered."""

    path: str
    service: str
    """The service whose contract `answer` gets."""
    messages: Sequence[type[SocketMessage]]
    answer: Callable[[Ctx, Any, Any, str | None], AsyncIterator[msgspec.Struct]]
    """The events that answer one message: called with its context, the contract, the message, and the customer token
    that the connection was opened with."""
