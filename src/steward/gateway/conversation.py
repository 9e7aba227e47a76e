"""One WebSocket connection: who speaks, message after message, and why it ends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, Final, Union, cast

import msgspec

from steward.gateway.authn import Identified, credential_of
from steward.gateway.checks import Checks
from steward.gateway.decoding import decode
from steward.gateway.errors import CredentialMissing, Overloaded, RateLimited, RequestTimedOut
from steward.gateway.exchange import Exchange
from steward.gateway.json_guard import check_json
from steward.gateway.problems import body_of
from steward.gateway.tally import Tally
from steward.gateway.wire import Closing, Code, Wire
from steward.kit.context import Ctx
from steward.kit.errors import AppError, Forbidden, Kind, MalformedRequest
from steward.kit.sockets import SocketMessage, SocketRoute

MAX_REFUSED: Final = 10
"""Messages over the rate limit, one after another, after which a connection is closed."""
_TOKEN: Final = b"x-customer-token"
_MAX_TOKEN: Final = 4096
_PASSING: Final = frozenset((Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.INTERNAL, Kind.BAD_GATEWAY))


class Auth(SocketMessage, frozen=True, kw_only=True, tag="auth"):
    """Who calls, where a page cannot set header fields; sent again it exchanges the customer token."""

    key: str | None = None
    """An API key or access token."""
    customer_token: str | None = msgspec.field(default=None)


class Ping(SocketMessage, frozen=True, kw_only=True, tag="ping"):
    """Answered `{"type": "pong"}`."""


class Answering(msgspec.Struct, frozen=True):
    """A path's messages, and what answers them."""

    route: SocketRoute
    api: Any
    decoder: "msgspec.json.Decoder[SocketMessage]"

    @classmethod
    def of(cls, route: SocketRoute, apis: Mapping[str, Any]) -> "Answering":
        kinds: Any = Union[(Auth, Ping, *route.messages)]
        return cls(route, apis[route.service], msgspec.json.Decoder(kinds))


