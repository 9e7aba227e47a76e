"""Documents, FAQs and search through the contract, in this process and over gRPC."""

import asyncio

import pytest

from steward.kit.errors import InvalidInput, TooLarge
from steward.services.knowledge.api import (
    DocumentInput,
    FaqInput,
    FaqUpdate,
    ImportFormat,
    KnowledgeApi,
    SearchFilters,
    SourceKind,
)
from steward.services.knowledge.documents import MOST_CHARS
from steward.services.knowledge.errors import (
    DocumentIsFaq,
    DocumentNotFound,
    FaqExists,
    ImportUnreadable,
    KnowledgeChanged,
    QueryNotFound,
)
from tests.support.platform import Installation

SHIPPING = DocumentInput(id="a/b c#1", title="Shipping", text="Parcels leave the warehouse within two days.")


async def test_stored_is_found_at_once_and_the_same_again_changes_nothing(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    first = await api.put_documents(owner, documents=[SHIPPING])
    again = await api.put_documents(owner, documents=[SHIPPING])
    found = await api.search(owner, query="parcels in the warehouse")

    assert (first[0].version, first[0].changed) == (1, True)
    assert (again[0].version, again[0].changed) == (1, False)
    assert found.hits[0].chunk_id == "a/b c#1#0"


async def test_another_content_is_another_version_and_replaces_what_is_found(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    await api.put_documents(owner, documents=[SHIPPING])
    await api.search(owner, query="warehouse")
    changed = DocumentInput(title="Shipping", text="Letters go by train.")
    stored = await api.put_document(owner, document_id="a/b c#1", document=changed)
    versions = await api.list_document_versions(owner, document_id="a/b c#1")

    assert stored.version == 2
    assert [each.version for each in versions] == [2, 1]
    assert not (await api.search(owner, query="warehouse")).hits
    assert (await api.search(owner, query="letters by train")).hits


async def test_deleted_is_not_found(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    await api.put_documents(owner, documents=[SHIPPING])
    await api.delete_document(owner, document_id="a/b c#1")

    assert not (await api.search(owner, query="warehouse")).hits
    with pytest.raises(DocumentNotFound):
        await api.get_document(owner, document_id="a/b c#1")


async def test_two_puts_of_one_document_at_once_make_two_versions(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    texts = [DocumentInput(id="same", text=f"Text number {number}.") for number in range(4)]
    stored = await asyncio.gather(*(api.put_documents(owner, documents=[text]) for text in texts))

    assert sorted(each[0].version for each in stored) == [1, 2, 3, 4]
    assert len((await api.search(owner, query="text number")).hits) == 1


async def test_an_id_twice_and_the_id_of_a_faq_are_refused(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    await api.create_faq(owner, faq=FaqInput(id="faq", question="Why?", answer="Because."))
    with pytest.raises(InvalidInput):
        await api.put_documents(owner, documents=[SHIPPING, SHIPPING])
    with pytest.raises(DocumentIsFaq):
        await api.put_documents(owner, documents=[DocumentInput(id="faq", text="Something.")])
    with pytest.raises(FaqExists):
        await api.create_faq(owner, faq=FaqInput(id="faq", question="Why?", answer="Because."))


async def test_other_tenants_find_nothing(installation: Installation) -> None:
    api = installation.api(KnowledgeApi)
    mine, other = (await installation.tenant()).owner, (await installation.tenant()).owner
    await api.put_documents(mine, documents=[SHIPPING])

    assert (await api.search(mine, query="warehouse")).hits
    assert not (await api.search(other, query="warehouse")).hits


async def test_a_question_is_exact_in_either_script(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    await api.create_faq(owner, faq=FaqInput(question="如何退貨？", answer="七天內。", keywords=["退換貨流程"]))
    for query in ("如何退货", "退换货流程!"):
        hit = (await api.search(owner, query=query)).hits[0]
        assert (hit.exact, hit.confidence) == (True, 1.0)


async def test_filters_narrow(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    tagged = DocumentInput(id="tagged", text="Warehouse in the north.", tags=["north"])
    await api.put_documents(owner, documents=[SHIPPING, tagged])
    by_tag = await api.search(owner, query="warehouse", filters=SearchFilters(tags=["north"]))
    by_kind = await api.search(owner, query="warehouse", filters=SearchFilters(kind=SourceKind.FAQ))

    assert [hit.document_id for hit in by_tag.hits] == ["tagged"]
    assert not by_kind.hits


async def test_a_change_from_an_old_version_is_refused(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    faq = await api.create_faq(owner, faq=FaqInput(question="Why?", answer="Because."))
    await api.update_faq(owner, faq_id=faq.id, change=FaqUpdate(answer="So.", version=1))
    with pytest.raises(KnowledgeChanged):
        await api.update_faq(owner, faq_id=faq.id, change=FaqUpdate(answer="Else.", version=1))


async def test_import_takes_the_good_lines_and_tells_the_bad(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    content = "question,answer,keywords\nWhy?,Because.,reason; cause\n,No question.,\nHow?,So.,,extra\nWhy?,Again.,\n"
    first = await api.import_faqs(owner, format=ImportFormat.CSV, content=content)
    again = await api.import_faqs(owner, format=ImportFormat.CSV, content=content)

    assert (first.created, [problem.line for problem in first.problems]) == (1, [3, 4, 5])
    assert (again.created, again.unchanged) == (0, 1)
    with pytest.raises(ImportUnreadable):
        await api.import_faqs(owner, format=ImportFormat.CSV, content="title\nWhy?\n")


async def test_markdown_headings_are_questions(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    content = "# Shipping\n\n## How long?\n\nTwo days.\n\n## How much?\n\nNothing.\n"
    result = await api.import_faqs(owner, format=ImportFormat.MARKDOWN, content=content)

    assert result.created == 2
    assert {faq.category for faq in (await api.list_faqs(owner)).items} == {"Shipping"}


async def test_queries_are_counted_and_judged(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    faq = await api.create_faq(owner, faq=FaqInput(question="Why?", answer="Because."))
    answered = await api.search(owner, query="why")
    missed = await api.search(owner, query="bananas")
    assert (await api.search(owner, query="why not", recorded=False)).hits
    await api.give_feedback(owner, query_id=answered.query_id, helpful=True)
    await api.give_feedback(owner, query_id=answered.query_id, helpful=False)

    assert {each.question for each in await api.list_popular(owner)} == {"why", "bananas"}
    assert [each.question for each in await api.list_unanswered(owner)] == ["bananas"]
    counted = (await api.list_feedback(owner)).items
    assert [(each.faq_id, each.helpful, each.unhelpful) for each in counted] == [(faq.id, 0, 1)]
    assert (await api.get_faq(owner, faq_id=faq.id)).view_count == 1
    stranger = (await installation.tenant()).owner
    with pytest.raises(QueryNotFound):
        await api.give_feedback(stranger, query_id=missed.query_id, helpful=True)


async def test_ten_million_characters_reach_the_service_wherever_it_runs(installation: Installation) -> None:
    """Of spaces, for their analysis takes no time."""
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    text = " " * 999_994 + "voyage"
    stored = await api.put_documents(owner, documents=[DocumentInput(id=str(n), text=text) for n in range(10)])

    assert len(stored) == 10
    assert len((await api.search(owner, query="voyage")).hits) == 10
    with pytest.raises(TooLarge) as caught:
        await api.put_documents(owner, documents=[DocumentInput(text=text)] * 10 + [DocumentInput(text="more")])
    assert caught.value.data["limit"] == MOST_CHARS


async def test_a_list_of_versions_is_no_larger_than_an_answer_can_be(installation: Installation) -> None:
    api, owner = installation.api(KnowledgeApi), (await installation.tenant()).owner
    for text in ("first", "x" * 400_000, "y" * 700_000):
        await api.put_document(owner, document_id="long", document=DocumentInput(text=f"{text}."))
    versions = await api.list_document_versions(owner, document_id="long")
    assert [(each.version, len(each.text)) for each in versions] == [(3, 700_001)]
