"""What both OpenAI Chat Completions and Anthropic Messages can say, each in the form in which it comes back.

Forms that mean the same and are not made here: a single text in a list (a bare string comes back), an empty text,
several instructions (one message comes back), a message of an image without words in a list of one, a failed tool
(`is_error`, told in words by OpenAI), results and words in one message (two come back), a tool without parameters, a
schema's `name` but `output`, its `strict`, `response_format` text, `parallel_tool_calls` without a choice of tools or
with none, `metadata` (labels that stay here), `effort` without adaptive thinking.
"""

import json
from typing import Any

from hypothesis import strategies as st

from steward.services.models.messages import Choice, Dialect, ModelReply, Part, StopReason, Text, ToolCall, Usage

Json = dict[str, Any]

_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs"])
TEXTS = st.text(_CHARACTERS, min_size=1, max_size=12)
NAMES = st.text("abz_09", min_size=1, max_size=6)
_MEDIA = st.sampled_from(["image/png", "image/jpeg", "image/webp"])
_BASE64 = st.sampled_from(["aGk=", "AAECAwQ=", "/+8="])
_URLS = st.sampled_from(["https://x.example/a.png", "http://y.example/b?c=d&e=%20"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(TEXTS, _VALUES, max_size=3).map(lambda value: json.dumps(value, ensure_ascii=False))
_SCHEMAS = st.dictionaries(NAMES, st.sampled_from([{"type": "string"}, {"type": "number", "minimum": 0.5}]), max_size=2)
_OBJECTS = _SCHEMAS.map(lambda fields: {"type": "object", "properties": fields})


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


_SAME = {
    "temperature": st.floats(0, 1),
    "top_p": st.floats(0, 1),
}
_STOPS = st.lists(TEXTS, min_size=1, max_size=3)


@st.composite
def _conversation(draw: st.DrawFn, said: "_Speech", turns: int = 3) -> list[Json]:
    messages: list[Json] = []
    for _ in range(draw(st.integers(1, turns))):
        messages += said.user(draw)
        calls = draw(_CALLS)
        if calls:
            named = [(f"call_{len(messages)}_{place}", *call) for place, call in enumerate(calls)]
            messages += said.calls(draw, named)
        elif draw(st.booleans()):
            messages += said.assistant(draw)
    return messages


class _Speech:
    """How a dialect writes the turns of a conversation."""

    def user(self, draw: st.DrawFn) -> list[Json]:
        return [{"role": "user", "content": draw(TEXTS | self.parts())}]

    def assistant(self, draw: st.DrawFn) -> list[Json]:
        texts = st.lists(TEXTS, min_size=2, max_size=3).map(_texts)
        return [{"role": "assistant", "content": draw(TEXTS | texts)}]

    def parts(self) -> st.SearchStrategy[list[Json]]:
        held = st.lists(TEXTS.map(_text) | self.image() | self.file(), min_size=1, max_size=3)
        return held.filter(lambda parts: len(parts) > 1 or parts[0]["type"] != "text")

    def image(self) -> st.SearchStrategy[Json]:
        raise NotImplementedError

    def file(self) -> st.SearchStrategy[Json]:
        raise NotImplementedError

    def calls(self, draw: st.DrawFn, calls: list[tuple[str, str, str]]) -> list[Json]:
        raise NotImplementedError


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _texts(texts: list[str]) -> list[Json]:
    return [_text(text) for text in texts]


_RESULTS = TEXTS | st.lists(TEXTS, min_size=2, max_size=3).map(_texts)
_CALLS = st.lists(st.tuples(NAMES, ARGUMENTS), max_size=2)


class _OpenAi(_Speech):
    def image(self) -> st.SearchStrategy[Json]:
        data = st.builds("data:{};base64,{}".format, _MEDIA, _BASE64)
        return (_URLS | data).map(lambda url: {"type": "image_url", "image_url": {"url": url}})

    def file(self) -> st.SearchStrategy[Json]:
        def write(data: str, name: str) -> Json:
            return {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{data}", "filename": name}}

        return st.builds(write, _BASE64, TEXTS)

    def calls(self, draw: st.DrawFn, calls: list[tuple[str, str, str]]) -> list[Json]:
        asked = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in calls
        ]
        results = [{"role": "tool", "tool_call_id": call[0], "content": draw(_RESULTS)} for call in calls]
        return [{"role": "assistant", "content": draw(st.none() | TEXTS), "tool_calls": asked}, *results]


class _Anthropic(_Speech):
    def image(self) -> st.SearchStrategy[Json]:
        data = st.builds(lambda kind, data: {"type": "base64", "media_type": kind, "data": data}, _MEDIA, _BASE64)
        url = _URLS.map(lambda url: {"type": "url", "url": url})
        return (data | url).map(lambda source: {"type": "image", "source": source})

    def file(self) -> st.SearchStrategy[Json]:
        def write(data: str, name: str) -> Json:
            source = {"type": "base64", "media_type": "application/pdf", "data": data}
            return {"type": "document", "source": source, "title": name}

        return st.builds(write, _BASE64, TEXTS)

    def calls(self, draw: st.DrawFn, calls: list[tuple[str, str, str]]) -> list[Json]:
        words = _texts(draw(st.lists(TEXTS, max_size=1)))
        asked = [
            {"type": "tool_use", "id": call_id, "name": name, "input": json.loads(arguments)}
            for call_id, name, arguments in calls
        ]
        results = [{"type": "tool_result", "tool_use_id": call[0], "content": draw(_RESULTS)} for call in calls]
        return [{"role": "assistant", "content": [*words, *asked]}, {"role": "user", "content": results}]


def _merged(*parts: Json) -> Json:
    return {name: value for part in parts for name, value in part.items()}


_TEXT_LISTS = st.lists(TEXTS, min_size=2, max_size=3).map(_texts)
_LIMITS = st.integers(1, 100_000)
_EFFORTS = st.sampled_from(["low", "medium", "high", "xhigh", "max"])
_TOOLS = st.builds(_merged, st.fixed_dictionaries({"name": NAMES}), _some(description=TEXTS, strict=st.booleans()))


def _always(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(fields)


def _openai_messages() -> st.SearchStrategy[list[Json]]:
    system = (TEXTS | _TEXT_LISTS).map(lambda content: [{"role": "system", "content": content}])
    return st.builds(lambda first, rest: [*first, *rest], st.just([]) | system, _conversation(_OpenAi()))


def _openai_settings() -> st.SearchStrategy[Json]:
    output = _OBJECTS.map(lambda schema: {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}})
    function = st.builds(lambda tool, schema: {**tool, "parameters": schema}, _TOOLS, _OBJECTS)
    return _some(
        **_SAME,
        stop=_STOPS,
        user=TEXTS,
        service_tier=st.sampled_from(["auto", "default"]),
        reasoning_effort=_EFFORTS | st.just("none"),
        response_format=output,
        tools=st.lists(function.map(lambda one: {"type": "function", "function": one}), min_size=1, max_size=2),
    )


def _openai_choice() -> st.SearchStrategy[Json]:
    named = NAMES.map(lambda name: {"type": "function", "function": {"name": name}})
    chosen = _always(tool_choice=st.sampled_from(["auto", "required"]) | named)
    parallel = _some(parallel_tool_calls=st.booleans())
    return st.builds(_merged, chosen, parallel) | st.just({}) | st.just({"tool_choice": "none"})


OPENAI_REQUESTS = st.builds(
    _merged,
    _always(model=st.just("m"), stream=st.just(False), max_completion_tokens=_LIMITS, messages=_openai_messages()),
    _openai_settings(),
    _openai_choice(),
)
"""Request bodies of OpenAI's."""


def _anthropic_settings() -> st.SearchStrategy[Json]:
    tool = st.builds(lambda tool, schema: {**tool, "input_schema": schema}, _TOOLS, _OBJECTS)
    choice = st.builds(
        _merged,
        st.sampled_from([{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "f"}]),
        _some(disable_parallel_tool_use=st.booleans()),
    )
    return _some(
        **_SAME,
        system=TEXTS | _TEXT_LISTS,
        stop_sequences=_STOPS,
        metadata=_always(user_id=TEXTS),
        service_tier=st.sampled_from(["auto", "standard_only"]),
        tools=st.lists(tool, min_size=1, max_size=2),
        tool_choice=choice | st.just({"type": "none"}),
    )


def _anthropic_output() -> st.SearchStrategy[Json]:
    form = _always(format=_OBJECTS.map(lambda schema: {"type": "json_schema", "schema": schema}))
    adaptive = _always(thinking=st.just({"type": "adaptive"}))
    thought = st.just({}) | st.just({"thinking": {"type": "disabled"}})
    unsteered = st.builds(_merged, thought, st.just({}) | _always(output_config=form))
    steered = st.builds(_merged, form | st.just({}), _always(effort=_EFFORTS))
    return unsteered | st.builds(_merged, adaptive, _always(output_config=steered))


ANTHROPIC_REQUESTS = st.builds(
    _merged,
    _always(model=st.just("m"), max_tokens=_LIMITS, messages=_conversation(_Anthropic())),
    _anthropic_settings(),
    _anthropic_output(),
)
"""Request bodies of Anthropic's."""


@st.composite
def _usages(draw: st.DrawFn) -> Usage:
    counts = st.integers(0, 10**6)
    cached, written, output = draw(counts), draw(counts), draw(counts)
    return Usage(
        input_tokens=draw(counts) + cached + written,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output,
        reasoning_tokens=draw(st.integers(0, output)),
    )


@st.composite
def replies(draw: st.DrawFn, dialect: Dialect) -> ModelReply:
    """An answer of one choice: a text, tool calls, or both, and tokens of the classes that both dialects count."""
    parts: list[Part] = [Text(text=text) for text in draw(st.lists(TEXTS, max_size=1))]
    calls = draw(st.lists(st.tuples(NAMES, ARGUMENTS), min_size=0 if parts else 1, max_size=3))
    parts += [ToolCall(id=f"call_{place}", name=name, arguments=text) for place, (name, text) in enumerate(calls)]
    stop = draw(st.sampled_from([StopReason.LENGTH, StopReason.TOOL_CALLS if calls else StopReason.END]))
    return ModelReply(
        id="chatcmpl-1",
        model="m",
        created=1_700_000_000,
        choices=[Choice(parts=parts, stop=stop)],
        usage=draw(_usages()),
        dialect=dialect,
    )
