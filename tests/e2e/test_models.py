"""Models through the one door, from outside: clients, money, and what happens when somebody dies."""

import csv
import http.client
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from steward.kit.testing.provider import Bill, Reply
from tests.e2e.conftest import copy_home
from tests.e2e.providers import (
    KEY,
    MODEL,
    READ,
    READ_NANOS,
    WRITTEN,
    WRITTEN_NANOS,
    ProviderProcess,
    TalkingProvider,
    connect,
    entries,
)
from tests.e2e.running import Steward, until

pytestmark = pytest.mark.xdist_group("models")

DIVIDED = (
    ("serve", "models", "costs"),
    ("serve", "gateway", "tenants", "identity", "audit", "knowledge", "support"),
)
CHEAP = f"openai/{MODEL}"
HELLO: Any = [{"role": "user", "content": "Hello"}]
COST = READ * READ_NANOS + WRITTEN * WRITTEN_NANOS
SHORT_WAIT = 20.0
"""A client's; nothing here may take longer."""
SWEPT_SECONDS = 40.0
"""A process is taken for dead after 15 s of silence, and looked for every 5 s."""
STREAMS = 20
IN_BITS = Reply(piece=100, chunk=5)
"""Written five bytes at a time, most of which are text: reads end within characters."""
CHINESE = {
    "traditional": "請問運費怎麼算？訂單「臺灣鐵觀音」滿新臺幣１,０００元免運，對嗎？𠮷野家🍵" * 20,
    "simplified": "请问运费怎么算？订单“台湾铁观音”满人民币１,０００元免运，对吗？𠮷野家🍵" * 20,
}


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    running = ProviderProcess().start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def talking() -> Iterator[TalkingProvider]:
    running = TalkingProvider().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def settings(provider: ProviderProcess, talking: TalkingProvider) -> Mapping[str, str]:
    """What an operator gives to a platform that has a provider."""
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "STEWARD_MODELS_ALLOWED_HOSTS": talking.host,
        "STEWARD_DEMO": "off",
    }


@pytest.fixture(scope="module")
def platform(prepared_home: Path, settings: Mapping[str, str], talking: TalkingProvider) -> Iterator[Steward]:
    running = Steward(copy_home(prepared_home, "models")).start(**settings)
    _connect_both(running, talking)
    yield running
    if running.processes:
        running.stop()


@pytest.fixture
def steward(platform: Steward, talking: TalkingProvider) -> Steward:
    talking.reply = Reply()
    return platform


def _connect_both(steward: Steward, talking: TalkingProvider) -> None:
    for name, speaks, path in (("talking", "openai", "/v1"), ("talking-a", "anthropic", "")):
        answer = connect(steward, name, speaks, talking.fake.url + path)
        assert answer.status == 200, answer


def openai_client(steward: Steward) -> openai.OpenAI:
    key = steward.credentials["api_key"]
    return openai.OpenAI(base_url=f"{steward.url}/v1", api_key=key, max_retries=0, timeout=SHORT_WAIT)


def anthropic_client(steward: Steward) -> anthropic.Anthropic:
    key = steward.credentials["api_key"]
    return anthropic.Anthropic(base_url=steward.url, api_key=key, max_retries=0, timeout=SHORT_WAIT)


def budget(steward: Steward, name: str, limit: int) -> str:
    """A hard budget in all for the agent of this name; its id."""
    body = {"name": name, "subject": {"kind": "agent", "id": name}, "limit": limit, "period": "total"}
    answer = steward.api("POST", "/api/v1/costs/budgets", body)
    assert answer.status == 201, answer
    return str(answer.json["id"])


def used(steward: Steward, budget_id: str) -> tuple[int, int]:
    """What of a budget is spent, and what is held."""
    found = steward.api("GET", f"/api/v1/costs/budgets/{budget_id}").json
    assert found["spent"] + found["reserved"] <= found["limit"], found
    return found["spent"], found["reserved"]


