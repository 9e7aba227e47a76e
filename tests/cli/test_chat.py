"""`steward chat`: what it sends, and what it shows of the answer."""

import json

import pytest

from tests.cli.desk import chat_answer, event, stream
from tests.cli.examples import uuid

CHAT = ("POST", "/api/v1/chat")


def test_one_message_is_streamed_and_explained(authorized, remote) -> None:
    answer = chat_answer(ticket_id=uuid(3), degraded=True)
    remote.on(*CHAT, (200, b"".join(stream(answer=answer))))
    result = authorized("chat", "How long?", "--as", "ann", "--session", uuid(9), "--lang", "en")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Two days.\n"
    told = result.stderr
    assert "[1] How long? (f1)" in told
    assert "faq agent, intent faq (93%), 4 ms" in told
    assert f"ticket {uuid(3)}" in told
    assert "shop.get_order" in told
    assert "not to be had" in told
    assert f"--session {uuid(1)}" in told
    request = remote.requests[-1]
    assert request.body == {"message": "How long?", "session_id": uuid(9), "user_id": "ann"}
    assert request.headers["accept"] == "text/event-stream"


def test_with_json_the_answer_is_the_contract_s(authorized, remote) -> None:
    remote.on(*CHAT, (200, chat_answer()))
    result = authorized("chat", "hi", "--json")
    answer = json.loads(result.stdout)
    assert (answer["message"], answer["session_id"], answer["citations"][0]["title"]) == (
        "Two days.",
        uuid(1),
        "How long?",
    )
    assert result.stdout.count("\n") == 1


def test_a_piped_message_gets_one_answer(authorized, remote) -> None:
    remote.on(*CHAT, (200, b"".join(stream())))
    result = authorized("chat", typed="多久會到？\n")
    assert result.stdout == "Two days.\n"
    assert remote.requests[-1].body == {"message": "多久會到？"}


def test_no_message_at_all_is_wrong_usage(authorized, remote) -> None:
    assert authorized("chat", typed=" \n").exit_code == 2
    assert authorized("chat", "").exit_code == 2
    assert remote.requests == []


def test_an_answer_that_does_not_come_is_a_failure(authorized, remote) -> None:
    remote.on(*CHAT, (200, event(0, "message.accepted") + event(0, "error", text="Still at work.")))
    result = authorized("chat", "hi")
    assert result.exit_code == 1
    assert "Still at work." in result.stderr


def test_a_refused_message_says_why(authorized, remote, problem_of) -> None:
    remote.on(*CHAT, (429, problem_of(429, "customer_limited", "60 messages a minute", retry_after=7)))
    result = authorized("chat", "hi")
    assert result.exit_code == 1
    assert "60 messages a minute" in result.stderr
    assert "7 seconds" in result.stderr


def test_an_answer_cannot_steer_the_terminal(authorized, remote) -> None:
    evil = [event(1, "message.delta", text="a\u001b[2Jb\nc"), *stream()[-1:]]
    remote.on(*CHAT, (200, b"".join(evil)))
    assert authorized("chat", "hi").stdout == "a\ufffd[2Jb\nc\n"


@pytest.mark.parametrize("lines", [["How long?", "", "And then?"]])
def test_a_talk_stays_in_its_session_until_the_end_of_input(authorized, remote, monkeypatch, lines) -> None:
    typed = iter(lines)

    def read(prompt: str = "") -> str:
        del prompt
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    monkeypatch.setattr("steward.bootstrap.cli.commands.chat._is_talk", lambda: True)
    remote.on(*CHAT, (200, b"".join(stream())))
    result = authorized("chat")
    assert result.exit_code == 0, result.output
    assert "Ctrl-D" in result.stderr
    assert [request.body for request in remote.requests] == [
        {"message": "How long?"},
        {"message": "And then?", "session_id": uuid(1)},
    ]