class Conversation:
    """One connection; `open` lets it in or raises what the handshake is refused with, `run` answers its messages."""

    def __init__(
        self,
        *,
        checks: Checks,
        wire: Wire,
        opened: Exchange,
        answering: Answering,
        tally: Tally,
        has_room: Callable[[], bool],
    ) -> None:
        self._checks = checks
        self._wire = wire
        self._opened = opened
        self._answering = answering
        self._tally = tally
        self._has_room = has_room
        self._held = ""
        self._refused = 0
        self._credential: str | None = None
        self._customer_token = _customer_token(opened)

    async def open(self, credential: str | None) -> None:
        """Accept the handshake: of a known caller, or of one who will say in the first message who they are."""
        if credential is None:
            self._checks.count_address(self._opened)
            limit = self._checks.settings.sockets_per_address
            self._hold(f"address:{self._opened.address}", "address", limit)
        else:
            self._credential = credential
            identified = await self._checks.identify(self._opened, credential)
            self._checks.check_origin(self._opened, identified)
            self._hold(_holder(identified.ctx), "credential", self._checks.settings.sockets_per_credential)
        await self._wire.accept()

    async def run(self) -> None:
        """Answer messages until the connection ends, which raises `Closing`."""
        if self._credential is None:
            await self._introduction()
        seconds = self._checks.settings.socket_idle_seconds
        while True:
            data = await self._wire.next(seconds, f"nothing was sent for {seconds:g} s")
            await self._wire.during(self._message(data))

    def end(self) -> None:
        """Count the connection no more."""
        if self._held:
            self._tally.give(self._held)

    def _hold(self, name: str, kind: str, limit: int) -> None:
        self._tally.take(name, kind, limit)
        if self._held:
            self._tally.give(self._held)
        self._held = name

    async def _introduction(self) -> None:
        """Hear from the first message, which must be `auth`, who calls."""
        seconds = self._checks.settings.socket_auth_seconds
        data = await self._wire.next(seconds, f"no credential was sent within {seconds:g} s")
        exchange = self._exchange()
        with self._checks.observer.request(exchange):
            try:
                await self._introduced(exchange, data)
            except Exception as error:  # noqa: BLE001 - each closes the connection, and a defect is logged too
                raise _closing(self._checks.failure(exchange, error)) from None
            exchange.status = 200

    async def _introduced(self, exchange: Exchange, data: bytes) -> None:
        checks = self._checks
        check_json(data, checks.settings.max_json_depth)
        message = decode(self._answering.decoder, data)
        if not isinstance(message, Auth) or message.key is None:
            raise CredentialMissing
        self._credential = credential_of(None, message.key.encode())
        self._customer_token = message.customer_token or self._customer_token
        identified = await checks.identify(exchange, self._credential)
        checks.check_origin(exchange, identified)
        self._hold(_holder(identified.ctx), "credential", checks.settings.sockets_per_credential)
        await self._say({"type": "ready"}, exchange, message.id)

    async def _message(self, data: bytes) -> None:
        exchange = self._exchange()
        seconds = self._checks.settings.request_seconds
        with self._checks.observer.request(exchange):
            identified = await self._identified(exchange)
            name = None
            try:
                self._checks.count(identified)
                self._refused = 0
                check_json(data, self._checks.settings.max_json_depth)
                message = decode(self._answering.decoder, data)
                name = message.id
                async with asyncio.timeout(seconds):
                    await self._answer(exchange, identified.ctx, message)
                exchange.status = 200
            except TimeoutError:
                await self._failed(exchange, RequestTimedOut(seconds), name)
            except Exception as error:  # noqa: BLE001 - each becomes an answer, and what nobody foresaw is logged too
                await self._failed(exchange, error, name)

    async def _identified(self, exchange: Exchange) -> Identified:
        """Who speaks: asked for each message, for rights may have ended meanwhile."""
        try:
            return await self._checks.identify(exchange, self._credential)
        except Exception as error:  # noqa: BLE001 - each closes the connection, and a defect is logged too
            raise _closing(self._checks.failure(exchange, error)) from None

    async def _answer(self, exchange: Exchange, ctx: Ctx, message: SocketMessage) -> None:
        if isinstance(message, Ping):
            await self._say({"type": "pong"}, exchange, message.id)
        elif isinstance(message, Auth):
            self._renew(message)
            await self._say({"type": "ready"}, exchange, message.id)
        else:
            await self._follow(exchange, ctx, message)

    def _renew(self, message: Auth) -> None:
        """Take a newer customer token. The key stays, for it is what the connection is counted by."""
        if message.key is not None and message.key != self._credential:
            raise MalformedRequest("this connection has another key: open a new one for this key")
        self._customer_token = message.customer_token or self._customer_token

    async def _follow(self, exchange: Exchange, ctx: Ctx, message: SocketMessage) -> None:
        if not self._has_room():
            raise Overloaded
        one = self._answering
        events: AsyncIterator[msgspec.Struct] = one.route.answer(ctx, one.api, message, self._customer_token)
        async with AsyncExitStack() as stack:
            if isinstance(events, AsyncGenerator):
                await stack.enter_async_context(aclosing(cast("AsyncGenerator[msgspec.Struct]", events)))
            async for event in events:
                await self._send(msgspec.json.encode(event), exchange, message.id)

    async def _failed(self, exchange: Exchange, error: Exception, name: str | None) -> None:
        failure = self._checks.failure(exchange, error)
        problem = msgspec.json.decode(body_of(failure, exchange.request_id), type=dict[str, Any])
        await self._say({**problem, "type": "error"}, exchange, name)
        if isinstance(failure, RateLimited):
            self._refused += 1
            if self._refused >= MAX_REFUSED:
                raise Closing(Code.TOO_MANY, failure.message)

    async def _say(self, message: Mapping[str, Any], exchange: Exchange, name: str | None) -> None:
        await self._send(msgspec.json.encode(message), exchange, name)

    async def _send(self, text: bytes, exchange: Exchange, name: str | None) -> None:
        if name is not None:
            text = text[:-1] + b',"in_reply_to":' + msgspec.json.encode(name) + b"}"
        exchange.answered_bytes += len(text)
        await self._wire.say(text)

    def _exchange(self) -> Exchange:
        """A message's own exchange, of the connection's head and address."""
        opened, checks = self._opened, self._checks
        scope = {**opened.scope, "method": "MESSAGE"}
        exchange = Exchange(scope, str(checks.ids.new()), opened.traceparent, checks.clock.monotonic())
        exchange.read, exchange.address, exchange.scheme = opened.read, opened.address, opened.scheme
        return exchange


def _closing(failure: AppError) -> Closing:
    if isinstance(failure, Forbidden):
        return Closing(Code.FORBIDDEN, failure.message)
    if failure.kind is Kind.RATE_LIMITED:
        return Closing(Code.TOO_MANY, failure.message)
    return Closing(Code.BROKEN if failure.kind in _PASSING else Code.NO_CREDENTIAL, failure.message)


def _holder(ctx: Ctx) -> str:
    return f"key:{ctx.key_id}" if ctx.key_id is not None else f"user:{ctx.actor.id}"


def _customer_token(exchange: Exchange) -> str | None:
    """The customer token of the handshake's head."""
    found = [value for name, value in exchange.scope["headers"] if name == _TOKEN]
    return found[-1][:_MAX_TOKEN].decode("latin-1") if found else None
