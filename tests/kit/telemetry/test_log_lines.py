"""Log lines: the eleven fields, who and which trace, failures, forgery, the text format, other libraries' records."""

import asyncio
import io
import logging
import warnings
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from granian.log import LogLevels, configure_logging

from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx, SystemCtx
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import LogFormat, LogLevel, Telemetry, TelemetrySettings, granian_logging
from steward.kit.testing.clock import FakeClock

FIELDS = [
    "timestamp",
    "level",
    "service",
    "trace_id",
    "span_id",
    "tenant_id",
    "user_id",
    "event_type",
    "message",
    "duration_ms",
    "data",
]


def make_ctx(kind: ActorType = ActorType.USER) -> Ctx:
    return Ctx(
        tenant=TenantId(UUID(int=7)),
        actor=Actor(kind, "ada"),
        scopes=frozenset(),
        request_id="r-1",
        deadline=datetime(2026, 1, 1, tzinfo=UTC),
    )


def break_with(message: str) -> None:
    raise ValueError(message)


def text_telemetry(stream: io.BytesIO) -> Telemetry:
    clock = FakeClock()
    return Telemetry(TelemetrySettings(log_format=LogFormat.TEXT), clock, Ids(clock), stream=stream)


def test_line_has_exactly_the_fields_in_order() -> None:
    telemetry = Telemetry.for_tests(FakeClock())
    telemetry.log.info("user invited", event_type="user.invited", duration_ms=4.20049, role="viewer")
    (line,) = telemetry.logs
    assert list(line) == FIELDS
    assert line == {
        "timestamp": "2026-01-01T00:00:00.000Z",
        "level": "info",
        "service": "steward",
        "trace_id": None,
        "span_id": None,
        "tenant_id": None,
        "user_id": None,
        "event_type": "user.invited",
        "message": "user invited",
        "duration_ms": 4.2,
        "data": {"role": "viewer"},
    }


def test_who_and_which_trace_come_from_the_span() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("work", make_ctx()) as span:
        telemetry.log.info("inside")
    telemetry.log.info("outside")
    inside, outside = telemetry.logs
    assert inside["tenant_id"] == str(UUID(int=7))
    assert inside["user_id"] == "ada"
    assert inside["data"] == {"request_id": "r-1"}
    assert (inside["trace_id"], inside["span_id"]) == (f"{span.trace_id:032x}", f"{span.span_id:016x}")
    assert outside["trace_id"] is outside["tenant_id"] is None


def test_actors_that_are_no_user_are_named_under_data() -> None:
    telemetry = Telemetry.for_tests()
    with telemetry.span("work", make_ctx(ActorType.AGENT)):
        telemetry.log.info("inside")
    with telemetry.span("sweep", SystemCtx(reason="expired sessions", service="identity")):
        telemetry.log.info("inside")
    agent, system = telemetry.logs
    assert agent["user_id"] is None
    assert agent["data"]["actor"] == "agent/ada"
    assert (system["service"], system["data"]) == ("identity", {"reason": "expired sessions"})


def test_bound_values_stay_and_fields_cannot_be_forged_by_arguments() -> None:
    telemetry = Telemetry.for_tests()
    log = telemetry.log.bind(service="identity", job=3)
    log.warning("real", message="forged", level="debug", timestamp="never", data=1, duration_ms="long")
    (line,) = telemetry.logs
    assert (line["message"], line["level"], line["service"]) == ("real", "warning", "identity")
    assert line["duration_ms"] is None
    assert line["data"] == {
        "job": 3,
        "message": "forged",
        "level": "debug",
        "timestamp": "never",
        "data": 1,
        "duration": "long",
    }


def test_failures_carry_type_message_and_stack_masked() -> None:
    telemetry = Telemetry.for_tests()
    try:
        break_with("password=hunter2")
    except ValueError as error:
        telemetry.log.exception("broke")
        telemetry.log.error("broke", exc_info=error)  # noqa: TRY400 the other way to hand over the failure
    for line in telemetry.logs:
        assert line["data"]["error"]["type"] == "ValueError"
        assert line["data"]["error"]["message"] == "password=***"
        assert "test_failures_carry" in line["data"]["error"]["stacktrace"]
    assert "hunter2" not in telemetry.text


def test_secrets_never_reach_the_stream() -> None:
    telemetry = Telemetry.for_tests()
    telemetry.log.info("login with stw_sk_AAAA_bbbb", user_id="Bearer abc123def", headers={"authorization": "x y"})
    assert "AAAA" not in telemetry.text
    assert "abc123" not in telemetry.text
    assert "x y" not in telemetry.text


