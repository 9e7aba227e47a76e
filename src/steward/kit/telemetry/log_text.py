"""Log lines for a person at a terminal."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from steward.kit.telemetry.logs import LogLine, Render

_COLORS: Mapping[str, str] = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_RESET = "\x1b[0m"
_TIME = slice(11, 23)


def text_renderer(*, color: bool) -> Render:
    """A renderer of lines such as `12:03:04.123 INFO    identity  user invited  user.invited  4.2 ms  tenant=…`.

    A stack follows on lines that begin with `    | `, which no message can forge: line feeds are escaped elsewhere.
    """

    def render(line: LogLine) -> bytes:
        level = f"{line.level.upper():<8}"
        if color and line.level in _COLORS:
            level = f"{_COLORS[line.level]}{level}{_RESET}"
        stack = _take_stack(line.data)
        parts = [_one_line(line.message), line.event_type, *_known(line), *_pairs(line.data)]
        head = f"{line.timestamp[_TIME]} {level} {line.service}  {'  '.join(parts)}\n"
        tail = "".join(f"    | {_one_line(row)}\n" for row in stack.splitlines())
        return (head + tail).encode()

    return render


def _take_stack(data: dict[str, Any]) -> str:
    error = data.get("error")
    if not isinstance(error, dict):
        return ""
    rest = cast("dict[str, Any]", error)
    return str(rest.pop("stacktrace", ""))


def _known(line: LogLine) -> list[str]:
    parts = [] if line.duration_ms is None else [f"{line.duration_ms} ms"]
    named = (("tenant", line.tenant_id), ("user", line.user_id), ("trace", line.trace_id))
    return parts + [f"{name}={_one_line(value)}" for name, value in named if value]


def _pairs(data: dict[str, Any]) -> list[str]:
    return [f"{_one_line(key)}={_value(value)}" for key, value in data.items()]


def _value(value: object) -> str:
    return _one_line(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


def _one_line(text: str) -> str:
    """The controls that `clean` leaves, escaped."""
    return text.replace("\n", "\\n").replace("\t", "\\t")
