"""Images and documents: what Anthropic's blocks name as their `source`."""

import base64
import binascii
from typing import Final

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import Dialect, File, Image
from steward.services.models.wire.anthropic.caching import take_cache
from steward.services.models.wire.anthropic.fields import Fields, Object

_PDF: Final = "application/pdf"
_TEXT: Final = "text/plain"
_DATA: Final = "data:"
_NEUTRAL_DETAIL: Final = "auto"


def decode_image(fields: Fields) -> Image | None:
    """None for a source of a form that is not known here."""
    source = _source(fields)
    if source is None:
        return None
    url, data, media_type, file_id, text = source
    if text is not None:
        return None
    cache = take_cache(fields)
    return Image(url=url, data=data, media_type=media_type, file_id=file_id, cache=cache, extra=fields.rest())


def decode_document(fields: Fields) -> File | None:
    """None for a source of a form that is not known here, such as `content`."""
    source = _source(fields)
    if source is None:
        return None
    url, data, media_type, file_id, text = source
    return File(
        url=url,
        data=data,
        media_type=media_type,
        file_id=file_id,
        text=text,
        name=fields.text("title"),
        cache=take_cache(fields),
        extra=fields.rest(),
    )


def _source(fields: Fields) -> tuple[str | None, str | None, str | None, str | None, str | None] | None:
    """URL, base64, media type, file id and text of a block's source, whose other fields are none."""
    source = fields.object("source")
    if source is None:
        return None
    kind = source.needed("type")
    url = data = media_type = file_id = text = None
    if kind == "base64":
        data, media_type = source.needed("data"), source.text("media_type")
    elif kind == "url":
        url = source.needed("url")
    elif kind == "file":
        file_id = source.needed("file_id")
    elif kind == "text":
        text, media_type = source.needed("data"), source.text("media_type")
    else:
        return None
    return None if source.rest() else (url, data, media_type, file_id, text)


def encode_image(image: Image, path: str, *, own: bool) -> Object:
    """The block without cache and extra. `own`: whether the request came in this dialect, whose ids it may name."""
    if image.detail not in (None, _NEUTRAL_DETAIL):
        raise CannotExpress(f"{path}.detail", Dialect.ANTHROPIC)
    if image.file_id is not None:
        return {"type": "image", "source": _file(image.file_id, path, own=own)}
    url, data, media_type = _unpacked(image.url, image.data, image.media_type)
    if data is None:
        return {"type": "image", "source": {"type": "url", "url": url}}
    if media_type is None and not own:
        raise CannotExpress(f"{path} without a media type", Dialect.ANTHROPIC)
    return {"type": "image", "source": _base64(data, media_type)}


def encode_document(file: File, path: str, *, own: bool) -> Object:
    """As `encode_image`, for a document."""
    block: Object = {"type": "document", "source": _document_source(file, path, own=own)}
    if file.name is not None:
        block["title"] = file.name
    return block


def _document_source(file: File, path: str, *, own: bool) -> Object:
    if file.text is not None:
        return {"type": "text", "media_type": file.media_type or _TEXT, "data": file.text}
    if file.file_id is not None:
        return _file(file.file_id, path, own=own)
    url, data, media_type = _unpacked(file.url, file.data, file.media_type)
    if data is None:
        return {"type": "url", "url": url}
    if own or media_type == _PDF:
        return _base64(data, media_type)
    text = _plain(data) if media_type is not None and media_type.startswith("text/") else None
    if text is None:
        raise CannotExpress(f"{path} of media type {media_type}", Dialect.ANTHROPIC)
    return {"type": "text", "media_type": _TEXT, "data": text}


def _base64(data: str, media_type: str | None) -> Object:
    source: Object = {"type": "base64", "data": data}
    if media_type is not None:
        source["media_type"] = media_type
    return source


def _file(file_id: str, path: str, *, own: bool) -> Object:
    if not own:
        raise CannotExpress(f"{path}.file_id", Dialect.ANTHROPIC)
    return {"type": "file", "file_id": file_id}


def _unpacked(url: str | None, data: str | None, media_type: str | None) -> tuple[str | None, str | None, str | None]:
    """A `data:` URL (RFC 2397) as base64 and media type; anything else as it is."""
    if url is None or data is not None or not url.startswith(_DATA):
        return url, data, media_type
    head, _, body = url.removeprefix(_DATA).partition(",")
    kind, *options = head.split(";")
    return (None, body, kind or None) if "base64" in options else (url, None, media_type)


def _plain(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
