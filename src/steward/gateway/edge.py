"""The edge pipeline: what every request passes before and after the routes, as one ASGI application around them.

In order: request id, admission (draining, load), size of the head, preflight, credential and tenant, rate limit,
origin, body, and a deadline over it all. One object and one wrapped `send` do it, for each layer of middleware would
cost every request again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from steward.gateway.address import Proxies
from steward.gateway.authn import Authenticator, asking_ctx, credential_of
from steward.gateway.body import read_body, replay
from steward.gateway.cors import PREFLIGHT_HEADERS, check_origin, foreign_origin, is_origin, is_preflight
from steward.gateway.errors import (
    BodyTooSlow,
    CredentialMissing,
    Defect,
    Draining,
    Overloaded,
    RateLimited,
    RequestTimedOut,
)
from steward.gateway.exchange import (
    EXCHANGE_KEY,
    App,
    Exchange,
    Message,
    Receive,
    Rules,
    Scope,
    Send,
    correlation,
    read_head,
)
from steward.gateway.observe import EdgeObserver
from steward.gateway.problems import failure_of, refusal_of
from steward.gateway.reply import Reply
from steward.gateway.settings import GatewaySettings
from steward.gateway.vigil import End, Vigil
from steward.gateway.websocket import Sockets
from steward.kit.clock import Clock
from steward.kit.context import ANONYMOUS, Ctx
from steward.kit.errors import MalformedRequest, Unauthenticated
from steward.kit.ids import Ids, TenantId
from steward.kit.locale import negotiated, preferred
from steward.kit.ratelimit import Decision
from steward.kit.web import ErrorForm

CLOSED: Final = ("/api/", "/v1/")
"""Prefixes of paths that need a credential, but for those that are open by name."""
GONE: Final = 499
"""The status that logs and metrics show for a caller who left; nobody receives it."""


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Paths that are treated in their own way; all are without parameters."""

    open: AbstractSet[str]
    """Operations without a credential."""
    pages: AbstractSet[str]
    """Pages and documents: public, not limited, and under the policy for pages."""
    ops: AbstractSet[str]
    """Probes: answered even under load and while draining."""
    rules: Mapping[str, Rules] = {}
    """Limits where those are not the usual ones."""
    forms: Sequence[ErrorForm] = ()
    """Forms of failures for other APIs' dialects, the longest prefix first."""


