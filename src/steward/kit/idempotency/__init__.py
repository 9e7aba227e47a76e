"""Idempotency keys: the same key and request give the first answer again, another request is a conflict.

A creating method asks `replay` first thing in its transaction and calls `remember` in the transaction that completes
the work. The answer is kept sealed under a key made from the caller's Idempotency-Key, of which only a hash is kept:
a stored secret can be read back only by whoever sends the same key again.
"""

from steward.kit.idempotency.errors import IdempotencyKeyReused, RequestInProgress
from steward.kit.idempotency.replies import Idempotency

__all__ = ["Idempotency", "IdempotencyKeyReused", "RequestInProgress"]
