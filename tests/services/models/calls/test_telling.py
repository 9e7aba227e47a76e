"""What is told of calls: metrics, spans and log lines, and nothing of what was said."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from steward.kit.telemetry.model_metrics import ModelMetrics
from steward.services.models.errors import ProvidersUnavailable
from steward.services.models.failures import FailureKind
from steward.services.models.messages import Usage
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import Say, World, ask, fails, target


def read(world: World, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a name by their label values, in the order of the label names."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(world.telemetry.metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def play(world: World, *targets: object, stream: bool = False, **more: object) -> None:
    async def work() -> None:
        call = world.call(*targets, **more)
        try:
            await (world.read(call) if stream else world.calls.complete(call))
        except ProvidersUnavailable:
            pass
        finally:
            await world.calls.drain()

    run(work())


def test_attempts_tokens_and_times_are_counted() -> None:
    world = World()
    usage = Usage(input_tokens=10, cache_read_tokens=4, output_tokens=5, reasoning_tokens=2)
    world.upstream.script("a", Say(after=1.0, usage=usage))
    play(world, target("a"))
    play(world, target("a"), stream=True)
    assert read(world, "steward_llm_requests_total") == {("m", "chat", "succeeded", "a"): 2}
    tokens = {key[0]: value for key, value in read(world, "steward_llm_tokens_total").items()}
    assert tokens == {"input": 20, "cache_read": 8, "cache_write": 0, "output": 10, "reasoning": 4}
    assert read(world, "steward_llm_request_duration_seconds_sum") == {("chat", "a"): 2.0}
    assert read(world, "steward_llm_first_token_seconds_sum") == {("a",): 1.0}
    assert read(world, "steward_llm_in_flight") == {("a",): 0}
    assert read(world, "steward_llm_unsettled_calls") == {(): 0}


def test_model_that_never_answered_makes_no_series() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.NOT_FOUND, status=404, unbilled=True))
    for number in range(3):
        play(world, target("a", model=f"typo-{number}"))
    assert read(world, "steward_llm_requests_total") == {("other", "chat", "not_found", "a"): 3}


def test_providers_beyond_the_bound_share_other() -> None:
    world = World()
    metrics: ModelMetrics = world.telemetry.metrics.models
    for number in range(60):
        metrics.ended(f"provider-{number}", "m", "chat", "succeeded", 1.0)
    assert len(read(world, "steward_llm_requests_total")) == 51
    metrics.stand({"new-1": 2, "new-2": 3, "provider-1": 4}, {}, {})
    found = read(world, "steward_llm_in_flight")
    assert found == {("other",): 5, ("provider-1",): 4}


def test_open_breakers_are_shown_while_they_are_open() -> None:
    world = World()
    world.upstream.script("a", *[fails(FailureKind.BROKEN, unbilled=True)] * 5, Say())

    async def work() -> None:
        with pytest.raises(ProvidersUnavailable):
            await world.calls.complete(world.call(target("a"), attempts=5))
        assert read(world, "steward_llm_breakers_open") == {("a",): 1}
        await world.clock.sleep(31)
        await world.calls.complete(world.call(target("a")))
        assert read(world, "steward_llm_breakers_open") == {("a",): 0}
        await world.calls.drain()

    run(work())


def test_span_of_each_attempt_has_the_conventional_names() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.BROKEN, status=500, unbilled=True), Say())
    play(world, target("a"), request=ask(max_output_tokens=50))
    failed, answered = world.telemetry.spans
    assert failed.name == answered.name == "chat m"
    assert not failed.status.is_ok
    attributes = dict(answered.attributes or {})
    assert {key: value for key, value in attributes.items() if key.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "a",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 50,
        "gen_ai.response.model": "m",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }


def test_span_of_a_stream_is_no_parent_of_what_its_reader_does() -> None:
    world = World()

    async def work() -> None:
        with world.telemetry.span("reader") as reader:
            async for _ in world.calls.stream(world.call(target("a"))):
                with world.telemetry.span("reading") as reading:
                    pass
            assert reading.trace_id == reader.trace_id
        await world.calls.drain()

    run(work())
    spans = {span.name: span for span in world.telemetry.spans}
    assert spans["reading"].parent.span_id == spans["reader"].context.span_id
    assert spans["chat m"].parent.span_id == spans["reader"].context.span_id


def test_failed_attempt_is_one_log_line_without_words() -> None:
    world = World()
    world.upstream.script("a", fails(FailureKind.OVERLOADED, status=529, code="overloaded_error", unbilled=True), Say())
    play(world, target("a"), request=ask("my secret question"))
    (line,) = [line for line in world.telemetry.logs if line["event_type"] == "llm.attempt_failed"]
    assert line["data"] == {
        "connection": "a",
        "model": "m",
        "kind": "overloaded",
        "status": 529,
        "code": "overloaded_error",
        "retry_after": None,
    }
    assert "secret" not in world.telemetry.text
    assert "it was" not in world.telemetry.text
