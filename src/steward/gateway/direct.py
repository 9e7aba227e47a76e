"""The short way to a handler: a request that Litestar would only pass on goes to its handler at once.

Litestar stays the router and the judge. A route takes the short way when its handler needs nothing but the request, the
caller's context, contracts, parameters of its path and a JSON body; a request takes it when it has no query and none of
the header fields that the handler may ask for, and when all of it converts. Anything else, every invalid request among
it, takes the whole way through Litestar, which has run nothing yet then. In a profile of `bench/edge.py` that way took
a sixth of a read's CPU.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import isclass
from typing import Any, Final, cast, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, QueryParameter
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute

from steward.gateway.answers import WITHOUT_BODY, encode, send_json
from steward.gateway.decoding import LARGE, BodyRequest, Decoders, decode
from steward.gateway.errors import CredentialMissing
from steward.gateway.exchange import EXCHANGE_KEY, App, Exchange, Receive, Scope, Send
from steward.kit.context import Ctx

_CTX: Final = "ctx"
_BODY: Final = "data"
_REQUEST: Final = "request"
_HOST: Final = re.compile(rb"[0-9A-Za-z.:\[\]_-]+")
"""Hosts that need no second look; of others Litestar says which are none."""
_Routed = tuple[App, HTTPRouteHandler, str, Mapping[str, Any], str]

_AROUND: Final = (
    *("guards", "middleware", "before_request", "after_request", "after_response", "cache", "background"),
    *("response_headers", "response_cookies", "cache_control", "etag"),
)


class _Plan(msgspec.Struct, frozen=True):
    """How to call one handler."""

    handler: HTTPRouteHandler
    call: Callable[..., Any]
    status: int
    wants_ctx: bool
    contracts: Mapping[str, Any]
    path: type[msgspec.Struct] | None
    """The parameters of the path with their types."""
    body: msgspec.json.Decoder[Any] | None
    wants_request: bool
    header_fields: frozenset[bytes]
    """What the handler may ask for: a request that has one of them goes the whole way."""


class Direct:
    """The ASGI application of the routes: Litestar, and the short way past it."""

    def __init__(self, app: Litestar, contracts: Mapping[str, Any], decoders: Decoders) -> None:
        # The same types as Litestar's, by names of their own.
        self._litestar = cast("App", app)
        self._request: Callable[..., Any] = BodyRequest
        self._route: Callable[..., _Routed] = cast("Any", app.asgi_router.handle_routing)
        self._plans = {plan.handler: plan for plan in _plans(app, contracts, decoders)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plan = None if scope["type"] != "http" or scope["query_string"] else self._plan(scope)
        arguments = None if plan is None else _arguments(plan, scope)
        if plan is None or arguments is None:
            await self._litestar(scope, receive, send)
            return
        if plan.wants_request:
            arguments[_REQUEST] = self._request(scope, receive, send)
        answer = await plan.call(**arguments)
        if isinstance(answer, ASGIResponse):
            await answer(scope, receive, send)  # pyright: ignore[reportArgumentType] Litestar's names of the same types
            return
        await send_json(send, plan.status, b"" if plan.status == WITHOUT_BODY else encode(answer))

    def _plan(self, scope: Scope) -> _Plan | None:
        exchange: Exchange = scope["state"][EXCHANGE_KEY]
        path: str = scope["path"]
        if path.endswith("/") or "//" in path or not _HOST.fullmatch(exchange.read[b"host"]):
            return None
        try:
            _, handler, _, parameters, template = self._route(path=path, method=scope["method"])
        except HTTPException:
            # No such route or method: the whole way says it in the right words.
            return None
        plan = self._plans.get(handler)
        if plan is not None and plan.header_fields and any(name in plan.header_fields for name, _ in scope["headers"]):
            return None
        if plan is not None:
            scope["route_handler"], scope["path_params"], scope["path_template"] = handler, parameters, template
        return plan


def caller_of(exchange: Exchange, handler: HTTPRouteHandler) -> Ctx:
    """The caller's context; a route that needs a credential is never reached without one, and this makes sure."""
    if exchange.ctx is None or (exchange.ctx.tenant is None and not handler.opt.get("open")):
        raise CredentialMissing
    return exchange.ctx


def _arguments(plan: _Plan, scope: Scope) -> dict[str, Any] | None:
    """What the handler is called with; None where the request is not what it wants."""
    exchange: Exchange = scope["state"][EXCHANGE_KEY]
    ctx = caller_of(exchange, plan.handler)
    arguments = dict(plan.contracts)
    if plan.wants_ctx:
        arguments[_CTX] = ctx
    if plan.path is not None:
        try:
            found = msgspec.convert(scope["path_params"], plan.path, strict=False)
        except msgspec.ValidationError:
            return None
        arguments.update((name, getattr(found, name)) for name in plan.path.__struct_fields__)
    if plan.body is not None:
        if not exchange.body or len(exchange.body) > LARGE:
            return None
        arguments[_BODY] = exchange.data = decode(plan.body, exchange.body)
    return arguments


def _plans(app: Litestar, contracts: Mapping[str, Any], decoders: Decoders) -> Sequence[_Plan]:
    found = [
        _plan_of(route, handler, contracts, decoders)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    ]
    return [plan for plan in found if plan is not None]


def _plan_of(
    route: HTTPRoute, handler: HTTPRouteHandler, contracts: Mapping[str, Any], decoders: Decoders
) -> _Plan | None:
    names = set(handler.parsed_fn_signature.parameters)
    in_path = names & set(route.path_parameters)
    optional = {name: field for name, field in handler.parsed_fn_signature.parameters.items() if field.has_default}
    known = {_CTX, _BODY, _REQUEST, *contracts, *in_path}
    if handler.has_sync_callable or _is_watched(handler) or _answers_itself(handler) or names - optional.keys() - known:
        return None
    kinds = {type(field.kwarg_definition) for field in optional.values()}
    if (
        any(name in known for name in optional)
        or kinds - {QueryParameter, HeaderParameter}
        or len(in_path) < len(route.path_parameters)
    ):
        return None
    return _Plan(
        handler=handler,
        call=handler.fn,
        status=handler.status_code,
        wants_ctx=_CTX in names,
        contracts={name: contracts[name] for name in names & set(contracts)},
        path=_path_type(handler, sorted(in_path)) if in_path else None,
        body=decoders[handler] if _BODY in names else None,
        wants_request=_REQUEST in names,
        header_fields=frozenset(
            (field.kwarg_definition.name or name).lower().encode()
            for name, field in optional.items()
            if isinstance(field.kwarg_definition, HeaderParameter)
        ),
    )


def _path_type(handler: HTTPRouteHandler, names: Sequence[str]) -> type[msgspec.Struct]:
    # Litestar's model of the signature, for it has the bounds that stand in the parameters' annotations.
    hints = get_type_hints(handler.signature_model, include_extras=True)
    return msgspec.defstruct("PathParameters", [(name, hints[name]) for name in names])


def _is_watched(handler: HTTPRouteHandler) -> bool:
    """Whether anything else of Litestar's stands around the handler; nothing of ours does, and this keeps it true."""
    layers: Sequence[Any] = handler.ownership_layers
    return any(getattr(layer, name, None) for layer in layers for name in _AROUND)


def _answers_itself(handler: HTTPRouteHandler) -> bool:
    """Whether the handler returns a response of Litestar's, which is still to be made one that can be sent."""
    returned = handler.parsed_fn_signature.return_type.annotation
    kind = get_origin(returned) or returned
    return isclass(kind) and issubclass(kind, Response)
