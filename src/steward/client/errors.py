"""What can go wrong between a client and the platform."""

from collections.abc import Mapping

from steward.kit.errors import Value


class ClientError(Exception):
    """Base of all failures of the client."""


class Unreachable(ClientError):
    """No answer: nothing listens there, the connection broke, or the time was up."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} does not answer: {reason}")
        self.url = url
        self.reason = reason


class NotLoggedIn(ClientError):
    """There is no log-in, or it has ended for good."""

    def __init__(self) -> None:
        super().__init__("not logged in")


class UnexpectedAnswer(ClientError):
    """An answer that is not of this API: something else listens there, or the versions do not fit."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url} answered {status} with something that is not of this API ({reason})")
        self.status = status


class ApiError(ClientError):
    """The platform refused: a problem document as in RFC 9457."""

    def __init__(self, *, status: int, code: str, message: str, request_id: str, data: Mapping[str, Value]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        """The stable name of the failure, for programs."""
        self.message = message
        """What happened, which value, and what to do; in English."""
        self.request_id = request_id
        """What to name when asking the operators about it."""
        self.data = data
        """Further members, such as `retry_after` in seconds, or `quota`, `limit` and `used`."""
