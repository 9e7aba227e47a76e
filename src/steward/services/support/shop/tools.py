"""The tools of tenants' shops, over HTTP."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, DeadlineExceeded
from steward.kit.http import (
    AddressRefused,
    CircuitOpen,
    RedirectRefused,
    RequestRefused,
    Response,
    ResponseTooLarge,
    SafeClient,
    SystemResolver,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from steward.kit.telemetry import SpanKind, Telemetry
from steward.services.support.ports import ToolOutcome, ToolResult, ToolSpec
from steward.services.support.shop.answers import BadAnswer, Trouble, result
from steward.services.support.shop.catalog import SPECS, Refusal
from steward.services.support.shop.connections import Connection, Connections
from steward.services.support.shop.requests import EXCHANGES, ArgumentRefused, Outgoing, outgoing

_FAILED = (
    UpstreamTimeout,
    UpstreamUnavailable,
    CircuitOpen,
    ResponseTooLarge,
    RedirectRefused,
    AddressRefused,
    RequestRefused,
    DeadlineExceeded,
)
"""What a shop, its address or its slowness may do to a call."""


class ShopTools:
    """Implements `Tools`: each call asks the shop of the caller's tenant, as the verified customer and nobody else."""

    def __init__(
        self,
        client: SafeClient,
        resolver: SystemResolver,
        connections: Connections,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._client = client
        self._resolver = resolver
        self._connections = connections
        self._clock = clock
        self._telemetry = telemetry
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Open the client."""
        self._open.callback(self._resolver.close)
        await self._open.enter_async_context(self._client)

    async def stop(self) -> None:
        """Close the connections to all shops."""
        await self._open.aclose()

    @property
    def specs(self) -> Mapping[str, ToolSpec]:
        """See `Tools`."""
        return SPECS

    async def call(
        self, ctx: Ctx, *, customer_id: str | None, tool: str, arguments: Mapping[str, str], idempotency_key: str
    ) -> ToolResult:
        """See `Tools`."""
        spec = SPECS[tool]
        began = self._clock.monotonic()
        with self._telemetry.span(f"call {tool}", ctx, kind=SpanKind.CLIENT) as span:
            if spec.needs_customer and customer_id is None:
                found = ToolResult(outcome=ToolOutcome.REFUSED, reason=Refusal.NO_CUSTOMER)
            else:
                asked_as = customer_id if spec.needs_customer else None
                found = await self._ask(ctx, spec, asked_as, arguments, idempotency_key)
            span.set(outcome=found.outcome.value, reason=found.reason)
        self._telemetry.metrics.tool_called(tool, found.outcome.value, self._clock.monotonic() - began)
        return found

    async def _ask(
        self, ctx: Ctx, spec: ToolSpec, customer_id: str | None, arguments: Mapping[str, str], idempotency_key: str
    ) -> ToolResult:
        exchange = EXCHANGES[spec.name]
        try:
            request = outgoing(exchange, customer_id, arguments)
        except ArgumentRefused as error:
            return ToolResult(outcome=ToolOutcome.INVALID, reason=error.name)
        connection = await self._connections.get(ctx)
        if connection is None:
            return ToolResult(outcome=ToolOutcome.UNAVAILABLE, reason=Trouble.NOT_CONNECTED)
        try:
            response = await self._send(ctx, connection, request, idempotency_key if spec.changes else None)
            found = result(exchange, response, customer_id, arguments.get("order_id"))
        except _FAILED as error:
            return self._unavailable(spec, error.code, error)
        except BadAnswer as error:
            return self._unavailable(spec, Trouble.BAD_ANSWER, error)
        if found.reason == Trouble.CREDENTIAL_REFUSED:
            # It may have been changed in another process a moment ago.
            self._connections.forget(ctx.require_tenant())
        if found.outcome is ToolOutcome.UNAVAILABLE:
            self._say(spec, found.reason, f"status {response.status}")
        return found

    async def _send(self, ctx: Ctx, connection: Connection, request: Outgoing, idempotency_key: str | None) -> Response:
        headers = {
            "Authorization": f"Bearer {connection.credential}",
            "Accept": "application/json",
            "Accept-Language": ctx.locale,
            "traceparent": self._telemetry.traceparent(),
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        body = b"" if request.body is None else msgspec.json.encode(request.body)
        return await self._client.request(
            ctx, request.method, connection.base_url + request.path, headers=headers, body=body
        )

    def _unavailable(self, spec: ToolSpec, reason: str, error: AppError | BadAnswer) -> ToolResult:
        self._say(spec, reason, str(error))
        return ToolResult(outcome=ToolOutcome.UNAVAILABLE, reason=reason)

    def _say(self, spec: ToolSpec, reason: str, what: str) -> None:
        self._telemetry.log.warning(
            "the shop's answer is of no use", event_type="shop.unavailable", tool=spec.name, reason=reason, problem=what
        )
