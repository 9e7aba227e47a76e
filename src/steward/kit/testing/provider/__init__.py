"""Model providers to test and to measure against: real HTTP servers that speak the wire formats of the great ones.

`FakeProvider` is scripted request by request and fails in every way that a network can. `lean` answers the same to
everybody and costs next to nothing, as a process of its own: `python -m steward.kit.testing.provider`.
"""

from steward.kit.testing.provider.fake import Answering, FakeProvider, Scripted
from steward.kit.testing.provider.replies import Asked, Bill, Call, Ending, Reply, Tokens

__all__ = ["Answering", "Asked", "Bill", "Call", "Ending", "FakeProvider", "Reply", "Scripted", "Tokens"]
