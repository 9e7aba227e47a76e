"""PostgreSQL: one pool a process, one transaction a unit of work, each under a service's role and a tenant.

A service gets a `ServiceDb` and opens `tx(ctx)` (its role, the context's tenant) or `system_tx(ctx)` (its system role,
across tenants, on the columns it was granted), and `read(ctx)` or `system_read(ctx)` where nothing changes: there each
statement is one message and a transaction of its own. Transactions never nest, and `forbid_open_tx` refuses an outside
call while one is open. `tx.emit` and `tx.audit` write with the commit.

Pitfalls: role and tenant go ahead of the first statement (`wire`), so an error of theirs comes up there; statements of
one transaction are awaited one after the other; a statement is prepared once for each connection, and is best a
constant text.
"""

from steward.kit.db.errors import DatabaseBusy, DatabaseUnavailable
from steward.kit.db.pool import Database, DbSettings, NullObserver, Observer
from steward.kit.db.service import ServiceDb
from steward.kit.db.tx import Tx, forbid_open_tx

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
