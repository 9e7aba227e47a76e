"""No request has more tokens than its bound: recorded calls of real providers, and characters that grow."""

import json
import re
import sys
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.services.models.counting.bounds import (
    AUDIO_BYTES,
    REQUEST,
    SERVER_TOOL,
    UNSEEN,
    bound,
    unbounded,
)
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
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

from .recorded import FOLDER, recordings

BEYOND = re.compile(r"compound-beta|reasoning_mode_pro|gemini-2.0-flash-exp:free")
"""A model that searches by itself, a mode that reads the prompt several times, and a router's preset."""


def asked(*parts: Part, role: Role = Role.USER, **more: Any) -> ModelRequest:
    return ModelRequest(model="m", messages=[Message(role=role, parts=parts)], **more)


def of(*parts: Part, **more: Any) -> int:
    return bound(asked(*parts, **more), image_tokens=1000)


@pytest.mark.skipif(not FOLDER.exists(), reason=f"NO RECORDINGS: {FOLDER} is not there, bounds not tried on them")
def test_every_recorded_call_had_fewer_tokens_than_its_bound() -> None:
    passed = [
        (one.name, one.model, one.tokens)
        for one in recordings()
        if bound(one.request, image_tokens=50_000) < one.tokens and not BEYOND.search(f"{one.model} {one.name}")
    ]
    assert passed == []


@pytest.mark.skipif(not FOLDER.exists(), reason=f"NO RECORDINGS: {FOLDER} is not there, bounds not tried on them")
def test_recorded_searches_at_the_provider_are_named_as_unbounded() -> None:
    searched = [
        one for one in recordings("cassettes/test_openai_responses/*web_search_tool*.yaml") if one.request.tools
    ]
    assert len(searched) >= 5
    assert all("tools.web_search" in unbounded(one.request) for one in searched)


def test_every_character_that_normalization_lengthens_is_counted_by_what_it_becomes() -> None:
    grown = [
        chr(number)
        for number in range(0x80, sys.maxunicode)
        if not 0xD800 <= number < 0xE000
        and len(unicodedata.normalize("NFKC", chr(number)).encode()) > len(chr(number).encode())
    ]
    text = "".join(grown)
    assert len(grown) > 500
    assert of(Text(text=text)) - of(Text(text="")) >= sum(
        len(unicodedata.normalize("NFKC", one).encode()) for one in grown
    )


@given(st.text(max_size=60))
def test_a_text_counts_for_at_least_its_bytes_in_each_normal_form(text: str) -> None:
    forms = [text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFKC"))]
    most = max(len(form.encode("utf-8", "surrogatepass")) for form in forms)
    assert of(Text(text=text)) - of(Text(text="")) >= most


@given(st.lists(st.text(max_size=8), max_size=5))
def test_json_that_is_written_anew_with_escapes_and_blanks_has_no_more_bytes_than_its_bound(keys: list[str]) -> None:
    value = {key: [key, {"a": index}] for index, key in enumerate(keys)}
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    call = ToolCall(id="1", name="f", arguments=compact)
    assert of(call) >= len(json.dumps(value))


@pytest.mark.parametrize(
    ("part", "least"),
    [
        (Image(url="https://a.example/b.png"), 1000),
        (Audio(data="A" * 4000, format="mp3"), 3000 // AUDIO_BYTES),
        (File(data="A" * 4000, media_type="application/pdf"), 3000),
        (File(data="A" * 4000, media_type="text/plain"), 3000),
        (File(text="x" * 500), 500),
        (File(file_id="file-1"), UNSEEN),
        (Reasoning(text="ab", signature="s" * 300), 302),
        (Reasoning(encrypted="s" * 300, summary=["x" * 50]), 350),
        (ToolResult(call_id="1", content=[Text(text="y" * 200), Image(data="AA==")]), 1200),
        (Opaque(dialect=Dialect.ANTHROPIC, type="server_tool_use", raw=msgspec.Raw(b'{"a":"' + b"b" * 90 + b'"}')), 98),
    ],
)
def test_each_kind_of_part_counts_for_what_it_can_hold(part: Part, least: int) -> None:
    assert of(part) - of() >= least


def test_tools_schemas_names_and_unknown_parameters_count() -> None:
    schema = msgspec.Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')
    plain = of(Text(text="hi"))
    assert of(Text(text="hi"), tools=[Tool(name="f", description="d" * 100, parameters=schema)]) > plain + 1000 + 157
    assert of(Text(text="hi"), output=OutputFormat(kind=OutputKind.SCHEMA, schema=schema)) > plain + 57
    assert of(Text(text="hi"), extra={"functions": schema}) > plain + 57


def test_the_context_of_the_model_caps_what_tools_of_the_provider_do_not_read() -> None:
    remote = asked(Text(text="hi"), extra={"previous_response_id": msgspec.Raw(b'"r"')})
    assert bound(remote, image_tokens=1) > UNSEEN
    assert bound(asked(File(file_id="f")), image_tokens=1, context_tokens=128_000) == 128_000
    searching = asked(File(file_id="f"), tools=[Tool(name="web_search", opaque=msgspec.Raw(b"{}"))])
    assert bound(searching, image_tokens=1, context_tokens=128_000) == 128_000 + SERVER_TOOL
    assert unbounded(searching) == ["tools.web_search", "file"]
    assert unbounded(remote) == ["previous_response_id"]
    assert not unbounded(asked(Text(text="hi"), Image(url="https://a.example/b.png")))


def test_a_short_chat_is_not_held_back_for_much_more_than_its_bytes() -> None:
    assert of(Text(text="x" * 1000)) <= REQUEST + 1000 + 24
