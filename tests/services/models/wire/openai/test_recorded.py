"""Recorded traffic of OpenAI and of providers that follow it; extra, for it is not part of this repository."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import StreamEvent
from tests.services.models.wire.openai.speech import CLIENT, events, heard, passed_on, repeated, written

RECORDED = Path(__file__).parents[6] / "shared" / "data" / "wire"
PATH = "/chat/completions"
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason=f"NO RECORDINGS: {RECORDED} is not there")


@cache
def interactions() -> tuple[dict[str, Any], ...]:
    """Every recorded call of a chat completion, whoever answered."""
    found: list[dict[str, Any]] = []
    for file in sorted(RECORDED.rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if PATH in text:
            said = yaml.load(text, Loader=yaml.CSafeLoader)["interactions"]
            found.extend({**each, "file": file.stem} for each in said if PATH in each["request"]["uri"])
    return tuple(found)


def answers(*, streamed: bool) -> Iterator[tuple[dict[str, Any], Any]]:
    """Answers of status 200: whole ones as objects, streams as bytes."""
    for each in interactions():
        if each["response"]["status"]["code"] != 200:
            continue
        whole = each["response"].get("parsed_body")
        if streamed and whole is None:
            said = each["response"]["body"]["string"]
            yield each, said if isinstance(said, bytes) else said.encode()
        elif not streamed and whole is not None and "choices" in whole:
            yield each, whole


def test_every_recorded_request_reaches_a_provider_whole() -> None:
    for each in interactions():
        body = each["request"]["parsed_body"]
        assert passed_on(body) == _request(body), each["file"]
    assert len(interactions()) >= 100


def _request(body: dict[str, Any]) -> dict[str, Any]:
    """A request in the documented normal form."""
    said = {name: value for name, value in json.loads(json.dumps(body)).items() if value is not None}
    if "max_completion_tokens" in said:
        said["max_tokens"] = said.pop("max_completion_tokens")
    if said.setdefault("stream", False):
        said["stream_options"] = {"include_usage": True}
    if said.get("n") == 1:
        del said["n"]
    for message in said["messages"]:
        if message["role"] == "assistant":
            message.setdefault("content", None)
    return said


def test_every_recorded_answer_is_told_again_whole() -> None:
    tried = 0
    for each, said in answers(streamed=False):
        assert _answer(repeated(heard(said))) == _answer(said), each["file"]
        tried += 1
    assert tried >= 90


def _answer(said: dict[str, Any]) -> dict[str, Any]:
    """An answer in the documented normal form: what is null or zero says what absence says; made ids left out."""
    said = json.loads(json.dumps(said))
    counted = said["usage"]
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        counted[name] = {key: count for key, count in (counted.get(name) or {}).items() if count}
    if "prompt_cache_hit_tokens" in counted:
        counted["prompt_tokens_details"].pop("cached_tokens", None)
    for choice in said["choices"]:
        message = choice["message"] = {name: value for name, value in choice["message"].items() if value is not None}
        if not message.get("content"):
            message.pop("content", None)
        if choice.get("logprobs") is None:
            choice.pop("logprobs", None)
        for call in message.get("tool_calls", ()):
            call["function"].setdefault("arguments", "")
            if not call.get("id") or (call["id"].startswith("call_") and len(call["id"]) == 29):
                call["id"] = ""
    return said


def _broken(each: dict[str, Any], said: bytes) -> list[StreamEvent] | FailureKind:
    try:
        return events(said)
    except ProviderFailure as failure:
        return failure.kind


BROKEN = {
    "test_tool_use_failed_error_streaming": FailureKind.REFUSED,
    "test_tool_use_failed_error_streaming_with_text": FailureKind.REFUSED,
    "test_openrouter_stream_error": FailureKind.REFUSED,
    "test_text_response": FailureKind.CUT,
}
"""Streams that were recorded because they break, and how."""


def test_every_recorded_stream_is_told_again_whole() -> None:
    tried, broke = 0, set[str]()
    for each, said in answers(streamed=True):
        found = _broken(each, said)
        if isinstance(found, FailureKind):
            assert BROKEN[each["file"]] is found
            broke.add(each["file"])
            continue
        assert events(written(found)) == found, each["file"]
        assert _spoken(found) == _spoken_by(said), each["file"]
        tried += 1
    assert tried >= 12
    assert broke == BROKEN.keys()


def _spoken(found: list[StreamEvent]) -> str:
    return "".join(getattr(event, "text", None) or getattr(event, "arguments", None) or "" for event in found)


def _spoken_by(stream: bytes) -> str:
    """All text, reasoning and arguments of a stream, read in the simplest way."""
    said = ""
    for line in stream.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line[6:])["choices"]:
            delta = choice["delta"]
            said += delta.get("reasoning_content") or delta.get("reasoning") or ""
            said += delta.get("content") or ""
            said += "".join(call["function"].get("arguments") or "" for call in delta.get("tool_calls") or ())
    return said


def test_every_recorded_error_has_its_kind() -> None:
    kinds = {400: FailureKind.REFUSED, 404: FailureKind.NOT_FOUND, 429: FailureKind.RATE_LIMITED}
    tried = 0
    for each in interactions():
        response = each["response"]
        status = response["status"]["code"]
        if status != 200:
            failure = CLIENT.failure(status, {}, json.dumps(response["parsed_body"]).encode())
            assert failure.kind is kinds[status], each["file"]
            assert failure.message
            tried += 1
    assert tried >= 8
