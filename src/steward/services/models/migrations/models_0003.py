"""Lines of batches that are with a provider's batch endpoint; files and batches that are old are found by their age."""

from steward.kit.db.migrations import run_sql, system_access, tenant_table

revision = "models_0003"
down_revision = "models_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("""
        CREATE TABLE models.batch_submission (
            tenant_id uuid NOT NULL, batch_id uuid NOT NULL, submission_id uuid NOT NULL, connection text NOT NULL,
            state text NOT NULL CHECK (state IN ('intended', 'sent', 'accepted', 'ended')),
            provider_batch text NOT NULL DEFAULT '', lines int NOT NULL, cancelled boolean NOT NULL DEFAULT false,
            made_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, batch_id, submission_id));
        ALTER TABLE models.batch_line DROP CONSTRAINT batch_line_state_check;
        ALTER TABLE models.batch_line
            ADD CONSTRAINT batch_line_state_check CHECK (state IN ('pending', 'running', 'submitted', 'done')),
            ADD COLUMN submission_id uuid, ADD COLUMN call_id uuid, ADD COLUMN alone boolean NOT NULL DEFAULT false,
            ADD COLUMN input_tokens bigint NOT NULL DEFAULT 0, ADD COLUMN output_tokens bigint NOT NULL DEFAULT 0;
        CREATE INDEX ON models.batch (ended_at) WHERE ended_at IS NOT NULL;
        CREATE INDEX ON models.file (created_at);
    """)
    tenant_table("models", "batch_submission")
    # What is old is found across tenants, and deleted in transactions of each.
    system_access("models", "batch", "SELECT", ("tenant_id", "batch_id", "ended_at"))
    system_access("models", "file", "SELECT", ("tenant_id", "file_id", "batch_id", "created_at"))


def downgrade() -> None:
    run_sql("""
        DROP POLICY system_select ON models.file;
        REVOKE SELECT (tenant_id, file_id, batch_id, created_at) ON models.file FROM steward_models_system;
        DROP POLICY system_select ON models.batch;
        REVOKE SELECT (tenant_id, batch_id, ended_at) ON models.batch FROM steward_models_system;
        DROP INDEX models.batch_ended_at_idx, models.file_created_at_idx;
        DROP TABLE models.batch_submission;
        UPDATE models.batch_line SET state = 'pending' WHERE state = 'submitted';
        ALTER TABLE models.batch_line DROP COLUMN submission_id, DROP COLUMN call_id, DROP COLUMN alone,
            DROP COLUMN input_tokens, DROP COLUMN output_tokens,
            DROP CONSTRAINT batch_line_state_check,
            ADD CONSTRAINT batch_line_state_check CHECK (state IN ('pending', 'running', 'done'));
    """)
