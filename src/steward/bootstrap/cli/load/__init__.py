"""The load test behind `steward loadtest`.

Purpose: customers who write at the same time, each in a session of their own, and figures of what came back. Invariant:
a message is sent once; what fails is counted and not tried again. Pitfall: it shares its machine with the platform.
"""
