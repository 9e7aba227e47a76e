"""Audit: the trail that every change and every refusal leaves, made tamper-evident.

Purpose: collect the audit outboxes of all services, chain the entries by hash per tenant, sign the head of each chain,
and answer auditors. Invariants: an entry is chained exactly once, in the order of commits; `seq` has no gaps; what was
signed is also written to an anchor file outside the database, so that cutting the end off a chain is found too.
Pitfalls: an entry is unsealed for up to a second after its commit, and whoever can write to the database as its owner
could remove it in that second; one process collects at a time, held by an advisory lock; the canonical form
(`chain.py`) must never change for version 1 entries.
"""
