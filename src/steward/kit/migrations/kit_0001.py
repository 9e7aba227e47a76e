"""The kit's own tables: keys of processes and tenants, cursors of the bus, the schema's digest."""

from steward.kit.db.migrations import create_role, run_sql, shared_table, system_access, tenant_table

revision = "kit_0001"
down_revision = None
branch_labels = ("kit",)


def upgrade() -> None:
    run_sql(f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'steward_app') THEN
                CREATE ROLE steward_app LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT NOCREATEDB NOCREATEROLE;
            END IF;
        END $$;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        {create_role("steward_kit")}
        {create_role("steward_kit_system")}
        GRANT USAGE ON SCHEMA kit TO steward_app, steward_kit, steward_kit_system;

        -- A ciphertext of kit/crypto: version 1, algorithm, 16 bytes of key id, 12 of nonce, 16 of tag at the least.
        CREATE DOMAIN kit.sealed AS bytea CHECK (octet_length(VALUE) >= 46 AND get_byte(VALUE, 0) = 1);

        CREATE TABLE kit.schema_digest (one boolean PRIMARY KEY CHECK (one), digest text NOT NULL);
        GRANT SELECT ON kit.schema_digest TO steward_app;

        CREATE TABLE kit.data_key (
            tenant_id uuid NOT NULL, id uuid NOT NULL, use text NOT NULL CHECK (use IN ('seal', 'index')),
            wrapped bytea NOT NULL, master_key_id text NOT NULL,
            created_at timestamptz NOT NULL, retired_at timestamptz, PRIMARY KEY (tenant_id, id));
        CREATE UNIQUE INDEX data_key_current ON kit.data_key (tenant_id, use) WHERE retired_at IS NULL;
        CREATE TABLE kit.data_key_destroyed (tenant_id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

        CREATE TABLE kit.process (
            id uuid PRIMARY KEY, services text[] NOT NULL, address text NOT NULL, public_key bytea NOT NULL,
            started_at timestamptz NOT NULL, seen_at timestamptz NOT NULL);

        CREATE TABLE kit.bus_cursor (
            consumer text NOT NULL, source text NOT NULL, xid xid8 NOT NULL, id uuid NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (consumer, source));

        CREATE TABLE kit.bus_parked (
            consumer text NOT NULL, event_id uuid NOT NULL, tenant_id uuid NOT NULL, body text NOT NULL,
            error text NOT NULL, parked_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (consumer, event_id));
    """)
    tenant_table("kit", "data_key")
    tenant_table("kit", "data_key_destroyed", "SELECT, INSERT")
    columns = ("tenant_id", "id", "use", "wrapped", "master_key_id", "created_at", "retired_at")
    system_access("kit", "data_key", "SELECT", columns)
    shared_table("kit", "process", "SELECT, INSERT, UPDATE, DELETE")
    shared_table("kit", "bus_cursor", "SELECT, INSERT, UPDATE, DELETE")
    shared_table("kit", "bus_parked", "SELECT, INSERT, DELETE")


def downgrade() -> None:
    run_sql("DROP SCHEMA kit CASCADE")
