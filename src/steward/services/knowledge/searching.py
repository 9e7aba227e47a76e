"""Finding the chunks that fit a query: in a small corpus by comparing all of it, in a large one by candidates."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from steward.kit.context import Ctx
from steward.kit.db import ServiceDb, Tx
from steward.kit.ids import TenantId
from steward.kit.text import detect_locale
from steward.services.knowledge.api import Hit, SearchFilters, SourceKind
from steward.services.knowledge.caches import Caches, Found
from steward.services.knowledge.candidates import choose
from steward.services.knowledge.confidence import Coverage, confidence
from steward.services.knowledge.corpus_index import CorpusIndex, build_index, lengths_of, unpacked
from steward.services.knowledge.features import QueryFeatures, key_of, mark_of, query_features, salt_of
from steward.services.knowledge.ranking import Ints, Lengths, Scores, match, score
from steward.services.knowledge.records import ChunkRow, Corpus, Passage
from steward.services.knowledge.repository import IndexRepository
from steward.services.knowledge.translations import Versions

SMALL: Final = 2_000
"""Up to so many chunks a corpus is compared as a whole, from memory."""
CANDIDATES: Final = 1_200
FINALISTS: Final = 64
"""Candidates that are compared in every detail."""
_NO_FILTERS: Final = SearchFilters()
_EMPTY: Final = Corpus(revision=0, next_number=1, chunks=0, text_terms=0, title_terms=0)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    query: str
    k: int
    filters: SearchFilters
    locale: str | None
    features: QueryFeatures


class Searching:
    """Searches one tenant's knowledge at a time."""

    def __init__(self, db: ServiceDb, caches: Caches, *, small: int = SMALL) -> None:
        self._db = db
        self._caches = caches
        self._small = small
        self._rows = IndexRepository()

    async def search(self, ctx: Ctx, query: str, k: int, filters: SearchFilters) -> Sequence[Hit]:
        """The hits, best first, each of another document unless documents were named."""
        tenant = ctx.require_tenant()
        corpus = await self._caches.corpora.get_or_load(tenant, "", lambda: self._corpus(ctx))
        if corpus.chunks == 0:
            return ()
        locale = detect_locale(query, ctx.locale)
        key = f"{corpus.revision}:{k}:{locale}:{filters}:{query}"
        found = self._caches.results.get(tenant, key)
        if found is None:
            features = query_features(salt_of(tenant), query)
            search = Wanted(query=query, k=k, filters=filters, locale=locale, features=features)
            found = Found(await self._find(ctx, corpus, search)) if len(features.hashes) else Found()
            self._caches.results.put(tenant, key, found)
        return found

    async def _corpus(self, ctx: Ctx) -> Corpus:
        async with self._db.read(ctx) as tx:
            return await self._rows.corpus(tx, ctx.require_tenant()) or _EMPTY

    async def _find(self, ctx: Ctx, corpus: Corpus, search: Wanted) -> Sequence[Hit]:
        if corpus.chunks > self._small:
            return await self._find_in_large(ctx, corpus, search)
        index = await self._index(ctx, corpus)
        return hits_of(search, index.search(search.features), index.passages.__getitem__)

    async def _index(self, ctx: Ctx, corpus: Corpus) -> CorpusIndex:
        """The whole index, at least as new as the corpus is known to be."""
        tenant = ctx.require_tenant()
        index = await self._caches.indexes.get_or_load(tenant, "", lambda: self._load(ctx))
        if index.revision < corpus.revision:
            self._caches.indexes.drop(tenant, "")
            index = await self._caches.indexes.get_or_load(tenant, "", lambda: self._load(ctx))
        return index

    async def _load(self, ctx: Ctx) -> CorpusIndex:
        tenant = ctx.require_tenant()
        async with self._db.read(ctx) as tx:
            # Before the chunks: what is committed in between is then taken for older than it is, and read again.
            corpus = await self._rows.corpus(tx, tenant) or _EMPTY
            rows = await self._rows.everything(tx, tenant)
        chunks, passages = [chunk for chunk, _ in rows], [passage for _, passage in rows]
        return await asyncio.to_thread(build_index, corpus.revision, chunks, passages)

    async def _find_in_large(self, ctx: Ctx, corpus: Corpus, search: Wanted) -> Sequence[Hit]:
        """By candidates, which have the rarest words; their words are compared, then all of the best ones."""
        tenant = ctx.require_tenant()
        async with self._db.read(ctx) as tx:
            known = await self._rows.known(tx, tenant, search.features.terms)
            chunks = await self._candidates(tx, tenant, search, known)
        ranking = _Ranking(search.features, corpus, known)
        best = await asyncio.to_thread(ranking.best, chunks, FINALISTS)
        async with self._db.read(ctx) as tx:
            details = await self._rows.passages(tx, tenant, [chunk.number for chunk in best])
        finalists = [chunk for chunk in best if chunk.number in details]
        scores = ranking.score([msgspec.structs.replace(one, extra=details[one.number][0]) for one in finalists])
        return hits_of(search, scores, lambda row: details[finalists[row].number][1])

    async def _candidates(
        self, tx: Tx, tenant: TenantId, search: Wanted, known: Mapping[int, int]
    ) -> Sequence[ChunkRow]:
        filters = search.filters
        if filters.document_ids is not None:
            return await self._rows.chunks_of(tx, tenant, filters.document_ids)
        choice = choose(search.features, known, CANDIDATES)
        return await self._rows.candidates(tx, tenant, choice, _marks(salt_of(tenant), filters), CANDIDATES)


