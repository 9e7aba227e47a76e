"""Answers that are shared: from caches, and between equal calls in flight. It stands before the room `calls`.

Invariants: nothing is shared across tenants or audiences; an answer is shared only where everything that could change
it is equal; a caller who leaves never ends the call of others.
"""
