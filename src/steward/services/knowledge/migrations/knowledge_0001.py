"""FAQs, documents, their versions and index; queries, feedback and what was counted of them."""

from steward.kit.db.migrations import TENANT, create_service, run_sql, system_access, tenant_table

revision = "knowledge_0001"
down_revision = None
branch_labels = ("knowledge",)
depends_on = ("kit_0001",)


def upgrade() -> None:
    create_service("knowledge")
    _sources_and_index()
    _questions()
    _row_policies()
    _system_access()
    _candidates()


def _sources_and_index() -> None:
    run_sql("""
        CREATE TABLE knowledge.corpus (
            tenant_id uuid PRIMARY KEY,
            revision bigint NOT NULL,
            next_number bigint NOT NULL,
            chunks bigint NOT NULL,
            text_terms bigint NOT NULL,
            title_terms bigint NOT NULL) WITH (fillfactor = 50);
        CREATE TABLE knowledge.source (
            tenant_id uuid NOT NULL, source_id text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('faq', 'document')),
            title text NOT NULL, body text NOT NULL, category text NOT NULL, tags text[] NOT NULL,
            locale text NOT NULL, key text NOT NULL, digest bytea NOT NULL, version int NOT NULL, chunks int NOT NULL,
            index_version int NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, source_id));
        CREATE INDEX ON knowledge.source (tenant_id, key) WHERE kind = 'faq';
        CREATE INDEX ON knowledge.source (index_version);
        CREATE TABLE knowledge.version (
            tenant_id uuid NOT NULL, source_id text NOT NULL, version int NOT NULL,
            title text NOT NULL, body text NOT NULL, tags text[] NOT NULL, changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, source_id, version));
        CREATE TABLE knowledge.chunk (
            tenant_id uuid NOT NULL, number bigint NOT NULL, source_id text NOT NULL,
            terms int[] NOT NULL, vector bytea NOT NULL, text_terms int NOT NULL, title_terms int NOT NULL,
            PRIMARY KEY (tenant_id, number)) WITH (toast_tuple_target = 8160);
        CREATE INDEX ON knowledge.chunk (tenant_id, source_id);
        CREATE INDEX ON knowledge.chunk USING gin (terms) WITH (fastupdate = off);
        ALTER TABLE knowledge.chunk ALTER COLUMN vector SET STORAGE MAIN;
        CREATE TABLE knowledge.passage (
            tenant_id uuid NOT NULL, number bigint NOT NULL, source_id text NOT NULL,
            ordinal int NOT NULL, body text NOT NULL, extra bytea NOT NULL,
            PRIMARY KEY (tenant_id, number));
        ALTER TABLE knowledge.passage ALTER COLUMN extra SET STORAGE EXTERNAL;
        CREATE INDEX ON knowledge.passage (tenant_id, source_id);
        CREATE TABLE knowledge.term (
            tenant_id uuid NOT NULL, term int NOT NULL, chunks int NOT NULL,
            PRIMARY KEY (tenant_id, term)) WITH (fillfactor = 80);
    """)


def _questions() -> None:
    run_sql("""
        CREATE TABLE knowledge.query (
            tenant_id uuid NOT NULL, query_id uuid NOT NULL, question text NOT NULL, key text NOT NULL,
            faq_id text, answered boolean NOT NULL, asked_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, query_id));
        CREATE INDEX ON knowledge.query USING brin (asked_at);
        CREATE INDEX ON knowledge.query (tenant_id, asked_at);
        CREATE TABLE knowledge.faq_view (
            tenant_id uuid NOT NULL, source_id text NOT NULL, views bigint NOT NULL,
            PRIMARY KEY (tenant_id, source_id)) WITH (fillfactor = 50);
        CREATE TABLE knowledge.feedback (
            tenant_id uuid NOT NULL, query_id uuid NOT NULL, faq_id text, helpful boolean NOT NULL,
            comment text NOT NULL, given_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, query_id));
        CREATE INDEX ON knowledge.feedback (tenant_id, faq_id);
        CREATE TABLE knowledge.popular (
            tenant_id uuid NOT NULL, rank int NOT NULL, question text NOT NULL, asked bigint NOT NULL,
            faq_id text, last_asked_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, rank));
    """)


def _row_policies() -> None:
    for table in ("corpus", "source", "version", "chunk", "passage", "term", "query", "faq_view", "feedback"):
        tenant_table("knowledge", table)
    tenant_table("knowledge", "popular", "SELECT, DELETE")


def _system_access() -> None:
    query = ("tenant_id", "query_id", "question", "key", "faq_id", "answered", "asked_at")
    system_access("knowledge", "query", "INSERT", query)
    system_access("knowledge", "query", "SELECT", query)
    system_access("knowledge", "query", "DELETE")
    system_access("knowledge", "faq_view", "SELECT", ("tenant_id", "source_id", "views"))
    system_access("knowledge", "faq_view", "INSERT", ("tenant_id", "source_id", "views"))
    system_access("knowledge", "faq_view", "UPDATE", ("views",))
    popular = ("tenant_id", "rank", "question", "asked", "faq_id", "last_asked_at")
    system_access("knowledge", "popular", "SELECT", popular)
    system_access("knowledge", "popular", "INSERT", popular)
    system_access("knowledge", "popular", "DELETE")
    system_access("knowledge", "chunk", "SELECT", ("tenant_id", "number", "terms"))
    system_access("knowledge", "source", "SELECT", ("tenant_id", "source_id", "index_version"))


def _candidates() -> None:
    """The one way into the inverted index.

    PostgreSQL asks an index only after the row policies, unless the operator is leakproof, and `&&` of arrays is not:
    under the tenant's role each search would read the whole table. This function runs as the system role, whose policy
    lets the index be asked, holds the tenant's condition itself, and gives numbers only; what they stand for is read
    under the tenant's role and its policies. `IS NOT DISTINCT FROM` is `=` that asks no index: where the planner knows
    little of a tenant that has just grown large, it would go through all of its keys beside the terms.
    """
    run_sql(f"""
        GRANT CREATE ON SCHEMA knowledge TO steward_knowledge_system;
        GRANT steward_knowledge_system TO CURRENT_USER WITH SET TRUE;
        CREATE FUNCTION knowledge.candidates(any_of int[], all_of int[], most int) RETURNS SETOF bigint
            LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500
            SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
        BEGIN
            IF cardinality(all_of) = 0 THEN
                RETURN QUERY SELECT c.number FROM knowledge.chunk c
                    WHERE c.tenant_id IS NOT DISTINCT FROM {TENANT} AND c.terms && any_of LIMIT most;
            ELSIF cardinality(any_of) = 0 THEN
                RETURN QUERY SELECT c.number FROM knowledge.chunk c
                    WHERE c.tenant_id IS NOT DISTINCT FROM {TENANT} AND c.terms @> all_of LIMIT most;
            ELSE
                RETURN QUERY SELECT c.number FROM knowledge.chunk c
                    WHERE c.tenant_id IS NOT DISTINCT FROM {TENANT}
                        AND c.terms && any_of AND c.terms @> all_of LIMIT most;
            END IF;
        END $$;
        ALTER FUNCTION knowledge.candidates(int[], int[], int) OWNER TO steward_knowledge_system;
        REVOKE CREATE ON SCHEMA knowledge FROM steward_knowledge_system;
        REVOKE ALL ON FUNCTION knowledge.candidates(int[], int[], int) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION knowledge.candidates(int[], int[], int) TO steward_knowledge;
        REVOKE steward_knowledge_system FROM CURRENT_USER;
    """)


def downgrade() -> None:
    run_sql("DROP SCHEMA knowledge CASCADE")
