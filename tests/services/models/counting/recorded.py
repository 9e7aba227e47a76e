"""Recorded requests of real clients with the input tokens that the provider reported, as our own message model."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from steward.services.models.messages import (
    Audio,
    Dialect,
    File,
    Image,
    Message,
    ModelRequest,
    Opaque,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

FOLDER = Path(__file__).parents[5] / "shared" / "data" / "wire" / "pydantic-ai" / "tests" / "models"
PATHS = re.compile(r"/(chat/completions|v1/messages|responses)(?:\?|$)")


class Recorded(NamedTuple):
    name: str
    host: str
    model: str
    request: ModelRequest
    tokens: int
    """What the provider counted as input, cached ones included."""


def recordings(glob: str = "**/*.yaml", largest: int = 400_000) -> Iterator[Recorded]:
    """All recorded calls with usage, of files up to so many bytes."""
    for file in sorted(FOLDER.glob(glob)):
        if file.stat().st_size > largest:
            continue
        for number, one in enumerate(
            yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]
        ):
            found = _recorded(f"{file.stem}#{number}", one)
            if found is not None:
                yield found


def _recorded(name: str, one: Mapping[str, Any]) -> Recorded | None:
    asked, answer = one["request"], one["response"]
    uri, body = asked["uri"], asked.get("parsed_body")
    path = PATHS.search(uri)
    if path is None or not isinstance(body, dict) or answer["status"]["code"] != 200:
        return None
    tokens = _input_tokens(answer)
    if tokens is None:
        return None
    read = {"chat/completions": chat, "v1/messages": anthropic, "responses": responses}[path[1]]
    return Recorded(name, uri.split("/")[2], str(body.get("model")), read(body), tokens)


def _input_tokens(answer: Mapping[str, Any]) -> int | None:
    body = answer.get("parsed_body")
    if isinstance(body, dict):
        return _usage(body.get("usage"))
    found = None
    for line in str((answer.get("body") or {}).get("string", "")).splitlines():
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            inner = event.get("response") or event.get("message") or event
            found = _usage(inner.get("usage")) or found
    return found


def _usage(usage: Mapping[str, Any] | None) -> int | None:
    if not usage:
        return None
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"]
    cached = sum(usage.get(name) or 0 for name in ("cache_creation_input_tokens", "cache_read_input_tokens"))
    return usage["input_tokens"] + cached if usage.get("input_tokens") is not None else None


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _rest(body: Mapping[str, Any], *known: str) -> dict[str, msgspec.Raw]:
    harmless = {"stream", "temperature", "max_tokens", "max_completion_tokens", "stream_options", "top_p", "betas"}
    return {name: _raw(value) for name, value in body.items() if name not in {"model", *known, *harmless}}


def chat(body: Mapping[str, Any]) -> ModelRequest:
    messages = [
        Message(role=Role(one["role"]), parts=_chat_parts(one), name=one.get("name")) for one in body["messages"]
    ]
    tools = [
        Tool(
            name=one["function"]["name"],
            description=one["function"].get("description"),
            parameters=_raw(one["function"].get("parameters")),
        )
        if one["type"] == "function"
        else Tool(name=one["type"], opaque=_raw(one))
        for one in body.get("tools") or ()
    ]
    schema = (body.get("response_format") or {}).get("json_schema")
    output = OutputFormat(kind=OutputKind.SCHEMA, schema=_raw(schema)) if schema else None
    extra = _rest(body, "messages", "tools", "response_format", "tool_choice")
    return ModelRequest(model=body["model"], messages=messages, tools=tools, output=output, extra=extra)


def _chat_parts(one: Mapping[str, Any]) -> Sequence[Part]:
    content = one.get("content")
    parts: list[Part] = [Text(text=content)] if isinstance(content, str) else []
    for item in content if isinstance(content, list) else ():
        match item["type"]:
            case "text":
                parts.append(Text(text=item["text"]))
            case "image_url":
                parts.append(Image(url=item["image_url"]["url"]))
            case "input_audio":
                parts.append(Audio(data=item["input_audio"]["data"], format=item["input_audio"]["format"]))
            case "file":
                parts.append(File(data=item["file"].get("file_data"), url=item["file"].get("file_id")))
            case kind:
                parts.append(Opaque(dialect=Dialect.OPENAI, type=kind, raw=_raw(item)))
    if one["role"] == "tool":
        return [
            ToolResult(call_id=one["tool_call_id"], content=[part for part in parts if isinstance(part, Text | Image)])
        ]
    if thought := one.get("reasoning") or one.get("reasoning_content"):
        parts.append(Reasoning(text=thought))
    calls = [(call["id"], call["function"]) for call in one.get("tool_calls") or ()]
    parts += [ToolCall(id=name, name=told["name"], arguments=told["arguments"]) for name, told in calls]
    if one.get("reasoning_details"):
        parts.append(Reasoning(encrypted=json.dumps(one["reasoning_details"])))
    return parts


def anthropic(body: Mapping[str, Any]) -> ModelRequest:
    system = body.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
    messages = [Message(role=Role.SYSTEM, parts=[_block(one) for one in blocks])] if blocks else []
    for one in body["messages"]:
        content = [{"type": "text", "text": one["content"]}] if isinstance(one["content"], str) else one["content"]
        messages.append(Message(role=Role(one["role"]), parts=[_block(item) for item in content]))
    tools = [
        Tool(name=one["name"], description=one.get("description"), parameters=_raw(one["input_schema"]))
        if "input_schema" in one
        else Tool(name=one.get("name", ""), opaque=_raw(one))
        for one in body.get("tools") or ()
    ]
    thinking = Thinking(mode=body["thinking"]["type"]) if body.get("thinking") else None
    shape = (body.get("output_config") or body).get("format") or body.get("output_format")
    output = OutputFormat(kind=OutputKind.SCHEMA, schema=_raw(shape["schema"])) if shape else None
    extra = _rest(body, "messages", "system", "tools", "thinking", "output_config", "output_format", "tool_choice")
    return ModelRequest(
        model=body["model"], messages=messages, tools=tools, thinking=thinking, output=output, extra=extra
    )


def _block(item: Mapping[str, Any]) -> Part:  # noqa: PLR0911 one for each kind
    match item["type"]:
        case "text":
            return Text(text=item["text"])
        case "image":
            return Image(data=item["source"].get("data"), url=item["source"].get("url"))
        case "document":
            source = item["source"]
            if source["type"] == "text":
                return File(text=source["data"])
            return File(
                data=source.get("data"),
                url=source.get("url"),
                file_id=source.get("file_id"),
                media_type=source.get("media_type"),
            )
        case "thinking":
            return Reasoning(text=item["thinking"], signature=item.get("signature"))
        case "redacted_thinking":
            return Reasoning(redacted=item["data"])
        case "tool_use":
            return ToolCall(id=item["id"], name=item["name"], arguments=json.dumps(item["input"]))
        case "tool_result":
            content = item.get("content") or []
            whole = [{"type": "text", "text": content}] if isinstance(content, str) else content
            parts = [_block(one) for one in whole]
            return ToolResult(
                call_id=item["tool_use_id"],
                content=[part for part in parts if isinstance(part, Text | Image | File | Opaque)],
            )
        case kind:
            return Opaque(dialect=Dialect.ANTHROPIC, type=kind, raw=_raw(item))


def responses(body: Mapping[str, Any]) -> ModelRequest:
    messages: list[Message] = []
    if body.get("instructions"):
        messages.append(Message(role=Role.SYSTEM, parts=[Text(text=body["instructions"])]))
    items = [{"role": "user", "content": body["input"]}] if isinstance(body["input"], str) else body["input"]
    messages += [_item(one) for one in items]
    tools = [
        Tool(name=one["name"], description=one.get("description"), parameters=_raw(one.get("parameters")))
        if one["type"] == "function"
        else Tool(name=one["type"], opaque=_raw(one))
        for one in body.get("tools") or ()
    ]
    shape = (body.get("text") or {}).get("format") or {}
    output = OutputFormat(kind=OutputKind.SCHEMA, schema=_raw(shape["schema"])) if "schema" in shape else None
    extra = _rest(body, "input", "instructions", "tools", "text", "tool_choice", "include", "reasoning", "store")
    return ModelRequest(
        model=body["model"], messages=messages, tools=tools, output=output, extra=extra, dialect=Dialect.RESPONSES
    )


def _item(one: Mapping[str, Any]) -> Message:
    match one.get("type", "message"):
        case "message":
            content = one["content"]
            whole = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            return Message(role=Role(one["role"]), parts=[_content(item) for item in whole])
        case "function_call":
            call = ToolCall(id=one["call_id"], name=one["name"], arguments=one["arguments"])
            return Message(role=Role.ASSISTANT, parts=[call])
        case "function_call_output":
            output = one["output"]
            whole = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
            parts = [_content(item) for item in whole]
            content = [part for part in parts if isinstance(part, Text | Image | File | Opaque)]
            return Message(role=Role.TOOL, parts=[ToolResult(call_id=one["call_id"], content=content)])
        case "reasoning":
            summary = [item["text"] for item in one.get("summary") or ()]
            part = Reasoning(id=one.get("id"), encrypted=one.get("encrypted_content"), summary=summary)
            return Message(role=Role.ASSISTANT, parts=[part])
        case kind:
            return Message(role=Role.ASSISTANT, parts=[Opaque(dialect=Dialect.RESPONSES, type=kind, raw=_raw(one))])


def _content(item: Mapping[str, Any]) -> Part:
    match item["type"]:
        case "input_text" | "output_text":
            return Text(text=item["text"])
        case "refusal":
            return Refusal(text=item["refusal"])
        case "input_image":
            return Image(url=item.get("image_url"), file_id=item.get("file_id"))
        case "input_file":
            return File(data=item.get("file_data"), url=item.get("file_url"), file_id=item.get("file_id"))
        case kind:
            return Opaque(dialect=Dialect.RESPONSES, type=kind, raw=_raw(item))