class _Ranking:
    """Scores some chunks of a large corpus."""

    def __init__(self, query: QueryFeatures, corpus: Corpus, known: dict[int, int]) -> None:
        self._query = query
        self._corpus = corpus
        self._known = known

    def best(self, chunks: Sequence[ChunkRow], count: int) -> Sequence[ChunkRow]:
        """The chunks whose words fit best."""
        if len(chunks) <= count:
            return chunks
        total = self.score(chunks).total
        rows: list[int] = np.argpartition(-total, count)[:count].tolist()
        return [chunks[row] for row in rows]

    def score(self, chunks: Sequence[ChunkRow]) -> Scores:
        rows, entries = unpacked([chunk.vector + chunk.extra for chunk in chunks])
        return score(
            self._query,
            match(self._query, rows, entries),
            self._lengths(chunks),
            chunks=self._corpus.chunks,
            known=self._known,
        )

    def _lengths(self, chunks: Sequence[ChunkRow]) -> Lengths:
        corpus = self._corpus
        return lengths_of(chunks, corpus.text_terms / corpus.chunks, corpus.title_terms / corpus.chunks)


def hits_of(search: Wanted, scores: Scores, passage: Callable[[int], Passage]) -> Sequence[Hit]:
    """The best rows as hits: one a document, those in the language of the query a little ahead."""
    hits: list[tuple[float, int, Passage]] = []
    rows = _best_rows(scores, search)
    filters = search.filters if search.filters != _NO_FILTERS else None
    for row, total in zip(rows.tolist(), scores.total[rows].tolist(), strict=True):
        shown = passage(row)
        if filters is None or _passes(shown, filters):
            hits.append((total, row, shown))
    versions = Versions(hits, search.locale)
    hits = [(versions.score(total, shown), row, shown) for total, row, shown in hits]
    hits.sort(key=lambda hit: -hit[0])
    several = search.filters.document_ids is not None
    seen: set[str] = set()
    found: list[Hit] = []
    key = key_of(search.query)
    for total, row, shown in hits:
        if several or shown.source_id not in seen:
            seen.add(shown.source_id)
            found.append(_hit(shown, total, scores, (row, versions.best_row(shown)), key))
            if len(found) == search.k:
                break
    return found


def _best_rows(scores: Scores, search: Wanted) -> Ints:
    """Rows that may become hits: all that score, where filters may drop many, else the best few."""
    scored = np.flatnonzero(scores.total > 0)
    few = FINALISTS + 4 * search.k
    if len(scored) > few and search.filters == _NO_FILTERS:
        total = scores.total[scored]
        scored = scored[np.argpartition(-total, few)[:few]]
    return scored


def _coverage(scores: Scores, row: int) -> Coverage:
    return Coverage(
        covered=float(scores.covered[row]), meant=float(scores.meant[row]), strength=float(scores.strength[row])
    )


def _hit(shown: Passage, total: float, scores: Scores, rows: tuple[int, int], key: str) -> Hit:
    """A hit, of its own row and of the row of its best version, by which it may have been found."""
    row, lender = rows
    exact = bool(scores.keyed[row]) and shown.kind is SourceKind.FAQ and _answers(shown, key)
    fitting = max(confidence(_coverage(scores, row)), confidence(_coverage(scores, lender)))
    return Hit(
        document_id=shown.source_id,
        chunk_id=f"{shown.source_id}#{shown.ordinal}",
        kind=shown.kind,
        title=shown.title,
        text=shown.text,
        locale=shown.locale,
        score=round(total, 4),
        confidence=1.0 if exact else fitting,
        exact=exact,
    )


def _answers(shown: Passage, key: str) -> bool:
    """Whether a FAQ is asked for by this key; hashes, by which it was found, may deceive."""
    return key in {key_of(shown.title), *map(key_of, shown.tags)}


def _passes(shown: Passage, filters: SearchFilters) -> bool:
    return (
        (filters.kind is None or shown.kind == filters.kind)
        and (filters.locale is None or shown.locale == filters.locale)
        and (filters.category is None or shown.category == filters.category)
        and (filters.tags is None or set(filters.tags) <= set(shown.tags))
        and (filters.document_ids is None or shown.source_id in filters.document_ids)
    )


def _marks(salt: int, filters: SearchFilters) -> Sequence[int]:
    """The terms that a chunk must have to pass the filters."""
    asked = (("kind", filters.kind), ("locale", filters.locale), ("category", filters.category))
    marks = [mark_of(salt, name, value) for name, value in asked if value is not None]
    return [*marks, *(mark_of(salt, "tag", tag) for tag in filters.tags or ())]
