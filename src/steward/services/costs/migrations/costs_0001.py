"""Budgets and their use, calls in flight, the ledger by month, sums by hour and day, teams, living processes."""

from steward.kit.db.migrations import TENANT, create_service, run_sql, system_access, tenant_table

revision = "costs_0001"
down_revision = None
branch_labels = ("costs",)
depends_on = ("kit_0001",)

MONTHS_AHEAD = 12
"""Partitions that are there before they are needed; a daily job makes those after them."""

USAGE = (
    "input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,"
    " audio_input_tokens, audio_output_tokens"
)
DIMENSIONS = "user_id, team, agent_id, key_id, alias, connection, provider, model, operation, cache, outcome"
"""What sums are kept by; runs and tags are asked of the ledger."""

SUMS = "calls, cost, latency_ms, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens"
LEDGER = (
    "tenant_id, call_id, revision, at, request_id, subjects, user_id, team, agent_id, key_id, tags, alias, connection,"
    f" provider, model, operation, {USAGE}, cost, reserved, reserved_tokens, priced, latency_ms,"
    " first_token_ms, cache, outcome, exact, provider_id, budgets, periods, price, reason"
)


def upgrade() -> None:
    create_service("costs")
    _budgets()
    _open_calls()
    _ledger()
    _rollups()
    _rights()


def _budgets() -> None:
    """A subject is `kind:id`, as in `user:…`; the tenant itself is `tenant:`. A total has the period 1970-01-01."""
    run_sql("""
        CREATE TABLE costs.budget (
            tenant_id uuid NOT NULL, budget_id uuid NOT NULL, name text NOT NULL, subject text NOT NULL,
            ceiling bigint NOT NULL CHECK (ceiling >= 0),
            in_tokens boolean NOT NULL,
            period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
            hard boolean NOT NULL, time_zone text NOT NULL, alert_at int[] NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, budget_id), UNIQUE (tenant_id, name));
        CREATE INDEX budget_subject ON costs.budget (tenant_id, subject);
        CREATE TABLE costs.budget_use (
            tenant_id uuid NOT NULL, budget_id uuid NOT NULL, period_start timestamptz NOT NULL,
            spent bigint NOT NULL DEFAULT 0,
            reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
            open_calls int NOT NULL DEFAULT 0 CHECK (open_calls >= 0),
            alerted int NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, budget_id, period_start)) WITH (fillfactor = 50);
        COMMENT ON COLUMN costs.budget_use.alerted IS 'the highest percentage that was told';
        CREATE TABLE costs.team_member (
            tenant_id uuid NOT NULL, member text NOT NULL, team text NOT NULL, teams text[] NOT NULL,
            PRIMARY KEY (tenant_id, member));
        COMMENT ON COLUMN costs.team_member.teams IS 'subjects of the team and of those above it';
        CREATE TABLE costs.notice (
            tenant_id uuid NOT NULL, notice_id uuid NOT NULL, kind text NOT NULL, body jsonb NOT NULL,
            PRIMARY KEY (tenant_id, notice_id));
        COMMENT ON TABLE costs.notice IS 'events of settlements, until they are published';
    """)
    tenant_table("costs", "budget")
    tenant_table("costs", "budget_use", "SELECT, DELETE")
    tenant_table("costs", "team_member")
    tenant_table("costs", "notice", "SELECT")


def _open_calls() -> None:
    run_sql("""
        CREATE TABLE costs.open_call (
            tenant_id uuid NOT NULL, call_id uuid NOT NULL, holder uuid NOT NULL,
            nanos bigint NOT NULL, tokens bigint NOT NULL, output_tokens bigint NOT NULL,
            budgets uuid[] NOT NULL, periods timestamptz[] NOT NULL, subjects text[] NOT NULL,
            call jsonb NOT NULL, created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, call_id))
            WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        COMMENT ON COLUMN costs.open_call.tokens IS 'the bound of the input and the output that was granted';
        CREATE TABLE costs.holder (
            holder_id uuid PRIMARY KEY, beat_at timestamptz NOT NULL) WITH (fillfactor = 50);
    """)
    tenant_table("costs", "open_call", "SELECT")


