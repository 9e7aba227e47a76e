"""Recorded requests of real clients; extra, for the recordings are not part of this repository."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from steward.services.models.errors import UnsupportedParameter
from steward.services.models.messages import Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from tests.services.models.wire.responses.made import server

RECORDED = Path(__file__).parents[6] / "shared/data/wire/pydantic-ai/tests/models/cassettes/test_openai_responses"
LARGEST = 12_000
LEAST = 40
NEED_A_STORE = ("previous_response_id", "conversation", "background", "include", "item_reference")


def recorded() -> Iterator[dict[str, Any]]:
    for file in sorted(RECORDED.glob("*.yaml")):
        if file.stat().st_size <= LARGEST:
            for one in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]:
                asked = one["request"]
                if asked["uri"].endswith("/v1/responses") and one["response"]["status"]["code"] == 200:
                    yield asked["parsed_body"]


@pytest.mark.skipif(not RECORDED.exists(), reason=f"NO RECORDINGS: {RECORDED} is not there")
def test_recorded_requests_lose_nothing() -> None:
    read = 0
    refused: list[str] = []
    for body in recorded():
        try:
            found = server().decode(json.dumps(body).encode()).request
        except UnsupportedParameter as error:
            refused.append(error.message)
            continue
        messages = list(found.messages)
        if body.get("instructions"):
            assert words(messages.pop(0)) == [body["instructions"]]
        given = body.get("input") or []
        expected = [given] if isinstance(given, str) else [word for item in given for word in words_of(item)]
        assert [word for message in messages for word in words(message)] == expected
        phases = [item["phase"] for item in given if isinstance(item, dict) and item.get("phase")]
        assert [message.phase for message in messages if message.phase] == phases
        assert len(found.tools) == len(body.get("tools") or [])
        assert found.model == body["model"]
        read += 1
    assert read >= LEAST
    assert [one for one in refused if not any(name in one for name in NEED_A_STORE)] == []


def words(message: Message) -> list[str]:
    """Everything that a message says, in order."""
    said: list[str] = []
    for part in message.parts:
        match part:
            case Text():
                said.append(part.text)
            case Reasoning():
                said += [*part.summary, *([part.text] if part.text else []), part.encrypted or ""]
            case ToolCall():
                said += [part.id, part.name, part.arguments]
            case ToolResult():
                said.append(part.call_id)
                said += [one.text if isinstance(one, Text) else type(one).__name__ for one in part.content]
            case Opaque():
                said.append(part.type)
            case _:
                said.append(type(part).__name__)
    return said


def words_of(item: dict[str, Any]) -> list[str]:
    """The same of an item as it was sent."""
    match item.get("type", "message"):
        case "message":
            return content_of(item["content"])
        case "reasoning":
            texts = [one["text"] for one in [*item["summary"], *(item.get("content") or [])]]
            return [*texts, item.get("encrypted_content") or ""]
        case "function_call" | "custom_tool_call":
            return [item["call_id"], item["name"], item.get("arguments") or item["input"]]
        case "function_call_output" | "custom_tool_call_output":
            return [item["call_id"], *content_of(item["output"])]
        case kind:
            return [kind]


def content_of(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    assert isinstance(content, list)
    kinds = {"input_image": "Image", "input_file": "File", "input_audio": "Audio"}
    return [one.get("text", one.get("refusal")) or kinds[one["type"]] for one in content]
