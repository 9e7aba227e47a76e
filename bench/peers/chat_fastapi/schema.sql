-- What conversations leave: the same columns, keys, indexes and row-level security as Steward's. Run as the superuser,
-- after the schema of edge_fastapi. Unlike Steward's, `message` has no partitions.
CREATE TABLE app.session (
    tenant_id uuid NOT NULL, id uuid NOT NULL,
    owner_kind text NOT NULL CHECK (owner_kind IN ('customer', 'visitor')), owner_id text NOT NULL,
    locale text NOT NULL, state text NOT NULL CHECK (state IN ('active', 'escalated', 'closed')),
    dialogue jsonb NOT NULL, version int NOT NULL, messages int NOT NULL, metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70);
CREATE INDEX ON app.session (updated_at);
CREATE TABLE app.message (
    tenant_id uuid NOT NULL, id uuid NOT NULL, session_id uuid NOT NULL,
    sender text NOT NULL CHECK (sender IN ('user', 'agent', 'system')),
    agent_type text, text text NOT NULL, intent jsonb, citations jsonb, reply_to uuid,
    from_cache boolean NOT NULL DEFAULT false, degraded boolean NOT NULL DEFAULT false,
    response_time_ms int, sentiment text, created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.message (tenant_id, session_id, id);
CREATE TABLE app.query (
    tenant_id uuid NOT NULL, id uuid NOT NULL, question text NOT NULL, key text NOT NULL,
    faq_id text, answered boolean NOT NULL, asked_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.query USING brin (asked_at);
CREATE INDEX ON app.query (tenant_id, asked_at);
CREATE TABLE app.faq (
    tenant_id uuid NOT NULL, id text NOT NULL, question text NOT NULL, answer text NOT NULL, locale text NOT NULL,
    terms tsvector NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.faq USING gin (terms);

GRANT SELECT, INSERT, UPDATE ON app.session TO edge_peer;
GRANT SELECT, INSERT ON app.message TO edge_peer;
GRANT INSERT ON app.query TO edge_peer;
GRANT SELECT ON app.faq TO edge_peer;

DO $$
DECLARE
    table_name text;
    mine text := 'tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid';
BEGIN
    FOREACH table_name IN ARRAY ARRAY['session', 'message', 'query', 'faq'] LOOP
        EXECUTE format('ALTER TABLE app.%I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE app.%I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY tenant_rows ON app.%I AS PERMISSIVE TO edge_peer USING (%s) WITH CHECK (%s)',
            table_name, mine, mine);
        EXECUTE format(
            'CREATE POLICY tenant_rows_only ON app.%I AS RESTRICTIVE TO edge_peer USING (%s) WITH CHECK (%s)',
            table_name, mine, mine);
    END LOOP;
END $$;
