"""`steward loadtest`: its figures, and how it counts what fails."""

import json
from itertools import count
from pathlib import Path

import pytest

from steward.bootstrap.cli.load.figures import NoStep, Outcome, Step, figures, parse_steps
from tests.cli.desk import chat_answer

CHAT = ("POST", "/api/v1/chat")
HEALTH = {"status": "ok", "version": "1", "dependencies": {}}


@pytest.fixture
def desk(remote):
    remote.on("GET", "/health", (200, HEALTH))
    remote.on(*CHAT, (200, chat_answer(from_cache=True)))
    return remote


def sent(remote) -> list[dict[str, str]]:
    return [request.body for request in remote.requests if request.path == CHAT[1]]


def test_figures_are_of_the_answered_and_errors_are_counted_by_type() -> None:
    outcomes = [Outcome(number / 1000, from_cache=number > 50) for number in range(1, 101)]
    failed = [Outcome(9.0, "timeout"), Outcome(9.0, "429 customer_limited"), Outcome(9.0, "timeout")]
    found = figures(Step(10, 10), outcomes + failed, 2.0)
    assert (found.answered, found.failed, found.from_cache, found.throughput) == (100, 3, 50, 50.0)
    assert found.errors == {"429 customer_limited": 1, "timeout": 2}
    times = found.times_ms
    assert times is not None
    assert (times.min, times.mean, times.median, times.p95, times.p99, times.max) == (1, 50.5, 50.5, 95, 99, 100)


def test_nothing_answered_has_no_times() -> None:
    assert figures(Step(1, 1), [Outcome(1.0, "connection")], 1.0).times_ms is None


@pytest.mark.parametrize("text", ["", "10", "10x", "x5", "0x5", "5x-1", "10x5,", "1e1x5", "10001x1", "²x5"])
def test_a_step_that_is_none_is_refused(cli, text) -> None:
    with pytest.raises(NoStep):
        parse_steps(text, 10_000)
    result = cli("loadtest", "--steps", text)
    assert result.exit_code == 2
    assert "such as 10x5" in " ".join(result.stderr.split())


def test_each_customer_has_a_session_and_an_identity_of_their_own(authorized, desk) -> None:
    result = authorized("loadtest", "--steps", "3x2,1x1", "--json")
    assert result.exit_code == 0, result.output
    steps = json.loads(result.stdout)["steps"]
    assert [(one["customers"], one["answered"], one["from_cache"]) for one in steps] == [(3, 6, 6), (1, 1, 1)]
    bodies = sent(desk)
    assert len({body["user_id"] for body in bodies}) == 4
    assert sum(body["session_id"] is None for body in bodies) == 4
    assert {request.headers["x-api-key"] for request in desk.requests if request.path == CHAT[1]} == {"stw_sk_test"}


def test_the_table_has_all_figures_and_the_errors_by_type(authorized, desk, problem_of) -> None:
    numbers = count()

    def answer(request):
        del request
        if next(numbers) % 2:
            return 429, problem_of(429, "customer_limited", "too many")
        return 200, chat_answer()

    desk.on(*CHAT, answer)
    result = authorized("loadtest", "--steps", "2x2", "--lang", "en")
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == [
        *("Step", "Answered", "Errors", "Throughput"),
        *("Min", "Mean", "Median", "P95", "P99", "Max", "Cached"),
    ]
    assert lines[1][:3] == ["2x2", "2", "2"]
    assert lines[-1] == ["2x2", "429", "customer_limited", "2"]


def test_answers_of_something_else_and_broken_connections_are_told_apart(authorized, desk) -> None:
    desk.on(*CHAT, (200, b"<html>"))
    result = authorized("loadtest", "--steps", "1x1", "--json")
    assert json.loads(result.stdout)["steps"][0]["errors"] == {"unreadable answer": 1}
    assert result.exit_code == 1


def test_messages_come_from_the_line_and_from_a_file(authorized, desk, tmp_path: Path) -> None:
    file = tmp_path / "messages.txt"
    file.write_text("eins\n\nzwei\n")
    authorized("loadtest", "--steps", "3x1", "--message", "drei", "--file", str(file))
    assert {body["message"] for body in sent(desk)} == {"eins", "zwei", "drei"}
    file.write_text("\n")
    assert authorized("loadtest", "--file", str(file)).exit_code == 2


def test_another_machine_is_only_tested_when_one_says_so(authorized, desk) -> None:
    for url in ("https://desk.example.com", "http://10.0.0.7:8080", "http://127.0.0.1.example.com"):
        result = authorized("loadtest", "--url", url)
        assert (result.exit_code, "--yes" in result.stderr) == (2, True)
    assert desk.requests == []


def test_where_nothing_answers_there_is_no_test(cli) -> None:
    cli.env |= {"STEWARD_URL": "http://127.0.0.1:1", "STEWARD_API_KEY": "k"}
    assert cli("loadtest").exit_code == 5
