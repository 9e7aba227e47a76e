"""Users, passwords, roles, invitations, sessions, API keys; log-in attempts and signing keys of the installation."""

from steward.kit.db.migrations import create_service, run_sql, sensitive_columns, system_access, tenant_table

revision = "identity_0001"
down_revision = None
branch_labels = ("identity",)
depends_on = ("kit_0001",)


def upgrade() -> None:
    create_service("identity")
    _users()
    _sessions_and_keys()
    _platform()
    for table in ("user", "password", "user_role", "invitation", "session", "refresh_token", "api_key"):
        tenant_table("identity", table)
    _system_grants()


def downgrade() -> None:
    run_sql("DROP SCHEMA identity CASCADE")


def _users() -> None:
    run_sql("""
        -- A deleted user stays as a row without personal data, so that ids in the trail keep their meaning.
        CREATE TABLE identity.user (
            tenant_id uuid NOT NULL, id uuid NOT NULL,
            email kit.sealed, email_index bytea CHECK (octet_length(email_index) = 32), name kit.sealed,
            state text NOT NULL CHECK (state IN ('invited', 'active', 'disabled', 'deleted')),
            created_at timestamptz NOT NULL, last_login_at timestamptz, version int NOT NULL DEFAULT 1,
            PRIMARY KEY (tenant_id, id),
            CHECK ((state = 'deleted') = (email IS NULL) AND (email IS NULL) = (email_index IS NULL)));
        -- Serves both the uniqueness within a tenant and the look-up across tenants at log-in.
        CREATE UNIQUE INDEX user_email ON identity.user (email_index, tenant_id);

        CREATE TABLE identity.password (
            tenant_id uuid NOT NULL, user_id uuid NOT NULL, hash text NOT NULL, changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, user_id),
            FOREIGN KEY (tenant_id, user_id) REFERENCES identity.user ON DELETE CASCADE);

        CREATE TABLE identity.user_role (
            tenant_id uuid NOT NULL, user_id uuid NOT NULL, role text NOT NULL, assigned_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, user_id, role),
            FOREIGN KEY (tenant_id, user_id) REFERENCES identity.user ON DELETE CASCADE);
        CREATE INDEX user_role_owner ON identity.user_role (tenant_id, role) WHERE role = 'owner';

        CREATE TABLE identity.invitation (
            tenant_id uuid NOT NULL, id uuid NOT NULL, user_id uuid NOT NULL,
            secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32), expires_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, user_id) REFERENCES identity.user ON DELETE CASCADE);
        CREATE INDEX ON identity.invitation (tenant_id, user_id);
        CREATE INDEX ON identity.invitation (expires_at);
    """)


def _sessions_and_keys() -> None:
    run_sql("""
        CREATE TABLE identity.session (
            tenant_id uuid NOT NULL, id uuid NOT NULL, user_id uuid NOT NULL,
            created_at timestamptz NOT NULL, last_used_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, revoked_at timestamptz,
            address kit.sealed NOT NULL, user_agent kit.sealed NOT NULL,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, user_id) REFERENCES identity.user ON DELETE CASCADE);
        CREATE INDEX ON identity.session (tenant_id, user_id, id) WHERE revoked_at IS NULL;
        CREATE INDEX ON identity.session (expires_at);
        CREATE INDEX ON identity.session (revoked_at) WHERE revoked_at IS NOT NULL;

        CREATE TABLE identity.refresh_token (
            tenant_id uuid NOT NULL, id uuid NOT NULL, session_id uuid NOT NULL,
            secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
            expires_at timestamptz NOT NULL, spent_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, session_id) REFERENCES identity.session ON DELETE CASCADE);
        CREATE INDEX ON identity.refresh_token (tenant_id, session_id);
        CREATE INDEX ON identity.refresh_token (expires_at);

        CREATE TABLE identity.api_key (
            tenant_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('secret', 'publishable')),
            secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32), scopes text[] NOT NULL,
            created_by uuid NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz,
            last_used_at timestamptz, revoked_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, created_by) REFERENCES identity.user ON DELETE CASCADE);
        CREATE INDEX ON identity.api_key (tenant_id, created_by) WHERE revoked_at IS NULL;
    """)


def _platform() -> None:
    run_sql("""
        -- By address, whether or not it has a user, so that lock-out does not tell the one from the other.
        CREATE TABLE identity.login_attempt (
            email_index bytea PRIMARY KEY CHECK (octet_length(email_index) = 32),
            failures int NOT NULL, locked_until timestamptz, last_at timestamptz NOT NULL);
        CREATE INDEX ON identity.login_attempt (last_at);

        CREATE TABLE identity.signing_key (
            kid text PRIMARY KEY, public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
            private_key kit.sealed NOT NULL, created_at timestamptz NOT NULL,
            signs_from timestamptz NOT NULL, expires_at timestamptz);

        GRANT SELECT, INSERT, UPDATE, DELETE ON identity.login_attempt, identity.signing_key
            TO steward_identity_system;
    """)


def _system_grants() -> None:
    sensitive_columns("identity", "user", "email", "name")
    sensitive_columns("identity", "session", "address", "user_agent")
    sensitive_columns("identity", "signing_key", "private_key")
    system_access("identity", "user", "SELECT", ("tenant_id", "id", "email_index", "state"))
    system_access("identity", "session", "SELECT", ("tenant_id", "id", "expires_at", "revoked_at", "last_used_at"))
    system_access("identity", "session", "UPDATE", ("last_used_at",))
    system_access("identity", "session", "DELETE")
    system_access("identity", "refresh_token", "SELECT", ("tenant_id", "id", "expires_at"))
    system_access("identity", "refresh_token", "DELETE")
    system_access("identity", "invitation", "SELECT", ("tenant_id", "id", "expires_at"))
    system_access("identity", "invitation", "DELETE")
    system_access("identity", "api_key", "SELECT", ("tenant_id", "id", "last_used_at"))
    system_access("identity", "api_key", "UPDATE", ("last_used_at",))
