"""The engine's functions that settle: calls that ended, calls of dead processes, corrections, answers of caches.

All of them run as the system role and lock in one order: calls in flight, the sums of the ledger, the use of budgets,
each kind in the order of its key.
"""

from steward.kit.db.migrations import run_sql

revision = "costs_0004"
down_revision = "costs_0003"
branch_labels = None
depends_on = None

DIMENSIONS = "user_id, team, agent_id, key_id, alias, connection, provider, model, operation, cache, outcome"
SUMS = "calls, cost, latency_ms, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens"
PLANS = "SET enable_seqscan = off SET enable_hashjoin = off SET plan_cache_mode = force_generic_plan"
"""Of what is called from outside: by the keys, whatever is known of tables that were empty when plans were made."""

FUNCTIONS = (
    "post(costs.ledger[])",
    "settle_calls(timestamptz, uuid[], uuid[], text[], boolean[], bigint[], bigint[], bigint[], bigint[], text[])",
    "sweep_calls(timestamptz, timestamptz, timestamptz, int)",
    "release_calls(uuid[], uuid[])",
    "record_hits(timestamptz, uuid[], uuid[], text[], jsonb[], text[], bigint[], bigint[])",
    "add_revision(timestamptz, uuid, uuid, int, text, boolean, bigint, bigint[], bigint, bigint, text, text)",
)


def upgrade() -> None:
    run_sql(POSTING)
    run_sql(SETTLING)
    run_sql(RECORDING)
    run_sql("".join(f"REVOKE ALL ON FUNCTION costs.{function} FROM PUBLIC;" for function in FUNCTIONS))
    run_sql("".join(f"GRANT EXECUTE ON FUNCTION costs.{function} TO steward_costs_system;" for function in FUNCTIONS))


ADDED = ", ".join(f"{column} = r.{column} + excluded.{column}" for column in SUMS.split(", "))
POSTING = f"""
    CREATE FUNCTION costs.post(entries costs.ledger[]) RETURNS int LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
        crossed int;
        exceeded int;
    BEGIN
        INSERT INTO costs.ledger SELECT * FROM unnest(entries);
        WITH line AS MATERIALIZED (
            SELECT tenant_id, at, md5(concat_ws(chr(31), {DIMENSIONS}))::uuid AS dims,
                {", ".join(f"min({column}) AS {column}" for column in DIMENSIONS.split(", "))},
                count(*) FILTER (WHERE revision = 0) AS calls, sum(cost) AS cost, sum(latency_ms) AS latency_ms,
                sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
                sum(cache_write_tokens + cache_write_1h_tokens) AS cache_write_tokens,
                sum(output_tokens) AS output_tokens, sum(reasoning_tokens) AS reasoning_tokens
            FROM unnest(entries) GROUP BY 1, 2, 3
        ), hours AS (
            INSERT INTO costs.rollup_hour AS r (tenant_id, hour, dims, {DIMENSIONS}, {SUMS})
            SELECT tenant_id, date_trunc('hour', at, 'UTC'), dims, {DIMENSIONS}, {SUMS} FROM line ORDER BY 1, 2, 3
            ON CONFLICT (tenant_id, hour, dims) DO UPDATE SET {ADDED}
        )
        INSERT INTO costs.rollup_day AS r (tenant_id, day, dims, {DIMENSIONS}, {SUMS})
        SELECT tenant_id, date_trunc('day', at, 'UTC'), dims, {DIMENSIONS}, {SUMS} FROM line ORDER BY 1, 2, 3
        ON CONFLICT (tenant_id, day, dims) DO UPDATE SET {ADDED};
        WITH change AS MATERIALIZED (
            SELECT e.tenant_id, c.budget_id, c.period_start, sum(e.cost)::bigint AS nanos,
                sum(e.reserved)::bigint AS held_nanos, sum(e.input_tokens + e.output_tokens)::bigint AS tokens,
                sum(e.reserved_tokens)::bigint AS held_tokens, count(*) FILTER (WHERE e.revision = 0) AS calls
            FROM unnest(entries) e, unnest(e.budgets, e.periods) AS c (budget_id, period_start) GROUP BY 1, 2, 3
        ), locked AS MATERIALIZED (
            SELECT c.*, CASE WHEN b.in_tokens THEN c.tokens ELSE c.nanos END AS amount,
                CASE WHEN b.in_tokens THEN c.held_tokens ELSE c.held_nanos END AS held,
                b.name, b.subject, b.ceiling, b.in_tokens, b.period, b.alert_at
            FROM change c JOIN costs.budget b USING (tenant_id, budget_id)
                JOIN costs.budget_use u USING (tenant_id, budget_id, period_start)
            ORDER BY c.tenant_id, c.budget_id, c.period_start FOR NO KEY UPDATE OF u
        ), used AS (
            UPDATE costs.budget_use u SET spent = u.spent + c.amount, reserved = u.reserved - c.held,
                open_calls = u.open_calls - c.calls,
                alerted = (SELECT coalesce(max(percent), u.alerted) FROM unnest(c.alert_at) percent
                    WHERE percent > u.alerted AND u.spent + c.amount
                        >= c.ceiling / 100 * percent + (c.ceiling % 100 * percent + 99) / 100)
            FROM locked c WHERE u.tenant_id = c.tenant_id AND u.budget_id = c.budget_id
                AND u.period_start = c.period_start
            RETURNING c.*, new.spent, old.alerted AS was, new.alerted AS reached
        )
        INSERT INTO costs.notice (tenant_id, notice_id, kind, body)
        SELECT tenant_id, uuidv7(), 'threshold', jsonb_build_object('budget_id', budget_id, 'budget', name,
            'subject', subject, 'percent', percent, 'spent', spent, 'limit', ceiling,
            'unit', CASE WHEN in_tokens THEN 'tokens' ELSE 'usd' END,
            'period_start', CASE WHEN period <> 'total' THEN period_start END)
        FROM used, unnest(alert_at) percent WHERE percent > was AND percent <= reached;
        GET DIAGNOSTICS crossed = ROW_COUNT;
        INSERT INTO costs.notice (tenant_id, notice_id, kind, body)
        SELECT tenant_id, uuidv7(), 'exceeded', jsonb_build_object('call_id', call_id, 'connection', connection,
            'provider', provider, 'model', model, 'reserved', reserved, 'cost', cost,
            'reserved_tokens', reserved_tokens, 'tokens', input_tokens + output_tokens)
        FROM unnest(entries) WHERE revision = 0 AND cache = ''
            AND (cost > reserved OR input_tokens + output_tokens > reserved_tokens);
        GET DIAGNOSTICS exceeded = ROW_COUNT;
        RETURN crossed + exceeded;
    END $$;
"""
"""Writes entries into the ledger, the sums and the use of budgets; how many notices there are to publish.

An entry of revision 0 gives back what was reserved for it.
"""


