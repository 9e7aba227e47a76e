"""WebSockets at the edge: the same checks as for a request, once for the handshake and again for every message.

The handshake: admission, size of the head, credential by header or else by the first message, origin, number of
connections. Each message: credential again, for rights may have ended meanwhile, rate limit, JSON within limits, a
deadline, an access log line and metrics of its own. A message that fails is answered `{"type": "error", …}` and the
connection stays; what concerns the connection closes it, with a code that says why (`wire.Code`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from steward.gateway.address import Proxies
from steward.gateway.authn import credential_of
from steward.gateway.checks import Checks
from steward.gateway.conversation import Answering, Conversation
from steward.gateway.errors import Draining, Overloaded, RouteNotFound
from steward.gateway.exchange import Exchange, Receive, Scope, Send, correlation, read_head
from steward.gateway.tally import Tally
from steward.gateway.wire import Closing, Code, Wire
from steward.kit.sockets import SocketRoute

SWITCHING: Final = 101
_SCHEMES: Final[Mapping[str, str]] = {"ws": "http", "wss": "https"}
_RESTARTING: Final = "this server is shutting down: connect again and resume"


class Sockets:
    """The ASGI application of the platform's WebSockets."""

    def __init__(self, routes: Sequence[SocketRoute], apis: Mapping[str, Any], checks: Checks) -> None:
        self._answering = {route.path: Answering.of(route, apis) for route in routes}
        self._checks = checks
        self._proxies = Proxies(checks.settings.trusted_proxies)
        self._tally = Tally()
        self._wires: set[Wire] = set()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    def drain(self) -> None:
        """Let each connection end behind the message that it is at, with the code that says to come back."""
        self._draining = True
        for wire in self._wires:
            wire.finish(Closing(Code.RESTART, _RESTARTING))

    async def idle(self) -> None:
        """Wait until no connection is open."""
        await self._idle.wait()

    def abandon(self) -> None:
        """Give up the messages that are still being worked on."""
        for wire in self._wires:
            wire.abandon()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The first is of type websocket.connect and says nothing more.
        await receive()
        scope["method"] = "GET"
        scope["scheme"] = _SCHEMES.get(scope["scheme"], scope["scheme"])
        request_id, traceparent = correlation(scope["headers"])
        checks = self._checks
        exchange = Exchange(scope, request_id or str(checks.ids.new()), traceparent, checks.clock.monotonic())
        wire = Wire(receive, send, checks.settings.max_socket_message_bytes)
        self._wires.add(wire)
        self._idle.clear()
        try:
            await self._serve(exchange, wire)
        finally:
            self._wires.discard(wire)
            checks.observer.sockets(len(self._wires))
            if not self._wires:
                self._idle.set()

    async def _serve(self, exchange: Exchange, wire: Wire) -> None:
        with self._checks.observer.request(exchange):
            conversation = await self._opened(exchange, wire)
        if conversation is None:
            return
        self._checks.observer.sockets(len(self._wires))
        try:
            await conversation.run()
        except Closing as end:
            self._checks.observer.socket_closed(exchange, int(end.code), end.reason)
            await wire.close(end)
        finally:
            conversation.end()

    async def _opened(self, exchange: Exchange, wire: Wire) -> Conversation | None:
        """The connection, accepted; None where the handshake was refused, and answered so."""
        try:
            conversation = await self._let_in(exchange, wire)
        except Exception as error:  # noqa: BLE001 - each becomes an answer, and what nobody foresaw is logged too
            failure = self._checks.failure(exchange, error)
            sent = exchange.read
            with_credential = b"authorization" in sent or b"x-api-key" in sent
            await wire.refuse(failure, exchange.request_id, credential_sent=with_credential)
            return None
        exchange.status = SWITCHING
        return conversation

    async def _let_in(self, exchange: Exchange, wire: Wire) -> Conversation:
        scope, checks = exchange.scope, self._checks
        peer: str = scope["client"][0]
        exchange.address, exchange.scheme = self._proxies.origin_of(peer, exchange.scheme, scope["headers"])
        if self._draining:
            raise Draining
        if len(self._wires) > checks.settings.max_sockets:
            raise Overloaded
        read_head(exchange, checks.settings)
        answering = self._answering.get(exchange.path)
        if answering is None:
            checks.count_address(exchange)
            raise RouteNotFound(exchange.path)
        scope["path_template"] = answering.route.path
        conversation = Conversation(
            checks=checks,
            wire=wire,
            opened=exchange,
            answering=answering,
            tally=self._tally,
            has_room=self._has_room,
        )
        try:
            await conversation.open(credential_of(exchange.read.get(b"authorization"), exchange.read.get(b"x-api-key")))
        except BaseException:
            conversation.end()
            raise
        return conversation

    def _has_room(self) -> bool:
        return sum(wire.busy for wire in self._wires) <= self._checks.settings.max_in_flight
