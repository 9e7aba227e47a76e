"""Rate limits by the generic cell rate algorithm, and the fields that tell of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.kit.ratelimit import Decision, RateLimiter, rate_limit_fields
from steward.kit.testing.clock import FakeClock

LIMITS = st.integers(1, 500)
WINDOWS = st.sampled_from([0.5, 1.0, 7.0, 60.0, 3600.0])


def taken(limiter: RateLimiter, times: int, *, limit: int, window_s: float = 60, key: str = "k") -> int:
    return sum(limiter.take(key, limit=limit, window_s=window_s).allowed for _ in range(times))


@given(limit=LIMITS, window_s=WINDOWS, start=st.floats(0, 1e8))
def test_idle_key_takes_exactly_its_limit_at_once(limit: int, window_s: float, start: float) -> None:
    clock = FakeClock()
    clock.advance(start)
    limiter = RateLimiter(clock)
    assert taken(limiter, limit + 20, limit=limit, window_s=window_s) == limit
    clock.advance(window_s * 2)
    assert taken(limiter, limit + 20, limit=limit, window_s=window_s) == limit


@given(
    limit=st.integers(1, 20),
    window_s=WINDOWS,
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 5)), max_size=80),
)
def test_no_stretch_of_time_takes_more_than_limit_and_rate(
    limit: int, window_s: float, steps: list[tuple[float, int]]
) -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    takings: list[tuple[float, int]] = []
    for wait, cost in steps:
        clock.advance(wait * window_s / limit)
        if limiter.take("k", limit=limit, window_s=window_s, cost=cost).allowed:
            takings.append((clock.monotonic(), cost))
    for first, (begin, _) in enumerate(takings):
        total = 0
        for end, cost in takings[first:]:
            total += cost
            assert total <= limit + limit * (end - begin) / window_s + 1e-3


@given(
    limit=st.integers(1, 50),
    window_s=WINDOWS,
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 8)), max_size=60),
)
def test_what_a_decision_promises_is_kept(limit: int, window_s: float, steps: list[tuple[float, int]]) -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    for wait, cost in steps:
        clock.advance(wait * window_s / limit)
        decision = limiter.take("k", limit=limit, window_s=window_s, cost=cost)
        assert 0 <= decision.remaining <= limit
        assert 0 <= decision.reset_s <= window_s * (1 + 1e-6)
        assert decision.allowed == (decision.retry_after_s == 0)
        if not decision.allowed and cost <= limit:
            assert decision.remaining < cost
            clock.advance(decision.retry_after_s)
            assert limiter.take("k", limit=limit, window_s=window_s, cost=cost).allowed


@given(limit=st.integers(2, 50), cost=st.integers(1, 50))
def test_remaining_is_what_can_still_be_taken(limit: int, cost: int) -> None:
    limiter = RateLimiter(FakeClock())
    remaining = limiter.take("k", limit=limit, window_s=60, cost=cost).remaining
    assert taken(limiter, limit + 5, limit=limit) == remaining


def test_one_comes_free_each_emission_interval() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    assert taken(limiter, 60, limit=60) == 60
    refused = limiter.take("k", limit=60, window_s=60)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after_s == pytest.approx(1)
    assert refused.reset_s == pytest.approx(60)
    clock.advance(0.9)
    assert taken(limiter, 5, limit=60) == 0
    clock.advance(0.1)
    assert taken(limiter, 5, limit=60) == 1


def test_refused_calls_take_nothing() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    taken(limiter, 1000, limit=10)
    clock.advance(6)
    assert taken(limiter, 1000, limit=10) == 1


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(FakeClock())
    assert taken(limiter, 10, limit=5, key="a") == 5
    assert taken(limiter, 10, limit=5, key="b") == 5


def test_limit_of_zero_and_too_high_a_cost_are_refused() -> None:
    limiter = RateLimiter(FakeClock())
    assert not limiter.take("k", limit=0, window_s=60).allowed
    over = limiter.take("k", limit=5, window_s=60, cost=6)
    assert (over.allowed, over.remaining, over.retry_after_s) == (False, 5, 60)
    with pytest.raises(ValueError, match="cost 0"):
        limiter.take("k", limit=5, window_s=60, cost=0)


def test_lowered_limit_makes_nobody_wait_longer_than_the_window() -> None:
    limiter = RateLimiter(FakeClock())
    taken(limiter, 600, limit=600)
    assert limiter.take("k", limit=6, window_s=60).retry_after_s == pytest.approx(10)


def test_idle_keys_are_forgotten() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    for number in range(1000):
        limiter.take(f"k{number}", limit=60, window_s=60)
        clock.advance(0.5)
    assert len(limiter) <= 4


def test_memory_is_bounded_and_the_busy_key_stays() -> None:
    limiter = RateLimiter(FakeClock(), max_entries=100)
    taken(limiter, 5, limit=5, key="busy")
    for number in range(1000):
        limiter.take(f"k{number}", limit=60, window_s=60)
        assert not limiter.take("busy", limit=5, window_s=60).allowed
    assert len(limiter) == 100


def test_fields_follow_the_draft() -> None:
    allowed = Decision(allowed=True, limit=60, window_s=60, remaining=59, reset_s=0.2, retry_after_s=0)
    refused = Decision(allowed=False, limit=100, window_s=60, remaining=0, reset_s=60, retry_after_s=1.2)
    assert rate_limit_fields({"user": allowed}) == {
        "RateLimit-Policy": '"user";q=60;w=60',
        "RateLimit": '"user";r=59;t=1',
    }
    assert rate_limit_fields({"user": allowed, "address": refused}) == {
        "RateLimit-Policy": '"user";q=60;w=60, "address";q=100;w=60',
        "RateLimit": '"user";r=59;t=1, "address";r=0;t=60',
        "Retry-After": "2",
    }
