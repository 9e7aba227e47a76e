"""What the audit service refuses, and why."""

from steward.kit.errors import NotFound


class EntryNotFound(NotFound):
    code = "audit_entry_not_found"

    def __init__(self, seq: int) -> None:
        super().__init__(f"the audit trail has no entry {seq}: entries of the last second are not sealed yet", seq=seq)
