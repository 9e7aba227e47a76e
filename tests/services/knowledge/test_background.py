"""What knowledge does that no request asks for: counting hourly, forgetting, storing older forms anew."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from steward.kit.context import Ctx, SystemCtx
from steward.services.knowledge.api import DocumentInput, FaqInput, KnowledgeApi
from steward.services.knowledge.errors import QueryNotFound
from steward.services.knowledge.indexing import INDEX_VERSION
from steward.services.knowledge.records import RecordedQuery
from steward.services.knowledge.repository import QuestionSystemRepository
from tests.conftest import NewDatabase
from tests.support.bus import LateClock
from tests.support.database import as_owner, values
from tests.support.platform import Installation, open_installation


class Late:
    """An installation whose clock can be moved on, and its database as the owner sees it."""

    def __init__(self, installation: Installation, clock: LateClock, owner_dsn: str) -> None:
        self.installation = installation
        self.clock = clock
        self.owner_dsn = owner_dsn

    async def run(self, job: str) -> None:
        """Do what the fleet does from time to time."""
        jobs = self.installation.serving.local["knowledge"].jobs
        await next(each for each in jobs if each.name == job).run()

    async def sql(self, statement: str) -> list[tuple[object, ...]]:
        return values(await as_owner(self.owner_dsn, statement))


def word(number: int) -> str:
    """A word that is like no other one's."""
    return "".join(chr(ord("a") + int(digit)) * 3 for digit in f"{number:03}")


def later(late: Late, ctx: Ctx) -> Ctx:
    """The context of another request by the same caller, for one lasts half a minute only."""
    return late.installation.ctx(ctx.tenant, *ctx.scopes, actor=ctx.actor)


@pytest_asyncio.fixture
async def late(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Late]:
    dsn, owner_dsn = await new_database()
    clock = LateClock()
    async with AsyncExitStack() as stack:
        home = tmp_path_factory.mktemp("home")
        installation = await open_installation(stack, "local", dsn, home, clock=clock)
        yield Late(installation, clock, owner_dsn)


async def test_popular_questions_are_counted_hourly_over_seven_days_and_kept_for_thirty(late: Late) -> None:
    api, owner = late.installation.api(KnowledgeApi), (await late.installation.tenant()).owner
    await api.create_faq(owner, faq=FaqInput(question="Why?", answer="Because."))
    for query in ("Why?", "why", "bananas"):
        asked = await api.search(owner, query=query)
    await api.list_unanswered(owner)
    await late.run("knowledge-popular")
    await api.search(owner, query="bananas")
    counted = [(each.question.lower(), each.asked) for each in await api.list_popular(owner)]
    late.clock.ahead = timedelta(hours=1)
    owner = later(late, owner)
    await late.run("knowledge-popular")
    recounted = {each.question.lower().strip("?"): each.asked for each in await api.list_popular(owner)}

    assert [count for _, count in counted] == [2, 1]
    assert recounted == {"why": 2, "bananas": 2}
    events = await late.sql("SELECT count(*) FROM knowledge.outbox WHERE body LIKE '%PopularQuestionsCounted%'")
    assert events[0][0] == 2
    late.clock.ahead = timedelta(days=8)
    await late.run("knowledge-popular")
    assert await late.sql("SELECT count(*) FROM knowledge.popular") == [(0,)]
    await api.give_feedback(later(late, owner), query_id=asked.query_id, helpful=True)
    late.clock.ahead = timedelta(days=31)
    await late.run("knowledge-popular")
    assert await late.sql("SELECT count(*) FROM knowledge.query") == [(0,)]
    with pytest.raises(QueryNotFound):
        await api.give_feedback(later(late, owner), query_id=asked.query_id, helpful=True)


async def test_older_forms_are_stored_anew_while_search_goes_on(late: Late) -> None:
    api, owner = late.installation.api(KnowledgeApi), (await late.installation.tenant()).owner
    documents = [DocumentInput(id=f"doc-{number:03}", text=f"{word(number)}.") for number in range(250)]
    await api.put_documents(owner, documents=documents)
    before = await late.sql("SELECT source_id, version, updated_at, chunks FROM knowledge.source ORDER BY 1")
    # As if an older release had stored the second half, in a form of which nothing fits the present queries.
    await late.sql(
        f"UPDATE knowledge.source SET index_version = {INDEX_VERSION - 1} WHERE source_id >= 'doc-125';"
        "UPDATE knowledge.chunk SET terms = '{1}', vector = '' WHERE source_id >= 'doc-125';"
        "UPDATE knowledge.passage SET extra = '' WHERE source_id >= 'doc-125';"
        "DELETE FROM knowledge.term; INSERT INTO knowledge.term (tenant_id, term, chunks)"
        " SELECT tenant_id, term, count(*) FROM knowledge.chunk, unnest(terms) AS term GROUP BY 1, 2;"
        "UPDATE knowledge.corpus SET revision = revision + 1"
    )
    await late.installation.foundation.clock.sleep(0.3)
    assert [hit.document_id for hit in (await api.search(owner, query=word(7), k=1)).hits] == ["doc-007"]
    assert "doc-200" not in {hit.document_id for hit in (await api.search(owner, query=word(200), k=100)).hits}
    same = await api.put_documents(owner, documents=[documents[200]])
    await late.run("knowledge-reindex")

    assert not same[0].changed
    assert [hit.document_id for hit in (await api.search(owner, query=word(200), k=1)).hits] == ["doc-200"]
    assert await late.sql("SELECT source_id, version, updated_at, chunks FROM knowledge.source ORDER BY 1") == before
    assert await late.sql("SELECT DISTINCT index_version FROM knowledge.source") == [(INDEX_VERSION,)]
    assert await late.sql("SELECT chunks FROM knowledge.corpus") == [(250,)]
    counted = "SELECT term, count(*) FROM knowledge.chunk, unnest(terms) AS term GROUP BY 1 ORDER BY 1"
    assert await late.sql("SELECT term, chunks FROM knowledge.term WHERE chunks > 0 ORDER BY 1") == await late.sql(
        counted
    )
    assert await api.list_document_versions(owner, document_id="doc-200")


async def test_newer_forms_are_left_alone(late: Late) -> None:
    """A process of an older release must not undo what a newer one has stored."""
    api, owner = late.installation.api(KnowledgeApi), (await late.installation.tenant()).owner
    await api.put_documents(owner, documents=[DocumentInput(id="new", text="Something.")])
    await late.sql(f"UPDATE knowledge.source SET index_version = {INDEX_VERSION + 1}")
    revision = await late.sql("SELECT revision FROM knowledge.corpus")
    await late.run("knowledge-reindex")
    assert await late.sql("SELECT revision FROM knowledge.corpus") == revision


async def test_query_that_is_written_already_is_written_and_counted_once(late: Late) -> None:
    """Whoever is interrupted while the database commits cannot know, and writes again."""
    foundation = late.installation.foundation
    tenant = (await late.installation.tenant()).id
    query = RecordedQuery(
        tenant=tenant,
        id=foundation.ids.new(),
        question="Why?",
        key="why",
        faq_id="because",
        answered=True,
        asked_at=foundation.clock.now(),
    )
    for batch in ([query], [query, msgspec.structs.replace(query, id=foundation.ids.new())]):
        async with foundation.database.service("knowledge").system_tx(
            SystemCtx(reason="tests", service="knowledge")
        ) as tx:
            await QuestionSystemRepository().record(tx, batch)
    assert await late.sql("SELECT count(*) FROM knowledge.query") == [(2,)]
    assert await late.sql("SELECT views FROM knowledge.faq_view") == [(2,)]
