"""The figures of a step of load."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec


class NoStep(ValueError):
    """A part of a plan that is no step; the message is that part."""


class Step(msgspec.Struct, frozen=True):
    """So many customers at a time, who write so many messages each."""

    customers: int
    messages: int

    def __str__(self) -> str:
        return f"{self.customers}x{self.messages}"


class Outcome(NamedTuple):
    """What came of one message."""

    seconds: float
    error: str = ""
    """`429 customer_limited`, `connection`, `timeout` …; empty for an answer."""
    from_cache: bool = False


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from message to answer, of those that were answered."""

    min: float
    mean: float
    median: float
    p95: float
    p99: float
    max: float


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """A step in figures."""

    customers: int
    messages: int
    answered: int
    failed: int
    errors: Mapping[str, int]
    from_cache: int
    seconds: float
    throughput: float
    """Answers a second."""
    times_ms: Times | None
    """None where nothing was answered."""


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    steps: Sequence[StepResult]


def parse_steps(text: str, most: int) -> list[Step]:
    """`10x5,50x10`. Raises `NoStep`."""
    steps: list[Step] = []
    for part in text.split(","):
        customers, cross, messages = part.strip().partition("x")
        numbers = customers.isascii() and customers.isdigit() and messages.isascii() and messages.isdigit()
        if not (cross and numbers):
            raise NoStep(part)
        step = Step(int(customers), int(messages))
        if not (0 < step.customers <= most and 0 < step.messages <= most):
            raise NoStep(part)
        steps.append(step)
    return steps


def figures(step: Step, outcomes: Sequence[Outcome], seconds: float) -> StepResult:
    """The figures of a step that took so long."""
    errors = Counter(outcome.error for outcome in outcomes if outcome.error)
    answered = sorted(outcome.seconds for outcome in outcomes if not outcome.error)
    return StepResult(
        customers=step.customers,
        messages=step.messages,
        answered=len(answered),
        failed=errors.total(),
        errors=dict(sorted(errors.items())),
        from_cache=sum(outcome.from_cache for outcome in outcomes),
        seconds=round(seconds, 3),
        throughput=round(len(answered) / seconds, 1) if seconds else 0.0,
        times_ms=_times(answered) if answered else None,
    )


def _times(ascending: Sequence[float]) -> Times:
    return Times(
        min=_ms(ascending[0]),
        mean=_ms(statistics.fmean(ascending)),
        median=_ms(statistics.median(ascending)),
        p95=_ms(percentile(ascending, 0.95)),
        p99=_ms(percentile(ascending, 0.99)),
        max=_ms(ascending[-1]),
    )


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