ENTRY_OF_CALL = """
    o.call->>'request_id', o.subjects, o.call->>'user', coalesce(o.call->>'team', CASE WHEN
        starts_with(o.subjects[cardinality(o.subjects)], 'team:') THEN substr(o.subjects[cardinality(o.subjects)], 6)
        ELSE '' END), o.call->>'agent', o.call->>'key', o.call->'tags', o.call->>'alias', o.call->>'connection',
    o.call->>'provider', o.call->>'model', o.call->>'operation'"""
"""The columns from `request_id` to `operation`, of a row `o` with `subjects` and `call`."""


TOKENS = ", ".join(f"usage[8 * o.place - {7 - kind}]" for kind in range(8))
SETTLING = f"""
    CREATE FUNCTION costs.settle_calls(moment timestamptz, tenants uuid[], ids uuid[], outcomes text[],
        exacts boolean[], spent bigint[], usage bigint[], latencies bigint[], firsts bigint[], answers text[])
        RETURNS jsonb LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_column
    DECLARE
        entries costs.ledger[];
        ended uuid[];
        notices int := 0;
    BEGIN
        WITH gone AS (
            DELETE FROM costs.open_call o USING unnest(tenants, ids, outcomes, exacts, spent, latencies, firsts,
                answers) WITH ORDINALITY AS s (tenant_id, call_id, outcome, exact, cost, latency, first, answer,
                place)
            WHERE o.tenant_id = s.tenant_id AND o.call_id = s.call_id
            RETURNING o.*, s.outcome, s.exact, s.cost, s.latency, s.first, s.answer, s.place
        )
        SELECT array_agg(ROW(o.tenant_id, o.call_id, 0, moment, {ENTRY_OF_CALL},
            {TOKENS},
            o.cost, o.nanos, o.tokens, o.call->'price' <> 'null', o.latency, o.first, '', o.outcome, o.exact,
            o.answer, o.budgets, o.periods, nullif(o.call->'price', 'null'), '')::costs.ledger),
            array_agg(o.call_id)
        INTO entries, ended FROM gone o;
        IF entries IS NOT NULL THEN
            notices := costs.post(entries);
        END IF;
        RETURN jsonb_build_object('notices', notices, 'missing', CASE
            WHEN cardinality(ended) IS DISTINCT FROM cardinality(ids) THEN
                (SELECT jsonb_agg(s.place) FROM unnest(ids) WITH ORDINALITY AS s (call_id, place)
                 WHERE ended IS NULL OR s.call_id <> ALL (ended)) END);
    END $$;
    CREATE FUNCTION costs.sweep_calls(moment timestamptz, silent_since timestamptz, old_since timestamptz,
        most int) RETURNS int LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_column
    DECLARE
        entries costs.ledger[];
    BEGIN
        WITH dead AS MATERIALIZED (
            SELECT o.tenant_id, o.call_id FROM costs.open_call o
            WHERE o.created_at < silent_since AND (o.created_at < old_since OR NOT EXISTS (
                SELECT FROM costs.holder h WHERE h.holder_id = o.holder AND h.beat_at >= silent_since))
            ORDER BY 1, 2 LIMIT most FOR UPDATE OF o SKIP LOCKED
        ), gone AS (
            DELETE FROM costs.open_call o USING dead d
            WHERE o.tenant_id = d.tenant_id AND o.call_id = d.call_id RETURNING o.*
        )
        SELECT array_agg(ROW(o.tenant_id, o.call_id, 0, moment, {ENTRY_OF_CALL},
            o.tokens - o.output_tokens, 0, 0, 0, o.output_tokens, 0, 0, 0,
            o.nanos, o.nanos, o.tokens, o.call->'price' <> 'null', 0, NULL, '', 'unknown', false,
            '', o.budgets, o.periods, nullif(o.call->'price', 'null'), '')::costs.ledger)
        INTO entries FROM gone o;
        PERFORM costs.post(entries) WHERE entries IS NOT NULL;
        RETURN coalesce(cardinality(entries), 0);
    END $$;
    CREATE FUNCTION costs.release_calls(tenants uuid[], ids uuid[]) RETURNS void LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_column
    BEGIN
        WITH gone AS (
            DELETE FROM costs.open_call o USING unnest(tenants, ids) AS s (tenant_id, call_id)
            WHERE o.tenant_id = s.tenant_id AND o.call_id = s.call_id RETURNING o.*
        ), change AS MATERIALIZED (
            SELECT o.tenant_id, c.budget_id, c.period_start, sum(o.nanos)::bigint AS nanos,
                sum(o.tokens)::bigint AS tokens, count(*) AS calls
            FROM gone o, unnest(o.budgets, o.periods) AS c (budget_id, period_start) GROUP BY 1, 2, 3
        ), locked AS MATERIALIZED (
            SELECT c.*, b.in_tokens FROM change c JOIN costs.budget b USING (tenant_id, budget_id)
                JOIN costs.budget_use u USING (tenant_id, budget_id, period_start)
            ORDER BY c.tenant_id, c.budget_id, c.period_start FOR NO KEY UPDATE OF u
        )
        UPDATE costs.budget_use u SET open_calls = u.open_calls - c.calls,
            reserved = u.reserved - CASE WHEN c.in_tokens THEN c.tokens ELSE c.nanos END
        FROM locked c WHERE u.tenant_id = c.tenant_id AND u.budget_id = c.budget_id
            AND u.period_start = c.period_start;
    END $$;
"""
"""Calls that ended, and those whose process is dead: out of the calls in flight, into the ledger.

Of eight kinds of tokens each, in the order of the ledger's columns, `usage` has those of one call after another's.
"""