class Edge:
    """The ASGI application that a server runs."""

    def __init__(
        self,
        app: App,
        *,
        sockets: Sockets,
        paths: Paths,
        authenticator: Authenticator,
        observer: EdgeObserver,
        clock: Clock,
        ids: Ids,
        settings: GatewaySettings,
    ) -> None:
        self._app = app
        self._sockets = sockets
        self._paths = paths
        self._authenticator = authenticator
        self._observer = observer
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._proxies = Proxies(settings.trusted_proxies)
        self._usual = usual_rules(settings)
        self._at_work: set[Vigil] = set()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    def drain(self) -> None:
        """Refuse new requests from now on and let each connection end with its answer."""
        self._draining = True
        self._sockets.drain()

    async def idle(self) -> None:
        """Wait until no request is being worked on and no WebSocket is open."""
        await self._idle.wait()
        await self._sockets.idle()

    def abandon(self) -> None:
        """End what is still being worked on; each caller is told to come back, or finds the connection cut."""
        for vigil in self._at_work:
            vigil.stop(End.SHUTDOWN)
        self._sockets.abandon()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        request_id, traceparent = correlation(scope["headers"])
        exchange = Exchange(scope, request_id or self._ids.new_text(), traceparent, self._clock.monotonic())
        exchange.form = next((form for form in self._paths.forms if exchange.path.startswith(form.prefix)), None)
        rules = self._paths.rules.get(exchange.path, self._usual)
        vigil = Vigil(receive, rules.seconds)
        self._at_work.add(vigil)
        self._idle.clear()
        try:
            with self._observer.request(exchange):
                await self._serve(exchange, receive, send, vigil, rules)
        finally:
            # Scope and exchange hold each other: taken apart here, what they hold goes now and not at some collection.
            exchange.body = b""
            scope.get("state", {}).pop(EXCHANGE_KEY, None)
            vigil.close()
            self._at_work.discard(vigil)
            if not self._at_work:
                self._idle.set()

    async def _serve(self, exchange: Exchange, receive: Receive, send: Send, vigil: Vigil, rules: Rules) -> None:
        reply = Reply(
            exchange,
            send,
            vigil,
            is_page=exchange.path in self._paths.pages,
            stream_seconds=self._settings.stream_seconds,
            before_start=self._before_start,
        )
        try:
            try:
                await self._answer(exchange, receive, reply, vigil, rules)
            except Exception as error:  # noqa: BLE001 - each becomes an answer, and what nobody foresaw is logged too
                await self._failed(exchange, reply, error)
                _let_go(error)
        except asyncio.CancelledError:
            if vigil.end is None:
                raise
            vigil.settle()
            await self._ended(exchange, reply, vigil, vigil.end, rules)

    async def _answer(self, exchange: Exchange, receive: Receive, reply: Reply, vigil: Vigil, rules: Rules) -> None:
        scope = exchange.scope
        peer: str = scope["client"][0]
        exchange.address, exchange.scheme = self._proxies.origin_of(peer, exchange.scheme, scope["headers"])
        self._admit(exchange, reply)
        read_head(exchange, self._settings)
        if exchange.path in self._paths.ops or exchange.path in self._paths.pages:
            exchange.ctx = self._anonymous(exchange, rules)
        else:
            if is_preflight(exchange):
                await self._preflight(exchange, reply)
                return
            await self._identify(exchange, rules)
        exchange.body = await read_body(exchange, receive, self._settings, rules, vigil)
        vigil.body_was_read()
        scope["state"][EXCHANGE_KEY] = exchange
        pending: list[Message] = [replay(exchange.body)]

        async def receive_body() -> Message:
            if pending:
                return pending.pop()
            await vigil.caller_gone()
            return {"type": "http.disconnect"}

        if exchange.method == "HEAD":
            # The server sends the head of the answer only, as RFC 9110 section 9.3.2 wants it.
            scope["method"] = "GET"
        await self._app(scope, receive_body, reply.send)

    def _admit(self, exchange: Exchange, reply: Reply) -> None:
        reply.close = self._draining
        if exchange.path in self._paths.ops:
            return
        if self._draining:
            raise Draining
        if len(self._at_work) > self._settings.max_in_flight:
            raise Overloaded

    async def _preflight(self, exchange: Exchange, reply: Reply) -> None:
        origin = exchange.read[b"origin"]
        self._count_address(exchange)
        if not is_origin(origin):
            raise MalformedRequest("Origin is no web origin: https://host[:port]")
        exchange.allow_origin = origin
        await reply.empty(204, PREFLIGHT_HEADERS)

    async def _identify(self, exchange: Exchange, rules: Rules) -> None:
        """Find out who calls, count the request and hold a page to the list of those that may call."""
        origin = foreign_origin(exchange)
        # Until the tenant is known a page may read why it was refused; such an answer holds nothing of anybody.
        exchange.allow_origin = origin if is_origin(origin) else b""
        if exchange.path in self._paths.open or not exchange.path.startswith(CLOSED):
            self._count_address(exchange)
            exchange.ctx = self._anonymous(exchange, rules)
            allowed = self._settings.allowed_origins
        else:
            allowed = await self._authenticate(exchange, rules)
        if origin:
            exchange.allow_origin = b""
            check_origin(origin, allowed)
            exchange.allow_origin = origin

    async def _authenticate(self, exchange: Exchange, rules: Rules) -> Sequence[str]:
        read = exchange.read
        try:
            credential = credential_of(read.get(b"authorization"), read.get(b"x-api-key"))
            if credential is None:
                raise CredentialMissing
            asking = asking_ctx(
                exchange.request_id,
                self._clock.now() + rules.patience,
                address=exchange.address,
                user_agent=exchange.user_agent,
                traceparent=exchange.traceparent,
            )
            language = read.get(b"accept-language")
            identified = await self._authenticator.identify(
                credential,
                asking,
                locale=preferred(language.decode("latin-1")) if language else None,
                idempotency_key=exchange.idempotency_key,
            )
        except (Unauthenticated, MalformedRequest) as error:
            self._observer.refused(error)
            self._count_address(exchange, guessed=not isinstance(error, CredentialMissing))
            raise
        exchange.ctx = identified.ctx
        self._observer.identified(identified.ctx)
        self._count(exchange, *self._authenticator.take(identified))
        return identified.policy.allowed_origins

    def _count_address(self, exchange: Exchange, *, guessed: bool = False) -> None:
        self._count(exchange, *self._authenticator.take_address(exchange.address, guessed=guessed))

    def _count(self, exchange: Exchange, policy: str, decision: Decision) -> None:
        exchange.decisions[policy] = decision
        if not decision.allowed:
            self._observer.limited(policy)
            raise RateLimited(policy, decision.limit, max(1, -int(-decision.retry_after_s // 1)))

    def _anonymous(self, exchange: Exchange, rules: Rules) -> Ctx:
        return Ctx(
            tenant=None,
            actor=ANONYMOUS,
            scopes=frozenset(),
            request_id=exchange.request_id,
            deadline=self._clock.now() + rules.patience,
            locale=negotiated(exchange.read.get(b"accept-language", b"").decode("latin-1")),
            address=exchange.address,
            user_agent=exchange.user_agent,
            idempotency_key=exchange.idempotency_key,
            traceparent=exchange.traceparent,
        )

    def _before_start(self, exchange: Exchange) -> None:
        """Forget what this very request has changed of rights and limits, before its answer says so."""
        handler = exchange.scope.get("route_handler")
        if handler is None or exchange.ctx is None or exchange.status >= 400:  # noqa: PLR2004 - from 400 on nothing was done
            return
        named: Mapping[str, str] = exchange.scope["path_params"]
        if exchange.ctx.tenant is not None and _concerned(handler, "ends_access", exchange):
            self._authenticator.forget_tenant(exchange.ctx.tenant)
        elif handler.opt.get("changes_user"):
            self._authenticator.forget_user(UUID(named["user_id"]))
        if _concerned(handler, "changes_tenant", exchange):
            self._authenticator.forget_policy(TenantId(UUID(named["tenant_id"])))

    async def _ended(self, exchange: Exchange, reply: Reply, vigil: Vigil, end: End, rules: Rules) -> None:
        if end is End.CALLER_GONE:
            exchange.status = GONE
            return
        if end is End.BODY_TOO_SLOW:
            await self._failed(exchange, reply, BodyTooSlow(vigil.body_seconds))
            return
        refusal = Draining() if end is End.SHUTDOWN else RequestTimedOut(rules.seconds)
        if reply.started:
            # Half an answer must not look like a whole one: the server cuts the connection on an exception.
            raise refusal
        reply.close = True
        await reply.problem(refusal)

    async def _failed(self, exchange: Exchange, reply: Reply, error: Exception) -> None:
        failure = failure_of(error, exchange)
        if failure is None:
            exchange.error = error
            exchange.error_id = str(self._ids.new())
            failure = Defect(exchange.error_id)
        if reply.started:
            raise error
        if (refused := refusal_of(failure)) is not None:
            exchange.decisions.setdefault(*refused)
        await reply.problem(failure)


def usual_rules(settings: GatewaySettings) -> Rules:
    """The limits of paths that have none of their own."""
    return Rules(
        most_bytes=settings.max_body_bytes,
        depth=settings.max_json_depth,
        seconds=settings.request_seconds,
        patience=timedelta(seconds=settings.request_seconds),
    )


def _concerned(handler: Any, option: str, exchange: Exchange) -> bool:
    """Whether a route has this option and, where that names fields, the request gives one of them."""
    fields: Sequence[str] | None = handler.opt.get(option)
    return fields is not None and (not fields or exchange.gives(fields))


def _let_go(error: BaseException | None) -> None:
    """Drop the tracebacks of a failure that was answered.

    Their frames hold the request and its body, and one of them the failure itself: a ring that would wait for the
    garbage collector.
    """
    seen: set[int] = set()
    # A failure that was wrapped and then raised again from its wrapping is its own cause.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