def test_openai_client_is_answered_and_charged_exactly(steward: Steward, provider: ProviderProcess) -> None:
    before = len(provider.billed())
    with openai_client(steward) as client:
        whole = client.chat.completions.create(
            model="small", messages=HELLO, extra_headers={"Steward-Tags": "test=openai,how=whole"}
        )
        assert whole.choices[0].message.content == "tok " * WRITTEN
        assert whole.usage is not None
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (READ, WRITTEN)
        chunks = client.chat.completions.create(
            model=CHEAP, messages=HELLO, stream=True, extra_headers={"Steward-Tags": "test=openai,how=streamed"}
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == "tok " * WRITTEN
        names = {model.id for model in client.models.list()}
        assert {"default", "small", "medium", "large", CHEAP} <= names
    until(lambda: len(entries(steward, test="openai")) == 2)
    bills = {bill["id"]: bill for bill in provider.billed()[before:]}
    assert len(bills) == 2
    for entry in entries(steward, test="openai"):
        bill = bills[entry["provider_id"]]
        assert (entry["input_tokens"], entry["output_tokens"]) == (bill["input_tokens"], bill["output_tokens"])
        assert (entry["cost"], entry["exact"], entry["outcome"]) == (COST, True, "succeeded")
        assert (entry["provider"], entry["model"], entry["connection"]) == ("openai", MODEL, "openai")
        assert bill["asked_max"], "the provider is told how long the answer may be"


def test_anthropic_client_is_answered_by_a_provider_of_the_other_dialect(steward: Steward) -> None:
    tags = {"Steward-Tags": "test=anthropic"}
    with anthropic_client(steward) as client:
        whole = client.messages.create(model=CHEAP, max_tokens=50, messages=HELLO, extra_headers=tags)
        assert [block.text for block in whole.content if block.type == "text"] == ["tok " * WRITTEN]
        assert (whole.stop_reason, whole.usage.input_tokens, whole.usage.output_tokens) == ("end_turn", READ, WRITTEN)
        with client.messages.stream(model=CHEAP, max_tokens=7, messages=HELLO, extra_headers=tags) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert (text, final.stop_reason, final.usage.output_tokens) == ("tok " * 7, "max_tokens", 7)
    until(lambda: len(entries(steward, test="anthropic")) == 2)
    charged = {entry["output_tokens"]: entry["cost"] for entry in entries(steward, test="anthropic")}
    assert charged == {WRITTEN: COST, 7: READ * READ_NANOS + 7 * WRITTEN_NANOS}


def test_bare_requests_are_answered_in_their_dialects_form(steward: Steward) -> None:
    body = {"model": CHEAP, "messages": HELLO}
    bearer = {"Authorization": f"Bearer {steward.credentials['api_key']}"}
    answer = steward.call("POST", "/v1/chat/completions", body, headers=bearer)
    assert (answer.status, answer.headers["steward-provider"]) == (200, "openai"), answer
    nobody = steward.call("POST", "/v1/chat/completions", body)
    assert (nobody.status, set(nobody.json)) == (401, {"error", "request_id"})
    answer = steward.api("POST", "/v1/chat/completions", {**body, "model": "nobody/knows"})
    assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")
    answer = steward.api("POST", "/v1/responses", {"model": CHEAP, "input": "Hello"})
    assert answer.json["output"][0]["content"][0]["text"] == "tok " * WRITTEN
    assert KEY not in steward.log_text()


def test_exhausted_budget_refuses_by_name_until_it_is_raised(steward: Steward) -> None:
    # A call gets a part of what is left, so that others have some, too: the answers become shorter.
    limit = 12 * COST
    found = budget(steward, "bees", limit)
    agent = {"Steward-Agent": "bees"}

    def ask(client: openai.OpenAI) -> int:
        answer = client.chat.completions.create(
            model=CHEAP, messages=HELLO, max_completion_tokens=WRITTEN, extra_headers=agent
        )
        assert answer.usage is not None
        # The next reservation needs what this one gives back.
        until(lambda: used(steward, found)[1] == 0)
        return answer.usage.completion_tokens

    with openai_client(steward) as client:
        lengths = [ask(client)]
        with pytest.raises(openai.RateLimitError) as refused:
            lengths.extend(ask(client) for _ in range(60))
        assert refused.value.code == "budget_exhausted"
        assert "'bees'" in refused.value.message
        assert lengths[0] == WRITTEN
        spent = sum(READ * READ_NANOS + length * WRITTEN_NANOS for length in lengths)
        assert used(steward, found) == (spent, 0)
        with anthropic_client(steward) as other, pytest.raises(anthropic.RateLimitError, match="'bees'"):
            other.messages.create(model=CHEAP, max_tokens=WRITTEN, messages=HELLO, extra_headers=agent)
        assert steward.api("PATCH", f"/api/v1/costs/budgets/{found}", {"limit": 50 * COST}).status == 200
        assert ask(client) == WRITTEN


def test_report_adds_up_what_the_ledger_has(steward: Steward) -> None:
    for project in ("spring", "spring", "autumn"):
        body = {"model": CHEAP, "messages": HELLO}
        assert steward.api("POST", "/v1/chat/completions", body, Steward_Tags=f"project={project}").status == 200
    span = "since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z"
    query = f"{span}&group_by=tag,model&tag=project"
    until(lambda: len([each for each in entries(steward) if "project" in each["tags"]]) == 3)
    answer = steward.api("GET", f"/api/v1/costs/report?{query}")
    assert answer.status == 200, answer
    found = {row["group"]["tag"]: (row["calls"], row["cost"]) for row in answer.json["rows"] if row["group"]["tag"]}
    assert found == {"spring": (2, 2 * COST), "autumn": (1, COST)}
    total = steward.api("GET", f"/api/v1/costs/report?{span}").json["total"]
    assert total["cost"] == sum(entry["cost"] for entry in entries(steward))
    table = steward.api("GET", f"/api/v1/costs/report.csv?{query}")
    assert table.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(table.body.decode())))
    told = {line["tag"]: (line["model"], line["cost_usd"]) for line in lines if line["tag"]}
    assert told == {"spring": (MODEL, "0.000080000"), "autumn": (MODEL, "0.000040000")}


