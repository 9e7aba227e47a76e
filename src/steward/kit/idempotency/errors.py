"""Failures of idempotent requests."""

from steward.kit.errors import Conflict


class IdempotencyKeyReused(Conflict):
    """The key was used before for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was sent before with a different request: use a new key for a new request",
            field="Idempotency-Key",
        )


class RequestInProgress(Conflict):
    """The first request with this key is still being worked on."""

    code = "request_in_progress"

    def __init__(self) -> None:
        super().__init__("the first request with this Idempotency-Key is not finished: try again", retry_after=1)
