"""What a response repeats of its request, with every field in place that Open Responses asks for."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.messages import Extra
from steward.services.models.wire.responses.fields import Fields, Object, is_null, is_text

_AS_ASKED: Final = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_logprobs",
    "presence_penalty",
    "frequency_penalty",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "user",
)

DEFAULTS: Final[Mapping[str, object]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_logprobs": 0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
    "user": None,
    "tools": (),
    "tool_choice": "auto",
    "text": {"format": {"type": "text"}},
    "reasoning": {"effort": None, "summary": None},
    "previous_response_id": None,
    "truncation": "disabled",
    "store": False,
    "background": False,
}
"""Of a request that names none. Nothing is kept and nothing is cut, whatever a request allows: so it says."""


def echo_of(fields: Fields) -> Extra:
    """Reads without taking out. Only for a request that was found good."""
    found = {name: raw.copy() for name in _AS_ASKED if (raw := fields.look(name)) is not None and not is_null(raw)}
    for name, whole in (("text", _text), ("reasoning", _reasoning), ("tool_choice", _choice), ("tools", _tools)):
        raw = fields.look(name)
        if raw is not None and not is_null(raw):
            found[name] = whole(raw)
    return found


def _text(raw: msgspec.Raw) -> msgspec.Raw:
    given = _object(raw)
    form = given.get("format")
    whole = {"type": "text"} if form is None or is_null(form) else _format(form)
    return _packed({**{name: value for name, value in given.items() if not is_null(value)}, "format": whole})


def _format(raw: msgspec.Raw) -> object:
    given = _object(raw)
    if "schema" not in given:
        return raw
    strict = given.pop("strict", None)
    return {"description": None, **given, "strict": False if strict is None or is_null(strict) else strict}


def _reasoning(raw: msgspec.Raw) -> msgspec.Raw:
    return _packed({"effort": None, "summary": None, **_object(raw)})


def _choice(raw: msgspec.Raw) -> msgspec.Raw:
    if is_text(raw):
        return raw.copy()
    given = _object(raw)
    return _packed({"mode": "auto", **given}) if "tools" in given else raw.copy()


def _tools(raw: msgspec.Raw) -> msgspec.Raw:
    return _packed([_tool(one) for one in msgspec.json.decode(raw, type=list[Object])])


def _tool(given: Object) -> Mapping[str, object]:
    kind = given.get("type")
    if kind is None or msgspec.json.decode(kind) != "function":
        return given
    return {"description": None, "parameters": None, "strict": None, **given}


def _object(raw: msgspec.Raw) -> Object:
    return msgspec.json.decode(raw, type=Object)


def _packed(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
