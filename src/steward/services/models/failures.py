"""How a provider's call failed: what the pipeline decides by, before it becomes an error for the caller."""

from enum import StrEnum


class FailureKind(StrEnum):
    REFUSED = "refused"
    """The request is at fault (400, 413, 422): another attempt would be refused, too."""
    UNAUTHORIZED = "unauthorized"
    """The key is at fault (401, 403): another connection may do."""
    NOT_FOUND = "not_found"
    """No such model there (404)."""
    CONTEXT = "context"
    """Longer than the model's context window."""
    RATE_LIMITED = "rate_limited"
    """429."""
    QUOTA = "quota"
    """The account with the provider has nothing left (429 `insufficient_quota`, 402): waiting does not help."""
    OVERLOADED = "overloaded"
    """503, 529."""
    BROKEN = "broken"
    """Other 5xx, and error events of a stream."""
    UNREACHABLE = "unreachable"
    """No connection."""
    CUT = "cut"
    """The connection ended before the answer did."""
    MALFORMED = "malformed"
    """What came cannot be read."""
    TIMED_OUT = "timed_out"


REPEATABLE = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.OVERLOADED,
        FailureKind.BROKEN,
        FailureKind.UNREACHABLE,
        FailureKind.CUT,
        FailureKind.MALFORMED,
        FailureKind.TIMED_OUT,
    }
)
"""Another attempt at the same candidate may do."""


class ProviderFailure(Exception):
    """A failed call to a provider. Its text never holds a key or header."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        param: str = "",
        retry_after: float | None = None,
        unbilled: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.code = code
        """The provider's own."""
        self.param = param
        """The parameter at fault, where the provider named one."""
        self.retry_after = retry_after
        """Seconds."""
        self.unbilled = unbilled
        """Whether the provider surely counted nothing: it was never reached, or it answered with an error status that
        is not 408, 504 or 524, by which a proxy gives up on a provider that may be at work."""
