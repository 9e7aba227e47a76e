"""Tenants, quotas and holds."""

from steward.kit.db.migrations import create_service, run_sql, system_access, tenant_table

revision = "tenants_0001"
down_revision = None
branch_labels = ("tenants",)
depends_on = ("kit_0001",)


def upgrade() -> None:
    create_service("tenants")
    run_sql("""
        CREATE TABLE tenants.tenant (
            tenant_id uuid PRIMARY KEY,
            slug text NOT NULL UNIQUE,
            name text NOT NULL,
            plan text NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
            state text NOT NULL CHECK (state IN ('provisioning', 'active', 'suspended', 'deleted')),
            locale text NOT NULL DEFAULT 'en',
            allowed_origins text[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            version int NOT NULL DEFAULT 1);
        CREATE TABLE tenants.quota_override (
            tenant_id uuid NOT NULL, quota text NOT NULL, ceiling bigint NOT NULL CHECK (ceiling >= 0),
            PRIMARY KEY (tenant_id, quota));
        CREATE TABLE tenants.quota_use (
            tenant_id uuid NOT NULL, quota text NOT NULL, used bigint NOT NULL CHECK (used >= 0),
            PRIMARY KEY (tenant_id, quota)) WITH (fillfactor = 50);
        CREATE TABLE tenants.quota_hold (
            tenant_id uuid NOT NULL, quota text NOT NULL, holder uuid NOT NULL, amount bigint NOT NULL,
            held_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, quota, holder));
    """)
    tenant_table("tenants", "tenant", "SELECT, INSERT, UPDATE")
    tenant_table("tenants", "quota_override")
    tenant_table("tenants", "quota_use")
    tenant_table("tenants", "quota_hold")
    columns = ("tenant_id", "slug", "name", "plan", "state", "locale", "allowed_origins")
    system_access("tenants", "tenant", "SELECT", (*columns, "created_at", "updated_at", "version"))


def downgrade() -> None:
    run_sql("DROP SCHEMA tenants CASCADE")
