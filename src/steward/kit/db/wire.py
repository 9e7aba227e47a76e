"""Messages of PostgreSQL's extended query protocol that go ahead of a statement and are answered together with it.

PostgreSQL 18, "Message Formats" and "Pipelining": the server works through Parse, Bind and Execute in turn and answers
all of them at the `Sync` that ends the statement behind them. An error makes it skip everything up to that `Sync`.
"""

from struct import Struct

_LENGTH = Struct(">i")
_COUNT = Struct(">h")

# The unnamed statement without parameters in the unnamed portal, and no limit on its rows.
_BIND_UNNAMED = b"B\0\0\0\x0c\0\0\0\0\0\0\0\0"
_EXECUTE = b"E\0\0\0\x09\0\0\0\0\0"


def command(sql: str) -> bytes:
    """Parse, Bind and Execute of a command that returns no rows."""
    return _message(b"P", b"\0%b\0\0\0" % sql.encode()) + _BIND_UNNAMED + _EXECUTE


def execution(statement: str, *values: str) -> bytes:
    """Bind and Execute of a prepared statement that returns no rows, its parameters as text.

    Values are sent with their lengths and need no quoting.
    """
    encoded = [value.encode() for value in values]
    parameters = b"".join(_LENGTH.pack(len(value)) + value for value in encoded)
    # No format codes, which says text for all, before the parameters and for the results.
    body = b"\0%b\0\0\0%b%b\0\0" % (statement.encode(), _COUNT.pack(len(encoded)), parameters)
    return _message(b"B", body) + _EXECUTE


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + _LENGTH.pack(len(body) + _LENGTH.size) + body
