"""What is told of attempts: metrics, a span each, and a log line for each that failed. Never what was said."""

from collections import Counter
from typing import Protocol

from steward.kit.context import Ctx
from steward.kit.telemetry import Span, SpanKind, Telemetry
from steward.services.costs.api import CallUsage
from steward.services.models.calls.breakers import Health
from steward.services.models.calls.limits import Gates
from steward.services.models.failures import ProviderFailure
from steward.services.models.ports import Target


class Unsettled(Protocol):
    """Knows how many settlements wait."""

    @property
    def pending(self) -> int: ...


class Telling:
    """Attribute names are those of OpenTelemetry's semantic conventions for generative AI, version 1.38."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._metrics = telemetry.metrics.models

    def watch(self, gates: Gates, health: Health, unsettled: Unsettled) -> None:
        """Have the gauges read before each scrape."""

        def refresh() -> None:
            in_flight: Counter[str] = Counter()
            queued: Counter[str] = Counter()
            for gate in gates:
                in_flight[gate.provider] += gate.places.used
                queued[gate.provider] += gate.places.waiting
            breakers = dict.fromkeys(in_flight, 0)
            for provider in health.open_by_provider():
                breakers[provider] = breakers.get(provider, 0) + 1
            self._metrics.stand(in_flight, queued, breakers)
            self._metrics.unsettled(unsettled.pending)

        self._telemetry.metrics.before_scrape(refresh)

    def span(self, ctx: Ctx, target: Target, operation: str, output_tokens: int) -> Span:
        """A span that is open, and no other's parent: a stream's lives across what its reader does in between."""
        model = target.candidate.model
        span = self._telemetry.span(
            f"{operation} {model}",
            ctx,
            kind=SpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": target.endpoint.prices,
                "gen_ai.request.model": model,
                "gen_ai.request.max_tokens": output_tokens,
                "steward.connection": target.endpoint.name,
            },
        )
        span.start()
        return span

    def first_token(self, target: Target, seconds: float) -> None:
        """The first content of a streamed answer came."""
        self._metrics.first_token(target.endpoint.prices, seconds)

    def counted(self, target: Target, usage: CallUsage, span: Span, answered_by: str) -> None:
        """The provider answered and counted."""
        classes = {
            "input": usage.input_tokens,
            "cache_read": usage.cache_read_tokens,
            "cache_write": usage.cache_write_tokens + usage.cache_write_1h_tokens,
            "output": usage.output_tokens,
            "reasoning": usage.reasoning_tokens,
        }
        self._metrics.used(target.endpoint.prices, target.candidate.model, classes)
        if span.recording:
            attributes: dict[str, str | int] = {
                "gen_ai.response.model": answered_by,
                "gen_ai.usage.input_tokens": usage.input_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
            }
            span.set(**attributes)

    def ended(self, target: Target, operation: str, outcome: str, seconds: float) -> None:
        """An attempt ended; `outcome` is `succeeded`, `cancelled` or the kind of failure."""
        self._metrics.ended(target.endpoint.prices, target.candidate.model, operation, outcome, seconds)

    def failed(self, target: Target, failure: ProviderFailure, seconds: float) -> None:
        """Log a failed attempt without the provider's words, which may quote the request."""
        self._telemetry.log.warning(
            "a provider's call failed",
            event_type="llm.attempt_failed",
            connection=target.endpoint.name,
            model=target.candidate.model,
            kind=failure.kind.value,
            status=failure.status,
            code=failure.code[:60],
            retry_after=failure.retry_after,
            duration_ms=seconds * 1000,
        )
