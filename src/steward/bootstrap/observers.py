"""Telemetry for the gRPC edge of a process."""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec
from opentelemetry.trace import SpanKind

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import GRPC_STATUS, AppError
from steward.kit.rpc.observe import Side
from steward.kit.telemetry import Telemetry


class RpcTelemetry:
    """A span, a count and a duration for each call; the trace goes on at the other side."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    @contextmanager
    def rpc_span(self, service: str, method: str, ctx: Ctx, side: Side) -> Generator[Ctx, None, None]:
        kind = SpanKind.SERVER if side is Side.SERVER else SpanKind.CLIENT
        attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        started = self._clock.monotonic()
        status = "OK"
        parent = ctx.traceparent if side is Side.SERVER else ""
        try:
            with self._telemetry.span(f"{service}/{method}", ctx, kind=kind, traceparent=parent, attributes=attributes):
                yield msgspec.structs.replace(ctx, traceparent=self._telemetry.traceparent())
        except AppError as error:
            status = GRPC_STATUS[error.kind]
            raise
        except Exception:
            status = "INTERNAL"
            raise
        except BaseException:
            # The caller went away or left a stream early, which is no failure of anybody.
            status = "CANCELLED"
            raise
        finally:
            seconds = self._clock.monotonic() - started
            here = "server" if side is Side.SERVER else "client"
            self._telemetry.metrics.rpc_done(service, method, here, status, seconds)
