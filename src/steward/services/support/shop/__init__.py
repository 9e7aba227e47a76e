"""The tenant's shop: where it is, and the tools by which the desk asks it.

Purpose: the connection of a tenant (address, sealed credential) and the tools over it. Invariants: the customer in a
call's path is the verified one, and an answer of another customer is thrown away; an anonymous customer's call never
leaves the process; a change goes out under its Idempotency-Key. Pitfalls: the connection is remembered in the process
and forgotten by event; whatever the shop does is an outcome, never an exception.
"""