DIFFERENCES = ", ".join(f"usage[{kind + 1}]" for kind in range(8))
RECORDING = f"""
    CREATE FUNCTION costs.record_hits(moment timestamptz, tenants uuid[], ids uuid[], named text[], calls jsonb[],
        caches text[], usage bigint[], latencies bigint[]) RETURNS void LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_column
    DECLARE
        entries costs.ledger[];
    BEGIN
        SELECT array_agg(ROW(o.tenant_id, o.call_id, 0, moment, {ENTRY_OF_CALL}, {TOKENS},
            0, 0, 0, true, o.latency, NULL, o.cache, 'succeeded', true, '', '{{}}', '{{}}', NULL, '')::costs.ledger)
        INTO entries
        FROM (SELECT w.*, string_to_array(w.named, chr(31)) || coalesce((
                    SELECT array_agg(above) FROM costs.team_member m, unnest(m.teams) above
                    WHERE m.tenant_id = w.tenant_id AND m.member = ANY (string_to_array(w.named, chr(31)))), '{{}}')
                    AS subjects
            FROM unnest(tenants, ids, named, calls, caches, latencies) WITH ORDINALITY
                AS w (tenant_id, call_id, named, call, cache, latency, place)) o
        WHERE NOT EXISTS (SELECT FROM costs.ledger l WHERE l.tenant_id = o.tenant_id AND l.call_id = o.call_id);
        PERFORM costs.post(entries) WHERE entries IS NOT NULL;
    END $$;
    CREATE FUNCTION costs.add_revision(moment timestamptz, whose uuid, corrected uuid, number int, outcome text,
        exact boolean, cost bigint, usage bigint[], latency bigint, first bigint, answer text, reason text)
        RETURNS int LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_variable
    DECLARE
        entries costs.ledger[];
    BEGIN
        SELECT array_agg(ROW(l.tenant_id, l.call_id, number, moment, l.request_id, l.subjects, l.user_id, l.team,
            l.agent_id, l.key_id, l.tags, l.alias, l.connection, l.provider, l.model, l.operation, {DIFFERENCES},
            cost, 0, 0, l.priced, latency, first, l.cache, outcome, exact, answer, l.budgets, l.periods, NULL,
            reason)::costs.ledger)
        INTO entries FROM costs.ledger l
        WHERE l.tenant_id = whose AND l.call_id = corrected AND l.revision = 0;
        RETURN costs.post(entries);
    END $$;
"""
"""Entries without a reservation: answers from a cache, and corrections."""


def downgrade() -> None:
    run_sql("".join(f"DROP FUNCTION costs.{function};" for function in FUNCTIONS))
