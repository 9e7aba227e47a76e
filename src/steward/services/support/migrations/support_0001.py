"""Sessions and messages, pending work, tickets, intents and models, playbooks, shops and customer keys."""

from steward.kit.db.migrations import TENANT, create_service, run_sql, sensitive_columns, system_access, tenant_table

revision = "support_0001"
down_revision = None
branch_labels = ("support",)
depends_on = ("kit_0001",)

MONTHS_AHEAD = 12


def upgrade() -> None:
    create_service("support")
    _conversations()
    _partitions()
    _tickets()
    _set_up()


def downgrade() -> None:
    run_sql("DROP SCHEMA support CASCADE")


def _conversations() -> None:
    run_sql("""
        CREATE TABLE support.session (
            tenant_id uuid NOT NULL, session_id uuid NOT NULL,
            owner_kind text NOT NULL CHECK (owner_kind IN ('customer', 'visitor')), owner_id text NOT NULL,
            locale text NOT NULL, state text NOT NULL CHECK (state IN ('active', 'escalated', 'closed')),
            dialogue jsonb NOT NULL, version int NOT NULL, messages int NOT NULL, metadata jsonb NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, session_id)) WITH (fillfactor = 70);
        CREATE INDEX ON support.session (updated_at);
        CREATE TABLE support.message (
            tenant_id uuid NOT NULL, message_id uuid NOT NULL, session_id uuid NOT NULL,
            sender text NOT NULL CHECK (sender IN ('user', 'agent', 'system')),
            agent_type text, text text NOT NULL, intent jsonb, citations jsonb, reply_to uuid,
            from_cache boolean NOT NULL DEFAULT false, degraded boolean NOT NULL DEFAULT false,
            response_time_ms int, sentiment text, ticket_id uuid, calls text[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, message_id)) PARTITION BY RANGE (message_id);
        CREATE INDEX ON support.message (tenant_id, session_id, message_id);
        CREATE TABLE support.pending (
            tenant_id uuid NOT NULL, message_id uuid NOT NULL, session_id uuid NOT NULL,
            customer_id text, origin jsonb NOT NULL, lease_until timestamptz NOT NULL, attempts int NOT NULL,
            PRIMARY KEY (tenant_id, message_id)) WITH (fillfactor = 50);
        CREATE INDEX ON support.pending (lease_until);
        CREATE INDEX ON support.pending (tenant_id, session_id);
    """)
    for table in ("session", "message", "pending"):
        tenant_table("support", table)
    system_access("support", "session", "SELECT", ("tenant_id", "updated_at"))
    lease = ("lease_until", "attempts")
    system_access("support", "pending", "SELECT", ("tenant_id", "message_id", *lease))
    system_access("support", "pending", "UPDATE", lease)


def _partitions() -> None:
    """Months of messages: a UUIDv7 begins with its milliseconds (RFC 9562 section 5.7), so its order is that of time.

    The application owns no table, so a function of the owner's makes the partitions; it can do nothing else.
    """
    run_sql(f"""
        CREATE FUNCTION support.first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
            SET search_path = pg_catalog, pg_temp RETURN
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
        CREATE FUNCTION support.make_months(ahead int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
        DECLARE
            month timestamptz;
            partition text;
            made int := 0;
        BEGIN
            FOR number IN -1 .. least(greatest(ahead, 0), 120) LOOP
                month := date_trunc('month', now()) + make_interval(months => number);
                partition := 'message_' || to_char(month, 'YYYYMM');
                CONTINUE WHEN to_regclass('support.' || partition) IS NOT NULL;
                EXECUTE format('CREATE TABLE support.%I PARTITION OF support.message FOR VALUES FROM (%L) TO (%L)',
                    partition, support.first_id(month), support.first_id(month + interval '1 month'));
                EXECUTE format('ALTER TABLE support.%I ENABLE ROW LEVEL SECURITY', partition);
                EXECUTE format('ALTER TABLE support.%I FORCE ROW LEVEL SECURITY', partition);
                EXECUTE format($policy$
                    CREATE POLICY tenant_rows ON support.%1$I AS PERMISSIVE FOR ALL TO steward_support
                        USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT});
                    CREATE POLICY tenant_rows_only ON support.%1$I AS RESTRICTIVE FOR ALL TO steward_support
                        USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})$policy$, partition);
                made := made + 1;
            END LOOP;
            RETURN made;
        END $$;
        REVOKE ALL ON FUNCTION support.make_months(int) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION support.make_months(int) TO steward_support_system;
        SELECT support.make_months({MONTHS_AHEAD});
    """)


def _tickets() -> None:
    run_sql("""
        CREATE TABLE support.ticket (
            tenant_id uuid NOT NULL, ticket_id uuid NOT NULL, number int NOT NULL, session_id uuid NOT NULL,
            message_id uuid NOT NULL, customer_id text NOT NULL,
            state text NOT NULL CHECK (state IN ('open', 'in_progress', 'pending', 'resolved', 'closed')),
            priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
            reason text NOT NULL, subject text NOT NULL, summary text NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, ticket_id), UNIQUE (tenant_id, number), UNIQUE (tenant_id, message_id));
        CREATE UNIQUE INDEX one_open_ticket ON support.ticket (tenant_id, session_id)
            WHERE state NOT IN ('resolved', 'closed');
        CREATE INDEX ON support.ticket (tenant_id, state, ticket_id);
        CREATE TABLE support.ticket_counter (tenant_id uuid PRIMARY KEY, last int NOT NULL) WITH (fillfactor = 50);
    """)
    tenant_table("support", "ticket")
    tenant_table("support", "ticket_counter")


def _set_up() -> None:
    run_sql("""
        CREATE TABLE support.intent_set (
            tenant_id uuid NOT NULL, version int NOT NULL, intents jsonb NOT NULL,
            state text NOT NULL CHECK (state IN ('queued', 'training', 'ready', 'failed')),
            problem text NOT NULL DEFAULT '', accuracy float8, trained_at timestamptz,
            created_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, version));
        CREATE TABLE support.intent_model (
            tenant_id uuid NOT NULL, version int NOT NULL, model bytea NOT NULL, PRIMARY KEY (tenant_id, version));
        CREATE TABLE support.playbook (
            tenant_id uuid NOT NULL, name text NOT NULL, version int NOT NULL, source text NOT NULL,
            updated_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, name));
        CREATE TABLE support.shop (
            tenant_id uuid PRIMARY KEY, base_url text NOT NULL, credential kit.sealed NOT NULL,
            updated_at timestamptz NOT NULL);
        CREATE TABLE support.customer_key (
            tenant_id uuid NOT NULL, kid text NOT NULL, jwk text NOT NULL, PRIMARY KEY (tenant_id, kid));
    """)
    for table in ("intent_set", "intent_model", "playbook", "shop", "customer_key"):
        tenant_table("support", table)
    sensitive_columns("support", "shop", "credential")
    # Training that a crash left behind is found across tenants.
    system_access("support", "intent_set", "SELECT", ("tenant_id", "version", "state", "created_at"))
