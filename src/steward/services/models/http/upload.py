"""Reading of an uploaded file from a form (RFC 7578), with every part bounded."""

import re
from typing import Final

import msgspec
from multipart import (  # pyright: ignore[reportMissingTypeStubs] it has its types in the code
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from steward.services.models.errors import FileTooLarge, InvalidParameter, UnsupportedParameter

MOST_FILE_BYTES: Final = 32 * 1024 * 1024
MOST_FORM_BYTES: Final = MOST_FILE_BYTES + 64 * 1024
_FORM: Final = re.compile(
    r"""multipart/form-data\s*;.*?\bboundary=(?:"([^"\s]{1,70})"|([^\s";,]{1,70}))""", re.IGNORECASE
)
"""With its boundary (RFC 2046 section 5.1.1)."""
_FIELDS: Final = frozenset(("file", "purpose"))
_MOST_PARTS: Final = 8
_LONGEST_VALUE: Final = 1000


class Upload(msgspec.Struct, frozen=True):
    name: str
    purpose: str
    content: bytes


def read_upload(content_type: str, body: bytes) -> Upload:
    """Raises `InvalidParameter`, `UnsupportedParameter`, `FileTooLarge`."""
    form = _FORM.match(content_type[:_LONGEST_VALUE])
    if form is None:
        raise InvalidParameter("file", f"is to be sent in multipart/form-data with a boundary: {content_type[:60]!r}")
    try:
        parts = _parts(form[1] or form[2], body)
    except ParserLimitReached as error:
        raise FileTooLarge(MOST_FILE_BYTES) from error
    except (MultipartError, UnicodeDecodeError) as error:
        raise InvalidParameter("file", f"is in a form that cannot be read: {error}") from error
    name, content = _only(parts, "file")
    _, purpose = _only(parts, "purpose")
    return Upload(name or "upload.jsonl", purpose[:_LONGEST_VALUE].decode(errors="replace"), content)


def _parts(boundary: str, body: bytes) -> dict[str, tuple[str | None, bytes]]:
    """Each field with its file name and content. One that nothing is known of, or that is there twice, is refused."""
    found: dict[str, tuple[str | None, bytes]] = {}
    content = bytearray()
    segment: MultipartSegment | None = None
    with PushMultipartParser(
        boundary,
        content_length=len(body),
        max_segment_size=MOST_FILE_BYTES,
        max_segment_count=_MOST_PARTS,
        strict=True,
    ) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment = event
            elif event is not None:
                content += event
            elif segment is not None:
                name = segment.name or ""
                _check(name, found)
                found[name] = (segment.filename, bytes(content))
                content.clear()
    return found


def _check(name: str, found: dict[str, tuple[str | None, bytes]]) -> None:
    if name not in _FIELDS:
        raise UnsupportedParameter(name[:60], "leave it out")
    if name in found:
        raise InvalidParameter(name, "is there twice")


def _only(parts: dict[str, tuple[str | None, bytes]], name: str) -> tuple[str | None, bytes]:
    if name not in parts:
        raise InvalidParameter(name, "is missing: send it as a field of the form")
    return parts[name]