@pytest.mark.parametrize("connection", ["talking", "talking-a"])
@pytest.mark.parametrize("script", CHINESE)
def test_chinese_goes_in_and_out_unharmed(
    steward: Steward, talking: TalkingProvider, script: str, connection: str
) -> None:
    text = CHINESE[script]
    talking.reply = IN_BITS
    model = f"{connection}/{MODEL}"
    _talk_chinese(steward, model, text)
    assert text in json.dumps(talking.fake.asked[-1].body, ensure_ascii=False)


def _talk_chinese(steward: Steward, model: str, text: str) -> None:
    said: Any = [{"role": "user", "content": text}]
    with openai_client(steward) as client:
        whole = client.chat.completions.create(model=model, messages=said)
        assert whole.choices[0].message.content == text
        chunks = client.chat.completions.create(model=model, messages=said, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    with (
        anthropic_client(steward) as other,
        other.messages.stream(model=model, max_tokens=500, messages=said) as stream,
    ):
        assert "".join(stream.text_stream) == text


def begin(steward: Steward, model: str, text: str, **headers: str) -> http.client.HTTPConnection:
    """A stream of which the first content was heard."""
    connection = http.client.HTTPConnection("127.0.0.1", steward.port, timeout=SHORT_WAIT)
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True, "max_tokens": 100}
    sent = {"X-API-Key": steward.credentials["api_key"], "Content-Type": "application/json", **headers}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), sent)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    while b'"content":"' not in (line := answer.readline()):
        assert line, "ended before it said anything"
    return connection


def test_client_that_leaves_ends_the_providers_work_and_is_charged(steward: Steward, talking: TalkingProvider) -> None:
    talking.reply = Reply(text="word " * 60, piece=5, between=0.05)
    gone = talking.fake.disconnects
    model = f"talking/{MODEL}"
    begin(steward, model, "mark:leaves", **{"Steward-Tags": "test=leaves"}).close()
    until(lambda: talking.fake.disconnects == gone + 1)
    until(lambda: len(entries(steward, test="leaves")) == 1)
    (bill,) = [each for each in talking.fake.billed if each.mark == "leaves"]
    (entry,) = entries(steward, test="leaves")
    assert not bill.finished
    assert (entry["outcome"], entry["exact"]) == ("cancelled", False)
    assert entry["input_tokens"] >= bill.input_tokens
    assert bill.output_tokens <= entry["output_tokens"] <= 100


def test_provider_that_is_down_is_a_clear_refusal_and_no_wait(steward: Steward, provider: ProviderProcess) -> None:
    found = budget(steward, "down", 10 * COST)
    agent = {"Steward-Agent": "down"}
    provider.kill()
    try:
        began = time.monotonic()
        with openai_client(steward) as client:
            for stream in (False, True):
                with pytest.raises(openai.InternalServerError) as refused:
                    client.chat.completions.create(
                        model="small", messages=HELLO, max_tokens=5, stream=stream, extra_headers=agent
                    )
                assert (refused.value.status_code, refused.value.code) == (503, "providers_unavailable")
                assert "'small'" in refused.value.message
        with anthropic_client(steward) as other, pytest.raises(anthropic.InternalServerError) as told:
            other.messages.create(model="small", max_tokens=5, messages=HELLO, extra_headers=agent)
        assert told.value.status_code == 503
        assert time.monotonic() - began < SHORT_WAIT
        until(lambda: used(steward, found) == (0, 0))
        answer = steward.api("POST", "/api/v1/chat", {"message": "How long does delivery take?"})
        assert answer.status == 200, answer
        assert answer.json["message"]
    finally:
        provider.start()
    # A breaker leaves nobody without any provider at all.
    assert steward.api("POST", "/v1/chat/completions", {"model": "small", "messages": HELLO}).status == 200


