"""The circuit breaker."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steward.kit.http import Breakers, BreakerState, CircuitBreaker, CircuitOpen, Permit
from steward.kit.testing.clock import FakeClock


def opened(clock: FakeClock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock, "https://up.example")
    for _ in range(5):
        breaker.admit().failed()
    return breaker


def test_opens_after_five_failures_in_a_row_and_says_until_when() -> None:
    clock = FakeClock()
    breaker = CircuitBreaker(clock, "https://up.example")
    for _ in range(4):
        breaker.admit().failed()
    assert breaker.state is BreakerState.CLOSED
    breaker.admit().failed()
    assert breaker.state is BreakerState.OPEN
    clock.advance(10)
    with pytest.raises(CircuitOpen, match=r"https://up\.example.*in 20 s") as refused:
        breaker.admit()
    assert refused.value.data["retry_after"] == 20
    assert refused.value.status == 503


def test_success_in_between_starts_the_count_anew() -> None:
    breaker = CircuitBreaker(FakeClock(), "up")
    for _ in range(10):
        for _ in range(4):
            breaker.admit().failed()
        breaker.admit().succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_one_probe_after_thirty_seconds_closes_on_success() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(29.9)
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.advance(0.1)
    probe = breaker.admit()
    assert breaker.state is BreakerState.PROBING
    with pytest.raises(CircuitOpen):
        breaker.admit()
    probe.succeeded()
    assert breaker.state is BreakerState.CLOSED
    breaker.admit()


def test_failed_probe_waits_another_thirty_seconds() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(30)
    breaker.admit().failed()
    clock.advance(29.9)
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.advance(0.1)
    breaker.admit()


def test_abandoned_probe_makes_way_for_the_next_at_once() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(30)
    breaker.admit().abandoned()
    assert breaker.state is BreakerState.OPEN
    breaker.admit().succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_lost_probe_is_replaced_and_its_late_end_ignored() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(30)
    lost = breaker.admit()
    clock.advance(30)
    breaker.admit()
    lost.succeeded()
    assert breaker.state is BreakerState.PROBING


def test_call_from_before_the_opening_does_not_close_it() -> None:
    clock = FakeClock()
    breaker = CircuitBreaker(clock, "up")
    slow = breaker.admit()
    for _ in range(5):
        breaker.admit().failed()
    slow.succeeded()
    assert breaker.state is BreakerState.OPEN


def test_permit_counts_once() -> None:
    breaker = CircuitBreaker(FakeClock(), "up")
    permit = breaker.admit()
    for _ in range(10):
        permit.failed()
    assert breaker.state is BreakerState.CLOSED


def test_keys_have_breakers_of_their_own_within_a_bound() -> None:
    breakers = Breakers(FakeClock(), max_entries=2, failures=1)
    breakers.of("a", "a").admit().failed()
    assert breakers.of("b", "b").state is BreakerState.CLOSED
    assert breakers.of("a", "a").state is BreakerState.OPEN
    breakers.of("c", "c")
    assert len(breakers) == 2
    assert breakers.of("a", "a").state is BreakerState.OPEN
    assert breakers.of("b", "b").state is BreakerState.CLOSED


class BreakerMachine(RuleBasedStateMachine):
    """The breaker against a model told in its own words: a row of failures, a time of opening, one probe."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.breaker = CircuitBreaker(self.clock, "up", failures=3, probe_after_s=30)
        self.row = 0
        self.quiet_until: float | None = None
        self.current: list[Permit] = []
        self.stale: list[Permit] = []
        self.probing = False

    def changed(self) -> None:
        self.stale += self.current
        self.current = []

    @rule()
    def admit(self) -> None:
        if self.quiet_until is not None and self.clock.monotonic() < self.quiet_until:
            with pytest.raises(CircuitOpen):
                self.breaker.admit()
            return
        if self.quiet_until is not None:
            self.changed()
            self.probing = True
            self.quiet_until = self.clock.monotonic() + 30
        self.current.append(self.breaker.admit())

    @precondition(lambda self: self.current)
    @rule(outcome=st.sampled_from(["succeeded", "failed", "abandoned"]), data=st.data())
    def settle(self, outcome: str, data: st.DataObject) -> None:
        permit = self.current.pop(data.draw(st.integers(0, len(self.current) - 1)))
        getattr(permit, outcome)()
        if outcome == "succeeded":
            self.row = 0
            if self.probing:
                self.probing, self.quiet_until = False, None
                self.changed()
        elif outcome == "failed":
            self.row += 1
            if self.probing or self.row == 3:
                self.probing, self.row, self.quiet_until = False, 0, self.clock.monotonic() + 30
                self.changed()
        elif self.probing:
            self.probing, self.quiet_until = False, self.clock.monotonic()
            self.changed()

    @precondition(lambda self: self.stale)
    @rule(outcome=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def settle_late(self, outcome: str) -> None:
        getattr(self.stale.pop(), outcome)()

    @rule(seconds=st.sampled_from([1, 10, 30, 31]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def states_agree(self) -> None:
        if self.quiet_until is None:
            expected = BreakerState.CLOSED
        else:
            expected = BreakerState.PROBING if self.probing else BreakerState.OPEN
        assert self.breaker.state is expected


BreakerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestBreakerMachine = BreakerMachine.TestCase
