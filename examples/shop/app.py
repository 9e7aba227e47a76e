"""The shop's HTTP API: every path with what may be sent and what comes back; `/openapi.json` describes it."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
from litestar import Litestar, Request, Response, get, post, put
from litestar.config.cors import CORSConfig
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter, SkipValidation

from examples.shop import credential
from examples.shop.contract import (
    AddressBody,
    CustomerToken,
    Eligibility,
    Order,
    Orders,
    Products,
    Reason,
    Refund,
    RefundBody,
    SampleCustomer,
    TokenBody,
)
from examples.shop.idempotency import Answer
from examples.shop.log_in import check_page
from examples.shop.problems import PROBLEM_JSON, Problem, ProblemBody
from examples.shop.service import Shop

MAX_BODY_BYTES = 16 * 1024
LOOPBACK_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"

TheShop = NamedDependency[SkipValidation[Shop]]
Key = Annotated[
    str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200, description="Does it once.")
]
Language = Annotated[str | None, HeaderParameter(name="Accept-Language", max_length=200)]
_ORDER = "/api/customers/{customer_id:str}/orders/{order_id:str}"
_WRONG = ResponseSpec(ProblemBody, description="Not as described here.", media_type=PROBLEM_JSON)
_UNKNOWN = ResponseSpec(ProblemBody, description="No such thing, or not this customer's.", media_type=PROBLEM_JSON)
_REFUSED = ResponseSpec(ProblemBody, description="The shop's rules forbid it: `code`.", media_type=PROBLEM_JSON)
_READS = {404: _UNKNOWN, 422: _WRONG}
_CHANGES = {404: _UNKNOWN, 409: _REFUSED, 422: _WRONG}
_DEFAULT_LANGUAGE = "en"
_LANGUAGES = {"zh-hant": "zh-Hant", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant", "zh": "zh-Hans"}


@get("/api/customers/{customer_id:str}/orders", responses=_READS, sync_to_thread=False)
def list_orders(
    shop: TheShop,
    customer_id: FromPath[str],
    limit: Annotated[int, QueryParameter(ge=1, le=50)] = 5,
    accept_language: Language = None,
) -> Orders:
    """A customer's orders, newest first."""
    return shop.orders.latest(customer_id, _language(accept_language), limit)


@get(_ORDER, responses=_READS, sync_to_thread=False)
def get_order(
    shop: TheShop, customer_id: FromPath[str], order_id: FromPath[str], accept_language: Language = None
) -> Order:
    """One order."""
    return shop.orders.get(customer_id, order_id, _language(accept_language))


@put(f"{_ORDER}/address", responses=_CHANGES, sync_to_thread=False)
def change_address(
    shop: TheShop,
    request: Request[Any, Any, Any],
    customer_id: FromPath[str],
    order_id: FromPath[str],
    data: JSONBody[AddressBody],
    idempotency_key: Key = None,
    accept_language: Language = None,
) -> Response[Order]:
    """Send an order elsewhere; 409 `already_shipped`, `already_cancelled`."""
    language = _language(accept_language)
    return _sent(
        shop.replies.once(
            idempotency_key,
            _fingerprint(request, data),
            lambda: shop.orders.change_address(customer_id, order_id, data.address, language),
        )
    )


@post(f"{_ORDER}/cancel", status_code=200, responses=_CHANGES, sync_to_thread=False)
def cancel_order(
    shop: TheShop,
    request: Request[Any, Any, Any],
    customer_id: FromPath[str],
    order_id: FromPath[str],
    idempotency_key: Key = None,
    accept_language: Language = None,
) -> Response[Order]:
    """Cancel an order; 409 `already_packed`, `already_shipped`, `already_cancelled`."""
    language = _language(accept_language)
    return _sent(
        shop.replies.once(
            idempotency_key, _fingerprint(request), lambda: shop.orders.cancel(customer_id, order_id, language)
        )
    )


@get(f"{_ORDER}/refund-eligibility", responses=_READS, sync_to_thread=False)
def refund_eligibility(
    shop: TheShop, customer_id: FromPath[str], order_id: FromPath[str], reason: Reason | None = None
) -> Eligibility:
    """What an order can have now: refund, exchange, or why neither."""
    return shop.refunds.eligibility(customer_id, order_id, reason)


@post(f"{_ORDER}/refund", responses=_CHANGES, sync_to_thread=False)
def request_refund(
    shop: TheShop,
    request: Request[Any, Any, Any],
    customer_id: FromPath[str],
    order_id: FromPath[str],
    data: JSONBody[RefundBody],
    idempotency_key: Key = None,
) -> Response[Refund]:
    """Ask for a refund or exchange; 409 with the rule that stands against it."""
    return _sent(
        shop.replies.once(
            idempotency_key,
            _fingerprint(request, data),
            lambda: shop.refunds.request(customer_id, order_id, data),
            status=201,
        )
    )


