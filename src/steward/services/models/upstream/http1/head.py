"""The head of an answer (RFC 9112, sections 4 to 6), read strictly: what could be understood in two ways is refused."""

import re
from collections.abc import Mapping

import msgspec

MAX_HEAD_BYTES = 64 * 1024
UNTIL_CLOSE = -1
CHUNKED = -2

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?+")
FIELDS = re.compile(rb"(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*+)*+")
"""Field lines, each behind its line end. Folded lines, bare line ends and control characters do not match."""
_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|content-type|content-encoding):[ \t]*+([^\r]*)", re.IGNORECASE
)
_LENGTH = re.compile(r"[0-9]{1,15}")
_SHOWN = 60
_SWITCHING = 101
_NO_BODY = frozenset({204, 304})


class BadAnswer(Exception):
    """What came is not HTTP/1.1, or may be understood in two ways."""


class Head(msgspec.Struct, frozen=True):
    """What an answer's head says."""

    status: int
    length: int
    """Of the body in bytes, or `UNTIL_CLOSE`, or `CHUNKED`."""
    keep: bool
    """Whether the connection may be used again."""
    content_type: str
    content_encoding: str
    lines: bytes
    """The field lines, each behind its line end."""

    def fields(self) -> Mapping[str, str]:
        """All fields by lower-case name; of one that is repeated the last."""
        pairs = (line.partition(":") for line in self.lines.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value.strip(" \t") for name, _, value in pairs}


def read_head(head: bytes) -> Head:
    """Read a head without the empty line behind it. Raises `BadAnswer`."""
    begin = _STATUS.match(head)
    if begin is None or FIELDS.fullmatch(head, begin.end()) is None:
        raise BadAnswer(f"an answer begins with {head[:_SHOWN]!r}, or one of its header fields is none")
    status = int(begin[2])
    if status == _SWITCHING:
        raise BadAnswer("the answer changes the protocol, which was not asked for")
    said: dict[bytes, str] = {}
    for field, value in _FRAMING.findall(head, begin.end()):
        name, text = field.lower(), value.decode("latin-1").rstrip(" \t")
        said[name] = f"{said[name]}, {text}" if name in said else text
    old = begin[1] == b"0"
    length = 0 if status in _NO_BODY else _length(said, old=old)
    keep = not old and length != UNTIL_CLOSE and not _says(said.get(b"connection", ""), "close")
    kind, encoding = said.get(b"content-type", ""), said.get(b"content-encoding", "")
    return Head(status, length, keep, kind, encoding, head[begin.end() :])


def _length(said: Mapping[bytes, str], *, old: bool) -> int:
    """Section 6.3. Two lengths, or a length beside another framing, are how answers are smuggled."""
    length, coding = said.get(b"content-length"), said.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or old or coding.lower() != "chunked":
            raise BadAnswer(f"the answer's transfer-encoding is {coding[:_SHOWN]!r}, beside what forbids it")
        return CHUNKED
    if length is None:
        return UNTIL_CLOSE
    if _LENGTH.fullmatch(length) is None:
        raise BadAnswer(f"the answer's content-length is {length[:_SHOWN]!r}")
    return int(length)


def _says(connection: str, option: str) -> bool:
    return bool(connection) and option in (one.strip(" \t").lower() for one in connection.split(","))
