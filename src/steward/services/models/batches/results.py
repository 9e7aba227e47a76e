"""The lines of output and error files."""

from typing import Final

import msgspec

GOOD: Final = range(200, 300)


class _Response(msgspec.Struct):
    status_code: int
    request_id: str
    body: msgspec.Raw


class _Error(msgspec.Struct):
    code: str
    message: str


class _Result(msgspec.Struct):
    id: str
    custom_id: str
    response: _Response | None
    error: _Error | None


def answered(request: str, custom_id: str, *, status: int, body: bytes, request_id: str) -> bytes:
    """A line for a request that was made. The body is JSON."""
    response = _Response(status, request_id, msgspec.Raw(body))
    return _line(_Result(f"batch_req_{request}", custom_id, response, None))


def not_made(request: str, custom_id: str, *, code: str, message: str) -> bytes:
    """A line for a request that came to nothing."""
    return _line(_Result(f"batch_req_{request}", custom_id, None, _Error(code, message)))


def _line(result: _Result) -> bytes:
    return msgspec.json.encode(result) + b"\n"
