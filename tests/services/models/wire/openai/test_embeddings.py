"""Embeddings, as clients ask for them and providers give them."""

import json
from array import array
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.models.errors import InvalidParameter
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import EmbeddingReply, EmbeddingRequest, Usage
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsClient, OpenAiEmbeddingsServer
from tests.services.models.wire.openai.test_requests import some, with_unknown, words

CLIENT = OpenAiEmbeddingsClient()
SERVER = OpenAiEmbeddingsServer()
VECTOR = [0.5, -1.25, 0.0]
PACKED = b64encode(array("f", VECTOR).tobytes()).decode()

tokens = st.lists(st.integers(0, 99), min_size=1, max_size=3)
inputs = st.one_of(some, st.lists(some, min_size=1, max_size=3), tokens, st.lists(tokens, min_size=1, max_size=3))
bodies = with_unknown(
    {"model": some, "input": inputs}, dimensions=st.integers(1, 9), encoding_format=st.just("base64"), user=words
)


@settings(max_examples=40, deadline=None)
@given(body=bodies)
def test_a_request_reaches_the_provider_whole(body: dict[str, Any]) -> None:
    request = SERVER.decode(json.dumps(body).encode())
    assert json.loads(CLIENT.encode(request, model=request.model)) == body


@pytest.mark.parametrize(
    ("given_", "texts", "tokens_", "single"),
    [
        ("a", ["a"], [], True),
        (["a"], ["a"], [], False),
        ([1, 2], [], [[1, 2]], True),
        ([[1], [2]], [], [[1], [2]], False),
    ],
)
def test_the_input_is_understood(given_: Any, texts: list[str], tokens_: list[list[int]], *, single: bool) -> None:
    found = SERVER.decode(json.dumps({"model": "m", "input": given_, "encoding_format": "float"}).encode())
    assert (list(found.texts), list(found.tokens), found.single, found.base64) == (texts, tokens_, single, False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input[0]"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [[1], "a"]}, "input"),
        ({"input": [-1]}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({}, "input"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        SERVER.decode(json.dumps({"model": "m", **fields}).encode())
    assert refused.value.data["param"] == param


def answered(*vectors: Any, **fields: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "e", "usage": {"prompt_tokens": 3, "total_tokens": 3}, **fields}


@pytest.mark.parametrize("base64", [False, True])
@pytest.mark.parametrize("came", [VECTOR, PACKED])
def test_vectors_are_told_in_the_form_that_was_asked_for(came: Any, *, base64: bool) -> None:
    said = answered(came, came, x_new=1)
    reply = CLIENT.decode(json.dumps(said).encode())
    asked = EmbeddingRequest(model="m", texts=["a"], base64=base64)
    wanted = PACKED if base64 else VECTOR
    assert json.loads(SERVER.encode(reply, asked)) == answered(wanted, wanted, x_new=1)
    assert reply.usage == Usage(input_tokens=3)


def test_vectors_come_in_the_order_of_their_texts() -> None:
    said = answered([1.0], [2.0])
    said["data"].reverse()
    assert [bytes(vector) for vector in CLIENT.decode(json.dumps(said).encode()).vectors] == [b"[1.0]", b"[2.0]"]


def test_a_cached_answer_says_so() -> None:
    reply = EmbeddingReply(model="e", vectors=[msgspec.Raw(b"[1]")], usage=Usage(), from_cache="exact")
    assert json.loads(SERVER.encode(reply, EmbeddingRequest(model="m")))["from_cache"] == "exact"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":[]}', b'{"data":[{}]}', b'{"data":5}', b"\xff"])
def test_an_unreadable_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(ProviderFailure) as failed:
        CLIENT.decode(body)
    assert failed.value.kind is FailureKind.MALFORMED


def test_an_error_is_one_whatever_the_status() -> None:
    with pytest.raises(ProviderFailure, match="busy"):
        CLIENT.decode(b'{"error":{"message":"busy","code":503}}')
    assert CLIENT.failure(404, {}, b'{"error":{"code":"model_not_found"}}').kind is FailureKind.NOT_FOUND
