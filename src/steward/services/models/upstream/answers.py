"""Reading what a provider sends, within bounds."""

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.upstream.http1.connection import Connection
from steward.services.models.upstream.http1.head import Head

MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
"""Of an error's body; what is longer is not read on."""
_NO_STREAMS = ("application/json", "text/html")


def read_whole(connection: Connection, name: str) -> bytes:
    """The body of an answer that was waited for to its end. Raises `ProviderFailure` for one that is too large."""
    if connection.received > MAX_ANSWER_BYTES:
        raise too_large(name)
    return connection.take()


async def read_error(connection: Connection) -> bytes:
    """The body of an error, or its beginning."""
    body = bytearray()
    while len(body) < MAX_ERROR_BYTES:
        piece = connection.take()
        if piece:
            body += piece
        elif connection.done:
            break
        else:
            await connection.more()
    return bytes(body[:MAX_ERROR_BYTES])


def check_form(head: Head, name: str, *, stream: bool) -> None:
    """Raise `ProviderFailure` for a body in a form that was not asked for."""
    encoding = head.content_encoding
    if encoding and encoding.lower() != "identity":
        message = f"{name} answers in the encoding {encoding[:20]!r}, which was not asked for"
        raise ProviderFailure(FailureKind.MALFORMED, message)
    if stream:
        kind = head.content_type
        if kind.lower().startswith(_NO_STREAMS):
            message = f"{name} answers with {kind[:40]!r} in place of a stream of events"
            raise ProviderFailure(FailureKind.MALFORMED, message)


def too_large(name: str) -> ProviderFailure:
    """The failure of an answer that is over the bound."""
    message = f"the answer of {name} is over the limit of {MAX_ANSWER_BYTES} bytes: ask for less"
    return ProviderFailure(FailureKind.MALFORMED, message)
