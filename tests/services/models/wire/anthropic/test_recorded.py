"""The codecs against recorded calls of Anthropic's API: nothing is lost between what came and what goes out."""

import json
from typing import Any

import pytest

from steward.services.models.failures import FailureKind
from steward.services.models.folding import Assembly
from steward.services.models.messages import ModelRequest, Opaque
from steward.services.models.wire.ports import Asked
from tests.services.models.wire.anthropic.recordings import (
    CASSETTES,
    CLIENT,
    FIXTURES,
    MISSING,
    SERVER,
    Exchange,
    exchanges,
    folded,
    meant,
    plain,
    read_stream,
    told,
    write_stream,
)

ANY = Asked(request=ModelRequest(model="m", messages=()))
OK = 200


@pytest.fixture(scope="module")
def recorded() -> list[Exchange]:
    if not CASSETTES.exists():
        pytest.skip(MISSING)
    return list(exchanges())


def test_recorded_requests_go_out_as_they_came(recorded: list[Exchange]) -> None:
    for one in recorded:
        asked = SERVER.decode(json.dumps(one.asked).encode())
        sent = json.loads(CLIENT.encode(asked.request, model=one.asked["model"], stream=asked.stream))
        assert meant(sent) == meant(one.asked), one.name
    assert len(recorded) >= 162


def test_recorded_answers_are_told_as_they_came(recorded: list[Exchange]) -> None:
    whole = [one for one in recorded if one.status == OK and one.answer]
    for one in whole:
        reply = CLIENT.decode(json.dumps(one.answer).encode())
        said = json.loads(SERVER.encode(reply, ANY))
        assert plain(said) == plain(one.answer), one.name
    assert len(whole) >= 147


def test_recorded_streams_are_told_as_they_came(recorded: list[Exchange]) -> None:
    streams = [one for one in recorded if one.status == OK and one.stream]
    for one in streams:
        _assert_same_stream(one.stream or "", one.name)
    assert len(streams) >= 14


@pytest.mark.skipif(not FIXTURES.exists(), reason=MISSING)
def test_streams_of_the_official_client_are_told_as_they_came() -> None:
    files = sorted(FIXTURES.glob("*.txt"))
    for file in files:
        _assert_same_stream(file.read_text(encoding="utf-8"), file.stem)
    assert len(files) == 7


def _assert_same_stream(text: str, name: str) -> None:
    events = read_stream(text)
    again = write_stream(events, ANY)
    assert _without_defaults(folded(again)) == _without_defaults(folded(text)), name
    assert _deltas(again) == _deltas(text), name


def _deltas(text: str) -> list[dict[str, Any]]:
    """All deltas and starts in their order; but for `{}`, which a call without any arguments is given."""
    kept = [one for one in told(text) if one["type"] in {"content_block_start", "content_block_delta"}]
    return [plain(one) for one in kept if one.get("delta", {}).get("partial_json") != "{}"]


def _without_defaults(message: dict[str, Any]) -> dict[str, Any]:
    """Tokens of no number are none; that a call without arguments has none is said or not."""
    counted = {k: v for k, v in message["usage"].items() if v not in (0, {"thinking_tokens": 0})}
    created = message["usage"].get("cache_creation")
    if created is not None and not any(created.values()):
        counted.pop("cache_creation")
    for held in message["content"]:
        if held.get("partial_json") in {"", "{}"}:
            held.pop("partial_json")
    return message | {"usage": counted}


def test_whole_parts_of_a_recorded_stream_hold_what_its_deltas_said(recorded: list[Exchange]) -> None:
    for one in recorded:
        if one.status != OK or not one.stream:
            continue
        assembly = Assembly()
        for event in read_stream(one.stream):
            assembly.add(event)
        assert not assembly.has_raw, one.name
        said = json.loads(SERVER.encode(assembly.reply(), ANY))["content"]
        held = folded(one.stream)["content"]
        assert [block["type"] for block in said] == [one["block"]["type"] for one in held]
        for block, deltas in zip(said, held, strict=True):
            if deltas.get("partial_json"):
                assert block["input"] == json.loads(deltas["partial_json"])
            if "citation" in deltas:
                assert block["citations"] == deltas["citation"]


def test_recorded_failure_is_read(recorded: list[Exchange]) -> None:
    refused = [one for one in recorded if one.status != OK]
    for one in refused:
        failure = CLIENT.failure(one.status, {}, json.dumps(one.answer).encode())
        assert (failure.kind, failure.unbilled, failure.code) == (FailureKind.REFUSED, True, "invalid_request_error")
        assert one.answer is not None
        assert failure.message == one.answer["error"]["message"]
    assert refused


def test_recorded_server_tools_are_opaque(recorded: list[Exchange]) -> None:
    kinds = {
        part.type
        for one in recorded
        if one.status == OK and one.answer
        for part in CLIENT.decode(json.dumps(one.answer).encode()).choices[0].parts
        if isinstance(part, Opaque)
    }
    assert {"server_tool_use", "web_search_tool_result", "mcp_tool_use", "compaction"} <= kinds
