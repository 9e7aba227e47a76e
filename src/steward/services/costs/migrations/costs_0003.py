"""The engine's functions that reserve: many calls at a time, in one message."""

from steward.kit.db.migrations import run_sql

revision = "costs_0003"
down_revision = "costs_0002"
branch_labels = None
depends_on = None

PLANS = "SET enable_seqscan = off SET enable_hashjoin = off SET plan_cache_mode = force_generic_plan"
"""Of what is called from outside: by the keys, whatever is known of tables that were empty when plans were made."""

FUNCTIONS = (
    "period_start(text, text, timestamptz)",
    "period_end(text, text, timestamptz)",
    "lock_use(uuid[], uuid[], timestamptz[])",
    "reserve_calls(timestamptz, uuid, uuid[], uuid[], text[], jsonb[], bigint[], bigint[], bigint[], bigint[],"
    " bigint[], bigint[], boolean[])",
    "admit_calls(uuid[], uuid[], uuid[], bigint[], bigint[], bigint[], bigint[], bigint[], boolean[], uuid[], uuid[],"
    " timestamptz[], jsonb)",
)


def upgrade() -> None:
    run_sql(PERIODS)
    run_sql(RESERVING)
    run_sql(ADMITTING)
    run_sql("".join(f"REVOKE ALL ON FUNCTION costs.{function} FROM PUBLIC;" for function in FUNCTIONS))
    run_sql(
        "".join(f"GRANT EXECUTE ON FUNCTION costs.{function} TO steward_costs_system;" for function in FUNCTIONS)
        + "".join(f"GRANT EXECUTE ON FUNCTION costs.{function} TO steward_costs;" for function in FUNCTIONS[:2])
    )


PERIODS = """
    CREATE FUNCTION costs.period_start(period text, zone text, moment timestamptz) RETURNS timestamptz
        LANGUAGE sql STABLE RETURN
        CASE period WHEN 'total' THEN timestamptz 'epoch' ELSE date_trunc(period, moment, zone) END;
    CREATE FUNCTION costs.period_end(period text, zone text, started timestamptz) RETURNS timestamptz
        LANGUAGE sql STABLE RETURN
        CASE period WHEN 'total' THEN NULL
             ELSE date_trunc(period, date_add(started, ('1 ' || period)::interval, zone), zone) END;
"""


