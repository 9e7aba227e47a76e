"""Reading of JSON objects field by field: each value by its type, each fault by its path, and what is left over."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Extra

T = TypeVar("T")

Object = dict[str, msgspec.Raw]

_object: Final = msgspec.json.Decoder(Object)
_text: Final = msgspec.json.Decoder(str | None)
_flag: Final = msgspec.json.Decoder(bool | None)
_count: Final = msgspec.json.Decoder(int | None)
_number: Final = msgspec.json.Decoder(float | None)
_raws: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_objects: Final = msgspec.json.Decoder(list[Object] | None)
_maybe_object: Final = msgspec.json.Decoder(Object | None)
_texts: Final = msgspec.json.Decoder(list[str] | None)
_labels: Final = msgspec.json.Decoder(dict[str, str] | None)
_NULL: Final = b"null"
_QUOTE: Final = b'"'


def is_null(raw: msgspec.Raw) -> bool:
    return memoryview(raw).nbytes == len(_NULL) and bytes(raw) == _NULL


def is_text(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == _QUOTE


class Fields:
    """One object. Each reading takes its field out; `rest` is what nobody asked for."""

    __slots__ = ("_left", "path")

    def __init__(self, left: Object, path: str = "") -> None:
        self._left = left
        self.path = path

    @classmethod
    def of(cls, raw: msgspec.Raw | bytes, path: str = "") -> "Fields":
        """Raises `InvalidParameter` for what is no object."""
        try:
            return cls(_object.decode(raw), path)
        except msgspec.ValidationError as error:
            raise InvalidParameter(path or "body", "must be an object") from error
        except msgspec.DecodeError as error:
            raise InvalidParameter(path or "body", f"is no JSON: {error}") from error

    def copy(self) -> "Fields":
        """The same object, to be read once more."""
        return Fields(dict(self._left), self.path)

    def name(self, field: str) -> str:
        """The path of a field, as a message names it."""
        return f"{self.path}.{field}" if self.path else field

    def text(self, field: str) -> str | None:
        return self._read(field, _text, "a string")

    def needed(self, field: str) -> str:
        """A string that has to be there."""
        found = self.text(field)
        if found is None:
            raise InvalidParameter(self.name(field), "is missing: give a string")
        return found

    def one_of(self, field: str, allowed: Collection[str]) -> str | None:
        found = self.text(field)
        if found is not None and found not in allowed:
            raise InvalidParameter(self.name(field), f"{found[:40]!r} cannot be: one of {', '.join(sorted(allowed))}")
        return found

    def flag(self, field: str) -> bool | None:
        return self._read(field, _flag, "true or false")

    def count(self, field: str, *, least: int, most: int) -> int | None:
        found = self._read(field, _count, "a whole number")
        self._hold(field, found, least, most)
        return found

    def number(self, field: str, *, least: float, most: float) -> float | None:
        found = self._read(field, _number, "a number")
        self._hold(field, found, least, most)
        return found

    def object(self, field: str) -> "Fields | None":
        found = self._read(field, _maybe_object, "an object")
        return None if found is None else Fields(found, self.name(field))

    def objects(self, field: str) -> Iterator["Fields"]:
        """Each object of a list; none where the field is absent."""
        path = self.name(field)
        raw = self._left.get(field)
        try:
            found = _objects.decode(raw) if raw is not None else None
        except msgspec.DecodeError:
            # One by one, to say which one it is.
            for place, one in enumerate(self.raws(field)):
                yield Fields.of(one, f"{path}[{place}]")
            return
        self._left.pop(field, None)
        for place, one in enumerate(found or ()):
            yield Fields(one, f"{path}[{place}]")

    def raws(self, field: str) -> Sequence[msgspec.Raw]:
        return self._read(field, _raws, "a list") or ()

    def texts(self, field: str) -> Sequence[str]:
        return self._read(field, _texts, "a list of strings") or ()

    def labels(self, field: str) -> dict[str, str] | None:
        return self._read(field, _labels, "an object of strings")

    def raw(self, field: str) -> msgspec.Raw | None:
        """A field as it came; None for null."""
        found = self._left.pop(field, None)
        return None if found is None or is_null(found) else found

    def is_text(self, field: str) -> bool:
        """Whether a field is there and a string."""
        found = self._left.get(field)
        return found is not None and is_text(found)

    def look(self, field: str) -> msgspec.Raw | None:
        """A field, left where it is."""
        return self._left.get(field)

    def skip(self, *fields: str) -> None:
        """Take out what says nothing here."""
        for field in fields:
            self._left.pop(field, None)

    def rest(self) -> Extra:
        """What is left, nulls excepted."""
        if not self._left:
            return {}
        return {name: raw.copy() for name, raw in self._left.items() if not is_null(raw)}

    def whole(self, kind: str) -> msgspec.Raw:
        """All of the object, as far as nothing but its type was taken out."""
        return msgspec.Raw(msgspec.json.encode({"type": kind, **self._left}))

    def _read(self, field: str, decoder: "msgspec.json.Decoder[T]", wanted: str) -> T | None:
        found = self._left.pop(field, None)
        if found is None:
            return None
        try:
            return decoder.decode(found)
        except msgspec.DecodeError as error:
            raise InvalidParameter(self.name(field), f"must be {wanted}") from error

    def _hold(self, field: str, found: float | None, least: float, most: float) -> None:
        if found is not None and not least <= found <= most:
            raise InvalidParameter(self.name(field), f"{found} cannot be: from {least:g} to {most:g}")