@get(f"{_ORDER}/refund", responses=_READS, sync_to_thread=False)
def get_refund(shop: TheShop, customer_id: FromPath[str], order_id: FromPath[str]) -> Refund:
    """How far the refund or exchange of an order is."""
    return shop.refunds.of(customer_id, order_id)


@get("/api/products", responses={422: _WRONG}, sync_to_thread=False)
def find_products(
    shop: TheShop, words: Annotated[str, QueryParameter(name="query", max_length=500)], accept_language: Language = None
) -> Products:
    """Up to five products that fit a few words."""
    return Products(products=shop.shelf.find(words, _language(accept_language)))


@get("/health", sync_to_thread=False)
def health(shop: TheShop) -> dict[str, str]:
    """Whether the shop and its database answer."""
    shop.database.setting("seeded")
    return {"status": "ok", "service": "demo-shop"}


@get("/demo/customers", sync_to_thread=False)
def sample_customers(shop: TheShop, request: Request[Any, Any, Any]) -> Sequence[SampleCustomer]:
    """Some customers to try things with. For pages of this machine."""
    _check_page(request)
    return shop.log_in.samples()


@post("/demo/customer-token", status_code=200, sync_to_thread=False)
def customer_token(shop: TheShop, request: Request[Any, Any, Any], data: JSONBody[TokenBody]) -> CustomerToken:
    """Stands for the shop's log-in: a token that says who the customer is. For pages of this machine."""
    _check_page(request)
    return shop.log_in.token(data.customer_id)


@get("/demo/customer-key", sync_to_thread=False)
def customer_key(shop: TheShop) -> Response[bytes]:
    """The public key (JWK) that customer tokens are checked with."""
    return Response(shop.log_in.public_key(), media_type="application/jwk+json")


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What is above, for programs."""
    return described(request.app)


_ROUTES = (
    *(list_orders, get_order, change_address, cancel_order, find_products),
    *(refund_eligibility, request_refund, get_refund),
    *(health, sample_customers, customer_token, customer_key, openapi),
)


def create_app(shop: Shop) -> Litestar:
    """The ASGI application of a shop."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.url.path.startswith("/api/"):
            credential.check(shop.database, connection.headers.get("authorization", ""))

    return Litestar(
        _ROUTES,
        guards=[guard],
        dependencies={"shop": Provide(lambda: shop, sync_to_thread=False, use_cache=True)},
        exception_handlers={Problem: _problem, HTTPException: _http_problem},
        cors_config=CORSConfig(allow_origins=[], allow_origin_regex=LOOPBACK_ORIGINS, allow_methods=["GET", "POST"]),
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=OpenAPIConfig(
            title="Demo shop",
            version="1",
            render_plugins=(),
            path="/_unused",
            operation_id_creator=lambda handler, _method, _path: handler.handler_name,
            use_handler_docstrings=True,
            components=Components(security_schemes={"credential": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"credential": []}],
        ),
        logging_config=None,
    )


def described(app: Litestar) -> dict[str, Any]:
    """The OpenAPI document; the framework believes that it refuses by 400, but `_http_problem` answers 422."""
    document = app.openapi_schema.to_schema()
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("400", None)
    return document


def _language(accepted: str | None) -> str:
    """The first language that is accepted and that the shop has."""
    for part in (accepted or "").lower().split(","):
        tag = part.split(";")[0].strip()
        for known, language in _LANGUAGES.items():
            if tag == known or tag.startswith(f"{known}-"):
                return language
        if tag.split("-")[0] == _DEFAULT_LANGUAGE:
            return _DEFAULT_LANGUAGE
    return _DEFAULT_LANGUAGE


def _fingerprint(request: Request[Any, Any, Any], body: msgspec.Struct | None = None) -> bytes:
    """What makes two requests the same."""
    return f"{request.method} {request.url.path}\n".encode() + (msgspec.json.encode(body) if body else b"")


def _sent(answer: Answer) -> Response[Any]:
    media_type = "application/json" if answer.status < 400 else PROBLEM_JSON  # noqa: PLR2004 - errors begin there
    return Response(answer.body, status_code=answer.status, media_type=media_type)


def _check_page(request: Request[Any, Any, Any]) -> None:
    check_page(request.headers.get("host", ""), request.headers.get("origin"))


def _problem(_: Request[Any, Any, Any], problem: Problem) -> Response[ProblemBody]:
    return Response(problem.body, status_code=problem.status, media_type=PROBLEM_JSON)


def _http_problem(_: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemBody]:
    """What the framework refuses: unknown paths, bodies and parameters that are not as described."""
    status = 422 if error.status_code == 400 else error.status_code  # noqa: PLR2004 - readable, but not acceptable
    code = {404: "path_not_found", 422: "invalid_input"}.get(status, "request_refused")
    extra = cast("list[dict[str, str]]", error.extra if isinstance(error.extra, list) else [])
    wrong = "; ".join(f"{each.get('key', 'body')}: {each.get('message', '')}" for each in extra)
    problem = Problem(status, code, f"{error.detail}: {wrong}" if wrong else str(error.detail))
    return Response(problem.body, status_code=status, media_type=PROBLEM_JSON)
