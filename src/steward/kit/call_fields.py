"""Fields that a caller may send with any request, over HTTP and gRPC alike, and what each may hold."""

import re
from typing import Final

from steward.kit.errors import InvalidInput

IDEMPOTENCY_KEY_PATTERN: Final = r"[\x21-\x7e]{1,255}"

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_IDEMPOTENCY_KEY: Final = re.compile(IDEMPOTENCY_KEY_PATTERN)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def request_id_of(given: str) -> str:
    """The caller's name for the request; empty unless it is one that logs can bear, and then it gets one of ours."""
    return given if _REQUEST_ID.fullmatch(given) else ""


def traceparent_of(given: str) -> str:
    """The caller's trace (W3C Trace Context); empty unless it is well formed, for others are ignored, as that says."""
    return given if _TRACEPARENT.fullmatch(given) else ""


def idempotency_key_of(given: str) -> str:
    """The key as it was given. Raises `InvalidInput` for one that is none: ignored, it would create things twice."""
    if not _IDEMPOTENCY_KEY.fullmatch(given):
        raise InvalidInput(
            "Idempotency-Key must be 1 to 255 visible ASCII characters: a UUID does well", field="Idempotency-Key"
        )
    return given
