"""The anchor: signed heads written outside the database, to find a chain whose end was cut off with its heads.

A file of JSON lines that is only appended to and synced at each write. Copy it to write-once storage where
the machine's administrators are among those to be watched.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

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
        with open(self.path, "ab+", opener=_private) as file:
            if file.tell() and not _ends_a_line(file):
                lines = b"\n" + lines
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def _read(self, tenant: TenantId) -> Sequence[Head]:
        if not self.path.exists():
            return ()
        wanted = str(tenant).encode()
        with self.path.open("rb") as file:
            heads = [_head(line) for line in file if wanted in line]
        return [head for head in heads if head is not None and head.tenant == tenant]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _head(line: bytes) -> Head | None:
    """The head of a line; None for one that a crash cut short, whose head is in the database or was never sealed."""
    try:
        return msgspec.json.decode(line, type=Head)
    except msgspec.DecodeError:
        return None