@pytest.mark.parametrize("hostile", ['x\n{"level":"critical"}', "x\r\n2026 FORGED", "x\u2028y", "x\x1b[2J", "x\ud800"])
def test_no_message_makes_a_second_line(hostile: str) -> None:
    telemetry = Telemetry.for_tests()
    telemetry.log.info(hostile, key=hostile, event_type=hostile, **{hostile: 1})
    assert len(telemetry.text.splitlines()) == 1
    assert "\x1b" not in telemetry.text


def test_records_below_the_level_are_not_written() -> None:
    telemetry = Telemetry.for_tests(settings=TelemetrySettings(log_level=LogLevel.WARNING))
    telemetry.log.info("quiet")
    telemetry.log.warning("loud")
    assert [line["message"] for line in telemetry.logs] == ["loud"]


def test_a_stream_that_is_gone_is_counted_and_breaks_nothing() -> None:
    stream = io.BytesIO()
    telemetry = Telemetry(TelemetrySettings(), SystemClock(), Ids(SystemClock()), stream=stream)
    stream.close()
    telemetry.log.info("lost")
    assert b"steward_log_lines_dropped_total 1.0" in telemetry.metrics.exposition()


def test_text_format_is_one_line_and_an_indented_stack() -> None:
    stream = io.BytesIO()
    telemetry = text_telemetry(stream)
    telemetry.log.info("hello\nINFO forged", event_type="greeting", n={"a": 1}, duration_ms=2)
    assert stream.getvalue().decode() == (
        '00:00:00.000 INFO     steward  hello\\nINFO forged  greeting  2.0 ms  n={"a":1}\n'
    )
    stream.seek(0)
    stream.truncate()
    try:
        break_with("line\nINFO forged")
    except ValueError:
        telemetry.log.exception("broke")
    first, *stack = stream.getvalue().decode().splitlines()
    assert first.startswith("00:00:00.000 ERROR    steward  broke  log  error=")
    assert stack
    assert all(row.startswith("    | ") for row in stack)


def test_library_records_take_the_same_form() -> None:
    telemetry = Telemetry.for_tests()
    before = (logging.getLogger().handlers[:], logging.getLogger().level)
    telemetry.take_over_stdlib_logs()
    try:
        logging.getLogger("some.library").info("token=%s", "abc")
        logging.getLogger("some.library").info("bad %d", "x")
        logging.getLogger("granian.access").info("GET /raw/path")
        logging.getLogger("asyncio").log(logging.ERROR + 5, "odd level", exc_info=OSError("gone"))
    finally:
        telemetry.shutdown()
    assert (logging.getLogger().handlers, logging.getLogger().level) == before
    told, odd_arguments, failed = telemetry.logs
    assert list(told) == FIELDS
    assert (told["message"], told["event_type"]) == ("token=***", "library.some.library")
    assert odd_arguments["message"].startswith("bad %d (its arguments do not fit")
    assert (failed["level"], failed["data"]["error"]["type"]) == ("error", "OSError")


def test_granian_and_warnings_are_routed_too() -> None:
    telemetry = Telemetry.for_tests()
    telemetry.take_over_stdlib_logs()
    try:
        configure_logging(LogLevels.info, dict(granian_logging()))
        logging.getLogger("_granian").info("Listening")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    finally:
        telemetry.shutdown()
    assert [line["event_type"] for line in telemetry.logs] == ["library._granian", "library.py.warnings"]


async def test_tasks_keep_their_own_context() -> None:
    telemetry = Telemetry.for_tests()
    turn = asyncio.Event()

    async def work(name: str) -> None:
        with telemetry.span(name) as span:
            await turn.wait()
            telemetry.log.info(name, expected=f"{span.trace_id:032x}")

    tasks = [asyncio.create_task(work(name)) for name in "abc"]
    await asyncio.sleep(0)
    turn.set()
    await asyncio.gather(*tasks)
    assert len({line["trace_id"] for line in telemetry.logs}) == 3
    assert all(line["trace_id"] == line["data"]["expected"] for line in telemetry.logs)


def test_each_line_is_one_json_object() -> None:
    telemetry = Telemetry.for_tests()
    for number in range(3):
        telemetry.log.info("n", number=number)
    assert [msgspec.json.decode(row)["data"]["number"] for row in telemetry.text.splitlines()] == [0, 1, 2]
