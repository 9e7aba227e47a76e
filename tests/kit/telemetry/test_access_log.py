"""The access log's line: made in its own short way, and the same as the logger would have made it."""

import io
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import LogFormat, LogLevel, SpanKind, Telemetry, TelemetrySettings
from steward.kit.testing.clock import FakeClock

TEXTS = st.text(max_size=60) | st.sampled_from(
    ("/api/v1/tenants", "/x/stw_sk_abcdefgh1234", "/login?password=hunter2", "a\nb", "/\u202e", "bearer abcdef123456=")
)
ACTORS = st.builds(Actor, st.sampled_from(list(ActorType)), st.text(max_size=20))


class Request(msgspec.Struct, frozen=True, kw_only=True):
    method: str = "GET"
    path: str = "/"
    status: int = 200
    answered_bytes: int = 0
    address: str = "127.0.0.1"
    request_id: str = "r"


class Sink(io.BytesIO):
    """A stream that can break."""

    broken = False

    def flush(self) -> None:
        if self.broken:
            raise OSError


def lines(telemetry: Telemetry, stream: io.BytesIO, request: Request, ctx: Ctx | None) -> list[bytes]:
    """What both ways write of a request: the short one, then the logger's."""
    with telemetry.span("x", ctx, kind=SpanKind.SERVER):
        telemetry.request_answered(request, 0.0123456)
        telemetry.log.info(
            "request answered",
            event_type="http.request",
            duration_ms=0.0123456 * 1000,
            method=request.method,
            path=request.path,
            status=request.status,
            bytes=request.answered_bytes,
            address=request.address,
            request_id=request.request_id,
        )
    return stream.getvalue().splitlines()


def telemetry_to(stream: io.BytesIO, **settings: Any) -> Telemetry:
    clock = FakeClock()
    return Telemetry(TelemetrySettings(**settings), clock, Ids(clock), stream=stream)


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.TEXT])
async def test_line_is_what_the_logger_makes_of_the_same_request(log_format: LogFormat) -> None:
    @settings(max_examples=40)
    @given(st.builds(Request, method=TEXTS, path=TEXTS, address=TEXTS, request_id=TEXTS), st.none() | ACTORS)
    def check(request: Request, actor: Actor | None) -> None:
        stream = io.BytesIO()
        ctx = None
        if actor is not None:
            ctx = Ctx(
                tenant=TenantId(UUID(int=7)),
                actor=actor,
                scopes=frozenset(),
                request_id=request.request_id,
                deadline=FakeClock().now(),
            )
        short, long = lines(telemetry_to(stream, log_format=log_format), stream, request, ctx)
        assert short == long

    check()


async def test_level_above_info_leaves_no_access_log() -> None:
    stream = io.BytesIO()
    telemetry_to(stream, log_level=LogLevel.WARNING).request_answered(Request(), 0.1)
    assert stream.getvalue() == b""


async def test_lines_that_cannot_leave_are_counted_and_break_nothing() -> None:
    stream = Sink()
    telemetry = telemetry_to(stream)
    stream.broken = True
    telemetry.request_answered(Request(), 0.1)
    telemetry.request_answered(Request(), 0.1)
    await FakeClock().sleep(0)
    assert "steward_log_lines_dropped_total 2.0" in telemetry.metrics.exposition().decode()
