"""Reports: the ledger as people read it, entry by entry and in sums.

Sums come from the hours' and days' rollups where these suffice, and from the ledger where a question goes beyond them:
by run, by tag, and for the parts of hours at both ends. Both say the same, for one statement writes them, and one reads
them. Corrections are entries of their own with differences, so every sum is net.
"""

from steward.services.costs.reports.reports import Reports

__all__ = ["Reports"]
