"""SQL of the index: chunks, terms, and the corpus they make."""

from collections.abc import Sequence

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.knowledge.api import SourceKind
from steward.services.knowledge.candidates import Choice
from steward.services.knowledge.records import ChunkRow, Corpus, Passage, Prepared, PreparedChunk

TABLES = ("source", "version", "chunk", "passage", "term", "query", "faq_view", "feedback", "popular", "corpus")
"""All that holds something of a tenant."""

_SLICE = 1_000
"""Chunks that are written in one statement: encoding them keeps everybody else waiting for some milliseconds."""

_CORPUS = "revision, next_number, chunks, text_terms, title_terms"


class IndexRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def corpus(self, tx: Tx, tenant: TenantId) -> Corpus | None:
        row = await tx.fetchrow(f"SELECT {_CORPUS} FROM knowledge.corpus WHERE tenant_id = $1", tenant)
        return _corpus(row) if row else None

    async def begin_change(self, tx: Tx, tenant: TenantId) -> Corpus:
        """Count the change and hold off the tenant's other changes until the transaction ends."""
        row = await tx.fetchrow(
            f"INSERT INTO knowledge.corpus AS c (tenant_id, {_CORPUS}) VALUES ($1, 1, 1, 0, 0, 0)"
            f" ON CONFLICT (tenant_id) DO UPDATE SET revision = c.revision + 1 RETURNING {_CORPUS}",
            tenant,
        )
        assert row is not None, "an upsert that always changes returns its row"
        return _corpus(row)

    async def remove(self, tx: Tx, tenant: TenantId, source_ids: Sequence[str]) -> None:
        """Take the chunks of sources out of the index."""
        await tx.execute(
            "WITH gone AS (DELETE FROM knowledge.chunk WHERE tenant_id = $1 AND source_id = ANY($2)"
            " RETURNING terms, text_terms, title_terms),"
            " counted AS (SELECT term, count(*) AS chunks FROM gone, unnest(terms) AS term GROUP BY term),"
            " fewer AS (UPDATE knowledge.term t SET chunks = t.chunks - counted.chunks FROM counted"
            " WHERE t.tenant_id = $1 AND t.term = counted.term),"
            " passages AS (DELETE FROM knowledge.passage WHERE tenant_id = $1 AND source_id = ANY($2))"
            " UPDATE knowledge.corpus c SET chunks = c.chunks - g.chunks, text_terms = c.text_terms - g.text_terms,"
            " title_terms = c.title_terms - g.title_terms FROM (SELECT count(*) AS chunks,"
            " coalesce(sum(text_terms), 0) AS text_terms, coalesce(sum(title_terms), 0) AS title_terms FROM gone) g"
            " WHERE c.tenant_id = $1",
            tenant,
            source_ids,
        )

    async def add(self, tx: Tx, tenant: TenantId, prepared: Sequence[Prepared], first: int) -> None:
        """Put the chunks of sources into the index, numbered from `first` on."""
        chunks = [(each.source.id, chunk) for each in prepared for chunk in each.chunks]
        for start in range(0, len(chunks), _SLICE):
            await self._add(tx, tenant, chunks[start : start + _SLICE], first + start)

    async def _add(self, tx: Tx, tenant: TenantId, chunks: Sequence[tuple[str, PreparedChunk]], first: int) -> None:
        numbers = list(range(first, first + len(chunks)))
        ids = [source_id for source_id, _ in chunks]
        await tx.execute(
            "INSERT INTO knowledge.passage (tenant_id, number, source_id, ordinal, body, extra)"
            " SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::int[], $5::text[], $6::bytea[])",
            tenant,
            numbers,
            ids,
            [chunk.ordinal for _, chunk in chunks],
            [chunk.body for _, chunk in chunks],
            [chunk.extra for _, chunk in chunks],
        )
        await tx.execute(
            "WITH added AS (INSERT INTO knowledge.chunk"
            " (tenant_id, number, source_id, terms, vector, text_terms, title_terms)"
            " SELECT $1, t.number, t.source_id, t.terms::int[], t.vector, t.text_terms, t.title_terms"
            " FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::int[], $7::int[])"
            " AS t (number, source_id, terms, vector, text_terms, title_terms)"
            " RETURNING terms, text_terms, title_terms),"
            " counted AS (INSERT INTO knowledge.term AS t (tenant_id, term, chunks)"
            " SELECT $1, term, count(*) FROM added, unnest(terms) AS term GROUP BY term"
            " ON CONFLICT (tenant_id, term) DO UPDATE SET chunks = t.chunks + excluded.chunks)"
            " UPDATE knowledge.corpus c SET next_number = c.next_number + a.chunks, chunks = c.chunks + a.chunks,"
            " text_terms = c.text_terms + a.text_terms, title_terms = c.title_terms + a.title_terms"
            " FROM (SELECT count(*) AS chunks, coalesce(sum(text_terms), 0) AS text_terms,"
            " coalesce(sum(title_terms), 0) AS title_terms FROM added) a WHERE c.tenant_id = $1",
            tenant,
            numbers,
            ids,
            [chunk.terms for _, chunk in chunks],
            [chunk.vector for _, chunk in chunks],
            [chunk.text_terms for _, chunk in chunks],
            [chunk.title_terms for _, chunk in chunks],
        )

    async def everything(self, tx: Tx, tenant: TenantId) -> list[tuple[ChunkRow, Passage]]:
        """All chunks, for a small corpus."""
        rows = await tx.fetch(
            "SELECT c.number, c.vector, c.text_terms, c.title_terms, p.extra, p.ordinal, p.body, s.source_id, s.kind,"
            " s.title, s.locale, s.category, s.tags FROM knowledge.chunk c"
            " JOIN knowledge.passage p ON p.tenant_id = c.tenant_id AND p.number = c.number"
            " JOIN knowledge.source s ON s.tenant_id = c.tenant_id AND s.source_id = c.source_id"
            " WHERE c.tenant_id = $1 ORDER BY c.number",
            tenant,
        )
        return [(_chunk(row, row["extra"]), _passage(row)) for row in rows]

    async def known(self, tx: Tx, tenant: TenantId, terms: Sequence[int]) -> dict[int, int]:
        """In how many chunks each of these terms is; absent where in none."""
        rows = await tx.fetch(
            "SELECT term, chunks FROM knowledge.term WHERE tenant_id = $1 AND term = ANY($2) AND chunks > 0",
            tenant,
            terms,
        )
        return {row["term"]: row["chunks"] for row in rows}

    async def candidates(
        self, tx: Tx, tenant: TenantId, choice: Choice, marks: Sequence[int], most: int
    ) -> list[ChunkRow]:
        """Chunks that have what was chosen and all the marks: at most so many, and of each group half as many.

        They come without their entries of pairs and grams.
        """
        groups = "".join(
            f" UNION SELECT knowledge.candidates('{{}}'::int[], ${number}::int[], $5)"
            for number in range(6, 6 + len(choice.together))
        )
        rows = await tx.fetch(
            "SELECT c.number, c.vector, c.text_terms, c.title_terms FROM knowledge.chunk c"
            " WHERE c.tenant_id = $1 AND c.number = ANY(ARRAY("
            f" SELECT knowledge.candidates($2::int[], $3::int[], $4){groups}))",
            tenant,
            choice.some,
            marks,
            most,
            *([most // 2] if choice.together else []),
            *([*group, *marks] for group in choice.together),
        )
        return [_chunk(row) for row in rows]

    async def chunks_of(self, tx: Tx, tenant: TenantId, source_ids: Sequence[str]) -> list[ChunkRow]:
        """All chunks of these sources, without their entries of pairs and grams."""
        rows = await tx.fetch(
            "SELECT number, vector, text_terms, title_terms FROM knowledge.chunk"
            " WHERE tenant_id = $1 AND source_id = ANY($2)",
            tenant,
            source_ids,
        )
        return [_chunk(row) for row in rows]

    async def passages(self, tx: Tx, tenant: TenantId, numbers: Sequence[int]) -> dict[int, tuple[bytes, Passage]]:
        """The rest of these chunks: the entries of pairs and grams, and what is shown."""
        # One source is looked up for each: a join that knows nothing yet of a tenant grown large reads all its sources.
        rows = await tx.fetch(
            "SELECT p.number, p.extra, p.ordinal, p.body, s.source_id, s.kind, s.title, s.locale, s.category, s.tags"
            " FROM knowledge.passage p CROSS JOIN LATERAL ("
            " SELECT * FROM knowledge.source WHERE tenant_id = $1 AND source_id = p.source_id LIMIT 1) s"
            " WHERE p.tenant_id = $1 AND p.number = ANY($2)",
            tenant,
            numbers,
        )
        return {row["number"]: (row["extra"], _passage(row)) for row in rows}

    async def erase(self, tx: Tx, tenant: TenantId) -> None:
        """Delete all that a tenant has here."""
        for table in TABLES:
            await tx.execute(f"DELETE FROM knowledge.{table} WHERE tenant_id = $1", tenant)


def _corpus(row: asyncpg.Record) -> Corpus:
    return Corpus(
        revision=row["revision"],
        next_number=row["next_number"],
        chunks=row["chunks"],
        text_terms=row["text_terms"],
        title_terms=row["title_terms"],
    )


def _chunk(row: asyncpg.Record, extra: bytes = b"") -> ChunkRow:
    return ChunkRow(
        number=row["number"],
        vector=row["vector"],
        extra=extra,
        text_terms=row["text_terms"],
        title_terms=row["title_terms"],
    )


def _passage(row: asyncpg.Record) -> Passage:
    return Passage(
        number=row["number"],
        source_id=row["source_id"],
        ordinal=row["ordinal"],
        kind=SourceKind(row["kind"]),
        title=row["title"],
        text=row["body"],
        locale=row["locale"],
        category=row["category"],
        tags=row["tags"],
    )
