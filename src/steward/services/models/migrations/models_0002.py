"""Files of requests and the batches that work them off."""

from steward.kit.db.migrations import run_sql, sensitive_columns, system_access, tenant_table

revision = "models_0002"
down_revision = "models_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("""
        CREATE TABLE models.file (
            tenant_id uuid NOT NULL, file_id uuid NOT NULL, owner text NOT NULL, name kit.sealed NOT NULL,
            purpose text NOT NULL, bytes bigint NOT NULL, created_at timestamptz NOT NULL,
            batch_id uuid, of_errors boolean NOT NULL DEFAULT false,
            PRIMARY KEY (tenant_id, file_id));
        CREATE TABLE models.file_piece (
            tenant_id uuid NOT NULL, file_id uuid NOT NULL, number int NOT NULL, content kit.sealed NOT NULL,
            PRIMARY KEY (tenant_id, file_id, number));
        CREATE TABLE models.batch (
            tenant_id uuid NOT NULL, batch_id uuid NOT NULL, owner text NOT NULL, endpoint text NOT NULL,
            state text NOT NULL CHECK (state IN
                ('validating', 'failed', 'in_progress', 'completed', 'expired', 'cancelling', 'cancelled')),
            input_file_id uuid NOT NULL, output_file_id uuid NOT NULL, error_file_id uuid NOT NULL,
            metadata kit.sealed NOT NULL, origin jsonb NOT NULL, errors text[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, ended_at timestamptz,
            PRIMARY KEY (tenant_id, batch_id));
        CREATE TABLE models.batch_work (
            tenant_id uuid NOT NULL, batch_id uuid NOT NULL, lease_until timestamptz NOT NULL, epoch int NOT NULL,
            PRIMARY KEY (tenant_id, batch_id)) WITH (fillfactor = 50);
        CREATE INDEX ON models.batch_work (lease_until);
        CREATE TABLE models.batch_count (
            tenant_id uuid NOT NULL, batch_id uuid NOT NULL,
            total int NOT NULL, succeeded int NOT NULL, failed int NOT NULL,
            output_bytes bigint NOT NULL DEFAULT 0, error_bytes bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, batch_id)) WITH (fillfactor = 50);
        CREATE TABLE models.batch_line (
            tenant_id uuid NOT NULL, batch_id uuid NOT NULL, number int NOT NULL,
            state text NOT NULL CHECK (state IN ('pending', 'running', 'done')), epoch int NOT NULL,
            ok boolean NOT NULL DEFAULT false, request kit.sealed NOT NULL, result kit.sealed,
            PRIMARY KEY (tenant_id, batch_id, number)) WITH (fillfactor = 80);
        CREATE INDEX open_lines ON models.batch_line (tenant_id, batch_id, number) WHERE state <> 'done';
    """)
    for table in ("file", "file_piece", "batch", "batch_work", "batch_count", "batch_line"):
        tenant_table("models", table)
    sensitive_columns("models", "file", "name")
    sensitive_columns("models", "file_piece", "content")
    sensitive_columns("models", "batch", "metadata")
    sensitive_columns("models", "batch_line", "request", "result")
    # A batch that nobody works on is found across tenants.
    lease = ("lease_until", "epoch")
    system_access("models", "batch_work", "SELECT", ("tenant_id", "batch_id", *lease))
    system_access("models", "batch_work", "UPDATE", lease)


def downgrade() -> None:
    run_sql(
        "DROP TABLE models.batch_line, models.batch_count, models.batch_work, models.batch, models.file_piece,"
        " models.file"
    )
