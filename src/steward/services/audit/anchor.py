"""The anchor: signed heads written outside the database, to find a chain whose end was cut off with its heads.

A file of JSON lines that is only appended to and synced at each write. Copy it to write-once storage where
the machine's administrators are among those to be watched.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steward.kit.ids import TenantId
from steward.services.audit.chain import Head


class Anchor:
    """Appends heads and gives a tenant's back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def append(self, heads: Sequence[Head]) -> None:
        lines = b"".join(msgspec.json.encode(head) + b"\n" for head in heads)
        await asyncio.to_thread(self._write, lines)

    async def of_tenant(self, tenant: TenantId) -> Sequence[Head]:
        """The tenant's heads, in the order written; none without a file."""
        return await asyncio.to_thread(self._read, tenant)

    def _write(self, lines: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _read(self, tenant: TenantId) -> Sequence[Head]:
        if not self.path.exists():
            return ()
        wanted = str(tenant).encode()
        with self.path.open("rb") as file:
            # The last line may be cut short by a crash; whatever it lost is in the database or was never sealed.
            lines = (line for line in file if wanted in line and line.endswith(b"\n"))
            heads = [msgspec.json.decode(line, type=Head) for line in lines]
        return [head for head in heads if head.tenant == tenant]