RESERVING = f"""
    CREATE FUNCTION costs.lock_use(tenants uuid[], budgets uuid[], periods timestamptz[]) RETURNS bigint
        LANGUAGE plpgsql AS $$
    BEGIN
        RETURN (SELECT count(*) FROM (
            SELECT FROM unnest(tenants, budgets, periods) AS k (tenant_id, budget_id, period_start)
                JOIN costs.budget_use u USING (tenant_id, budget_id, period_start)
            ORDER BY u.tenant_id, u.budget_id, u.period_start FOR NO KEY UPDATE OF u) AS locked);
    END $$;
    CREATE FUNCTION costs.reserve_calls(moment timestamptz, held_by uuid, tenants uuid[], ids uuid[], named text[],
        calls jsonb[], nanos bigint[], fixed bigint[], rates bigint[], inputs bigint[], wanted bigint[],
        fewest bigint[], priced boolean[]) RETURNS jsonb LANGUAGE plpgsql {PLANS} AS $$
    #variable_conflict use_column
    DECLARE
        made uuid[];
        whose uuid[];
        counting uuid[];
        since timestamptz[];
        sums bigint[];
        sums_tokens bigint[];
        most bigint[];
        most_tokens bigint[];
        members bigint[];
        fit bigint := 0;
        told jsonb := NULL;
    BEGIN
        WITH added AS (
            INSERT INTO costs.open_call (tenant_id, call_id, holder, nanos, tokens, output_tokens,
                budgets, periods, subjects, call, created_at)
            SELECT w.tenant_id, w.call_id, held_by, w.nanos, w.input + w.wanted, w.wanted,
                coalesce(b.budgets, '{{}}'), coalesce(b.periods, '{{}}'), s.subjects, w.call, moment
            FROM unnest(tenants, ids, named, calls, nanos, inputs, wanted)
                    AS w (tenant_id, call_id, named, call, nanos, input, wanted)
                CROSS JOIN LATERAL (
                    SELECT string_to_array(w.named, chr(31)) || coalesce(array_agg(above), '{{}}') AS subjects
                    FROM costs.team_member m, unnest(m.teams) above
                    WHERE m.tenant_id = w.tenant_id AND m.member = ANY (string_to_array(w.named, chr(31)))) s
                CROSS JOIN LATERAL (
                    SELECT array_agg(b.budget_id) AS budgets,
                        array_agg(costs.period_start(b.period, b.time_zone, moment)) AS periods
                    FROM costs.budget b WHERE b.tenant_id = w.tenant_id AND b.subject = ANY (s.subjects)) b
            ON CONFLICT DO NOTHING RETURNING tenant_id, call_id, budgets, periods, nanos, tokens
        ), demand AS (
            SELECT a.tenant_id, c.budget_id, c.period_start, sum(a.nanos)::bigint AS nanos,
                sum(a.tokens)::bigint AS tokens, max(a.nanos) AS most, max(a.tokens) AS most_tokens,
                count(*) AS calls
            FROM added a, unnest(a.budgets, a.periods) AS c (budget_id, period_start) GROUP BY 1, 2, 3
        )
        SELECT (SELECT array_agg(call_id) FROM added), array_agg(tenant_id), array_agg(budget_id),
            array_agg(period_start), array_agg(nanos), array_agg(tokens), array_agg(most), array_agg(most_tokens),
            array_agg(calls)
        INTO made, whose, counting, since, sums, sums_tokens, most, most_tokens, members FROM demand;
        IF cardinality(made) IS DISTINCT FROM cardinality(ids) THEN
            SELECT jsonb_agg(jsonb_build_object('place', w.place, 'before', true, 'nanos', o.nanos,
                'output', o.output_tokens))
            INTO told FROM unnest(tenants, ids) WITH ORDINALITY AS w (tenant_id, call_id, place)
                LEFT JOIN costs.open_call o USING (tenant_id, call_id)
            WHERE made IS NULL OR w.call_id <> ALL (made);
        END IF;
        IF counting IS NULL THEN
            RETURN told;
        END IF;
        IF costs.lock_use(whose, counting, since) < cardinality(counting) THEN
            INSERT INTO costs.budget_use (tenant_id, budget_id, period_start)
            SELECT b.tenant_id, b.budget_id, k.period_start
            FROM unnest(whose, counting, since) AS k (tenant_id, budget_id, period_start)
                JOIN costs.budget b USING (tenant_id, budget_id)
            ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
            PERFORM costs.lock_use(whose, counting, since);
        END IF;
        IF true = ALL (priced) THEN
            WITH ask AS MATERIALIZED (
                SELECT k.tenant_id, k.budget_id, k.period_start, k.calls,
                    CASE WHEN b.in_tokens THEN k.tokens ELSE k.nanos END AS amount,
                    NOT b.hard OR CASE WHEN b.in_tokens THEN k.most_tokens * (u.open_calls + k.calls + 2) + k.tokens
                        ELSE k.most * (u.open_calls + k.calls + 2) + k.nanos END
                        <= b.ceiling - u.spent - u.reserved AS fits
                FROM unnest(whose, counting, since, sums, sums_tokens, most, most_tokens, members)
                        AS k (tenant_id, budget_id, period_start, nanos, tokens, most, most_tokens, calls)
                    JOIN costs.budget_use u USING (tenant_id, budget_id, period_start)
                    JOIN costs.budget b USING (tenant_id, budget_id)
            )
            UPDATE costs.budget_use u SET reserved = u.reserved + a.amount, open_calls = u.open_calls + a.calls
            FROM ask a WHERE u.tenant_id = a.tenant_id AND u.budget_id = a.budget_id
                AND u.period_start = a.period_start AND NOT EXISTS (SELECT FROM ask WHERE NOT fits);
            GET DIAGNOSTICS fit = ROW_COUNT;
        END IF;
        IF fit = 0 THEN
            told := costs.admit_calls(tenants, ids, made, fixed, rates, inputs, wanted, fewest, priced, whose,
                counting, since, told);
        END IF;
        RETURN told;
    END $$;
"""
"""Each list has a place for each call; the answer tells only of calls that were not granted in full, or were before.

Calls are written down as if granted, then the budgets they count for are locked, and only then limits are read. If
everything fits, that is all: each call's share, as in `admit_calls`, is at least what it needs.
"""


