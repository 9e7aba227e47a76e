"""Counts: exact with a vocabulary, else within the stated error of what providers reported."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tiktoken
import tiktoken_ext.openai_public as published

from steward.services.models.counting.bounds import unbounded
from steward.services.models.counting.counter import Counter
from steward.services.models.counting.estimates import ERRORS, Script, estimate, family_of
from steward.services.models.counting.vocabulary import (
    SPLITS,
    VocabularyUnreadable,
    load_vocabularies,
    vocabulary_of,
)
from steward.services.models.messages import Message, ModelRequest, Role, Text, Tool

from .recorded import FOLDER, Recorded, recordings

NOT_OF_THE_REQUEST = ("compound-beta", "reasoning_mode_pro", "gemini-2.0-flash-exp", "compact")
"""What a provider added or took away unasked; see `bounds`."""
HELD_OUT = 3
"""One recording of so many was not used for fitting."""


def chat(*texts: str, **more: Any) -> ModelRequest:
    return ModelRequest(
        model="m", messages=[Message(role=Role.USER, parts=[Text(text=text)]) for text in texts], **more
    )


def held_out() -> Sequence[Recorded]:
    return [
        one
        for one in recordings()
        if int(hashlib.sha256(one.name.split("#")[0].encode()).hexdigest(), 16) % HELD_OUT == 0
        and one.tokens
        and not unbounded(one.request)
        and not any(name in f"{one.model} {one.name}" for name in NOT_OF_THE_REQUEST)
    ]


@pytest.mark.skipif(not FOLDER.exists(), reason=f"NO RECORDINGS: {FOLDER} is not there, estimates not tried on them")
def test_95_of_100_estimates_of_held_out_recordings_lie_within_their_stated_error() -> None:
    counter, within, errors = Counter(), 0, list[float]()
    calls = held_out()
    for one in calls:
        count = counter.count(one.request, one.model)
        within += abs(count.tokens - one.tokens) <= count.tokens * count.error_percent / 100
        errors.append(abs(count.tokens - one.tokens) / one.tokens)
        assert not count.exact
    assert len(calls) >= 80
    assert within >= 0.95 * len(calls)
    assert sorted(errors)[len(errors) // 2] < 0.15


def test_traditional_and_simplified_chinese_digits_code_and_json_have_weights_of_their_own() -> None:
    family = family_of("gpt-4o")
    simplified = estimate("请问这件商品什么时候发货，我想退款", family)
    traditional = estimate("請問這件商品什麼時候發貨，我想退款", family)
    assert simplified.tokens < traditional.tokens
    assert simplified.off / simplified.tokens > ERRORS[Script.PROSE]
    assert estimate("20261121" * 3, family).tokens == pytest.approx(8 * family.digits)
    plain, json = (estimate('{"city":"Taipei"}', family, json=json) for json in (False, True))
    assert plain.tokens == json.tokens
    assert plain.off < json.off
    assert (
        estimate("인사말을 드립니다", family).off / estimate("인사말을 드립니다", family).tokens
        > ERRORS[Script.SIMPLIFIED]
    )


QWEN_SAYS = (
    "我是通义千问，由阿里云开发的AI助手。我被设计用来回答各种问题、提供信息和与用户进行对话。有什么我可以帮助你的吗？"
)
"""From the reference of Alibaba Cloud's Model Studio, which shows 36 tokens of output for it."""


@pytest.mark.parametrize(
    ("text", "model", "tokens"), [("今天太陽很大", "gpt-3.5-turbo", 9), (QWEN_SAYS, "qwen-turbo", 36)]
)
def test_published_counts_lie_within_the_stated_error(text: str, model: str, tokens: int) -> None:
    sized = estimate(text, family_of(model))
    assert abs(sized.tokens - tokens) <= sized.off


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("openai/gpt-4.1-mini", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("claude-sonnet-4-5", None),
        ("deepseek-chat", None),
        ("gpt-6-luna", None),
    ],
)
def test_a_models_vocabulary_follows_from_its_name(model: str, vocabulary: str | None) -> None:
    assert vocabulary_of(model) == vocabulary


def test_texts_are_split_as_the_published_vocabularies_split_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(_url: str, **_more: Any) -> dict[bytes, int]:
        return {}

    monkeypatch.setattr(published, "load_tiktoken_bpe", no_file)
    assert published.o200k_base()["pat_str"] == SPLITS["o200k_base"]
    assert published.cl100k_base()["pat_str"] == SPLITS["cl100k_base"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A vocabulary of the 256 bytes and three merges."""
    ranks: Mapping[bytes, int] = {bytes((number,)): number for number in range(256)} | {
        b"th": 256,
        b"the": 257,
        b" the": 258,
    }
    lines = [b"%b %d" % (base64.b64encode(token), rank) for token, rank in ranks.items()]
    (tmp_path / "o200k_base.tiktoken").write_bytes(b"\n".join(lines) + b"\n")
    return tmp_path


def test_with_a_vocabulary_a_chat_is_counted_exactly(directory: Path) -> None:
    counter = Counter(load_vocabularies(directory))
    count = counter.count(chat("the the", "<|endoftext|>"), "gpt-4o")
    assert count.exact
    assert count.error_percent == 0
    assert count.tokens == 3 + 3 + 2 + 3 + len("<|endoftext|>")
    assert count.bound >= count.tokens


def test_tools_are_still_estimated_and_other_models_have_no_vocabulary(directory: Path) -> None:
    counter = Counter(load_vocabularies(directory))
    tool = Tool(name="f", parameters=msgspec.Raw(b"{}"))
    assert not counter.count(chat("the", tools=[tool]), "gpt-4o").exact
    assert not counter.count(chat("the"), "claude-sonnet-4-5").exact


def test_a_directory_without_vocabulary_and_broken_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(VocabularyUnreadable, match=r"has no o200k_base\.tiktoken or cl100k_base\.tiktoken"):
        load_vocabularies(tmp_path)
    (tmp_path / "cl100k_base.tiktoken").write_bytes(b"QQ== 0\n")
    with pytest.raises(VocabularyUnreadable, match=r"lacks 255 of the 256"):
        load_vocabularies(tmp_path)
    (tmp_path / "cl100k_base.tiktoken").write_bytes(b"<html>\n")
    with pytest.raises(VocabularyUnreadable, match=r"is no vocabulary"):
        load_vocabularies(tmp_path)


def test_tiktoken_itself_is_what_counts(directory: Path) -> None:
    encoding = load_vocabularies(directory)["o200k_base"]
    assert isinstance(encoding, tiktoken.Encoding)
    assert encoding.encode_ordinary("the") == [257]