def _ledger() -> None:
    """One row a call and one a correction, which has differences; partitions by month of the UUIDv7 in `call_id`."""
    run_sql(f"""
        CREATE TABLE costs.ledger (
            tenant_id uuid NOT NULL, call_id uuid NOT NULL, revision int NOT NULL, at timestamptz NOT NULL,
            request_id text NOT NULL, subjects text[] NOT NULL,
            user_id text NOT NULL, team text NOT NULL, agent_id text NOT NULL, key_id text NOT NULL,
            tags jsonb NOT NULL, alias text NOT NULL, connection text NOT NULL, provider text NOT NULL,
            model text NOT NULL, operation text NOT NULL,
            {", ".join(f"{column} bigint NOT NULL" for column in USAGE.split(", "))},
            cost bigint NOT NULL, reserved bigint NOT NULL, reserved_tokens bigint NOT NULL,
            priced boolean NOT NULL,
            latency_ms bigint NOT NULL, first_token_ms bigint, cache text NOT NULL, outcome text NOT NULL,
            exact boolean NOT NULL, provider_id text NOT NULL,
            budgets uuid[] NOT NULL, periods timestamptz[] NOT NULL, price jsonb, reason text NOT NULL,
            PRIMARY KEY (tenant_id, call_id, revision)) PARTITION BY RANGE (call_id);
        COMMENT ON COLUMN costs.ledger.budgets IS 'that it counts for, in the periods of the same place';
        COMMENT ON COLUMN costs.ledger.cost IS 'nanos';
        COMMENT ON COLUMN costs.ledger.price IS 'what the call was priced by';
        CREATE FUNCTION costs.first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
            SET search_path = pg_catalog, pg_temp RETURN
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
        CREATE FUNCTION costs.make_months(ahead int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
        DECLARE
            month timestamptz;
            partition text;
            made int := 0;
        BEGIN
            FOR number IN -1 .. least(greatest(ahead, 0), 120) LOOP
                month := date_trunc('month', now()) + make_interval(months => number);
                partition := 'ledger_' || to_char(month, 'YYYYMM');
                CONTINUE WHEN to_regclass('costs.' || partition) IS NOT NULL;
                EXECUTE format('CREATE TABLE costs.%I PARTITION OF costs.ledger FOR VALUES FROM (%L) TO (%L)',
                    partition, costs.first_id(month), costs.first_id(month + interval '1 month'));
                EXECUTE format('ALTER TABLE costs.%I ENABLE ROW LEVEL SECURITY', partition);
                EXECUTE format('ALTER TABLE costs.%I FORCE ROW LEVEL SECURITY', partition);
                EXECUTE format($policy$
                    CREATE POLICY tenant_rows ON costs.%1$I AS PERMISSIVE FOR ALL TO steward_costs
                        USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT});
                    CREATE POLICY tenant_rows_only ON costs.%1$I AS RESTRICTIVE FOR ALL TO steward_costs
                        USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})$policy$, partition);
                made := made + 1;
            END LOOP;
            RETURN made;
        END $$;
        REVOKE ALL ON FUNCTION costs.make_months(int) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION costs.make_months(int) TO steward_costs_system;
        SELECT costs.make_months({MONTHS_AHEAD});
    """)
    tenant_table("costs", "ledger", "SELECT")


def _rollups() -> None:
    """Sums of the ledger's entries by hour and by UTC day of `at`; `calls` counts revision 0 only.

    `cache_write_tokens` has those of an hour, too. `dims` is a hash of the dimensions, so that the key is short.
    """
    for table, moment in (("rollup_hour", "hour"), ("rollup_day", "day")):
        run_sql(f"""
            CREATE TABLE costs.{table} (
                tenant_id uuid NOT NULL, {moment} timestamptz NOT NULL, dims uuid NOT NULL,
                {", ".join(f"{column} text NOT NULL" for column in DIMENSIONS.split(", "))},
                {", ".join(f"{column} bigint NOT NULL" for column in SUMS.split(", "))},
                PRIMARY KEY (tenant_id, {moment}, dims)) WITH (fillfactor = 70);
        """)
        tenant_table("costs", table, "SELECT")


def _rights() -> None:
    """Calls of all tenants are settled together, and those of dead processes swept."""
    columns = (
        ("budget", "tenant_id, budget_id, name, subject, ceiling, in_tokens, period, hard, time_zone, alert_at"),
        ("team_member", "tenant_id, member, teams"),
    )
    for table, names in columns:
        system_access("costs", table, "SELECT", names.split(", "))
    use = "tenant_id, budget_id, period_start, spent, reserved, open_calls, alerted"
    system_access("costs", "budget_use", "SELECT", use.split(", "))
    system_access("costs", "budget_use", "INSERT", ("tenant_id", "budget_id", "period_start"))
    system_access("costs", "budget_use", "UPDATE", ("spent", "reserved", "open_calls", "alerted"))
    call = "tenant_id, call_id, holder, nanos, tokens, output_tokens, budgets, periods, subjects, call, created_at"
    system_access("costs", "open_call", "SELECT", call.split(", "))
    system_access("costs", "open_call", "INSERT", call.split(", "))
    system_access("costs", "open_call", "UPDATE", ("nanos", "tokens", "output_tokens"))
    system_access("costs", "open_call", "DELETE")
    system_access("costs", "ledger", "SELECT", LEDGER.removesuffix(", reason").split(", "))
    system_access("costs", "ledger", "INSERT", LEDGER.split(", "))
    for table, moment in (("rollup_hour", "hour"), ("rollup_day", "day")):
        key = ("tenant_id", moment, "dims")
        system_access("costs", table, "SELECT", (*key, *SUMS.split(", ")))
        system_access("costs", table, "INSERT", (*key, *DIMENSIONS.split(", "), *SUMS.split(", ")))
        system_access("costs", table, "UPDATE", SUMS.split(", "))
    system_access("costs", "notice", "SELECT", ("tenant_id", "notice_id", "kind", "body"))
    system_access("costs", "notice", "INSERT", ("tenant_id", "notice_id", "kind", "body"))
    # One of several publishers passes over what another one has locked, which takes this right.
    system_access("costs", "notice", "UPDATE", ("kind",))
    system_access("costs", "notice", "DELETE")
    run_sql("GRANT SELECT, INSERT, UPDATE, DELETE ON costs.holder TO steward_costs_system")


def downgrade() -> None:
    run_sql("DROP SCHEMA costs CASCADE")
