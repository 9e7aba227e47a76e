"""Corpora that are too large to be compared whole: found by candidates, in the order of the exact comparison."""

import random
from collections.abc import Sequence

import pytest
import pytest_asyncio

from steward.kit.cache import Cache
from steward.kit.context import Ctx
from steward.services.knowledge.api import DocumentInput, Hit, KnowledgeApi, SearchFilters
from steward.services.knowledge.caches import Caches
from steward.services.knowledge.searching import SMALL, Searching
from tests.support.platform import Installation

MANY = 3_000
RARE = 7
"""Every so many documents share a rare word."""
BOTH = range(2_700, MANY, 50)
LATE = range(MANY - 10, MANY)
NO_FILTERS = SearchFilters()


def searching(platform: Installation, small: int) -> Searching:
    """A search of its own, with nothing remembered, that compares corpora of up to `small` chunks whole."""
    foundation = platform.foundation
    cache = Cache(foundation.clock, max_entries=100, max_bytes=100_000_000)
    return Searching(foundation.database.service("knowledge"), Caches(cache), small=small)


def document(number: int, chance: random.Random) -> DocumentInput:
    """Either of two common words, the last few of both; a word of every document, a rare one and one of its own."""
    words = [f"rare{number // RARE}", f"only{number}", "parcel"]
    words += ["weekend" if number % 2 else "courier"] if number not in BOTH else ["weekend", "courier"]
    words += chance.choices(["desk", "lamp", "chair", "table", "shelf", "stool"], k=chance.randint(4, 12))
    chance.shuffle(words)
    tags = [f"t{number % 4}"] + ["late"] * (number in LATE)
    return DocumentInput(
        id=f"doc-{number}",
        title=f"Sheet {number % 50}",
        text=f"{' '.join(words)}.",
        tags=tags,
    )


@pytest_asyncio.fixture(scope="module")
async def large(platform: Installation) -> Ctx:
    """A tenant with more chunks than are compared whole."""
    assert MANY > SMALL
    chance = random.Random(1)
    owner, api = (await platform.tenant()).owner, platform.api(KnowledgeApi)
    documents = [document(number, chance) for number in range(MANY)]
    for start in range(0, MANY, 1_000):
        await api.put_documents(owner, documents=documents[start : start + 1_000])
    return owner


async def ranked(search: Searching, ctx: Ctx, query: str, filters: SearchFilters = NO_FILTERS) -> Sequence[Hit]:
    return await search.search(ctx, query, 5, filters)


@pytest.mark.parametrize("query", ["only1234", "rare30 courier", "where is rare77 at the weekend", "only5 only6 only7"])
async def test_queries_with_rare_words_find_what_the_whole_comparison_finds(
    platform: Installation, large: Ctx, query: str
) -> None:
    whole = with_rare_words(query, await ranked(searching(platform, MANY), large, query))
    chosen = await ranked(searching(platform, SMALL), large, query)
    served = (await platform.api(KnowledgeApi).search(large, query=query, k=5)).hits
    assert whole
    count = min(len(whole), 3)
    assert with_rare_words(query, chosen)[:count] == whole[:count]
    assert [hit.document_id for hit in served] == [hit.document_id for hit in chosen]


def with_rare_words(query: str, hits: Sequence[Hit]) -> Sequence[str]:
    """Those that have one: features are named by 24 bits, so of tens of thousands one may pass for another's."""
    rare = {word for word in query.split() if word[-1].isdigit()}
    return [hit.document_id for hit in hits if rare & set(hit.text.rstrip(".").split())]


async def test_words_that_are_all_common_find_chunks_that_have_them_together(
    platform: Installation, large: Ctx
) -> None:
    """Each of them is in more chunks than are compared."""
    hits = await ranked(searching(platform, SMALL), large, "courier weekend")
    assert len(hits) == 5
    assert {hit.document_id for hit in hits} <= {f"doc-{number}" for number in BOTH}


async def test_one_word_that_is_in_all_chunks_finds_some(platform: Installation, large: Ctx) -> None:
    hits = await ranked(searching(platform, SMALL), large, "parcel")
    assert len(hits) == 5
    assert all("parcel" in hit.text for hit in hits)


async def test_unknown_words_find_nothing(platform: Installation, large: Ctx) -> None:
    assert not await ranked(searching(platform, SMALL), large, "xylophone quartet")


async def test_filters_hold_in_a_large_corpus(platform: Installation, large: Ctx) -> None:
    search = searching(platform, SMALL)
    tagged = await ranked(search, large, "courier weekend parcel", SearchFilters(tags=["t2"]))
    named = await ranked(search, large, "parcel", SearchFilters(document_ids=["doc-8", "doc-9", "nowhere"]))
    assert len(tagged) == 5
    assert all(int(hit.document_id.removeprefix("doc-")) % 4 == 2 for hit in tagged)
    assert {hit.document_id for hit in named} == {"doc-8", "doc-9"}
    late = await ranked(search, large, "parcel", SearchFilters(tags=["late"]))
    assert len({hit.document_id for hit in late} & {f"doc-{number}" for number in LATE}) == 5
    assert not await ranked(search, large, "parcel", SearchFilters(locale="zh-Hant"))


async def test_deleted_and_changed_documents_are_not_found_by_what_they_were(
    platform: Installation, large: Ctx
) -> None:
    api = platform.api(KnowledgeApi)
    await api.delete_document(large, document_id="doc-2000")
    await api.put_document(large, document_id="doc-2001", document=DocumentInput(text="A marzipan instead."))
    search = searching(platform, SMALL)
    assert not await ranked(search, large, "only2000")
    assert not await ranked(search, large, "only2001")
    assert [hit.document_id for hit in await ranked(search, large, "marzipan")] == ["doc-2001"]


async def test_small_corpus_is_found_in_alike_by_candidates(platform: Installation) -> None:
    owner, api = (await platform.tenant()).owner, platform.api(KnowledgeApi)
    texts = ["如何退貨與退款", "Refunds take five days", "退款几天到账", "Parcels travel by train", "快递几天能到"]
    documents = [DocumentInput(id=str(number), text=text) for number, text in enumerate(texts)]
    await api.put_documents(owner, documents=documents)
    for query in ("退款要几天", "how long do refunds take", "快遞幾天到", "train"):
        whole = await ranked(searching(platform, SMALL), owner, query)
        chosen = await ranked(searching(platform, 0), owner, query)
        assert whole, query
        assert [hit.document_id for hit in chosen] == [hit.document_id for hit in whole], query
