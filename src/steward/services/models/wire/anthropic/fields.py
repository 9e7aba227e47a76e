"""Reads JSON objects field by field, so that what nobody asked for is left over and can be kept."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

Value = msgspec.Raw | str | int | float | bool | Mapping[str, "Value"] | Sequence["Value"] | None
"""What is written as JSON."""
Object = dict[str, Value]

encode: Final = msgspec.json.Encoder().encode
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])
_text: Final = msgspec.json.Decoder(str)
_maybe_list: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_maybe_text: Final = msgspec.json.Decoder(str | None)
_maybe_texts: Final = msgspec.json.Decoder(list[str] | None)
_maybe_number: Final = msgspec.json.Decoder(float | None)
_maybe_count: Final = msgspec.json.Decoder(int | None)
_maybe_flag: Final = msgspec.json.Decoder(bool | None)

_NULL: Final = b"null"
_QUOTE: Final = ord('"')


class Malformed(Exception):
    """JSON of another form than the dialect has. `path` says where, such as `messages.0.content`; empty for all."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'body'}: {message}")
        self.path = path
        self.message = message


class Fields:
    """One object. Each reading takes its field away; a null counts as absent."""

    __slots__ = ("left", "path")

    def __init__(self, left: dict[str, msgspec.Raw], path: str) -> None:
        self.left = left
        self.path = path

    @classmethod
    def of(cls, raw: msgspec.Raw | bytes, path: str) -> "Fields":
        """Raises `Malformed` for what is no object."""
        return cls(read(_object, raw, path), path)

    def text(self, name: str) -> str | None:
        return self._take(name, _maybe_text)

    def needed(self, name: str) -> str:
        """A text that must be there."""
        text = self._take(name, _maybe_text)
        if text is None:
            raise Malformed(at(self.path, name), "it must be there, a string")
        return text

    def texts(self, name: str) -> Sequence[str]:
        return self._take(name, _maybe_texts) or ()

    def number(self, name: str) -> float | None:
        return self._take(name, _maybe_number)

    def count(self, name: str) -> int | None:
        return self._take(name, _maybe_count)

    def flag(self, name: str) -> bool | None:
        return self._take(name, _maybe_flag)

    def raws(self, name: str) -> list[msgspec.Raw] | None:
        return self._take(name, _maybe_list)

    def raw(self, name: str) -> msgspec.Raw | None:
        raw = self.left.pop(name, None)
        return None if raw is None or is_null(raw) else raw

    def object(self, name: str) -> "Fields | None":
        raw = self.raw(name)
        return None if raw is None else Fields.of(raw, at(self.path, name))

    def rest(self) -> Mapping[str, msgspec.Raw]:
        """What nobody took."""
        if not self.left:
            return {}
        return {name: raw for name, raw in self.left.items() if not is_null(raw)}

    def _take(self, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        raw = self.left.pop(name, None)
        return None if raw is None else read(decoder, raw, self.path, name)


def at(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)


def is_null(raw: msgspec.Raw) -> bool:
    return bytes(raw) == _NULL


def is_text(raw: msgspec.Raw) -> bool:
    return memoryview(raw)[0] == _QUOTE


def read_text(raw: msgspec.Raw, path: str) -> str:
    return read(_text, raw, path)


def read_list(raw: msgspec.Raw, path: str) -> list[msgspec.Raw]:
    return read(_list, raw, path)


def as_raw(value: Value) -> msgspec.Raw:
    return msgspec.Raw(encode(value))


def as_text(raw: msgspec.Raw) -> str:
    """JSON as its text, as it is."""
    return bytes(raw).decode()


def object_from(text: str) -> msgspec.Raw | None:
    """A JSON object from its text, as it is; None where the text is none."""
    try:
        _object.decode(text)
    except msgspec.MsgspecError:
        return None
    return msgspec.Raw(text.encode())


def read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes, path: str, name: str = "") -> T:
    """Raises `Malformed` naming path and name."""
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Malformed(at(path, name) if name else path, f"cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise Malformed(at(path, name) if name else path, "it is not valid UTF-8") from error
