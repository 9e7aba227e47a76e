"""When and after how long a call is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.kit.http.retry import Backoff, is_repeatable, is_transient
from steward.kit.testing.clock import FakeClock


@given(attempt=st.integers(1, 50), random=st.floats(0, 1, exclude_max=True))
def test_wait_is_full_jitter_under_a_cap(attempt: int, random: float) -> None:
    wait_s = Backoff(FakeClock(), lambda: random).wait_s(attempt)
    assert wait_s == pytest.approx(random * min(5.0, 0.2 * 2 ** (attempt - 1)))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 00:01:00", 60),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
        ("9" * 400, 0),
        ("\u0667", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert Backoff(FakeClock(), lambda: 0.0).wait_s(1, value) == seconds


def test_jitter_comes_on_top_of_retry_after() -> None:
    assert Backoff(FakeClock(), lambda: 0.5).wait_s(1, "7") == pytest.approx(7.1)


def test_only_idempotent_calls_are_repeatable() -> None:
    assert [is_repeatable(method, {}) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")] == [True] * 5
    assert [is_repeatable(method, {}) for method in ("POST", "PATCH")] == [False] * 2
    assert is_repeatable("POST", {"Idempotency-Key": "k"})


def test_transient_statuses() -> None:
    assert [status for status in range(200, 600) if is_transient(status)] == [429, 502, 503, 504]
