"""Decoding of request bodies: once, strictly, straight into the handler's type, with errors that name the field."""

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from steward.gateway.exchange import EXCHANGE_KEY, Exchange
from steward.kit.errors import InvalidInput, MalformedRequest

LARGE: Final = 1 << 20
"""Work on a body larger than this takes milliseconds, and so is done in a thread."""

Decoders = Mapping[HTTPRouteHandler, msgspec.json.Decoder[Any]]

STATE_KEY: Final = "body_decoders"

_AT: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_STEP: Final = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MAX_SHOWN: Final = 60


class BodyRequest(Request[Any, Any, State]):
    """A request whose JSON body is decoded into the type that the handler's `data` declares."""

    async def json(self) -> Any:
        """The body as the handler's type. Raises `InvalidInput` naming the field, or `MalformedRequest`."""
        decoders: Decoders = self.app.state[STATE_KEY]
        exchange: Exchange = self.scope["state"][EXCHANGE_KEY]
        decoder = decoders[self.route_handler]
        large = len(exchange.body) > LARGE
        exchange.data = (
            await asyncio.to_thread(decode, decoder, exchange.body) if large else decode(decoder, exchange.body)
        )
        return exchange.data

    async def body(self) -> bytes:
        """The body, which the edge has read."""
        exchange: Exchange = self.scope["state"][EXCHANGE_KEY]
        return exchange.body


def decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """Decode a body that `check_json` let pass."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(error, body, decoder.type) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedRequest(f"the body is not JSON: {error}") from error


def body_decoder(handler: HTTPRouteHandler) -> msgspec.json.Decoder[Any] | None:
    """The decoder of the handler's `data`, if it takes a body."""
    field = handler.parsed_fn_signature.parameters.get("data")
    return None if field is None else msgspec.json.Decoder(field.annotation)


def _invalid(error: msgspec.ValidationError, body: bytes, expected: Any) -> InvalidInput:
    message = str(error)
    at = _AT.search(message)
    unknown = _UNKNOWN.search(message)
    if unknown is not None:
        field = unknown["field"]
        return InvalidInput(f"{field[:_MAX_SHOWN]} is no field here: leave it out", field=field[:_MAX_SHOWN])
    if at is None:
        return InvalidInput(_lower(message))
    path = at.group("path").removeprefix(".")
    wanted = _lower(message[: at.start()])
    if _is_sensitive(expected, path):
        return InvalidInput(f"{path}: {wanted}", field=path)
    return InvalidInput(f"{path} is {_shown(body, at.group('path'))}: {wanted}", field=path)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shown(body: bytes, path: str) -> str:
    """The value at msgspec's path in the body, cut to what fits a line."""
    try:
        value: Any = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        # Such as a number of many digits, which fits no type at all.
        return "out of any range"
    for step in _STEP.finditer(path):
        match value:
            case dict() if step["name"] is not None:
                value = cast("dict[str, Any]", value).get(step["name"])
            case list() if step["index"] not in {None, "..."}:
                value = cast("list[Any]", value)[int(step["index"])]
            case _:
                break
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _is_sensitive(expected: Any, path: str) -> bool:
    if not isinstance(expected, type) or not issubclass(expected, msgspec.Struct):
        return True
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    hint = get_type_hints(expected, include_extras=True).get(name)
    return hint is None or _marked(hint)


def _marked(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        metas = (meta for meta in hint.__metadata__ if isinstance(meta, msgspec.Meta))
        if any((meta.extra or {}).get("sensitive") for meta in metas):
            return True
    return any(_marked(inner) for inner in get_args(hint))
