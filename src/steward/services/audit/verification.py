"""Checking a chain: every entry recomputed, every signed head compared."""

from collections.abc import Sequence

from steward.kit.ids import TenantId
from steward.services.audit.api import Finding
from steward.services.audit.chain import Head, Link, genesis, head_bytes, next_link
from steward.services.audit.collector import entry_row
from steward.services.audit.repository import EntryRow
from steward.services.audit.signing import signature_holds

MAX_FINDINGS = 100


class ChainCheck:
    """Fed with a tenant's entries in order, then with its head and signed heads; collects what is wrong."""

    def __init__(self, tenant: TenantId, signed: Sequence[Head], keys: dict[str, bytes]) -> None:
        self._tenant = tenant
        self._link = genesis(tenant)
        self._keys = keys
        self._signed: dict[int, list[Head]] = {}
        for head in signed:
            self.expect(head)
        self._last_signed = 0
        self._count = 0
        self.findings: list[Finding] = []

    @property
    def entries(self) -> int:
        """How many entries were seen."""
        return self._count

    def expect(self, head: Head) -> None:
        """A signed head of this chain that the entries must come to; before its entry is taken."""
        known = self._signed.setdefault(head.seq, [])
        if head not in known:
            known.append(head)

    def take(self, row: EntryRow) -> None:
        """The next entry."""
        self._count += 1
        if row.seq < 1:
            self._find(row.seq, "stands before the first entry of the chain")
            return
        if row.seq != self._link.seq + 1:
            self._find(row.seq, f"follows entry {self._link.seq}: entries between them are missing or out of order")
        link = next_link(Link(row.seq - 1, self._link.hash), row.body)
        if link.hash != row.hash:
            self._find(row.seq, "its hash does not follow from its content and the entry before it")
        elif not _columns_hold(row, link):
            self._find(row.seq, "its columns do not say what its sealed content says")
        # Going on from the stored hash reports a changed entry once and not everything behind it.
        self._link = Link(row.seq, row.hash)
        for head in self._signed.pop(row.seq, ()):
            self._check_head(head, row.hash)

    def finish(self, head: Link | None) -> None:
        """The end of the chain: the stored head must be it, and no signed head may lie beyond."""
        if head is None:
            if self._count:
                self._find(self._link.seq, "the chain has entries but no head")
        elif head.seq != self._link.seq or (head.seq and head.hash != self._link.hash):
            self._find(head.seq, f"the head is at entry {head.seq}, the last entry found is {self._link.seq}")
        elif head.seq > self._last_signed:
            self._find(head.seq, f"entries behind {self._last_signed} were never signed")
        for seq in sorted(self._signed):
            self._find(seq, "was signed as sealed, and is not there")

    def _check_head(self, head: Head, found: bytes) -> None:
        key = self._keys.get(head.key_id)
        message = head_bytes(self._tenant, Link(head.seq, head.hash), head.at)
        if key is None or not signature_holds(key, head.signature, message):
            self._find(head.seq, "a signed head of this entry has a signature that does not hold")
        elif head.hash != found:
            self._find(head.seq, "its hash differs from the one that was signed")
        else:
            self._last_signed = head.seq

    def _find(self, seq: int, problem: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(seq, problem))


def _columns_hold(row: EntryRow, link: Link) -> bool:
    try:
        return entry_row(row.tenant_id, link, row.body) == row
    except ValueError:
        return False
