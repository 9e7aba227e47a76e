"""Content of input items: the parts of messages and of tool outputs."""

from collections.abc import Sequence
from typing import Final, cast

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Audio, Dialect, File, Image, Opaque, Part, Refusal, Text
from steward.services.models.wire.responses.fields import Fields

_TEXTS: Final = frozenset(("input_text", "output_text", "text"))
_DATA: Final = "data:"
_BASE64: Final = ";base64"


def parts_of(fields: Fields, field: str) -> tuple[tuple[Part, ...], bool]:
    """The parts of a content field, and whether it was a bare string."""
    if fields.is_text(field):
        return (Text(text=fields.needed(field)),), True
    if fields.look(field) is None:
        raise InvalidParameter(fields.name(field), "is missing: give a string or a list of content parts")
    return tuple(_part(one) for one in fields.objects(field)), False


def tool_parts(fields: Fields, field: str) -> tuple[Sequence[Text | Image | File | Opaque], bool]:
    """The same for a tool's output, which knows fewer kinds."""
    parts, plain = parts_of(fields, field)
    for place, part in enumerate(parts):
        if not isinstance(part, (Text, Image, File, Opaque)):
            raise InvalidParameter(
                f"{fields.name(field)}[{place}].type", "cannot be in a tool's output: text, image or file"
            )
    return cast("Sequence[Text | Image | File | Opaque]", parts), plain


def _part(fields: Fields) -> Part:
    kind = _kind(fields)
    if kind in _TEXTS:
        fields.skip("type", "annotations", "logprobs")
        return Text(text=fields.needed("text"), extra=fields.rest())
    if kind == "input_image":
        fields.skip("type")
        return _image(fields)
    if kind == "input_file":
        fields.skip("type")
        return _file(fields)
    if kind == "refusal":
        fields.skip("type")
        return Refusal(text=fields.needed("refusal"), extra=fields.rest())
    if kind == "input_audio":
        fields.skip("type")
        return _audio(fields)
    return Opaque(dialect=Dialect.RESPONSES, type=kind, raw=fields.whole(kind))


def _kind(fields: Fields) -> str:
    """The `type`, left where it is."""
    raw = fields.look("type")
    found = Fields({"type": raw}, fields.path).text("type") if raw is not None else None
    if found is None:
        raise InvalidParameter(fields.name("type"), "is missing: say what kind of content this is, such as input_text")
    return found


def _image(fields: Fields) -> Image:
    detail = fields.text("detail")
    url = fields.text("image_url")
    file_id = fields.text("file_id")
    if (url is None) == (file_id is None):
        raise InvalidParameter(fields.path, "needs either image_url or file_id")
    media_type, data = _inline(url)
    return Image(
        url=url if data is None else None,
        data=data,
        media_type=media_type,
        file_id=file_id,
        detail=detail,
        extra=fields.rest(),
    )


def _file(fields: Fields) -> File:
    url, file_id, given = fields.text("file_url"), fields.text("file_id"), fields.text("file_data")
    if sum(one is not None for one in (url, file_id, given)) != 1:
        raise InvalidParameter(fields.path, "needs exactly one of file_data, file_url and file_id")
    media_type, data = _inline(given)
    return File(
        url=url,
        data=given if data is None else data,
        media_type=media_type,
        file_id=file_id,
        name=fields.text("filename"),
        extra=fields.rest(),
    )


def _audio(fields: Fields) -> Audio:
    inner = fields.object("input_audio")
    if inner is None:
        raise InvalidParameter(fields.name("input_audio"), "is missing: give data and format")
    return Audio(data=inner.needed("data"), format=inner.needed("format"), extra={**inner.rest(), **fields.rest()})


def _inline(url: str | None) -> tuple[str | None, str | None]:
    """Media type and base64 of a data URL (RFC 2397); nothing where it is another URL."""
    if url is None or not url.startswith(_DATA):
        return None, None
    head, comma, data = url.partition(",")
    media_type = head[len(_DATA) :].removesuffix(_BASE64)
    if not comma or not head.endswith(_BASE64) or not media_type or ";" in media_type:
        return None, None
    return media_type, data
