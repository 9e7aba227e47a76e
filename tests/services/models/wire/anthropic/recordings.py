"""What was recorded of Anthropic's API; it is not part of this repository."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from steward.services.models.messages import StreamEvent
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer
from steward.services.models.wire.ports import Asked, ServerEvent

WIRE = Path(__file__).parents[6] / "shared" / "data" / "wire"
CASSETTES = WIRE / "pydantic-ai" / "tests" / "models"
FIXTURES = WIRE / "anthropic-sdk-python" / "tests" / "lib" / "streaming" / "fixtures"
MISSING = f"NO RECORDINGS: {WIRE} is not there, codecs not tried on them"

CLIENT = AnthropicClient()
SERVER = AnthropicServer()

_SAID_IN_VAIN = {"stream": False, "is_error": False, "caller": {"type": "direct"}}


class Exchange(msgspec.Struct, frozen=True):
    name: str
    asked: dict[str, Any]
    status: int
    answer: dict[str, Any] | None
    stream: str | None


def exchanges() -> Iterator[Exchange]:
    """Every call of `POST /v1/messages` in the cassettes; `count_tokens` and Bedrock's forms are other operations."""
    for file in sorted(CASSETTES.rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if "/v1/messages" not in text:
            continue
        for one in yaml.load(text, Loader=yaml.CSafeLoader)["interactions"]:
            asked, said = one["request"], one["response"]
            if asked["uri"].split("?")[0].endswith("/v1/messages"):
                yield Exchange(
                    file.stem,
                    asked["parsed_body"],
                    said["status"]["code"],
                    said.get("parsed_body"),
                    _text(said.get("body")),
                )


def _text(body: Any) -> str | None:
    text = body["string"] if isinstance(body, dict) else body
    return text.decode() if isinstance(text, bytes) else text


def plain(value: Any) -> Any:
    """Without nulls."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    return [plain(one) for one in value] if isinstance(value, list) else value


def meant(value: Any) -> Any:
    """What a request means: without nulls and what says nothing, as documented in `wire.anthropic`."""
    if isinstance(value, dict):
        kept = {name: meant(one) for name, one in value.items() if one is not None}
        return {name: one for name, one in kept.items() if name not in _SAID_IN_VAIN or one != _SAID_IN_VAIN[name]}
    return [meant(one) for one in value] if isinstance(value, list) else value


def server_events(text: str) -> list[ServerEvent]:
    """A stream's events, read line by line as they lie in the recordings."""
    events: list[ServerEvent] = []
    name = ""
    for line in text.splitlines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            events.append(ServerEvent(value.strip().encode(), name))
    return events


def read_stream(text: str) -> list[StreamEvent]:
    decoder = CLIENT.stream()
    return [*(said for event in server_events(text) for said in decoder.feed(event)), *decoder.end()]


def write_stream(events: list[StreamEvent], asked: Asked) -> str:
    encoder = SERVER.stream(asked)
    return (b"".join([encoder.encode(event) for event in events]) + encoder.end()).decode()


def told(text: str) -> list[dict[str, Any]]:
    """The data of each event but pings."""
    said = [json.loads(event.data) for event in server_events(text)]
    return [one for one in said if one["type"] != "ping"]


def folded(text: str) -> dict[str, Any]:
    """The message that a stream tells, without knowing any codec: blocks with their deltas side by side."""
    message: dict[str, Any] = {}
    for event in told(text):
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append({"block": event["content_block"]})
            case "content_block_delta":
                _grow(message["content"][event["index"]], event["delta"])
            case "message_delta":
                message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
                message |= event["delta"]
                message |= {k: v for k, v in event.items() if k not in {"type", "delta", "usage"}}
            case _:
                pass
    return plain(message)


def _grow(held: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name in {"text", "thinking", "partial_json", "signature"}:
            held[name] = held.get(name, "") + value
        elif name != "type":
            held.setdefault(name, []).append(value)
