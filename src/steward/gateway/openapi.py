"""The OpenAPI 3.1 document of the mounted routes, made from what the handlers declare.

Litestar finds the operations and their parameters; the schemas come from msgspec, which knows every bound that it
enforces; descriptions come from the docstrings, those of fields included.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, cast, get_args, get_origin

import msgspec
from litestar import HttpMethod, Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from steward.gateway.field_docs import field_docs, structs_in
from steward.gateway.problems import TYPE_PREFIX
from steward.kit.call_fields import IDEMPOTENCY_KEY_PATTERN
from steward.kit.web import EVENT_STREAM, ErrorForm, EventStream, JsonLines

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_ABOUT: Final = """Steward's native API. Every failure is a problem detail (RFC 9457) whose `code` is stable.

Authenticate with `Authorization: Bearer <access token or API key>` or `X-API-Key: <key>`. Lists are paged: pass
`next_cursor` of a page as `cursor`. A `POST` that creates takes `Idempotency-Key`: the same key with the same body
gives the first answer again. `X-Request-Id` comes back with each answer, `RateLimit` says how much is left."""

_PROBLEM_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). More members may tell more, such as `field`, `limit`, `retry_after`.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": [TYPE_PREFIX + "rate_limited"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, which value, what to do."},
        "code": {"type": "string", "description": "Stable name of the failure."},
        "request_id": {"type": "string"},
        "error_id": {"type": "string", "description": "With status 500: finds the error in the log."},
        "retry_after": {"type": "integer", "description": "Seconds to wait before trying again."},
    },
}
_PROBLEMS: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "No credential, or one that does not count",
    403: "The caller may not do this",
    404: "It does not exist, or the caller may not see it",
    409: "It contradicts the present state",
    413: "The body is too large",
    415: "The body is not JSON in UTF-8",
    422: "A value cannot be accepted; `field` names it",
    429: "Too many requests, or a quota is used up",
    500: "A defect; `error_id` finds it in the log",
    503: "A part that is needed does not answer; try again",
    504: "It took too long",
}
_SECURITY_SCHEMES: Final[Mapping[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of a log-in, or an API key."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
_IDEMPOTENCY: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repetition safe: the same key with the same body gives the first answer again.",
    "schema": {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY_PATTERN}$"},
}
_SAFE_METHODS: Final = frozenset({HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS})
"""RFC 9110 section 9.2.1; what they ask for contradicts no state."""
_SEVERAL: Final = re.compile(
    r"^(?:steward[._])?(?:kit|services)[._](?P<part>[a-z]+)[._](?:.*[._])?(?P<own>[A-Za-z0-9]+)$"
)
"""How msgspec, with points, and Litestar name types of which there are several of one name."""
_GENERIC: Final = re.compile(r"^(Page|Items)_(.+)_$")


def document(app: Litestar, version: str) -> Json:
    """The document, as plain data."""
    drawn: Json = app.openapi_schema.to_schema()
    types = sorted({part for handler in _handlers(app) for part in _types(handler)}, key=str)
    _, found = msgspec.json.schema_components(types, ref_template=_REF)
    structs = structs_in(types)
    schemas = {name: _described(schema, structs.get(_GENERIC.sub(r"\1", name))) for name, schema in found.items()}
    # Enumerations that stand in parameters only are known to Litestar alone.
    for name, schema in drawn["components"].get("schemas", {}).items():
        if schema.get("enum"):
            schemas.setdefault(name, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Steward", "version": version, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"api_key": []}],
        "paths": {path: _path_item(path, item, app) for path, item in drawn["paths"].items()},
        "components": {
            "schemas": {
                **{_named(name): {**_renamed(schema), "title": _named(name)} for name, schema in schemas.items()},
                "Problem": _PROBLEM_SCHEMA,
            },
            "responses": {
                **{f"Problem{status}": _problem(text) for status, text in _PROBLEMS.items()},
                **_failures({form for handler in _handlers(app) if (form := _form(handler)) is not None}),
            },
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _handlers(app: Litestar) -> Iterable[HTTPRouteHandler]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            yield from (handler for handler in route.route_handlers if handler.resolve_include_in_schema())


def _types(handler: HTTPRouteHandler) -> Iterable[Any]:
    form = _form(handler)
    found = (_body_type(handler), None if form is None else form.schema, _answer_type(handler))
    return (one for one in found if one is not None)


def _answer_type(handler: HTTPRouteHandler) -> Any:
    if (shown := handler.opt.get("described_answer")) is not None:
        return shown
    answer = handler.parsed_fn_signature.return_type
    if _is_document(answer.annotation):
        return answer.annotation
    first = answer.inner_types[0].annotation if answer.inner_types else None
    return first if _is_document(first) else None


def _is_document(annotation: Any) -> bool:
    struct = get_origin(annotation) or annotation
    return isinstance(struct, type) and issubclass(struct, msgspec.Struct)


def _path_item(path: str, item: Json, app: Litestar) -> Json:
    handlers = {
        method.lower(): handler
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path_format == path
        for handler in route.route_handlers
        for method in handler.http_methods
    }
    return {method: _operation(method, drawn, handlers[method]) for method, drawn in item.items()}


def _operation(method: str, drawn: Json, handler: HTTPRouteHandler) -> Json:
    summary, _, text = inspect.cleandoc(handler.fn.__doc__ or handler.handler_name).partition("\n")
    is_open = bool(handler.opt.get("open"))
    parameters: list[Json] = [_parameter(parameter) for parameter in drawn.get("parameters", [])]
    creates = handler.status_code == HTTPStatus.CREATED or handler.opt.get("takes_key")
    if method == "post" and creates and not is_open:
        parameters.append(dict(_IDEMPOTENCY))
    operation: Json = {
        "operationId": handler.handler_name,
        "tags": drawn.get("tags", []),
        "summary": summary,
        **({"description": text.strip()} if text else {}),
        "parameters": parameters,
        "responses": _responses(handler, names_one=any(map(_names_one, parameters)), is_open=is_open),
    }
    body = _body_type(handler)
    if body is not None:
        kind = handler.opt.get("body_kind", "application/json")
        operation["requestBody"] = {"required": True, "content": _content(kind, _ref(body))}
    if is_open:
        operation["security"] = []
    return operation


def _names_one(parameter: Json) -> bool:
    """Whether a parameter says which thing is meant, so that it may not exist."""
    return parameter["in"] == "path" or parameter["schema"].get("format") == "uuid"


def _responses(handler: HTTPRouteHandler, *, names_one: bool, is_open: bool) -> Json:
    body = _body_type(handler) is not None
    form = _form(handler)
    statuses = {400, 422, 429, 500, 503, 504}
    statuses |= set() if is_open and not body else {401}
    statuses |= set() if is_open else {403}
    statuses |= {404} if names_one or handler.opt.get("names_one") else set()
    statuses |= {413, 415} if body else set()
    statuses |= set() if handler.http_methods <= _SAFE_METHODS else {409}
    # Clients of other APIs' dialects know no 422; the edge answers 400 in its place.
    statuses -= set() if form is None else {422}
    name = "Problem" if form is None else form.schema.__name__
    found: Json = {str(handler.status_code): _success(handler)}
    found.update((str(status), {"$ref": f"#/components/responses/{name}{status}"}) for status in sorted(statuses))
    # A probe that finds something wrong says so in its own words, not as a problem of the request.
    found.update((str(status), _success(handler)) for status in handler.opt.get("also_answers", ()))
    return found


def _success(handler: HTTPRouteHandler) -> Json:
    answer = handler.parsed_fn_signature.return_type
    shown = _answer_type(handler)
    if answer.is_subclass_of(type(None)) or answer.annotation is None:
        return {"description": "Done; no body"}
    if shown is not None:
        content = _content("application/json", _ref(shown))
        if any(inner.is_subclass_of(EventStream) for inner in answer.inner_types):
            content |= _content(EVENT_STREAM, {"type": "string", "description": "Server-sent events."})
        return {"description": "The answer", "content": content}
    kind = str(getattr(handler.media_type, "value", handler.media_type))
    schema: Json = {"type": "string"}
    if answer.is_subclass_of(JsonLines):
        schema["description"] = "One JSON object a line."
    return {"description": "The answer", "content": _content(kind, schema)}


def _body_type(handler: HTTPRouteHandler) -> Any:
    body = handler.parsed_fn_signature.parameters.get("data")
    return handler.opt.get("described_body") if body is None else body.annotation


def _form(handler: HTTPRouteHandler) -> ErrorForm | None:
    return handler.opt.get("error_form")


def _content(kind: str, schema: Json) -> Json:
    return {kind: {"schema": schema}}


def _problem(text: str) -> Json:
    return {"description": text, "content": _content("application/problem+json", {"$ref": _REF.format(name="Problem")})}


def _failures(forms: Iterable[ErrorForm]) -> Json:
    """Failures as the dialects of other APIs tell them."""
    return {
        f"{form.schema.__name__}{status}": {
            "description": text,
            "content": _content("application/json", _ref(form.schema)),
        }
        for form in sorted(forms, key=lambda form: form.prefix)
        for status, text in _PROBLEMS.items()
    }


def _ref(annotation: Any) -> Json:
    schemas, _ = msgspec.json.schema_components((annotation,), ref_template=_REF)
    return _renamed(schemas[0])


def _named(name: str) -> str:
    """`UserPage` for `Page_User_`; `CostsOutcome` for one of several of the name `Outcome`."""
    if (several := _SEVERAL.match(name)) is not None:
        return several["part"].capitalize() + several["own"]
    match = _GENERIC.match(name)
    return f"{match[2]}{match[1]}" if match else name


def _renamed(value: Any) -> Any:
    """The same data with every reference under the name of `_named`."""
    match value:
        case dict():
            renamed = {key: _renamed(inner) for key, inner in cast("Json", value).items()}
            if isinstance(ref := renamed.get("$ref"), str):
                head, _, name = ref.rpartition("/")
                renamed["$ref"] = f"{head}/{_named(name)}"
            return renamed
        case list():
            return [_renamed(inner) for inner in cast("list[Any]", value)]
        case _:
            return value


def _described(schema: Json, cls: type[msgspec.Struct] | None) -> Json:
    """The schema with what msgspec leaves out: the docstrings of fields, and that an instant has a format."""
    if cls is None:
        return schema
    docs = field_docs(cls)
    for field in msgspec.structs.fields(cls):
        drawn: Json = schema["properties"][field.encode_name]
        if field.name in docs:
            # A description beside a reference is read by OpenAPI 3.1 and goes before that of the schema referred to.
            drawn["description"] = docs[field.name]
        for plain in (drawn, *drawn.get("anyOf", ())):
            if plain.get("type") == "string" and _holds_instant(field.type):
                plain["format"] = "date-time"
    return schema


def _holds_instant(hint: Any) -> bool:
    return hint is datetime or any(_holds_instant(inner) for inner in get_args(hint))


def _parameter(drawn: Json) -> Json:
    """A parameter without what only repeats the defaults of OpenAPI; an optional one is absent, never null."""
    schema: Json = dict(_renamed(drawn["schema"]))
    choices = [choice for choice in schema.pop("oneOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = {**choices[0], **schema}
    for bound in ("minimum", "maximum"):
        if bound in schema:
            schema[bound] = int(schema[bound])
    description = schema.pop("description", drawn.get("description", ""))
    found: Json = {"name": drawn["name"], "in": drawn["in"], "required": drawn["required"], "schema": schema}
    return {**found, "description": description} if description else found
