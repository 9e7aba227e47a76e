"""SQL of FAQs, documents and their versions."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.knowledge.api import DocumentVersion, SourceKind
from steward.services.knowledge.indexing import INDEX_VERSION
from steward.services.knowledge.records import Held, Prepared, Source, StoredSource

VERSIONS_KEPT = 100
VERSIONS_SHOWN_CHARS = 1_000_000
"""Texts of the versions that a list shows, together: what a message between processes can hold."""

_COLUMNS = (
    "s.source_id, s.kind, s.title, s.body, s.category, s.tags, s.locale, s.key, s.digest, s.version, s.chunks,"
    " s.created_at, s.updated_at"
)


class SourceRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def held(self, tx: Tx, tenant: TenantId, ids: Sequence[str]) -> dict[str, Held]:
        """What is there under these ids."""
        rows = await tx.fetch(
            "SELECT source_id, kind, digest, version, chunks FROM knowledge.source"
            " WHERE tenant_id = $1 AND source_id = ANY($2)",
            tenant,
            ids,
        )
        return {
            row["source_id"]: Held(
                kind=SourceKind(row["kind"]), digest=row["digest"], version=row["version"], chunks=row["chunks"]
            )
            for row in rows
        }

    async def put(
        self, tx: Tx, tenant: TenantId, prepared: Sequence[Prepared], versions: Sequence[int], now: datetime
    ) -> None:
        """Store sources as these versions, and the versions."""
        sources = [each.source for each in prepared]
        await tx.execute(
            "INSERT INTO knowledge.source AS s (tenant_id, source_id, kind, title, body, category, tags, locale, key,"
            " digest, version, chunks, index_version, created_at, updated_at)"
            " SELECT $1, t.id, t.kind, t.title, t.body, t.category, t.tags::text[], t.locale, t.key, t.digest,"
            " t.version, t.chunks, $14, $13, $13"
            " FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],"
            " $9::text[], $10::bytea[], $11::int[], $12::int[])"
            " AS t (id, kind, title, body, category, tags, locale, key, digest, version, chunks)"
            " ON CONFLICT (tenant_id, source_id) DO UPDATE SET title = excluded.title, body = excluded.body,"
            " category = excluded.category, tags = excluded.tags, locale = excluded.locale, key = excluded.key,"
            " digest = excluded.digest, version = excluded.version, chunks = excluded.chunks,"
            " index_version = excluded.index_version, updated_at = excluded.updated_at",
            tenant,
            [source.id for source in sources],
            [source.kind for source in sources],
            [source.title for source in sources],
            [source.body for source in sources],
            [source.category for source in sources],
            [_array(source.tags) for source in sources],
            [source.locale for source in sources],
            [source.key for source in sources],
            [source.digest for source in sources],
            list(versions),
            [len(each.chunks) for each in prepared],
            now,
            INDEX_VERSION,
        )
        await tx.execute(
            "INSERT INTO knowledge.version (tenant_id, source_id, version, title, body, tags, changed_at)"
            " SELECT tenant_id, source_id, version, title, body, tags, updated_at FROM knowledge.source"
            " WHERE tenant_id = $1 AND source_id = ANY($2)",
            tenant,
            [source.id for source in sources],
        )
        old = [(source.id, v - VERSIONS_KEPT) for source, v in zip(sources, versions, strict=True) if v > VERSIONS_KEPT]
        if old:
            await tx.execute(
                "DELETE FROM knowledge.version v USING unnest($2::text[], $3::int[]) AS t (id, last)"
                " WHERE v.tenant_id = $1 AND v.source_id = t.id AND v.version <= t.last",
                tenant,
                [each for each, _ in old],
                [last for _, last in old],
            )

    async def get(self, tx: Tx, tenant: TenantId, source_id: str, kind: SourceKind) -> StoredSource | None:
        row = await tx.fetchrow(
            f"SELECT {_COLUMNS}, coalesce(w.views, 0) AS views FROM knowledge.source s"
            " LEFT JOIN knowledge.faq_view w ON w.tenant_id = s.tenant_id AND w.source_id = s.source_id"
            " WHERE s.tenant_id = $1 AND s.source_id = $2 AND s.kind = $3",
            tenant,
            source_id,
            kind,
        )
        return _stored(row) if row else None

    async def with_ids(self, tx: Tx, tenant: TenantId, ids: Sequence[str]) -> list[Source]:
        """The sources with these ids, as far as there are any."""
        rows = await tx.fetch(
            f"SELECT {_COLUMNS}, 0 AS views FROM knowledge.source s WHERE s.tenant_id = $1 AND s.source_id = ANY($2)",
            tenant,
            ids,
        )
        return [_stored(row).source for row in rows]

    async def indexed_anew(self, tx: Tx, tenant: TenantId, prepared: Sequence[Prepared]) -> None:
        """Note that the chunks of these sources are in the present form."""
        await tx.execute(
            "UPDATE knowledge.source s SET chunks = t.chunks, index_version = $4"
            " FROM unnest($2::text[], $3::int[]) AS t (id, chunks) WHERE s.tenant_id = $1 AND s.source_id = t.id",
            tenant,
            [each.source.id for each in prepared],
            [len(each.chunks) for each in prepared],
            INDEX_VERSION,
        )

    async def list_after(
        self, tx: Tx, tenant: TenantId, kind: SourceKind, after: str | None, limit: int, category: str | None = None
    ) -> list[StoredSource]:
        """Sources by id; bodies of documents are left out, for a list does not show them."""
        body = "s.body" if kind is SourceKind.FAQ else "''"
        rows = await tx.fetch(
            f"SELECT {_COLUMNS.replace('s.body', f'{body} AS body')}, coalesce(w.views, 0) AS views"
            " FROM knowledge.source s"
            " LEFT JOIN knowledge.faq_view w ON w.tenant_id = s.tenant_id AND w.source_id = s.source_id"
            " WHERE s.tenant_id = $1 AND s.kind = $2 AND ($3::text IS NULL OR s.source_id > $3)"
            " AND ($4::text IS NULL OR s.category = $4) ORDER BY s.source_id LIMIT $5",
            tenant,
            kind,
            after,
            category,
            limit,
        )
        return [_stored(row) for row in rows]

    async def ids_by_key(self, tx: Tx, tenant: TenantId, keys: Sequence[str]) -> dict[tuple[str, str], str]:
        """The ids of FAQs by the key of their question and their language."""
        rows = await tx.fetch(
            "SELECT key, locale, min(source_id) AS source_id FROM knowledge.source"
            " WHERE tenant_id = $1 AND kind = 'faq' AND key = ANY($2) GROUP BY key, locale",
            tenant,
            keys,
        )
        return {(row["key"], row["locale"]): row["source_id"] for row in rows}

    async def versions(self, tx: Tx, tenant: TenantId, source_id: str) -> list[DocumentVersion]:
        """The versions that are kept, newest first: the newest, and as many others as have 1,000,000 characters."""
        rows = await tx.fetch(
            "SELECT v.version, v.title, v.body, v.tags, v.changed_at FROM (SELECT *, row_number() OVER newest AS place,"
            " sum(length(body)) OVER newest AS chars FROM knowledge.version WHERE tenant_id = $1 AND source_id = $2"
            " WINDOW newest AS (ORDER BY version DESC)) v WHERE v.place = 1 OR v.chars <= $4"
            " ORDER BY v.version DESC LIMIT $3",
            tenant,
            source_id,
            VERSIONS_KEPT,
            VERSIONS_SHOWN_CHARS,
        )
        return [
            DocumentVersion(
                version=row["version"],
                title=row["title"],
                text=row["body"],
                tags=row["tags"],
                changed_at=row["changed_at"],
            )
            for row in rows
        ]

    async def delete(self, tx: Tx, tenant: TenantId, source_id: str, kind: SourceKind) -> bool:
        """Delete a source with its versions and views; False when there is none."""
        gone = await tx.execute(
            "DELETE FROM knowledge.source WHERE tenant_id = $1 AND source_id = $2 AND kind = $3",
            tenant,
            source_id,
            kind,
        )
        if gone:
            for table in ("version", "faq_view"):
                await tx.execute(
                    f"DELETE FROM knowledge.{table} WHERE tenant_id = $1 AND source_id = $2", tenant, source_id
                )
        return gone == 1


class SourceSystemRepository:
    """Rows of all tenants, in a system transaction."""

    async def indexed_before(self, tx: Tx, index_version: int, most: int) -> dict[TenantId, list[str]]:
        """Ids of sources whose chunks are in an older form than this one, by tenant."""
        rows = await tx.fetch(
            "SELECT tenant_id, source_id FROM knowledge.source WHERE index_version < $1"
            " ORDER BY index_version, tenant_id LIMIT $2",
            index_version,
            most,
        )
        found: dict[TenantId, list[str]] = {}
        for row in rows:
            found.setdefault(TenantId(row["tenant_id"]), []).append(row["source_id"])
        return found


def _array(items: Sequence[str]) -> str:
    """A literal of PostgreSQL for an array of text, for `unnest` takes no arrays of different lengths."""
    quoted = ('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    return "{" + ",".join(quoted) + "}"


def _stored(row: asyncpg.Record) -> StoredSource:
    return StoredSource(
        source=Source(
            id=row["source_id"],
            kind=SourceKind(row["kind"]),
            title=row["title"],
            body=row["body"],
            category=row["category"],
            tags=row["tags"],
            locale=row["locale"],
            key=row["key"],
            digest=row["digest"],
        ),
        version=row["version"],
        chunks=row["chunks"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        views=row["views"],
    )
