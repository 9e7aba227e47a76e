"""Chained entries, heads, signed checkpoints and the collector's cursors."""

from steward.kit.db.migrations import (
    create_service,
    run_sql,
    sensitive_columns,
    shared_table,
    system_access,
    tenant_table,
)

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = ("kit_0001",)


def upgrade() -> None:
    create_service("audit")
    run_sql("""
        CREATE TABLE audit.entry (
            tenant_id uuid NOT NULL, seq bigint NOT NULL, id uuid NOT NULL, at timestamptz NOT NULL,
            actor text NOT NULL, action text NOT NULL, resource text NOT NULL, outcome text NOT NULL,
            body text NOT NULL, hash bytea NOT NULL CHECK (octet_length(hash) = 32),
            PRIMARY KEY (tenant_id, seq));
        CREATE INDEX ON audit.entry (tenant_id, actor, seq);
        CREATE INDEX ON audit.entry (tenant_id, action text_pattern_ops, seq);
        CREATE INDEX ON audit.entry (tenant_id, resource, seq);
        CREATE TABLE audit.head (
            tenant_id uuid PRIMARY KEY, seq bigint NOT NULL, hash bytea NOT NULL) WITH (fillfactor = 50);
        CREATE TABLE audit.checkpoint (
            tenant_id uuid NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL, at timestamptz NOT NULL,
            key_id text NOT NULL, signature bytea NOT NULL, PRIMARY KEY (tenant_id, seq));
        CREATE TABLE audit.collected (
            source text PRIMARY KEY, xid xid8 NOT NULL, id uuid NOT NULL) WITH (fillfactor = 50);
        CREATE TABLE audit.signing_key (
            id text PRIMARY KEY, public_key bytea NOT NULL, sealed kit.sealed NOT NULL,
            created_at timestamptz NOT NULL);
        GRANT USAGE ON SCHEMA kit TO steward_audit;
    """)
    tenant_table("audit", "entry", "SELECT")
    tenant_table("audit", "head", "SELECT")
    tenant_table("audit", "checkpoint", "SELECT")
    entry = ("tenant_id", "seq", "id", "at", "actor", "action", "resource", "outcome", "body", "hash")
    system_access("audit", "entry", "INSERT", entry)
    head = ("tenant_id", "seq", "hash")
    system_access("audit", "head", "SELECT", head)
    system_access("audit", "head", "INSERT", head)
    system_access("audit", "head", "UPDATE", ("seq", "hash"))
    system_access("audit", "checkpoint", "INSERT", (*head, "at", "key_id", "signature"))
    sensitive_columns("audit", "signing_key", "sealed")
    shared_table("audit", "signing_key", "SELECT, INSERT")
    run_sql("GRANT SELECT, INSERT, UPDATE ON audit.collected TO steward_audit_system;")


def downgrade() -> None:
    run_sql("DROP SCHEMA audit CASCADE")
