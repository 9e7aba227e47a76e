"""What every request passes: request id, limits, security headers, an access log line and metrics."""

import asyncio
import re
import time
import uuid

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_fastapi import problems
from edge_fastapi.settings import Settings

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Vary": "Origin, X-API-Key",
}
_RAW_SECURITY = [(name.lower().encode(), value.encode()) for name, value in _SECURITY.items()]


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "requests_total", "HTTP requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "request_duration_seconds",
            "Time to answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )


class EdgeMiddleware:
    """Pure ASGI, as Starlette's documentation advises where speed matters."""

    def __init__(self, app: ASGIApp, metrics: Metrics, settings: Settings) -> None:
        self._app = app
        self._metrics = metrics
        self._settings = settings
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        scope["request_id"] = request_id
        status = 500
        size = 0

        async def answer(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(raw=message["headers"])
                out.raw.extend(_RAW_SECURITY)
                out.append("X-Request-Id", request_id)
                decision = scope.get("state", {}).get("decision")
                if decision is not None:
                    out.append("RateLimit-Policy", f'"key";q={decision.limit};w=60')
                    out.append("RateLimit", f'"key";r={decision.remaining};t={decision.reset_s:.0f}')
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._answer(scope, receive, answer, headers)
        except Exception:  # noqa: BLE001 - whatever broke is answered, counted and logged
            self._log.exception("request broke", request_id=request_id)
            problem = problems.respond(Request(scope), 500, "internal", "something broke", error_id=str(uuid.uuid4()))
            await problem(scope, receive, answer)
        finally:
            self._finish(scope, status, size, time.perf_counter() - started, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._settings.max_body_bytes:
            limit = self._settings.max_body_bytes
            problem = problems.respond(Request(scope), 413, "body_too_large", f"a body has at most {limit} bytes")
            await problem(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._settings.request_s):
                await self._app(scope, receive, send)
        except TimeoutError:
            await problems.respond(Request(scope), 504, "timed_out", "this took too long")(scope, receive, send)

    def _finish(self, scope: Scope, status: int, size: int, seconds: float, request_id: str) -> None:
        route = scope.get("route")
        template = route.path if route is not None else "unmatched"
        self._metrics.requests.labels(scope["method"], template, status).inc()
        self._metrics.seconds.labels(scope["method"], template).observe(seconds)
        principal = scope.get("state", {}).get("principal")
        self._log.info(
            "request answered",
            event_type="http.request",
            duration_ms=round(seconds * 1000, 3),
            method=scope["method"],
            path=scope["path"],
            status=status,
            bytes=size,
            address=scope["client"][0],
            request_id=request_id,
            tenant_id=str(principal.tenant) if principal else None,
            actor=f"key/{principal.key_id}" if principal else None,
        )
