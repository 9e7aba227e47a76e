"""The codecs against recorded answers of real providers; extra, for the recordings are not part of this repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from steward.services.support.model.codecs import AnthropicCodec, Codec, OpenAiCodec
from steward.services.support.ports import ModelFailed

RECORDED = Path(__file__).parents[5] / "shared" / "data" / "wire" / "pydantic-ai" / "tests" / "models" / "cassettes"
LARGEST = 60_000
MOST = 25
LEAST = 2


def recorded(path: str, folders: str) -> Iterator[dict[str, Any]]:
    """Whole answers without streaming of an endpoint."""
    found = 0
    for file in sorted(RECORDED.glob(f"{folders}/*.yaml")):
        if file.stat().st_size > LARGEST or path not in (text := file.read_text(encoding="utf-8")):
            continue
        for one in yaml.load(text, Loader=yaml.CSafeLoader)["interactions"]:
            answer = one["response"].get("parsed_body") or {}
            if {"choices", "stop_reason"} & answer.keys() and one["response"]["status"]["code"] == 200:
                yield answer
                found += 1
        if found > MOST:
            return


@pytest.mark.skipif(not RECORDED.exists(), reason=f"NO RECORDINGS: {RECORDED} is not there, codecs not tried on them")
@pytest.mark.parametrize(
    ("codec", "path", "folders"),
    [
        (OpenAiCodec("https://models.example/v1", "k", "m"), "/chat/completions", "test_openai"),
        (OpenAiCodec("https://models.example/v1", "k", "m"), "/chat/completions", "test_deepseek"),
        (AnthropicCodec("https://models.example", "k", "m"), "/v1/messages", "test_anthropic*"),
    ],
)
def test_recorded_answers_are_read(codec: Codec, path: str, folders: str) -> None:
    whole = 0
    for answer in recorded(path, folders):
        body = msgspec.json.encode(answer)
        if _ended(answer) in {"stop", "end_turn"}:
            assert codec.decode(body) == _text(answer)
            whole += 1
        else:
            with pytest.raises(ModelFailed, match="not whole"):
                codec.decode(body)
    assert whole >= LEAST


def _text(answer: dict[str, Any]) -> str:
    if "choices" in answer:
        return answer["choices"][0]["message"]["content"] or ""
    return "".join(block["text"] for block in answer["content"] if block["type"] == "text")


def _ended(answer: dict[str, Any]) -> str:
    return answer["choices"][0]["finish_reason"] if "choices" in answer else answer["stop_reason"]
