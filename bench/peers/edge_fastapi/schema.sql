-- The tables of the peer: the same columns, keys, indexes and row-level security as Steward's. Run as the superuser.
CREATE SCHEMA app;

CREATE TABLE app.tenant (
    tenant_id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    plan text NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
    state text NOT NULL CHECK (state IN ('provisioning', 'active', 'suspended', 'deleted')),
    locale text NOT NULL DEFAULT 'en',
    allowed_origins text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version int NOT NULL DEFAULT 1
);
CREATE TABLE app.api_key (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    requests_per_minute int NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.api_key (tenant_id, secret_hash);
CREATE TABLE app.outbox (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    body text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.outbox (xid, id);
CREATE TABLE app.audit_outbox (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    body text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON app.audit_outbox (xid, id);

CREATE ROLE edge_peer NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
GRANT edge_peer TO steward_app WITH INHERIT FALSE, SET TRUE;
GRANT USAGE ON SCHEMA app TO edge_peer;
GRANT SELECT, INSERT, UPDATE ON app.tenant TO edge_peer;
GRANT SELECT ON app.api_key TO edge_peer;
GRANT INSERT ON app.outbox, app.audit_outbox TO edge_peer;

DO $$
DECLARE
    table_name text;
    mine text := 'tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid';
BEGIN
    FOREACH table_name IN ARRAY ARRAY['tenant', 'api_key', 'outbox', 'audit_outbox'] LOOP
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
