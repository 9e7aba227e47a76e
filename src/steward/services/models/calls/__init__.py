"""Makes calls to models: which candidate, which again, what it may cost, and what is told of it.

Invariants: nothing is sent before its reservation is durable; each reservation is settled exactly once, whatever ends
the attempt; no provider is asked for more output tokens than are reserved; no content is shown twice; every call ends
within its deadline.

Pitfalls: an attempt must be ended on every way out, cancellation included (`shots.asked`, `streams.Opened.close`).
Breakers and limits are of the process; so there is one `ProviderCalls` in it. With hedging a stream is opened in one
task and read in another: the upstream must not keep a task's own time-out open across a yield.
"""

from steward.services.models.calls.demands import Bound
from steward.services.models.calls.pipeline import EmbeddingCall, ProviderCalls

__all__ = ["Bound", "EmbeddingCall", "ProviderCalls"]