def test_kill_in_the_middle_of_streams_loses_no_money(
    steward: Steward, talking: TalkingProvider, settings: Mapping[str, str]
) -> None:
    model = f"talking/{MODEL}"
    found = budget(steward, "killed", 20_000_000)
    talking.reply = Reply(text="word " * 40, piece=5)
    done = _streams(steward, [f"done-{number}" for number in range(3)], model)
    for connection in done:
        connection.close()
    until(lambda: used(steward, found)[1] == 0)
    talking.reply = Reply(text="word " * 90, piece=5, between=0.1)
    open_ones = _streams(steward, [f"open-{number}" for number in range(STREAMS)], model)
    spent, reserved = used(steward, found)
    assert reserved > 0
    steward.kill()
    for connection in open_ones:
        connection.close()
    steward.start(**settings)
    assert used(steward, found) == (spent, reserved), "what a dead process holds is held until it is charged"
    _swept(steward, found)
    charged = {entry["tags"]["mark"]: entry for entry in entries(steward, test="killed")}
    bills = {bill.mark: bill for bill in talking.fake.billed if bill.mark.startswith(("done-", "open-"))}
    assert charged.keys() == bills.keys()
    assert len(bills) == STREAMS + 3
    for mark, entry in charged.items():
        bill = bills[mark]
        if mark.startswith("open-"):
            assert (entry["outcome"], entry["exact"]) == ("unknown", False)
        assert entry["input_tokens"] >= bill.input_tokens, (mark, entry)
        assert entry["output_tokens"] >= bill.output_tokens, (mark, entry)
    assert used(steward, found) == (sum(entry["cost"] for entry in charged.values()), 0)
    _correct_all(steward, charged, bills)
    billed = sum(bill.input_tokens * READ_NANOS + bill.output_tokens * WRITTEN_NANOS for bill in bills.values())
    assert used(steward, found) == (billed, 0)
    talking.reply = Reply()
    assert steward.api("POST", "/v1/chat/completions", {"model": model, "messages": HELLO}).status == 200


def _swept(steward: Steward, budget_id: str) -> None:
    """Wait until nothing is held, asking seldom: this takes a while, and the machine has other work."""
    began = time.monotonic()
    while used(steward, budget_id)[1]:
        assert time.monotonic() - began < SWEPT_SECONDS, steward.logs()
        time.sleep(0.25)


def _correct_all(steward: Steward, charged: Mapping[str, dict[str, Any]], bills: Mapping[str, Bill]) -> None:
    """Give the provider's own figure of each call that was charged by a bound."""
    for mark, entry in charged.items():
        usage = {"input_tokens": bills[mark].input_tokens, "output_tokens": bills[mark].output_tokens}
        body = {"usage": usage, "reason": "the provider's bill"}
        answer = steward.api("POST", f"/api/v1/costs/calls/{entry['call_id']}/correction", body)
        assert answer.status == (409 if entry["exact"] else 200), answer


def _streams(steward: Steward, marks: list[str], model: str) -> list[http.client.HTTPConnection]:
    """As many streams at once as there are marks, all of which have said something."""
    begun: list[http.client.HTTPConnection] = []

    def one(mark: str) -> Callable[[], None]:
        headers = {"Steward-Agent": "killed", "Steward-Tags": f"test=killed,mark={mark}"}
        return lambda: begun.append(begin(steward, model, f"mark:{mark}", **headers))

    threads = [threading.Thread(target=one(mark)) for mark in marks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SHORT_WAIT)
    assert len(begun) == len(marks), steward.logs()
    return begun


@pytest.mark.xdist_group("models-divided")
def test_models_in_a_process_of_their_own_answer_over_grpc(
    prepared_home: Path, settings: Mapping[str, str], talking: TalkingProvider
) -> None:
    divided = Steward(copy_home(prepared_home, "divided"), DIVIDED)
    try:
        divided.start(**settings)
        _connect_both(divided, talking)
        talking.reply = IN_BITS
        _talk_chinese(divided, f"talking/{MODEL}", CHINESE["traditional"])
        until(lambda: len(entries(divided)) == 3)
        assert all(entry["exact"] for entry in entries(divided))
        found = budget(divided, "far", 1)
        with openai_client(divided) as client, pytest.raises(openai.RateLimitError, match="'far'"):
            client.chat.completions.create(
                model="small", messages=HELLO, stream=True, extra_headers={"Steward-Agent": "far"}
            )
        assert used(divided, found) == (0, 0)
        gone = talking.fake.disconnects
        talking.reply = Reply(text="word " * 60, piece=5, between=0.05)
        begin(divided, f"talking/{MODEL}", "Hello").close()
        until(lambda: talking.fake.disconnects == gone + 1)
        until(lambda: entries(divided)[0]["outcome"] == "cancelled")
    finally:
        divided.stop()
