"""Content of a message, read part by part: text, images, audio, files, refusals; others are kept as they came."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import (
    Audio,
    CacheHint,
    Dialect,
    File,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
)
from steward.services.models.wire.openai.fields import (
    NULL,
    Fields,
    begins,
    fields_of,
    items_of,
    keep,
    need_object,
    need_text,
    take_text,
    text_of,
)

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.ASCII)
_HINT: Final = msgspec.json.Decoder(dict[str, str])


def read_content(raw: msgspec.Raw, path: str) -> tuple[list[Part], bool]:
    """The parts, and whether it was a bare string; an empty string and null have no parts."""
    if raw == NULL:
        return [], False
    if begins(raw, b'"'):
        text = text_of(raw, path)
        return [Text(text=text)] if text else [], True
    if not begins(raw, b"["):
        raise InvalidParameter(path, "must be a string or a list of parts")
    parts = [read_part(item, f"{path}[{place}]") for place, item in enumerate(items_of(raw, path))]
    if not parts:
        raise InvalidParameter(path, "is an empty list: give at least one part, or a string")
    return parts, False


def read_part(raw: msgspec.Raw, path: str) -> Part:
    """One part of a list of them."""
    fields = fields_of(raw, path)
    kind = need_text(fields, "type", path)
    reader = _READERS.get(kind)
    return reader(fields, path) if reader else Opaque(dialect=Dialect.OPENAI, type=kind, raw=raw)


def take_cache(fields: Fields) -> CacheHint | None:
    """The hint `cache_control`, which OpenRouter and others read as Anthropic does; odd forms stay among the fields."""
    raw = fields.get("cache_control")
    if raw is None:
        return None
    try:
        hint = _HINT.decode(raw)
    except msgspec.DecodeError:
        return None
    if hint.pop("type", None) != "ephemeral" or hint.keys() - {"ttl"}:
        return None
    del fields["cache_control"]
    return CacheHint(ttl=hint.get("ttl"))


def _text(fields: Fields, path: str) -> Text:
    return Text(text=need_text(fields, "text", path), cache=take_cache(fields), extra=fields)


def _refusal(fields: Fields, path: str) -> Refusal:
    return Refusal(text=need_text(fields, "refusal", path), cache=take_cache(fields), extra=fields)


def _image(fields: Fields, path: str) -> Image:
    cache = take_cache(fields)
    short = fields.get("image_url")
    if short is not None and begins(short, b'"'):
        inner: Fields = {"url": fields.pop("image_url")}
    else:
        inner = need_object(fields, "image_url", path)
    inside = f"{path}.image_url"
    url, detail = need_text(inner, "url", inside), take_text(inner, "detail", inside)
    extra = keep(fields, "image_url", inner)
    if found := _DATA_URL.match(url):
        return Image(data=url[found.end() :], media_type=found[1], detail=detail, cache=cache, extra=extra)
    return Image(url=url, detail=detail, cache=cache, extra=extra)


def _audio(fields: Fields, path: str) -> Audio:
    cache = take_cache(fields)
    inner = need_object(fields, "input_audio", path)
    inside = f"{path}.input_audio"
    data, form = need_text(inner, "data", inside), need_text(inner, "format", inside)
    return Audio(data=data, format=form, cache=cache, extra=keep(fields, "input_audio", inner))


def _file(fields: Fields, path: str) -> File:
    """A file by id or by content; some providers take an address in `file_data`."""
    cache = take_cache(fields)
    inner = need_object(fields, "file", path)
    inside = f"{path}.file"
    file_id, name = take_text(inner, "file_id", inside), take_text(inner, "filename", inside)
    data, url, media_type = take_text(inner, "file_data", inside), None, None
    if data is None and file_id is None and not inner:
        raise InvalidParameter(inside, "has neither file_data nor file_id: give one of them")
    if data is not None and (found := _DATA_URL.match(data)):
        data, media_type = data[found.end() :], found[1]
    elif data is not None and data.startswith(("http://", "https://")):
        data, url = None, data
    extra = keep(fields, "file", inner)
    return File(url=url, data=data, media_type=media_type, file_id=file_id, name=name, cache=cache, extra=extra)


_READERS: Final[Mapping[str, Callable[[Fields, str], Part]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
