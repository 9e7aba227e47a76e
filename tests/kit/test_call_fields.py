"""Request ids, traces and Idempotency-Keys: what of them is taken, and that HTTP and gRPC ask the same place."""

from pathlib import Path

import pytest

import steward
from steward.kit.call_fields import idempotency_key_of, request_id_of, traceparent_of
from steward.kit.errors import InvalidInput

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
def test_request_id_that_logs_can_bear_is_kept(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\n", "é", "a;b"])
def test_other_request_ids_count_as_none(given: str) -> None:
    assert request_id_of(given) == ""


@pytest.mark.parametrize("given", ["", TRACE.upper(), TRACE[:-1], TRACE + "-00", " " + TRACE, TRACE + "\n"])
def test_trace_that_is_malformed_counts_as_none(given: str) -> None:
    assert (traceparent_of(TRACE), traceparent_of(given)) == (TRACE, "")


@pytest.mark.parametrize("given", ["!", "~" * 255, "00000000-0000-4000-8000-000000000000"])
def test_idempotency_key_is_taken_as_it_is(given: str) -> None:
    assert idempotency_key_of(given) == given


@pytest.mark.parametrize("given", ["", " ", "a b", "a\n", "é", "x" * 256])
def test_malformed_idempotency_key_is_refused_with_its_bounds(given: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 255 visible ASCII") as refused:
        idempotency_key_of(given)
    assert refused.value.data["field"] == "Idempotency-Key"


def test_patterns_have_one_home() -> None:
    sources = {path: path.read_text() for path in Path(steward.__path__[0]).rglob("*.py")}
    for pattern in (r"[\x21-\x7e]{1,255}", "[A-Za-z0-9._-]{1,64}"):
        assert [path.name for path, text in sources.items() if pattern in text] == ["call_fields.py"]
