"""Answers that a reservation cut are continued under a new one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.services.costs.api import Outcome
from steward.services.models.calls.continuing import without_overlap
from steward.services.models.failures import FailureKind
from steward.services.models.messages import (
    Finished,
    Message,
    ModelReply,
    OutputFormat,
    OutputKind,
    PartFinished,
    PartStarted,
    Role,
    Started,
    StopReason,
    StreamEvent,
    Text,
    Thinking,
    Usage,
    UsageReport,
)
from tests.services.models.calls.virtual_time import run
from tests.services.models.calls.world import (
    Say,
    World,
    ask,
    endpoint,
    ends_once,
    exhausted,
    fails,
    target,
    text_of,
)


def cut(text: str, used: int) -> Say:
    return Say(text=text, stop=StopReason.LENGTH, usage=Usage(input_tokens=10, output_tokens=used))


def answer(world: World, *, stream: bool, can: bool = True, **more: Any) -> Any:
    """Text, stop and usage of the answer."""
    of = target("a", of=endpoint("a", can_continue=can))

    async def work() -> ModelReply | list[StreamEvent]:
        call = world.call(of, **more)
        found = await (world.read(call) if stream else world.calls.complete(call))
        await world.calls.drain()
        return found

    found = run(work())
    world.costs.check_settled_once()
    if isinstance(found, ModelReply):
        (choice,) = found.choices
        (part,) = choice.parts
        return part.text, choice.stop, found.usage
    assert ends_once(found)
    assert [type(event) for event in found if not hasattr(event, "text")] == [
        Started,
        PartStarted,
        PartFinished,
        Finished,
        UsageReport,
    ]
    assert {event.part.text for event in found if isinstance(event, PartFinished)} == {text_of(found)}
    return text_of(found), found[-2].stop, found[-1].usage


@pytest.mark.parametrize("stream", [False, True])
def test_cut_answer_goes_on_where_it_ended(stream: bool) -> None:
    world = World()
    world.costs.grants.extend((100, 500))
    world.upstream.script("a", cut("one two", 100), Say(text=" three"))
    assert answer(world, stream=stream) == (
        "one two three",
        StopReason.END,
        Usage(input_tokens=20, output_tokens=105),
    )
    (_, _, first), (_, _, second) = world.upstream.requests
    assert (first.max_output_tokens, second.max_output_tokens) == (100, 500)
    assert second.messages[:-1] == first.messages
    assert second.messages[-1] == Message(role=Role.ASSISTANT, parts=[Text(text="one two")])
    wanted = [worst.output_tokens for worst, _, _, _ in world.costs.reserved.values()]
    assert wanted == [1000, 900]
    assert [actual.usage.output_tokens for actual in world.costs.actuals] == [100, 5]


@pytest.mark.parametrize("stream", [False, True])
def test_it_goes_on_as_often_as_it_is_cut(stream: bool) -> None:
    world = World()
    world.costs.grants.extend((100, 100, 100, 700))
    world.upstream.script("a", cut("a", 100), cut("b", 100), cut("c", 100), cut("d", 700))
    text, stop, usage = answer(world, stream=stream)
    assert (text, stop, usage.output_tokens) == ("abcd", StopReason.LENGTH, 1000)


@pytest.mark.parametrize("stream", [False, True])
def test_white_space_at_the_seam_is_shown_once(stream: bool) -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one \n", 100), Say(text=" \n\ttwo"))
    assert answer(world, stream=stream)[0] == "one \n\ttwo"
    assert world.upstream.requests[1][2].messages[-1].parts == [Text(text="one")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        {"can": False},
        {"request": ask(output=OutputFormat(kind=OutputKind.JSON))},
        {"request": ask(thinking=Thinking(budget_tokens=10))},
        {"request": ask(logprobs=True)},
    ],
)
def test_what_cannot_be_continued_ends_with_length(stream: bool, more: dict[str, Any]) -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one", 100))
    assert answer(world, stream=stream, **more)[:2] == ("one", StopReason.LENGTH)
    assert len(world.asked) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_callers_own_limit_is_no_cut(stream: bool) -> None:
    world = World()
    world.upstream.script("a", cut("one", 1000))
    assert answer(world, stream=stream)[1] is StopReason.LENGTH
    assert len(world.asked) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_provider_that_wrote_more_than_was_wanted_is_not_asked_again(stream: bool) -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one", 1000))
    assert answer(world, stream=stream)[1] is StopReason.LENGTH
    assert len(world.costs.reserved) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("grant", [exhausted(), 10])
def test_no_budget_for_more_ends_with_length(stream: bool, grant: Any) -> None:
    world = World()
    world.costs.grants.extend((100, grant))
    world.upstream.script("a", cut("one", 100))
    assert answer(world, stream=stream) == ("one", StopReason.LENGTH, Usage(input_tokens=10, output_tokens=100))


@pytest.mark.parametrize("stream", [False, True])
def test_failed_continuation_ends_with_length(stream: bool) -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one", 100), fails(FailureKind.REFUSED, unbilled=True))
    assert answer(world, stream=stream)[:2] == ("one", StopReason.LENGTH)
    assert [actual.outcome for actual in world.costs.actuals] == [Outcome.SUCCEEDED, Outcome.FAILED]


def test_streamed_continuation_that_breaks_keeps_what_was_shown() -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one", 100), fails(FailureKind.CUT, shown=2))
    text, stop, usage = answer(world, stream=True)
    assert (text, stop, usage.output_tokens) == ("oneab", StopReason.LENGTH, 100)


def test_own_words_before_are_kept() -> None:
    world = World()
    world.costs.grants.append(100)
    world.upstream.script("a", cut("one", 100), Say())
    request = ask()
    prefilled = Message(role=Role.ASSISTANT, parts=[Text(text="Sure: ")])
    answer(world, stream=False, request=ask().__class__(model="alias", messages=[*request.messages, prefilled]))
    assert world.upstream.requests[1][2].messages[-1].parts == [Text(text="Sure: "), Text(text="one")]


@given(st.text(" \n\t", max_size=4), st.lists(st.text(" \n\tx", max_size=3), max_size=5))
def test_overlap_is_dropped_however_the_text_is_cut(tail: str, pieces: list[str]) -> None:
    rest, whole = tail, ""
    for piece in pieces:
        rest, new = without_overlap(rest, piece) if rest else ("", piece)
        whole += new
    text = "".join(pieces)
    same = 0
    while same < min(len(tail), len(text)) and tail[same] == text[same]:
        same += 1
    assert whole == text[same:]
