"""Checks on the bytes of a JSON body before any decoder spends memory or stack on them."""

import re
from typing import Final

from steward.gateway.errors import TooDeep
from steward.kit.errors import InvalidInput, MalformedRequest

# Possessive, and a string that does not end swallows the rest: linear in the body whatever it holds.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_BRACES_TO_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


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
    """Peel the brackets level by level: what is left after `max_depth` rounds is nested deeper.

    Each round is one pass in C that removes the innermost pairs; a body is at most half brackets of each kind.
    """
    brackets = _STRING.sub(b"", body).translate(_BRACES_TO_BRACKETS, _NOT_BRACKETS)
    for _ in range(max_depth):
        peeled = brackets.replace(b"[]", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    # Brackets without a partner cannot be peeled; a few are the decoder's to report, many would exhaust its stack.
    if b"[]" in brackets or brackets.count(b"[") > max_depth:
        raise TooDeep(max_depth)
