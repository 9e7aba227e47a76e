"""Paging by cursor: a list is read in order of its key, and the cursor is the key of the last row seen."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from steward.kit.errors import InvalidInput

T = TypeVar("T")
K = TypeVar("K")

MAX_LIMIT = 200

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT, description="How many items to return, at most 200.")]
Cursor = Annotated[str, msgspec.Meta(max_length=512, description="`next_cursor` of the page before.")]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is absent on the last one."""

    items: Sequence[T]
    next_cursor: str | None = None


def encode_cursor(key: object) -> str:
    """Pack the key of a row (anything msgspec can encode) into an opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, key: type[K]) -> K | None:
    """Unpack a cursor made by `encode_cursor`; a cursor that is not ours is an `InvalidInput`."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=key)
    except (binascii.Error, UnicodeEncodeError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"cursor {cursor[:40]!r} is not one this list gave out: pass `next_cursor` of the page before, unchanged",
            field="cursor",
        ) from error
