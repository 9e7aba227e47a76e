"""Prices, ledger and reports over HTTP: names with slashes, CSV, what cannot be asked."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from steward.kit.context import Actor, ActorType
from steward.services.costs.api import (
    Actual,
    CallId,
    CallInfo,
    CallUsage,
    CostsApi,
    Outcome,
    Subject,
    SubjectKind,
    WorstCase,
)
from tests.support.database import database_of
from tests.support.house import Answer, House, Member, open_house
from tests.support.postgres import PostgresForTests

PATH = "/api/v1/costs"
MODEL = "org/model-1"
PRICE = {"prices": {"input": 1_000_000, "output": 3_000_000, "cache_read": 500_000}, "per_call": 7}


@pytest_asyncio.fixture(scope="module")
async def house(postgres: PostgresForTests, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    home = tmp_path_factory.getbasetemp() / "steward-home"
    home.mkdir(exist_ok=True)
    async with open_house(dsn, postgres.dsn(database_of(dsn)), Path(home)) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def owner(house: House) -> Member:
    """Of a tenant with a price of its own and three calls, one tagged as a spreadsheet's formula."""
    tenant = await house.installation.tenant()
    member = await house.logged_in(tenant.id, tenant.owner_email)
    put = await house.http("PUT", f"{PATH}/prices/own/{MODEL}", member.bearer, PRICE)
    assert put.status == 200, put.body
    ctx = house.installation.ctx(tenant.id, "service:costs", actor=Actor(ActorType.SERVICE, "models"))
    costs = house.installation.api(CostsApi)
    worst = WorstCase(provider="own", model=MODEL, input_tokens=500, output_tokens=500)
    for number in range(3):
        call_id = CallId(house.installation.foundation.ids.new())
        info = CallInfo(request_id=f"q{number}", alias="a", connection="own", tags={"job": "=cmd()"} if number else {})
        subjects = (Subject(SubjectKind.USER, f"u{number % 2}"),)
        await costs.reserve(ctx, call_id=call_id, subjects=subjects, worst_case=worst, info=info)
        actual = Actual(outcome=Outcome.SUCCEEDED, usage=CallUsage(input_tokens=100, output_tokens=10))
        await costs.settle(ctx, call_id=call_id, actual=actual)
    return member


async def get(house: House, member: Member, path: str, **query: str) -> Answer:
    return await house.http("GET", f"{PATH}/{path}", member.bearer, **query)


def today(**more: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat(), **more}


def table(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


async def test_a_price_of_a_model_with_slashes_is_set_shown_and_taken_back(house: House, owner: Member) -> None:
    shown = (await get(house, owner, "prices", provider="own")).json["items"]
    assert [(one["model"], one["source"], one["per_call"]) for one in shown] == [(MODEL, "tenant", 7)]
    for name in ("a/b/c", "a%2Fb%2Fc"):
        assert (await house.http("PUT", f"{PATH}/prices/other/{name}", owner.bearer, PRICE)).status == 200
        shown = (await get(house, owner, "prices", provider="other")).json["items"]
        assert [one["model"] for one in shown] == ["a/b/c"]
        assert (await house.http("DELETE", f"{PATH}/prices/other/{name}", owner.bearer)).status == 204
    gone = await house.http("DELETE", f"{PATH}/prices/other/a/b/c", owner.bearer)
    assert (gone.status, gone.json["code"]) == (404, "price_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"prices": {"input": -1, "output": 1}},
        {"prices": {"input": 1}},
        {"prices": {"input": 1.5, "output": 1}},
        {**PRICE, "batch_percent": 101},
        {**PRICE, "effective_from": "yesterday"},
        {**PRICE, "tiers": [{"above_input_tokens": 5, "prices": PRICE["prices"]}] * 2},
    ],
)
async def test_what_is_no_price_is_refused(house: House, owner: Member, body: dict[str, Any]) -> None:
    assert (await house.http("PUT", f"{PATH}/prices/p/m", owner.bearer, body)).status == 422


async def test_the_ledger_is_listed_and_exported(house: House, owner: Member) -> None:
    listed = (await get(house, owner, "calls", limit="2")).json
    assert [one["request_id"] for one in listed["items"]] == ["q2", "q1"]
    rest = (await get(house, owner, "calls", cursor=listed["next_cursor"])).json
    assert [one["request_id"] for one in rest["items"]] == ["q0"]
    lines = table(await get(house, owner, "calls.csv", model=MODEL))
    assert [line["request_id"] for line in lines] == ["q0", "q1", "q2"]
    assert lines[0]["cost_nanos"] == str(100 + 30 + 7)
    assert lines[0]["cost_usd"] == "0.000000137"
    assert "user:u0" in lines[0]["subjects"]


async def test_a_report_adds_up_and_its_csv_guards_formulas(house: House, owner: Member) -> None:
    made = (await get(house, owner, "report", **today(group_by="user"))).json
    assert [(row["group"], row["calls"]) for row in made["rows"]] == [({"user": "u0"}, 2), ({"user": "u1"}, 1)]
    assert made["total"]["cost"] == 3 * 137
    both = (await get(house, owner, "report", **today(group_by="user,model"))).json["rows"]
    assert [row["group"] for row in both] == [{"user": "u0", "model": MODEL}, {"user": "u1", "model": MODEL}]
    answer = await get(house, owner, "report.csv", **today(group_by="tag", tag="job"))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [(line["tag"], line["calls"]) for line in table(answer)] == [("", "1"), ("'=cmd()", "2")]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"since": "2026-01-01T00:00:00", "until": "2026-02-01T00:00:00Z"}, "offset"),
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "not after"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "time_zone": "Mars"}, "time_zone"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "subject": "u"}, "subject_kind"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "group_by": "tag"}, "tag"),
    ],
)
async def test_a_report_that_cannot_be_is_refused_and_says_why(
    house: House, owner: Member, query: dict[str, str], named: str
) -> None:
    for path in ("report", "report.csv"):
        answer = await get(house, owner, path, **query)
        assert answer.status == 422
        assert named in answer.body.decode()
