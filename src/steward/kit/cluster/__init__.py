"""Who else is there: each process announces its address, services and public key in the database.

It serves discovery (which address answers for a service) and trust (whose signature on a caller's context counts).
"""

from steward.kit.cluster.registry import ClusterSettings, ProcessRegistry

__all__ = ["ClusterSettings", "ProcessRegistry"]
