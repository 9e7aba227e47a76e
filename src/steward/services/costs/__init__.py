"""Costs: prices, budgets that cannot be overspent, and the ledger of every model call.

Invariants: a call's intent is durable before it leaves; in every hard budget and period, spent and reserved together
never pass the limit; spent is, to the nano, the sum of the ledger entries that count for that budget and period; the
ledger is append-only, and corrections are entries of their own with the difference.

Pitfalls: rows of use are locked in the order of (tenant, budget, period), by every statement; amounts are integers.
"""