ADMITTING = """
    CREATE FUNCTION costs.admit_calls(tenants uuid[], ids uuid[], made uuid[], fixed bigint[], rates bigint[],
        inputs bigint[], wanted bigint[], fewest bigint[], priced boolean[], whose uuid[], counting uuid[],
        since timestamptz[], told jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
        one record;
        owners uuid[];
        known uuid[];
        starts timestamptz[];
        room bigint[];
        others bigint[];
        hard boolean[];
        tokened boolean[];
        added bigint[];
        joined int[];
        refused uuid[] := '{}';
        each uuid;
        n int;
        output bigint;
        need bigint;
        amount bigint;
        answer jsonb;
    BEGIN
        SELECT array_agg(u.tenant_id), array_agg(u.budget_id), array_agg(u.period_start),
            array_agg(b.ceiling - u.spent - u.reserved), array_agg(u.open_calls::bigint), array_agg(b.hard),
            array_agg(b.in_tokens), array_agg(0::bigint), array_agg(0)
        INTO owners, known, starts, room, others, hard, tokened, added, joined
        FROM unnest(whose, counting, since) AS k (tenant_id, budget_id, period_start)
            JOIN costs.budget_use u USING (tenant_id, budget_id, period_start)
            JOIN costs.budget b USING (tenant_id, budget_id);
        FOR one IN
            SELECT w.*, o.budgets
            FROM unnest(tenants, ids, fixed, rates, inputs, wanted, fewest, priced) WITH ORDINALITY
                    AS w (tenant_id, call_id, fixed, rate, input, wanted, fewest, priced, place)
                JOIN costs.open_call o USING (tenant_id, call_id)
            WHERE w.call_id = ANY (made) AND o.budgets <> '{}' ORDER BY w.place
        LOOP
            output := one.wanted;
            answer := NULL;
            FOREACH each IN ARRAY one.budgets LOOP
                n := array_position(known, each);
                CONTINUE WHEN n IS NULL OR NOT hard[n];
                IF NOT tokened[n] AND NOT one.priced THEN
                    answer := jsonb_build_object('place', one.place, 'unpriced', true);
                    EXIT;
                END IF;
                need := CASE WHEN tokened[n] THEN one.input + one.fewest
                    ELSE one.fixed + (one.rate * one.fewest + 999999) / 1000000 END;
                IF need > room[n] THEN
                    SELECT jsonb_build_object('place', one.place, 'budget_id', b.budget_id, 'budget', b.name,
                        'limit', b.ceiling, 'used', b.ceiling - room[n],
                        'unit', CASE WHEN b.in_tokens THEN 'tokens' ELSE 'usd' END,
                        'resets_at', costs.period_end(b.period, b.time_zone, starts[n]))
                    INTO answer FROM costs.budget b WHERE b.tenant_id = one.tenant_id AND b.budget_id = each;
                    EXIT;
                END IF;
                amount := greatest(need, room[n] / (others[n] + 2));
                IF tokened[n] THEN
                    output := least(output, amount - one.input);
                ELSIF one.rate > 0 THEN
                    output := least(output, least(amount - one.fixed, 9000000000000) * 1000000 / one.rate);
                END IF;
            END LOOP;
            IF answer IS NOT NULL THEN
                refused := refused || one.call_id;
            ELSE
                FOREACH each IN ARRAY one.budgets LOOP
                    n := array_position(known, each);
                    CONTINUE WHEN n IS NULL;
                    amount := CASE WHEN tokened[n] THEN one.input + output
                        ELSE one.fixed + (one.rate * output + 999999) / 1000000 END;
                    room[n] := room[n] - amount;
                    others[n] := others[n] + 1;
                    added[n] := added[n] + amount;
                    joined[n] := joined[n] + 1;
                END LOOP;
                IF output < one.wanted THEN
                    amount := one.fixed + (one.rate * output + 999999) / 1000000;
                    UPDATE costs.open_call SET nanos = amount, tokens = one.input + output, output_tokens = output
                    WHERE tenant_id = one.tenant_id AND call_id = one.call_id;
                    answer := jsonb_build_object('place', one.place, 'nanos', amount, 'output', output);
                END IF;
            END IF;
            told := CASE WHEN answer IS NULL THEN told ELSE coalesce(told, '[]') || answer END;
        END LOOP;
        UPDATE costs.budget_use u SET reserved = u.reserved + k.added, open_calls = u.open_calls + k.joined
        FROM unnest(owners, known, starts, added, joined) AS k (tenant_id, budget_id, period_start, added, joined)
        WHERE u.tenant_id = k.tenant_id AND u.budget_id = k.budget_id AND u.period_start = k.period_start
            AND k.joined > 0;
        DELETE FROM costs.open_call o USING unnest(tenants, ids) AS w (tenant_id, call_id)
        WHERE o.tenant_id = w.tenant_id AND o.call_id = w.call_id AND w.call_id = ANY (refused);
        RETURN told;
    END $$;
"""
"""One call after another, in the order of the lists, with the budgets locked.

Beside N others in flight a call may hold 1 part in N + 2 of what is left in a hard budget, or the least it needs if
that is more: so N calls that ask for everything leave 1 part in N + 1, and not 1 in 2 to the N.
"""


def downgrade() -> None:
    run_sql("".join(f"DROP FUNCTION costs.{function};" for function in FUNCTIONS))
