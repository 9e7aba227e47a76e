"""A whole answer told as a stream and folded again is the same answer."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from steward.services.models.folding import Assembly, replay
from steward.services.models.messages import (
    Choice,
    Dialect,
    ModelReply,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    StopReason,
    Text,
    ToolCall,
    Usage,
)

words = st.text(max_size=20)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, text=words, extra=st.just({"annotations": msgspec.Raw(b"[]")})),
    st.builds(Refusal, text=words),
    st.builds(
        Reasoning,
        text=words,
        signature=st.none() | st.text(min_size=1, max_size=9),
        summary=st.lists(words, max_size=2),
    ),
    st.builds(ToolCall, id=words, name=words, arguments=words),
    st.just(Opaque(dialect=Dialect.ANTHROPIC, type="x", raw=msgspec.Raw(b'{"a":1}'))),
)
choices = st.lists(
    st.builds(Choice, parts=st.lists(parts, max_size=4), stop=st.sampled_from(StopReason)), min_size=1, max_size=3
)


@given(choices)
def test_replayed_answer_folds_into_itself(given_choices: list[Choice]) -> None:
    numbered = [msgspec.structs.replace(choice, index=index) for index, choice in enumerate(given_choices)]
    reply = ModelReply(
        id="a",
        model="m",
        created=7,
        provider="p",
        choices=numbered,
        usage=Usage(input_tokens=3, output_tokens=4),
        extra={"service_tier": msgspec.Raw(b'"default"')},
    )
    assembly = Assembly()
    for event in replay(reply):
        assembly.add(event)
    assert assembly.complete
    assert assembly.reply() == reply
