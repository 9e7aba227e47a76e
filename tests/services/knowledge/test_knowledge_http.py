"""Knowledge over HTTP: documents one and many with their limits, odd ids, search, import, statistics, deletion."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from steward.kit.outbox import StoredEvent
from steward.services.identity.api import Role
from tests.support.database import as_owner, database_of, values
from tests.support.house import Answer, House, Member, open_house
from tests.support.postgres import PostgresForTests

PATH = "/api/v1/knowledge"
LIMIT = 10_000_000
ODD_IDS = ["a/b c#1", "100%", "?q=1&x=2", "退貨/說明", "a+b", "..a", "a.json", "x" * 200, "%2F", "faq;v=1"]


@pytest_asyncio.fixture(scope="module")
async def house(postgres: PostgresForTests, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    home = tmp_path_factory.getbasetemp() / "steward-home"
    home.mkdir(exist_ok=True)
    async with open_house(dsn, postgres.dsn(database_of(dsn)), Path(home)) as running:
        yield running


@pytest_asyncio.fixture
async def owner(house: House) -> Member:
    """Of a new tenant."""
    tenant = await house.installation.tenant()
    return await house.logged_in(tenant.id, tenant.owner_email)


class Calls:
    """The routes of knowledge, called by one member."""

    def __init__(self, house: House, member: Member) -> None:
        self._house = house
        self._member = member

    async def get(self, path: str, **query: str) -> Answer:
        return await self._house.http("GET", f"{PATH}/{path}", self._member.bearer, **query)

    async def post(self, path: str, body: object) -> Answer:
        return await self._house.http("POST", f"{PATH}/{path}", self._member.bearer, body)

    async def put(self, document_id: str, text: str) -> Answer:
        path = f"{PATH}/documents/{quote(document_id, safe='')}"
        return await self._house.http("PUT", path, self._member.bearer, {"text": text})

    async def delete(self, path: str) -> Answer:
        return await self._house.http("DELETE", f"{PATH}/{path}", self._member.bearer)

    async def hits(self, query: str, **more: Any) -> list[Mapping[str, Any]]:
        answer = await self.post("search", {"query": query, **more})
        assert answer.status == 200, answer.body
        return answer.json["hits"]


@pytest.fixture
def calls(house: House, owner: Member) -> Calls:
    return Calls(house, owner)


async def test_one_document_and_many_are_stored_and_found(calls: Calls) -> None:
    one = await calls.post("documents", {"id": "one", "title": "Shipping", "text": "Parcels leave on Monday."})
    many = await calls.post(
        "documents", {"documents": [{"text": f"Note {number}.", "tags": ["n"]} for number in (1, 2)]}
    )
    listed = await calls.get("documents")

    assert (one.status, many.status) == (200, 200)
    assert one.json["documents"] == [{"id": "one", "version": 1, "chunks": 1, "changed": True}]
    assert len(many.json["documents"]) == 2
    assert len(listed.json["items"]) == 3
    hit = (await calls.hits("parcels on monday"))[0]
    assert (hit["document_id"], hit["chunk_id"], hit["title"]) == ("one", "one#0", "Shipping")
    assert hit["text"] == "Parcels leave on Monday."
    assert hit["score"] > 0


async def test_same_put_again_changes_nothing_and_another_makes_a_version(calls: Calls) -> None:
    body = {"documents": [{"id": "a", "text": "One text."}, {"id": "b", "text": "Another text."}]}
    await calls.post("documents", body)
    again = await calls.post("documents", body)
    body["documents"][1]["text"] = "A third text."
    changed = await calls.post("documents", body)

    assert [(each["version"], each["changed"]) for each in again.json["documents"]] == [(1, False), (1, False)]
    assert [(each["version"], each["changed"]) for each in changed.json["documents"]] == [(1, False), (2, True)]
    versions = await calls.get("versions/b")
    assert [each["text"] for each in versions.json["items"]] == ["A third text.", "Another text."]


async def test_a_thousand_are_taken_and_one_more_is_not(calls: Calls) -> None:
    documents = [{"id": str(number), "text": "Short."} for number in range(1001)]
    refused = await calls.post("documents", {"documents": documents})
    none = await calls.post("documents", {"documents": []})
    taken = await calls.post("documents", {"documents": documents[:1000]})

    assert (refused.status, none.status, taken.status) == (422, 422, 200)
    assert b"1000" in refused.body
    assert len(taken.json["documents"]) == 1000


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # the client's loop may wait
async def test_ten_megabytes_are_taken_and_more_names_the_limit(calls: Calls) -> None:
    """Of spaces, for their analysis takes no time."""
    frame = len('{"documents": []}') + 10 * len('{"text": ""}, ')
    text = " " * ((LIMIT - frame) // 10 - 5) + "word."
    taken = await calls.post("documents", {"documents": [{"text": text}] * 10})
    refused = await calls.post("documents", {"documents": [{"text": text}] * 10, "title": "x" * frame})

    assert taken.status == 200, taken.body[:300]
    assert (refused.status, refused.code) == (413, "body_too_large")
    assert str(LIMIT) in refused.json["detail"]


async def test_a_list_and_a_single_document_at_once_are_refused(calls: Calls) -> None:
    both = await calls.post("documents", {"text": "One.", "documents": [{"text": "Two."}]})
    twice = await calls.post("documents", {"documents": [{"id": "a", "text": "One."}, {"id": "a", "text": "Two."}]})
    assert (both.status, twice.status) == (422, 422)
    assert not (await calls.get("documents")).json["items"]


@pytest.mark.parametrize("document_id", ODD_IDS)
async def test_odd_ids_are_ids(calls: Calls, document_id: str) -> None:
    path = quote(document_id, safe="")
    stored = await calls.put(document_id, "Text with the word marmalade.")
    posted = await calls.post("documents", {"id": document_id, "text": "Another with the word marmalade."})
    got = await calls.get(f"documents/{path}")
    hits = await calls.hits("marmalade")

    assert stored.status == 200, stored.body
    assert (posted.json["documents"][0]["id"], posted.json["documents"][0]["version"]) == (document_id, 2)
    assert (got.json["id"], got.json["text"]) == (document_id, "Another with the word marmalade.")
    assert [hit["document_id"] for hit in hits] == [document_id]
    assert (await calls.delete(f"documents/{path}")).status == 204
    assert (await calls.get(f"documents/{path}")).status == 404


@pytest.mark.parametrize("document_id", ["", "/a", "a/", "a//b", "a\nb", "..", "a/./b", "x" * 201])
async def test_what_is_no_id_is_refused(calls: Calls, document_id: str) -> None:
    assert (await calls.post("documents", {"id": document_id, "text": "Text."})).status == 422


async def test_filters_narrow_the_search(calls: Calls) -> None:
    await calls.post("documents", {"id": "north", "text": "A warehouse in the north.", "tags": ["north", "de"]})
    await calls.post("documents", {"id": "south", "text": "A warehouse in the south.", "tags": ["south"]})
    await calls.post("faqs", {"id": "faq", "question": "Where is the warehouse?", "answer": "Here.", "category": "us"})
    cases: list[tuple[Mapping[str, Any], set[str]]] = [
        ({}, {"north", "south", "faq"}),
        ({"tags": ["north", "de"]}, {"north"}),
        ({"tags": ["north", "south"]}, set()),
        ({"kind": "faq"}, {"faq"}),
        ({"kind": "document"}, {"north", "south"}),
        ({"category": "us"}, {"faq"}),
        ({"locale": "en", "document_ids": ["south", "faq"]}, {"south", "faq"}),
        ({"locale": "zh-Hant"}, set()),
    ]
    for filters, wanted in cases:
        found = await calls.hits("warehouse", filters=filters)
        assert {hit["document_id"] for hit in found} == wanted, filters
    assert len(await calls.hits("warehouse", k=2)) == 2
    assert (await calls.post("search", {"query": "warehouse", "filters": {"colour": "red"}})).status == 422
    assert (await calls.post("search", {"query": "warehouse", "k": 101})).status == 422
    assert (await calls.post("search", {"query": ""})).status == 422


async def test_import_of_csv_tells_what_was_not_taken(calls: Calls) -> None:
    content = "question,answer,category\n如何退貨?,七天內。,退貨\nHow much?,,\nHow long?,Two days.,\n"
    first = await calls.post("faqs/import", {"format": "csv", "content": content})
    again = await calls.post("faqs/import", {"format": "csv", "content": content.replace("Two", "Three")})
    unreadable = await calls.post("faqs/import", {"format": "csv", "content": "no heading"})

    assert (first.json["created"], [each["line"] for each in first.json["problems"]]) == (2, [3])
    assert (again.json["created"], again.json["updated"], again.json["unchanged"]) == (0, 1, 1)
    assert (unreadable.status, unreadable.code) == (422, "import_unreadable")
    listed = await calls.get("faqs", category="退貨")
    assert [(each["question"], each["locale"]) for each in listed.json["items"]] == [("如何退貨?", "zh-Hant")]


async def test_import_of_markdown_takes_headings_as_questions(calls: Calls) -> None:
    content = "# Shipping\n\n## How long does it take?\n\nTwo days.\n\n## Nothing below\n"
    result = await calls.post("faqs/import", {"format": "markdown", "content": content})
    assert (result.json["created"], [each["line"] for each in result.json["problems"]]) == (1, [7])
    hit = (await calls.hits("how long does it take"))[0]
    assert (hit["kind"], hit["text"], hit["exact"]) == ("faq", "Two days.", True)


async def test_popular_unanswered_and_feedback(calls: Calls) -> None:
    await calls.post("faqs", {"id": "f", "question": "How long does shipping take?", "answer": "Two days."})
    for query in ("How long does shipping take?", "how long does shipping take", "Do you sell bananas?"):
        found = await calls.post("search", {"query": query})
    judged = (await calls.post("search", {"query": "How long does shipping take?"})).json["query_id"]
    statuses = [
        (await calls.post("feedback", {"query_id": query_id, "helpful": True, "comment": "fast"})).status
        for query_id in (judged, found.json["query_id"], str(uuid4()))
    ]
    popular = (await calls.get("popular", limit="1")).json["items"]
    unanswered = (await calls.get("unanswered")).json["items"]
    feedback = (await calls.get("feedback")).json["items"]

    assert statuses == [204, 204, 404]
    assert [(each["question"], each["asked"], each["faq_id"]) for each in popular] == [
        ("How long does shipping take?", 3, "f")
    ]
    assert [(each["question"], each["asked"]) for each in unanswered] == [("Do you sell bananas?", 1)]
    assert feedback == [{"faq_id": "f", "helpful": 1, "unhelpful": 0}]
    assert (await calls.get("faqs/f")).json["view_count"] == 3


async def test_deleted_tenant_leaves_no_rows(house: House) -> None:
    gone, stays = await house.installation.tenant(), await house.installation.tenant()
    for tenant in (gone, stays):
        calls = Calls(house, await house.logged_in(tenant.id, tenant.owner_email))
        await calls.post("documents", {"id": "d", "text": "A text."})
        await calls.post("faqs", {"id": "f", "question": "What?", "answer": "That."})
        asked = await calls.post("search", {"query": "what"})
        await calls.post("feedback", {"query_id": asked.json["query_id"], "helpful": True})
    kept = await _rows(house, str(stays.id))
    assert {table for table, count in kept.items() if count == 0} == {"popular"}
    foundation = house.installation.foundation
    subscriptions = house.installation.serving.local["knowledge"].subscriptions
    deleted = StoredEvent(
        id=foundation.ids.new(),
        tenant=gone.id,
        type="tenants.TenantDeleted",
        at=foundation.clock.now(),
        request_id="",
        actor=gone.owner.actor,
        payload=msgspec.Raw(b"{}"),
    )
    await next(one for one in subscriptions if one.name == "knowledge-tenants").handler(deleted)

    assert not any((await _rows(house, str(gone.id))).values())
    assert await _rows(house, str(stays.id)) == kept


async def _rows(house: House, tenant: str) -> Mapping[str, int]:
    """How many rows a tenant has in each table that is the service's own and not the kit's."""
    named = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'knowledge'"
    found = values(await as_owner(house.owner_dsn, f"{named} AND column_name = 'tenant_id'"))
    tables = sorted({str(name) for (name,) in found} - {"outbox", "audit_outbox", "reply", "intent"})
    counts = ", ".join(f"(SELECT count(*) FROM knowledge.{table} WHERE tenant_id = '{tenant}')" for table in tables)
    return dict(zip(tables, values(await as_owner(house.owner_dsn, f"SELECT {counts}"))[0], strict=True))


async def test_viewer_reads_and_does_not_write(house: House) -> None:
    calls = Calls(house, await house.member(await house.installation.tenant(), Role.VIEWER))
    assert (await calls.post("search", {"query": "anything"})).status == 200
    assert (await calls.post("documents", {"text": "Text."})).status == 403
