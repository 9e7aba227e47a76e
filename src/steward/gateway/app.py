"""Assembles the edge: the services' routes, probes, pages and the API's description, behind one pipeline."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn

import msgspec
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.params import SkipValidation
from litestar.routes import HTTPRoute

from steward.gateway import openapi, ops, site
from steward.gateway.answers import JsonAnswer
from steward.gateway.authn import Authenticator
from steward.gateway.checks import Checks
from steward.gateway.decoding import STATE_KEY, BodyRequest, Decoders, body_decoder
from steward.gateway.demo import DemoSite
from steward.gateway.direct import Direct, caller_of
from steward.gateway.edge import Edge, Paths, usual_rules
from steward.gateway.exchange import EXCHANGE_KEY, Exchange, Rules
from steward.gateway.observe import EdgeObserver
from steward.gateway.ops import OpsPort
from steward.gateway.settings import GatewaySettings
from steward.gateway.websocket import Sockets
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.ids import Ids
from steward.kit.sockets import SocketRoute
from steward.kit.web import ErrorForm

_LIMITS: Final = frozenset(("max_body_bytes", "max_json_depth", "max_seconds", "body_kind"))
OPENAPI_PATHS: Final = ("/openapi.json", "/api/openapi.json")


class EdgeParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge is built from."""

    routes: Sequence[HTTPRouteHandler]
    """The handlers of every service's `http.py`."""
    apis: Mapping[str, Any]
    """What answers for each service's contract, here or over gRPC, by the name that its handlers take it under."""
    authenticator: Authenticator
    ops: OpsPort
    observer: EdgeObserver
    clock: Clock
    ids: Ids
    settings: GatewaySettings
    version: str
    sockets: Sequence[SocketRoute] = ()
    """What every service's `websocket.py` answers."""
    demo: DemoSite = msgspec.field(default_factory=DemoSite)


def create_app(parts: EdgeParts) -> Edge:
    """The ASGI application of the platform. Raises `TypeError` for routes that contradict each other."""
    described = site.LateDocument("application/json", lambda: _description(litestar, parts.version))
    documents = [*site.pages(), *(described.route(path) for path in OPENAPI_PATHS), *parts.demo.routes()]
    litestar = _litestar(parts, [*parts.routes, *ops.ROUTES, *documents])
    app = Direct(litestar, _collaborators(parts), litestar.state[STATE_KEY])
    paths = Paths(
        open=_open_paths(parts.routes),
        pages=_paths(documents),
        ops=_paths(ops.ROUTES),
        rules=_rules(parts.routes, parts.settings),
        forms=_forms(parts.routes),
    )
    checks = Checks(
        authenticator=parts.authenticator,
        observer=parts.observer,
        clock=parts.clock,
        ids=parts.ids,
        settings=parts.settings,
    )
    return Edge(
        app,
        sockets=Sockets(parts.sockets, parts.apis, checks),
        paths=paths,
        authenticator=parts.authenticator,
        observer=parts.observer,
        clock=parts.clock,
        ids=parts.ids,
        settings=parts.settings,
    )


def _description(app: Litestar, version: str) -> bytes:
    return msgspec.json.encode(openapi.document(app, version))


def _litestar(parts: EdgeParts, routes: Sequence[HTTPRouteHandler]) -> Litestar:
    app = Litestar(
        list(routes),
        dependencies={
            "ctx": Provide(_ctx),
            "ops": Provide(_constant(parts.ops)),
            "open_metrics": Provide(_constant(parts.settings.open_metrics)),
            **{name: Provide(_constant(each)) for name, each in _collaborators(parts).items()},
        },
        exception_handlers={Exception: _pass_on},
        logging_config=None,
        openapi_config=OpenAPIConfig(title="Steward", version=parts.version, render_plugins=(), path="/_unused"),
        request_class=BodyRequest,
        response_class=JsonAnswer,
        state=State(),
    )
    app.state[STATE_KEY] = _decoders(app)
    return app


def _collaborators(parts: EdgeParts) -> Mapping[str, Any]:
    """What handlers may name as parameters besides `ctx`."""
    return {**parts.apis, "clock": parts.clock, "ids": parts.ids}


async def _ctx(request: BodyRequest) -> Ctx:
    exchange: Exchange = request.scope["state"][EXCHANGE_KEY]
    return caller_of(exchange, request.route_handler)


def _constant(value: Any) -> Any:
    # Depending on `ctx` keeps Litestar from resolving both at once in a task group, which costs more than the request.
    async def provide(ctx: SkipValidation[Any]) -> Any:  # noqa: ARG001 only the order of resolution matters
        return value

    return provide


def _pass_on(_: Request[Any, Any, Any], error: Exception) -> NoReturn:
    """Leave every failure to the edge, which has one place that turns them into answers."""
    raise error


def _decoders(app: Litestar) -> Decoders:
    handlers = [handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers]
    found = {handler: body_decoder(handler) for handler in handlers}
    return {handler: decoder for handler, decoder in found.items() if decoder is not None}


def _open_paths(routes: Sequence[HTTPRouteHandler]) -> frozenset[str]:
    """Paths that need no credential. The edge knows them before routing, so they can have no parameters."""
    open_paths = _paths(handler for handler in routes if handler.opt.get("open"))
    closed = _paths(handler for handler in routes if not handler.opt.get("open"))
    for path in open_paths:
        if "{" in path or path in closed:
            raise TypeError(f"{path} cannot be open: it has parameters, or another method of it needs a credential")
    return open_paths


def _rules(routes: Sequence[HTTPRouteHandler], settings: GatewaySettings) -> Mapping[str, Rules]:
    """Paths that have limits of their own. The edge needs them before routing: they have no parameters."""
    options: dict[str, dict[str, Any]] = {}
    for handler in routes:
        own = {name: value for name, value in handler.opt.items() if name in _LIMITS}
        for path in handler.paths if own else ():
            options.setdefault(path, {}).update(own)
    usual = usual_rules(settings)
    for path in options:
        if "{" in path:
            raise TypeError(f"{path} cannot have limits of its own: it has parameters")
    return {path: _with(usual, own) for path, own in options.items()}


def _with(usual: Rules, own: Mapping[str, Any]) -> Rules:
    seconds: float = own.get("max_seconds", usual.seconds)
    return Rules(
        most_bytes=own.get("max_body_bytes", usual.most_bytes),
        depth=own.get("max_json_depth", usual.depth),
        seconds=seconds,
        patience=timedelta(seconds=seconds),
        kind=str(own["body_kind"]).encode() if "body_kind" in own else usual.kind,
    )


def _forms(routes: Sequence[HTTPRouteHandler]) -> Sequence[ErrorForm]:
    found = {form for handler in routes if (form := handler.opt.get("error_form")) is not None}
    return sorted(found, key=lambda form: len(form.prefix), reverse=True)


def _paths(routes: Iterable[HTTPRouteHandler]) -> frozenset[str]:
    return frozenset(path for handler in routes for path in handler.paths)
