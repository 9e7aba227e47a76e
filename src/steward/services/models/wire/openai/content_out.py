"""Content of a request's messages, written for a provider."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Audio,
    CacheHint,
    Dialect,
    Extra,
    File,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
)
from steward.services.models.wire.openai.fields import NULL, put_back
from steward.services.models.wire.openai.messages_in import ANNOTATIONS
from steward.services.models.wire.openai.thoughts import joined_lists

NAME: Final = Dialect.OPENAI.value
_OCTETS: Final = "application/octet-stream"
_NAMES: Final[Mapping[str, str]] = {"application/pdf": "document.pdf", "text/plain": "document.txt"}


class Telling(msgspec.Struct, frozen=True):
    """To whom a request is told."""

    dialect: Dialect | None
    """In which the request came."""
    newer: bool
    """Whether the provider is OpenAI itself, or as strict as it is."""

    @property
    def own(self) -> bool:
        """Whether extra fields are of this dialect, or a service's that answers for them."""
        return self.dialect is Dialect.OPENAI or self.dialect is None

    def check(self, extra: Extra, path: str) -> Extra:
        """The extra fields, if they may be told here. Raises `CannotExpress` naming the first that may not."""
        if extra and not self.own:
            raise CannotExpress(f"{path}.{next(iter(extra))}".lstrip("."), NAME)
        return extra

    def hint(self, cache: CacheHint | None, told: dict[str, object]) -> None:
        """The caller's own `cache_control`; another dialect's hint is left out, for caching happens by itself here."""
        if cache is not None and self.dialect is Dialect.OPENAI:
            told["cache_control"] = {"type": "ephemeral"} | ({"ttl": cache.ttl} if cache.ttl else {})


def write_content(parts: Sequence[Part], telling: Telling, path: str, *, plain: bool) -> str | list[object] | None:
    """A bare string where it came as one or is one, a list of parts otherwise; None where there is nothing.

    Callers of other dialects write a single text as a list of blocks, which some providers here do not take.
    """
    if not parts:
        return "" if plain else None
    first = parts[0]
    if (
        len(parts) == 1
        and isinstance(first, Text)
        and (plain or telling.dialect is not Dialect.OPENAI)
        and first.extra.keys() <= {ANNOTATIONS}
    ):
        telling.check(first.extra, f"{path}[0]")
        return first.text
    return [_part(part, telling, f"{path}[{place}]") for place, part in enumerate(parts)]


def _part(part: Part, telling: Telling, path: str) -> object:
    extra = telling.check(part.extra, path)
    match part:
        case Text():
            told: dict[str, object] = {"type": "text", "text": part.text}
            extra = {name: raw for name, raw in extra.items() if name != ANNOTATIONS}
        case Refusal():
            told = {"type": "refusal", "refusal": part.text}
        case Image():
            told = {"type": "image_url", "image_url": _image(part, path)}
        case Audio():
            told = {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case File():
            told = {"type": "file", "file": _file(part, telling, path)}
        case Opaque(dialect=Dialect.OPENAI):
            return part.raw
        case _:
            kind = part.type if isinstance(part, Opaque) else type(part).__struct_config__.tag
            raise CannotExpress(f"{path} ({kind})", NAME)
    telling.hint(part.cache, told)
    return put_back(told, extra, str(told["type"])) if extra else told


def _image(part: Image, path: str) -> dict[str, object]:
    if part.file_id is not None:
        raise CannotExpress(f"{path}.file_id", NAME)
    url = part.url if part.data is None else f"data:{part.media_type or _OCTETS};base64,{part.data}"
    told: dict[str, object] = {"url": url}
    if part.detail is not None:
        told["detail"] = part.detail
    return told


def _file(part: File, telling: Telling, path: str) -> dict[str, object]:
    told: dict[str, object] = {}
    name, media_type = part.name, part.media_type
    if part.url is not None:
        if not telling.own:
            raise CannotExpress(f"{path}.url", NAME)
        told["file_data"] = part.url
    elif part.text is not None:
        media_type = "text/plain"
        told["file_data"] = f"data:{media_type};base64,{b64encode(part.text.encode()).decode()}"
    elif part.data is not None:
        told["file_data"] = part.data if media_type is None else f"data:{media_type};base64,{part.data}"
    if part.file_id is not None:
        told["file_id"] = part.file_id
    if name is None and part.file_id is None and telling.dialect is not Dialect.OPENAI:
        name = _NAMES.get(media_type or "", "document")
    if name is not None:
        told["filename"] = name
    return told


def annotations(parts: Sequence[Part]) -> msgspec.Raw:
    """Those of the texts, in one list; null where there are none."""
    found = NULL
    for part in parts:
        raw = part.extra.get(ANNOTATIONS) if isinstance(part, Text) else None
        if raw is not None:
            found = raw if found == NULL else joined_lists(found, raw)
    return found
