"""Connections to providers, aliases, and the names that a tenant is held to."""

from steward.kit.db.migrations import create_service, run_sql, sensitive_columns, tenant_table

revision = "models_0001"
down_revision = None
branch_labels = ("models",)
depends_on = ("kit_0001",)


def upgrade() -> None:
    create_service("models")
    run_sql("""
        CREATE TABLE models.connection (
            tenant_id uuid NOT NULL, name text NOT NULL, settings jsonb NOT NULL, key kit.sealed,
            revision uuid NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, name));
        CREATE TABLE models.alias (
            tenant_id uuid NOT NULL, name text NOT NULL, settings jsonb NOT NULL,
            revision uuid NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, name));
        CREATE TABLE models.allowed (
            tenant_id uuid PRIMARY KEY, names text[] NOT NULL, updated_at timestamptz NOT NULL);
    """)
    for table in ("connection", "alias", "allowed"):
        tenant_table("models", table)
    sensitive_columns("models", "connection", "key")


def downgrade() -> None:
    run_sql("DROP SCHEMA models CASCADE")
