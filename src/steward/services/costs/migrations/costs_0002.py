"""Overrides of prices, by tenant, those of the platform's tenant for the installation; and the ledger by time."""

from steward.kit.db.migrations import run_sql, system_access, tenant_table

revision = "costs_0002"
down_revision = "costs_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("""
        CREATE TABLE costs.price_override (
            tenant_id uuid NOT NULL, provider text NOT NULL, model text NOT NULL, effective_from date NOT NULL,
            price jsonb NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, provider, model, effective_from));
        COMMENT ON COLUMN costs.price_override.effective_from IS 'from midnight UTC; 0001-01-01 for ever since';
    """)
    # The ledger grows in the order of time, which is all that such an index needs; it costs inserts next to nothing.
    run_sql("CREATE INDEX ledger_at ON costs.ledger USING brin (at) WITH (pages_per_range = 32, autosummarize = on)")
    tenant_table("costs", "price_override")
    columns = ("tenant_id", "provider", "model", "effective_from", "price")
    system_access("costs", "price_override", "SELECT", columns)


def downgrade() -> None:
    run_sql("DROP TABLE costs.price_override; DROP INDEX costs.ledger_at")
