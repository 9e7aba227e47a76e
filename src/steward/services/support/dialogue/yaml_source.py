"""The adapter of PyYAML: plain values and the line of each, within bounds, without tags, anchors and aliases.

Scalars are read by the core schema of YAML 1.2 (section 10.3.2): `no`, `on` and dates are texts, `true` is not. Nothing
is ever constructed but texts, numbers, booleans, null, lists and maps with texts as keys.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import yaml

from steward.services.support.dialogue.problems import Problem

MAX_CHARACTERS: Final = 200_000
MAX_DEPTH: Final = 20
MAX_VALUES: Final = 20_000

Path = tuple[str | int, ...]

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,15}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]{1,15}|[0-9]{1,15}(?:\.[0-9]{0,15})?)(?:[eE][-+]?[0-9]{1,2})?")
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Document(msgspec.Struct, frozen=True):
    """A YAML document."""

    value: Any
    lines: Mapping[Path, int]
    """Of each value, counted from 1."""

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class NotReadable(Exception):
    """The text is no YAML that is taken; `problem` says where and why."""

    def __init__(self, line: int, path: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line=line, path=path, text=text)


def read(source: str) -> Document:
    """Read a document; raises `NotReadable` at the first thing that is not taken."""
    if len(source) > MAX_CHARACTERS:
        raise NotReadable(1, "", f"{len(source)} characters are more than the {MAX_CHARACTERS} taken: shorten it")
    reader = _Reader()
    try:
        for event in yaml.parse(source, Loader=yaml.CSafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"column {mark.column + 1}: " if mark else ""
        raise NotReadable(mark.line + 1 if mark else 1, "", f"{where}{error.problem}: correct the YAML") from error
    except yaml.YAMLError as error:
        raise NotReadable(1, "", f"{error}: remove the character") from error
    return Document(reader.root, reader.lines)


def shown(path: Path) -> str:
    """A path as people read it: `steps[2].text.en`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


class _Reader:
    """Builds values from the parser's events, so that nothing is built that the bounds forbid."""

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[Path, int] = {}
        self._open: list[tuple[Path, dict[str, Any] | list[Any]]] = []
        self._key: list[str | None] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise NotReadable(line, "", "a second document begins: keep one playbook in a file")
            case yaml.AliasEvent():
                raise NotReadable(line, self._here(), f"the alias *{event.anchor} is not taken: write the value out")
            case yaml.ScalarEvent():
                self._refuse_marks(event.anchor, event.tag, line)
                self._scalar(event, line)
            case yaml.MappingStartEvent():
                self._refuse_marks(event.anchor, event.tag, line)
                self._begin({}, line)
            case yaml.SequenceStartEvent():
                self._refuse_marks(event.anchor, event.tag, line)
                self._begin([], line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._key.pop()
            case _:
                pass

    def _refuse_marks(self, anchor: str | None, tag: str | None, line: int) -> None:
        if anchor is not None:
            raise NotReadable(line, self._here(), f"the anchor &{anchor} is not taken: write the value out each time")
        if tag is not None and tag != "!":
            raise NotReadable(line, self._here(), f"the tag {tag} is not taken: remove it")

    def _begin(self, value: dict[str, Any] | list[Any], line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise NotReadable(line, self._here(), f"nested deeper than {MAX_DEPTH}: flatten it")
        path = self._place(value, line)
        self._open.append((path, value))
        self._key.append(None)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if self._open and isinstance(self._open[-1][1], dict) and self._key[-1] is None:
            held = self._open[-1][1]
            if event.value in held:
                raise NotReadable(line, self._here(), f"the key {event.value!r} is there twice: remove one")
            self._key[-1] = event.value
        else:
            self._place(event.value if not event.implicit[0] else _plain(event.value), line)

    def _place(self, value: Any, line: int) -> Path:
        """Put a value where the parser stands; its path."""
        if len(self.lines) >= MAX_VALUES:
            raise NotReadable(line, self._here(), f"more than {MAX_VALUES} values: split the playbook")
        if not self._open:
            self.root, path = value, ()
        else:
            around, held = self._open[-1]
            if isinstance(held, list):
                path = (*around, len(held))
                held.append(value)
            else:
                key = self._key[-1]
                if key is None:
                    raise NotReadable(line, self._here(), "a list or map stands as a key: use a text")
                path = (*around, key)
                held[key] = value
                self._key[-1] = None
        self.lines[path] = line
        return path

    def _here(self) -> str:
        return shown(self._open[-1][0]) if self._open else ""


def _plain(text: str) -> Any:
    """A scalar without quotation marks, by the core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
