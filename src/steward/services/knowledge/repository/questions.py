"""SQL of what was asked: queries, views, feedback, popular questions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.knowledge.api import FeedbackCount, PopularQuestion
from steward.services.knowledge.records import RecordedQuery

_COUNTED = (
    "mode() WITHIN GROUP (ORDER BY question) AS question, count(*) AS asked,"
    " mode() WITHIN GROUP (ORDER BY faq_id) AS faq_id, max(asked_at) AS last_asked_at"
)


class QuestionRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def faq_of(self, tx: Tx, tenant: TenantId, query_id: UUID) -> tuple[str | None] | None:
        """The FAQ that a query was answered by, in a tuple; None where there is no such query."""
        row = await tx.fetchrow(
            "SELECT faq_id FROM knowledge.query WHERE tenant_id = $1 AND query_id = $2", tenant, query_id
        )
        return (row["faq_id"],) if row else None

    async def put_feedback(
        self,
        tx: Tx,
        tenant: TenantId,
        query_id: UUID,
        faq_id: str | None,
        comment: str,
        now: datetime,
        *,
        helpful: bool,
    ) -> None:
        """Note what somebody thinks of an answer, in place of what was thought before."""
        await tx.execute(
            "INSERT INTO knowledge.feedback (tenant_id, query_id, faq_id, helpful, comment, given_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, query_id) DO UPDATE"
            " SET helpful = excluded.helpful, comment = excluded.comment, given_at = excluded.given_at",
            tenant,
            query_id,
            faq_id,
            helpful,
            comment,
            now,
        )

    async def feedback_after(self, tx: Tx, tenant: TenantId, after: str | None, limit: int) -> list[FeedbackCount]:
        """Feedback by FAQ."""
        rows = await tx.fetch(
            "SELECT faq_id, count(*) FILTER (WHERE helpful) AS helpful,"
            " count(*) FILTER (WHERE NOT helpful) AS unhelpful"
            " FROM knowledge.feedback WHERE tenant_id = $1 AND faq_id > coalesce($2, '') GROUP BY faq_id"
            " ORDER BY faq_id LIMIT $3",
            tenant,
            after,
            limit,
        )
        return [FeedbackCount(faq_id=row["faq_id"], helpful=row["helpful"], unhelpful=row["unhelpful"]) for row in rows]

    async def popular(self, tx: Tx, tenant: TenantId, limit: int) -> list[PopularQuestion]:
        """As counted last."""
        rows = await tx.fetch(
            "SELECT question, asked, faq_id, last_asked_at FROM knowledge.popular WHERE tenant_id = $1"
            " ORDER BY rank LIMIT $2",
            tenant,
            limit,
        )
        return [_popular(row) for row in rows]

    async def count(
        self, tx: Tx, tenant: TenantId, since: datetime, limit: int, *, unanswered: bool
    ) -> list[PopularQuestion]:
        """Count now."""
        which = " AND NOT answered" if unanswered else ""
        rows = await tx.fetch(
            f"SELECT {_COUNTED} FROM knowledge.query WHERE tenant_id = $1 AND asked_at >= $2{which}"
            " GROUP BY key ORDER BY count(*) DESC, max(asked_at) DESC LIMIT $3",
            tenant,
            since,
            limit,
        )
        return [_popular(row) for row in rows]


class QuestionSystemRepository:
    """Rows of all tenants, in a system transaction."""

    async def record(self, tx: Tx, queries: Sequence[RecordedQuery]) -> None:
        """Write queries of any tenants, and count the FAQs that answered; those that are written already are left."""
        await tx.execute(
            "WITH made AS ("
            "INSERT INTO knowledge.query (tenant_id, query_id, question, key, faq_id, answered, asked_at)"
            " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[],"
            " $7::timestamptz[]) ON CONFLICT DO NOTHING RETURNING tenant_id, faq_id)"
            " INSERT INTO knowledge.faq_view AS w (tenant_id, source_id, views)"
            " SELECT tenant_id, faq_id, count(*) FROM made WHERE faq_id IS NOT NULL"
            " GROUP BY tenant_id, faq_id ORDER BY tenant_id, faq_id"
            " ON CONFLICT (tenant_id, source_id) DO UPDATE SET views = w.views + excluded.views",
            [query.tenant for query in queries],
            [query.id for query in queries],
            [query.question for query in queries],
            [query.key for query in queries],
            [query.faq_id for query in queries],
            [query.answered for query in queries],
            [query.asked_at for query in queries],
        )

    async def count_popular(self, tx: Tx, since: datetime, most: int) -> dict[TenantId, list[str]]:
        """Count anew what is popular with every tenant; the questions, by tenant."""
        await tx.execute("DELETE FROM knowledge.popular")
        rows = await tx.fetch(
            "INSERT INTO knowledge.popular (tenant_id, rank, question, asked, faq_id, last_asked_at)"
            f" SELECT * FROM (SELECT tenant_id, row_number() OVER (PARTITION BY tenant_id"
            f" ORDER BY asked DESC, last_asked_at DESC) AS rank, question, asked, faq_id, last_asked_at"
            f" FROM (SELECT tenant_id, {_COUNTED} FROM knowledge.query WHERE asked_at >= $1"
            " GROUP BY tenant_id, key) c) r"
            " WHERE rank <= $2 RETURNING tenant_id, rank, question",
            since,
            most,
        )
        found: dict[TenantId, list[str]] = {}
        for row in sorted(rows, key=lambda each: each["rank"]):
            found.setdefault(TenantId(row["tenant_id"]), []).append(row["question"])
        return found

    async def forget(self, tx: Tx, before: datetime) -> int:
        """Delete the queries that were made before this."""
        return await tx.execute("DELETE FROM knowledge.query WHERE asked_at < $1", before)


def _popular(row: asyncpg.Record) -> PopularQuestion:
    return PopularQuestion(
        question=row["question"], asked=row["asked"], faq_id=row["faq_id"], last_asked_at=row["last_asked_at"]
    )
