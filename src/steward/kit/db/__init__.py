"""PostgreSQL: one pool a process, one transaction a unit of work, each under a service's role and a tenant.

A service gets a `ServiceDb` and opens `tx(ctx)` (its role, the context's tenant) or `system_tx(ctx)` (its system role,
across tenants, on the columns it was granted). Transactions never nest, and `forbid_open_tx` refuses an outside call
while one is open. `tx.emit` and `tx.audit` write with the commit.
"""

from steward.kit.db.errors import DatabaseBusy, DatabaseUnavailable
from steward.kit.db.pool import Database, DbSettings, NullObserver, Observer
from steward.kit.db.tx import ServiceDb, Tx, forbid_open_tx

__all__ = [
    "Database",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "DbSettings",
    "NullObserver",
    "Observer",
    "ServiceDb",
    "Tx",
    "forbid_open_tx",
]
