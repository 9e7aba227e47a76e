"""Checks on the bytes of a JSON body before any decoder spends memory or stack on them."""

import re
from array import array
from itertools import accumulate
from typing import Final

from steward.gateway.errors import TooDeep
from steward.kit.errors import InvalidInput, MalformedRequest

# Possessive, and a string that does not end swallows the rest: linear in the body whatever it holds.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_STEPS: Final = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_SLICE: Final = 1 << 14


def check_json(body: bytes, max_depth: int) -> None:
    """Refuse what no decoder should see: invalid UTF-8, NUL characters, nesting beyond `max_depth`.

    NUL is legal JSON, but PostgreSQL's text cannot hold it, so no field here means anything with it.
    Raises `MalformedRequest`, `InvalidInput`, `TooDeep`.
    """
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedRequest(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from error
    if b"\0" in body or (b"\\u0000" in body and _ESCAPED_NUL.search(body)):
        raise InvalidInput("the body contains a NUL character: leave it out")
    # Brackets anywhere, strings included, bound the depth from above: nearly every body is spared the real scan.
    if body.count(b"[") + body.count(b"{") > max_depth:
        _check_depth(body, max_depth)


def _check_depth(body: bytes, max_depth: int) -> None:
    """Add up brackets, +1 and -1, in slices: what is deep is known after the first, and no step is a loop in Python."""
    steps = array("b", _STRING.sub(b"", body).translate(_STEPS, _NOT_BRACKETS))
    depth = 0
    for start in range(0, len(steps), _SLICE):
        depths = list(accumulate(steps[start : start + _SLICE], initial=depth))
        if max(depths) > max_depth:
            raise TooDeep(max_depth)
        depth = depths[-1]
